// Perceptron: its gradient on a batch; PerceptronDescent: its training.
#include "../trainers/mlp_descent.h"
#include "bindings.h"

namespace cppn::bindings {

namespace {

// outputs, activation, norm
using Given = std::tuple<int, int, bool>;

MlpShape make_shape(int inputs, const std::vector<Given>& layers) {
  expect(!layers.empty() && layers.size() <= size_t(kMaxMlpLayers), "layers out of range");
  expect(inputs >= 1 && inputs <= kMaxMlpWidth, "inputs out of range");
  MlpShape s{};
  for (const auto& [outputs, activation, norm] : layers) {
    expect(outputs >= 1 && outputs <= kMaxMlpWidth, "outputs out of range");
    expect(activation >= 0 && activation < kActivationCount, "unknown activation");
    s.layer[s.count++] = {inputs, outputs, Activation(activation), norm};
    inputs = outputs;
  }
  expect(!s.layer[s.count - 1].norm, "the last layer is not normalized");
  return s;
}

Loss loss_named(const std::string& name) {
  expect(name == "mse" || name == "l1", "unknown loss");
  return name == "mse" ? Loss::mse : Loss::l1;
}

struct Perceptron {
  std::shared_ptr<cpu::CpuBackend> backend;
  int64_t most;
  cpu::Mlp mlp;

  Perceptron(std::shared_ptr<cpu::CpuBackend> cpu, int inputs, const std::vector<Given>& layers,
             int64_t pixels)
      : backend(std::move(cpu)),
        most(pixels >= 1 ? pixels : throw py::value_error("most must be positive")),
        mlp(backend->kernels(), &backend->pool(), make_shape(inputs, layers), most) {}

  std::pair<double, py::array_t<float>> gradient(const FloatArray& params, const FloatArray& x,
                                                 const FloatArray& y, const std::string& loss) {
    const MlpShape& s = mlp.shape();
    expect(x.ndim() == 2 && y.ndim() == 2 && x.shape(0) == y.shape(0) && x.shape(0) >= 1,
           "x (P, I) and y (P, O) expected");
    expect(x.shape(1) == s.inputs() && y.shape(1) == s.outputs(), "x (P, I) and y (P, O) expected");
    expect(params.size() == s.params(), "the parameters do not fit the shape");
    expect(x.shape(0) <= most, "at most as many rows as said expected");
    const Loss kind = loss_named(loss);
    py::array_t<float> grad(s.params());
    const int64_t count = x.shape(0);
    const float *w = params.data(), *from_x = x.data(), *from_y = y.data();
    float* to = grad.mutable_data();
    double found = 0;
    {
      py::gil_scoped_release release;
      mlp.load(from_x, from_y, nullptr, count);
      found = mlp.gradient(w, kind, to);
    }
    return {found, grad};
  }

  std::vector<std::pair<std::vector<double>, std::vector<double>>> moments() const {
    std::vector<std::pair<std::vector<double>, std::vector<double>>> all;
    for (const cpu::BatchMoments& m : mlp.moments()) all.emplace_back(m.mean, m.variance);
    return all;
  }
};

std::vector<float> floats(const FloatArray& a) { return std::vector<float>(a.data(), a.data() + a.size()); }

// One network in training, on all threads of a CPU or, if `alone`, on whichever thread runs it.
struct Descent {
  std::shared_ptr<cpu::CpuBackend> backend;
  MlpDescent descent;

  Descent(std::shared_ptr<cpu::CpuBackend> cpu, const MlpShape& shape, const MlpTerms& terms,
          const FloatArray& x, const FloatArray& y, MlpState start, bool alone)
      : backend(std::move(cpu)),
        descent(backend->kernels(), alone ? nullptr : &backend->pool(), shape, terms, floats(x), floats(y),
                std::move(start)) {}

  double run(const std::vector<float>& rates, float noise) {
    py::gil_scoped_release release;
    return descent.run(rates, noise);
  }

  void set_targets(const FloatArray& y) {
    expect(y.size() == descent.rows() * descent.shape().outputs(), "y (P, O) expected");
    descent.set_targets(floats(y));
  }

