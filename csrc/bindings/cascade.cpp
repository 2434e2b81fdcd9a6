// The cascade on the CPU: Shape, Cpu (the backend), Task (a network and a picture), Descent (a training
// loop).
#include "../cpu/backend.h"
#include "../trainers/descent.h"
#include "bindings.h"

namespace cppn::bindings {

namespace {

void expect(bool holds, const char* what) {
  if (!holds) throw py::value_error(what);
}

CascadeShape make_shape(int neurons, int channels, bool radius, int octaves,
                        const std::vector<int>& activations) {
  expect(neurons >= 1 && neurons <= kMaxNeurons, "neurons out of range");
  expect(channels >= 1 && channels <= kMaxChannels && channels <= neurons, "channels out of range");
  expect(octaves >= 0 && octaves <= kMaxOctaves, "octaves out of range");
  expect(int(activations.size()) == neurons, "one activation per neuron expected");
  CascadeShape s{};
  s.inputs = input_count(radius, octaves);
  s.neurons = neurons;
  s.channels = channels;
  s.radius = radius;
  s.octaves = octaves;
  for (int n = 0; n < neurons; ++n) {
    expect(activations[size_t(n)] >= 0 && activations[size_t(n)] < kActivationCount, "unknown activation");
    s.activation[n] = Activation(activations[size_t(n)]);
  }
  return s;
}

std::unique_ptr<cpu::CpuBackend> make_cpu(const std::string& isa, int threads) {
  int count = 0;
  const cpu::Kernels* kernels =
      isa.empty() ? cpu::available_kernels(&count)[0] : cpu::kernels_named(isa.c_str());
  expect(kernels != nullptr, "this machine does not run that instruction set");
  expect(threads >= 1 && threads <= 1024, "threads out of range");
  return std::make_unique<cpu::CpuBackend>(*kernels, threads);
}

// Keeps host copies of the coordinates: on the CPU they are the backend's memory as well.
struct Coordinates {
  cpu::AlignedFloats x, y;
  Pixels pixels{};

  Coordinates(const FloatArray& xs, const FloatArray& ys, bool grid) {
    x = copy(xs);
    y = copy(ys);
    expect(grid || xs.size() == ys.size(), "a list needs as many x as y");
    pixels = {x.get(), y.get(), grid ? int64_t(xs.size()) : 0,
              grid ? int64_t(xs.size()) * int64_t(ys.size()) : int64_t(xs.size())};
    expect(pixels.count >= 1, "no pixels");
  }

  static cpu::AlignedFloats copy(const FloatArray& from) {
    cpu::AlignedFloats to = cpu::aligned_floats(from.size());
    std::memcpy(to.get(), from.data(), size_t(from.size()) * sizeof(float));
    return to;
  }
};

void expect_weights(const CascadeShape& s, const FloatArray& w) {
  expect(w.ndim() == 1 && w.size() == s.weights(), "the weights do not fit the shape");
}

struct Task {
  std::shared_ptr<cpu::CpuBackend> backend;
  Coordinates at;
  cpu::AlignedFloats target;
  CascadeTask task;

  Task(std::shared_ptr<cpu::CpuBackend> b, const CascadeShape& shape, const FloatArray& x,
       const FloatArray& y, bool grid, const FloatArray& want)
      : backend(std::move(b)), at(x, y, grid), target(Coordinates::copy(want)) {
    expect(want.size() == int64_t(shape.channels) * at.pixels.count, "target must be (C, pixels)");
    task = {shape, at.pixels, target.get()};
  }

  double loss(const FloatArray& w) {
    expect_weights(task.shape, w);
    py::gil_scoped_release release;
    return backend->cascade_loss(task, w.data());
  }

  std::pair<double, FloatArray> gradient(const FloatArray& w) {
    expect_weights(task.shape, w);
    FloatArray grad(w.size());
    StepRecord record;
    {
      py::gil_scoped_release release;
      backend->cascade_gradient(task, w.data(), grad.mutable_data(), &record);
    }
    return {record.loss, grad};
  }

