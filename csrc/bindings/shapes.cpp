// Shapes: their parameters' table, pictures, gradient and descent.
#include <cmath>

#include "../trainers/shapes_descent.h"
#include "bindings.h"

namespace cppn::bindings {

namespace {

const char* const kKinds[] = {"fourier", "depth", "stroke", "point", "article"};
const char* const kMaps[] = {"identity", "sigmoid", "tanh"};

ShapeKind kind_named(const std::string& name) {
  for (int k = 0; k < 5; ++k)
    if (name == kKinds[k]) return ShapeKind(k);
  throw py::value_error("unknown kind of shapes");
}

// kind, formula, n, terms, channels, unit
using Given = std::tuple<std::string, std::string, int, int, int, float>;

ShapesShape make_shape(const Given& given) {
  const auto& [kind, formula, n, terms, channels, unit] = given;
  ShapesShape s{kind_named(kind), ShapeFormula::notebook, n, terms, channels, unit};
  const bool outlined = s.kind == ShapeKind::fourier || s.kind == ShapeKind::depth;
  expect(formula == "notebook" || formula == "prose", "unknown formula");
  if (formula == "prose") s.formula = ShapeFormula::prose;
  expect(outlined || formula == "notebook", "only outlines have the prose's formula");
  expect(n >= 1 && n <= kMaxShapes, "n out of range");
  expect(outlined ? terms >= 1 && terms <= kMaxTerms : terms == 0, "terms out of range");
  expect(channels >= 1 && channels <= kMaxShapeChannels, "channels out of range");
  expect(std::isfinite(unit) && unit > 0, "unit out of range");
  return s;
}

std::vector<float> floats(const FloatArray& a) { return std::vector<float>(a.data(), a.data() + a.size()); }

void expect_axes(const FloatArray& x, const FloatArray& y) {
  expect(x.ndim() == 1 && y.ndim() == 1 && x.size() >= 1 && y.size() >= 1, "x (W) and y (H) expected");
}

// name, map, scale, offset
std::vector<std::tuple<std::string, std::string, float, float>> parameters(const std::string& kind) {
  const ShapeParameters table = shape_parameters(kind_named(kind));
  std::vector<std::tuple<std::string, std::string, float, float>> rows;
  for (int p = 0; p < table.count; ++p)
    rows.emplace_back(table.rows[p].name, kMaps[int(table.rows[p].map)], table.rows[p].scale,
                      table.rows[p].offset);
  return rows;
}

py::array_t<float> render(cpu::CpuBackend& cpu, const Given& given, const FloatArray& params,
                          const FloatArray& x, const FloatArray& y) {
  const ShapesShape s = make_shape(given);
  expect(params.size() == s.params(), "the parameters do not fit the shape");
  expect_axes(x, y);
  py::array_t<float> out({y.size(), x.size(), py::ssize_t(s.channels)});
  const float *w = params.data(), *columns = x.data(), *rows = y.data();
  const int64_t width = x.size(), height = y.size();
  float* to = out.mutable_data();
  py::gil_scoped_release release;
  cpu::shapes_render(cpu, s, w, columns, width, rows, height, to);
  return out;
}

std::unique_ptr<cpu::Shapes> make_shapes(cpu::CpuBackend& cpu, const Given& given, const FloatArray& x,
                                         const FloatArray& y, const FloatArray& target,
                                         const FloatArray& weight, const std::string& loss) {
  const ShapesShape s = make_shape(given);
  expect_axes(x, y);
  expect(target.ndim() == 3 && target.shape(0) == y.size() && target.shape(1) == x.size() &&
             target.shape(2) == s.channels,
         "target (H, W, C) expected");
  expect(weight.size() == target.size(), "weight (H, W, C) expected");
  expect(loss == "root" || loss == "l1", "unknown loss");
  const ShapeLoss kind = loss == "root" ? ShapeLoss::root : ShapeLoss::l1;
  return std::make_unique<cpu::Shapes>(cpu, s, x.data(), x.size(), y.data(), y.size(), target.data(),
                                       weight.data(), kind);
}

std::tuple<double, double, py::array_t<float>, py::array_t<float>> gradient(
    cpu::CpuBackend& cpu, const Given& given, const FloatArray& params, const FloatArray& x,
    const FloatArray& y, const FloatArray& target, const FloatArray& weight, const std::string& loss) {
  std::unique_ptr<cpu::Shapes> shapes = make_shapes(cpu, given, x, y, target, weight, loss);
  expect(params.size() == shapes->shape().params(), "the parameters do not fit the shape");
  py::array_t<float> grad(params.size()), after(params.size(), params.data());
  float *to = grad.mutable_data(), *w = after.mutable_data();
  cpu::ShapesLoss found;
  {
    py::gil_scoped_release release;
    found = shapes->gradient(w, to);
  }
  return {found.loss, found.squares, grad, after};
}

using State = std::tuple<int64_t, FloatArray, FloatArray, FloatArray, FloatArray, double>;

struct Descent {
  std::shared_ptr<cpu::CpuBackend> backend;
  ShapesDescent descent;