  py::tuple state() const {
    const MlpState& s = descent.state();
    const auto copy = [](const std::vector<float>& v) {
      return py::array_t<float>(py::ssize_t(v.size()), v.data());
    };
    return py::make_tuple(s.step, copy(s.params), copy(s.m), copy(s.v),
                          py::array_t<double>(py::ssize_t(s.running.size()), s.running.data()));
  }
};

using State = std::tuple<int64_t, FloatArray, FloatArray, FloatArray, DoubleArray>;

std::unique_ptr<Descent> make_descent(std::shared_ptr<cpu::CpuBackend> cpu, int inputs,
                                      const std::vector<Given>& layers, const FloatArray& x,
                                      const FloatArray& y, const State& start, const std::string& loss,
                                      int64_t batch, uint64_t seed, float decay, bool in_order, bool alone) {
  const MlpShape s = make_shape(inputs, layers);
  const auto& [step, params, m, v, running] = start;
  expect(x.ndim() == 2 && x.shape(0) >= 1 && x.shape(1) == s.inputs(), "x (P, I) expected");
  expect(y.ndim() == 2 && y.shape(0) == x.shape(0) && y.shape(1) == s.outputs(), "y (P, O) expected");
  expect(x.shape(0) < (int64_t(1) << 31) && batch >= 0 && step >= 0, "rows, batch or step out of range");
  expect(params.size() == s.params() && m.size() == s.params() && v.size() == s.params(),
         "the parameters do not fit the shape");
  int64_t features = 0;
  for (int l = 0; l < s.count; ++l) features += s.layer[l].norm ? s.layer[l].outputs : 0;
  expect(running.size() == 2 * features, "the running moments do not fit the shape");
  MlpTerms terms;
  terms.loss = loss_named(loss);
  terms.batch = batch;
  terms.seed = seed;
  terms.decay = decay;
  terms.in_order = in_order;
  MlpState state{
      step, floats(params), floats(m), floats(v), {running.data(), running.data() + running.size()}};
  return std::make_unique<Descent>(std::move(cpu), s, terms, x, y, std::move(state), alone);
}

// A burst for each of several networks, a network to a thread: they must have been made to run alone.
std::vector<double> run_many(cpu::CpuBackend& cpu, const std::vector<Descent*>& descents,
                             const std::vector<std::vector<float>>& rates, const std::vector<float>& noise) {
  expect(rates.size() == descents.size() && noise.size() == descents.size(),
         "rates and noise for every network");
  std::vector<double> losses(descents.size());
  py::gil_scoped_release release;
  cpu.pool().run(int64_t(descents.size()), [&](int64_t n, int) {
    losses[size_t(n)] = descents[size_t(n)]->descent.run(rates[size_t(n)], noise[size_t(n)]);
  });
  return losses;
}

}  // namespace

void bind_mlp(py::module_& m) {
  m.attr("MAX_MLP_LAYERS") = kMaxMlpLayers;
  m.attr("MAX_MLP_WIDTH") = kMaxMlpWidth;
  py::class_<Perceptron>(m, "Perceptron",
                         "Dense layers [(outputs, activation, norm)] on batches of at most `most` pixels.")
      .def(py::init<std::shared_ptr<cpu::CpuBackend>, int, const std::vector<Given>&, int64_t>(),
           py::arg("cpu"), py::arg("inputs"), py::arg("layers"), py::arg("most"))
      .def("gradient", &Perceptron::gradient, py::arg("params"), py::arg("x"), py::arg("y"),
           py::arg("loss") = "mse", "(loss, gradient (K,)) over the batch x (P, I), y (P, O).")
      .def("moments", &Perceptron::moments,
           "(mean, biased variance) of every normalized layer over the last batch.");
  py::class_<Descent>(m, "PerceptronDescent", "Adam on a perceptron; state is (step, params, m, v, running).")
      .def(py::init(&make_descent), py::arg("cpu"), py::arg("inputs"), py::arg("layers"), py::arg("x"),
           py::arg("y"), py::arg("state"), py::arg("loss") = "mse", py::arg("batch") = 0, py::arg("seed") = 0,
           py::arg("decay") = 0, py::arg("in_order") = false, py::arg("alone") = false)
      .def("run", &Descent::run, py::arg("rates"), py::arg("noise") = 0,
           "A step for every rate; the mean loss.")
      .def("set_targets", &Descent::set_targets, py::arg("y"), "Other y (P, O) from now on.")
      .def("state", &Descent::state, "(step, params (K,), m (K,), v (K,), running moments).");
  m.def("run_perceptrons", &run_many, py::arg("cpu"), py::arg("descents"), py::arg("rates"), py::arg("noise"),
        "The same for several networks that were made `alone`, a network to a thread; their mean losses.");
}

}  // namespace cppn::bindings