  DoubleArray normal(const FloatArray& w) {
    expect_weights(task.shape, w);
    DoubleArray hessian({w.size(), w.size()});
    double* out = hessian.mutable_data();
    Interrupt interrupt;
    {
      py::gil_scoped_release release;
      backend->cascade_normal(task, w.data(), out, [&] { return interrupt(); });
    }
    interrupt.rethrow();
    return hessian;
  }
};

FloatArray render(cpu::CpuBackend& backend, const CascadeShape& s, const FloatArray& w, const FloatArray& x,
                  const FloatArray& y, bool grid) {
  expect_weights(s, w);
  const Coordinates at(x, y, grid);
  FloatArray out({at.pixels.count, int64_t(s.channels)});
  float* to = out.mutable_data();
  py::gil_scoped_release release;
  backend.cascade_render(s, at.pixels, w.data(), to);
  return out;
}

py::array_t<uint8_t> render_bytes(cpu::CpuBackend& backend, const CascadeShape& s, const FloatArray& w,
                                  const FloatArray& x, const FloatArray& y, bool grid) {
  expect_weights(s, w);
  const Coordinates at(x, y, grid);
  py::array_t<uint8_t> out({at.pixels.count, int64_t(s.channels)});
  uint8_t* to = out.mutable_data();
  py::gil_scoped_release release;
  backend.cascade_render_bytes(s, at.pixels, w.data(), to);
  return out;
}

FloatArray activations(cpu::CpuBackend& backend, const CascadeShape& s, const FloatArray& w,
                       const FloatArray& x, const FloatArray& y, bool grid) {
  expect_weights(s, w);
  const Coordinates at(x, y, grid);
  FloatArray out({int64_t(s.neurons), at.pixels.count});
  float* to = out.mutable_data();
  py::gil_scoped_release release;
  backend.cascade_activations(s, at.pixels, w.data(), to);
  return out;
}

std::vector<float> to_vector(const FloatArray& a) {
  return std::vector<float>(a.data(), a.data() + a.size());
}
FloatArray to_array(const std::vector<float>& v) { return FloatArray(py::ssize_t(v.size()), v.data()); }

struct PyDescent {
  std::shared_ptr<Task> task;
  std::unique_ptr<Descent> descent;

  PyDescent(std::shared_ptr<Task> t, const DescentPlan& plan, const FloatArray& grid, const FloatArray& mask,
            const DescentState& start)
      : task(std::move(t)) {
    for (const auto* a : {&grid, &mask}) expect_weights(task->task.shape, *a);
    const size_t weights = size_t(grid.size());
    expect(start.u.size() == weights, "the state does not fit the shape");
    for (const auto* a : {&start.m, &start.v, &start.best_u})
      expect(a->empty() || a->size() == weights, "the state does not fit the shape");
    descent = std::make_unique<Descent>(*task->backend, task->task, plan, grid.data(), mask.data(), start);
  }