  std::vector<std::pair<double, double>> run(const std::vector<float>& rates) {
    std::vector<std::pair<double, double>> out;
    py::gil_scoped_release release;
    for (const cpu::ShapesLoss& one : descent.run(rates)) out.emplace_back(one.loss, one.squares);
    return out;
  }

  std::pair<double, double> look() {
    py::gil_scoped_release release;
    const cpu::ShapesLoss found = descent.look();
    return {found.loss, found.squares};
  }

  py::tuple state() const {
    const ShapesState& s = descent.state();
    const auto copy = [](const std::vector<float>& v) {
      return py::array_t<float>(py::ssize_t(v.size()), v.data());
    };
    return py::make_tuple(s.step, copy(s.params), copy(s.m), copy(s.v), copy(s.best), s.best_loss);
  }
};

std::unique_ptr<Descent> make_descent(std::shared_ptr<cpu::CpuBackend> cpu, const Given& given,
                                      const FloatArray& x, const FloatArray& y, const FloatArray& target,
                                      const FloatArray& weight, const State& start, const std::string& loss,
                                      float decay) {
  std::unique_ptr<cpu::Shapes> shapes = make_shapes(*cpu, given, x, y, target, weight, loss);
  const auto& [step, params, m, v, best, best_loss] = start;
  const py::ssize_t count = shapes->shape().params();
  expect(step >= 0 && best_loss >= 0, "step or best loss out of range");
  expect(params.size() == count && m.size() == count && v.size() == count && best.size() == count,
         "the parameters do not fit the shape");
  ShapesTerms terms;
  terms.decay = decay;
  ShapesState state{step, floats(params), floats(m), floats(v), floats(best), best_loss};
  return std::unique_ptr<Descent>(new Descent{std::move(cpu), {std::move(shapes), terms, std::move(state)}});
}

}  // namespace

void bind_shapes(py::module_& m) {
  m.attr("MAX_SHAPES") = kMaxShapes;
  m.attr("MAX_SHAPE_TERMS") = kMaxTerms;
  m.def("shape_parameters", &parameters, py::arg("kind"),
        "(name, map, scale, offset) of every parameter, in the order they are packed: value = scale map(raw) "
        "+ offset.");
  m.def(
      "render_shapes", &render, py::arg("cpu"), py::arg("shape"), py::arg("params"), py::arg("x"),
      py::arg("y"),
      "(H, W, C) of the shape (kind, formula, n, terms, channels, unit) at columns x (W,) and rows y (H,).");
  m.def("shapes_gradient", &gradient, py::arg("cpu"), py::arg("shape"), py::arg("params"), py::arg("x"),
        py::arg("y"), py::arg("target"), py::arg("weight"), py::arg("loss") = "root",
        "(loss, sum of squared errors, gradient (K,), params (K,) with the colours set that follow from the "
        "target).");
  py::class_<Descent>(m, "ShapesDescent", "AdamW on shapes; state is (step, params, m, v, best, best loss).")
      .def(py::init(&make_descent), py::arg("cpu"), py::arg("shape"), py::arg("x"), py::arg("y"),
           py::arg("target"), py::arg("weight"), py::arg("state"), py::arg("loss") = "root",
           py::arg("decay") = 0.01f)
      .def("run", &Descent::run, py::arg("rates"),
           "A step for every rate; (loss, sum of squared errors) of each.")
      .def("look", &Descent::look, "(loss, sum of squared errors) of the parameters as they are.")
      .def("state", &Descent::state, "(step, params (K,), m (K,), v (K,), best (K,), best loss).");
}

}  // namespace cppn::bindings