  int64_t run(int64_t count) {
    Interrupt interrupt;
    int64_t taken = 0;
    {
      py::gil_scoped_release release;
      taken = descent->run(count, [&] { return interrupt(); });
    }
    interrupt.rethrow();
    return taken;
  }
};

}  // namespace

void bind_cascade(py::module_& m) {
  py::class_<CascadeShape>(m, "Shape",
                           "The sizes of a cascade and the activation (by number) of every neuron.")
      .def(py::init(&make_shape), py::arg("neurons"), py::arg("channels"), py::arg("radius"),
           py::arg("octaves"), py::arg("activations"))
      .def_readonly("inputs", &CascadeShape::inputs)
      .def_readonly("neurons", &CascadeShape::neurons)
      .def_readonly("channels", &CascadeShape::channels)
      .def_property_readonly("weights", &CascadeShape::weights);

  py::class_<cpu::CpuBackend, std::shared_ptr<cpu::CpuBackend>>(m, "Cpu",
                                                                "A CPU backend: kernels and threads.")
      .def(py::init([](const std::string& isa, int threads) {
             return std::shared_ptr<cpu::CpuBackend>(make_cpu(isa, threads));
           }),
           py::arg("isa") = "", py::arg("threads") = 1)
      .def_property_readonly("name", &cpu::CpuBackend::name)
      .def_property_readonly("threads", &cpu::CpuBackend::threads)
      .def("peak", &cpu::CpuBackend::peak, py::arg("seconds") = 0.2, py::call_guard<py::gil_scoped_release>(),
           "GFLOP/s of multiply-adds from registers, all threads together.")
      .def("render", &render, py::arg("shape"), py::arg("weights"), py::arg("x"), py::arg("y"),
           py::arg("grid"), "(pixels, C) float32 activations of the output neurons, bit-exact everywhere.")
      .def("render_bytes", &render_bytes, py::arg("shape"), py::arg("weights"), py::arg("x"), py::arg("y"),
           py::arg("grid"), "(pixels, C) uint8: floor(256 a), clipped; bit-exact everywhere.")
      .def("activations", &activations, py::arg("shape"), py::arg("weights"), py::arg("x"), py::arg("y"),
           py::arg("grid"), "(N, pixels) float32 activations of all neurons, bit-exact everywhere.");

  py::class_<Task, std::shared_ptr<Task>>(m, "Task",
                                          "A network and the picture it is to fit; target is (C, pixels).")
      .def(py::init<std::shared_ptr<cpu::CpuBackend>, const CascadeShape&, const FloatArray&,
                    const FloatArray&, bool, const FloatArray&>(),
           py::arg("backend"), py::arg("shape"), py::arg("x"), py::arg("y"), py::arg("grid"),
           py::arg("target"))
      .def("loss", &Task::loss, py::arg("weights"),
           "The score: (256/255)^2 times the sum of squared differences.")
      .def("gradient", &Task::gradient, py::arg("weights"), "(loss, gradient (K,)).")
      .def("normal", &Task::normal, py::arg("weights"),
           "(K, K) Gauss-Newton matrix: half the Hessian of the loss.");

  py::enum_<Draw>(m, "Draw")
      .value("plain", Draw::plain)
      .value("noise", Draw::noise)
      .value("stochastic", Draw::stochastic);

  py::class_<DescentPlan>(m, "DescentPlan")
      .def(py::init<>())
      .def_readwrite("draw", &DescentPlan::draw)
      .def_readwrite("steps", &DescentPlan::steps)
      .def_readwrite("rate", &DescentPlan::rate)
      .def_readwrite("rate_floor", &DescentPlan::rate_floor)
      .def_readwrite("warmup", &DescentPlan::warmup)
      .def_readwrite("b1", &DescentPlan::b1)
      .def_readwrite("b2", &DescentPlan::b2)
      .def_readwrite("eps", &DescentPlan::eps)
      .def_readwrite("decay", &DescentPlan::decay)
      .def_readwrite("limit", &DescentPlan::limit)
      .def_readwrite("noise", &DescentPlan::noise)
      .def_readwrite("noise_rise", &DescentPlan::noise_rise)
      .def_readwrite("quantize_rate", &DescentPlan::quantize_rate)
      .def_readwrite("quantize_first", &DescentPlan::quantize_first)
      .def_readwrite("seed", &DescentPlan::seed);
  m.def("descent_rate", &descent_rate, py::arg("plan"), py::arg("step"), "Learning rate of a step, from 0.");
  m.def("descent_noise", &descent_noise, py::arg("plan"), py::arg("step"),
        "Width of the noise in a step, from 0.");

#define CPPN_FLOATS(field)                                             \
  def_property(                                                        \
      #field, [](const DescentState& s) { return to_array(s.field); }, \
      [](DescentState& s, const FloatArray& a) { s.field = to_vector(a); })
  py::class_<DescentState>(m, "DescentState")
      .def(py::init<>())
      .def_readwrite("step", &DescentState::step)
      .def_readwrite("q", &DescentState::q)
      .def_readwrite("loss", &DescentState::loss)
      .def_readwrite("floating", &DescentState::floating)
      .def_readwrite("best_loss", &DescentState::best_loss)
      .def_readwrite("has_best", &DescentState::has_best)
      .CPPN_FLOATS(u)
      .CPPN_FLOATS(m)
      .CPPN_FLOATS(v)
      .CPPN_FLOATS(best_u);
#undef CPPN_FLOATS

  py::class_<PyDescent>(m, "Descent", "The training loop; run() releases the GIL and is stopped by Ctrl-C.")
      .def(py::init<std::shared_ptr<Task>, const DescentPlan&, const FloatArray&, const FloatArray&,
                    const DescentState&>(),
           py::arg("task"), py::arg("plan"), py::arg("grid"), py::arg("mask"), py::arg("start"))
      .def("run", &PyDescent::run, py::arg("count"))
      .def("state", [](const PyDescent& d) { return d.descent->state(); });
}

}  // namespace cppn::bindings
