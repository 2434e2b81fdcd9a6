// The cascade: Shape, Backend and Cpu, Task (a network and a picture), Descent (a training loop).
#include "../cpu/backend.h"
#include "../trainers/descent.h"
#include "bindings.h"

namespace cppn::bindings {

namespace {

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

// Where the pixels are, still in the caller's memory.
Pixels host_pixels(const FloatArray& x, const FloatArray& y, bool grid) {
  expect(grid || x.size() == y.size(), "a list needs as many x as y");
  const Pixels at = {x.data(), y.data(), grid ? int64_t(x.size()) : 0,
                     grid ? int64_t(x.size()) * int64_t(y.size()) : int64_t(x.size())};
  expect(at.count >= 1, "no pixels");
  return at;
}

void expect_weights(const CascadeShape& s, const FloatArray& w, int64_t networks = 1) {
  expect(w.size() == networks * s.weights() && w.ndim() == (networks == 1 ? 1 : 2),
         "the weights do not fit the shape");
}

struct Task {
  std::shared_ptr<Backend> backend;
  std::shared_ptr<const float> x, y, target;
  CascadeTask task;

  Task(std::shared_ptr<Backend> b, const CascadeShape& shape, const FloatArray& xs, const FloatArray& ys,
       bool grid, const FloatArray& want)
      : backend(std::move(b)) {
    Pixels at = host_pixels(xs, ys, grid);
    const int64_t one = int64_t(shape.channels) * at.count;
    expect(want.size() >= one && want.size() % one == 0,
           "target must be (C, pixels) or (pictures, C, pixels)");
    const float *from_x = xs.data(), *from_y = ys.data(), *from = want.data();
    py::gil_scoped_release release;
    x = backend->upload(from_x, xs.size());
    y = backend->upload(from_y, ys.size());
    target = backend->upload(from, want.size());
    at.x = x.get();
    at.y = y.get();
    task = {shape, at, target.get(), want.size() / one};
  }

  py::object loss(const FloatArray& w) {
    expect_weights(task.shape, w, task.pictures);
    std::vector<double> loss(size_t(task.pictures));
    {
      const float* from = w.data();
      py::gil_scoped_release release;
      backend->cascade_loss(task, from, loss.data());
    }
    return one_or_all(loss);
  }

  py::tuple gradient(const FloatArray& w) {
    expect_weights(task.shape, w, task.pictures);
    FloatArray grad(std::vector<py::ssize_t>(w.shape(), w.shape() + w.ndim()));
    std::vector<double> loss(size_t(task.pictures));
    {
      const float* from = w.data();
      float* to = grad.mutable_data();
      py::gil_scoped_release release;
      backend->cascade_gradient(task, from, to, loss.data());
    }
    return py::make_tuple(one_or_all(loss), grad);
  }

  DoubleArray normal(const FloatArray& w) {
    expect(task.pictures == 1, "the normal matrix is of one picture");
    expect_weights(task.shape, w);
    DoubleArray hessian({w.size(), w.size()});
    const float* from = w.data();
    double* out = hessian.mutable_data();
    Interrupt interrupt;
    {
      py::gil_scoped_release release;
      backend->cascade_normal(task, from, out, [&] { return interrupt(); });
    }
    interrupt.rethrow();
    return hessian;
  }

 private:
  // A float for one picture, an array for many.
  static py::object one_or_all(const std::vector<double>& loss) {
    if (loss.size() == 1) return py::float_(loss[0]);
    return DoubleArray(py::ssize_t(loss.size()), loss.data());
  }
};

// The three ways of decoding differ in what they return alone.
template <class T, class Decode>
py::array_t<T> decoded(const CascadeShape& s, const FloatArray& w, const FloatArray& x, const FloatArray& y,
                       bool grid, bool planes, Decode&& decode) {
  expect_weights(s, w);
  const Pixels at = host_pixels(x, y, grid);
  py::array_t<T> out(planes ? std::vector<py::ssize_t>{s.neurons, at.count}
                            : std::vector<py::ssize_t>{at.count, s.channels});
  const float* from = w.data();
  T* to = out.mutable_data();
  py::gil_scoped_release release;
  decode(at, from, to);
  return out;
}

FloatArray render(Backend& backend, const CascadeShape& s, const FloatArray& w, const FloatArray& x,
                  const FloatArray& y, bool grid) {
  return decoded<float>(s, w, x, y, grid, false, [&](const Pixels& at, const float* from, float* to) {
    backend.cascade_render(s, at, from, to);
  });
}

py::array_t<uint8_t> render_bytes(Backend& backend, const CascadeShape& s, const FloatArray& w,
                                  const FloatArray& x, const FloatArray& y, bool grid) {
  return decoded<uint8_t>(s, w, x, y, grid, false, [&](const Pixels& at, const float* from, uint8_t* to) {
    backend.cascade_render_bytes(s, at, from, to);
  });
}

FloatArray activations(Backend& backend, const CascadeShape& s, const FloatArray& w, const FloatArray& x,
                       const FloatArray& y, bool grid) {
  return decoded<float>(s, w, x, y, grid, true, [&](const Pixels& at, const float* from, float* to) {
    backend.cascade_activations(s, at, from, to);
  });
}

std::vector<float> to_vector(const FloatArray& a) {
  return std::vector<float>(a.data(), a.data() + a.size());
}
FloatArray to_array(const std::vector<float>& v) { return FloatArray(py::ssize_t(v.size()), v.data()); }

struct PyDescent {
  std::shared_ptr<Task> task;
  std::unique_ptr<Descent> descent;

  PyDescent(std::shared_ptr<Task> t, const DescentPlan& plan, const FloatArray& grid, const FloatArray& mask,
            const std::vector<DescentState>& start)
      : task(std::move(t)) {
    for (const auto* a : {&grid, &mask}) expect_weights(task->task.shape, *a);
    const size_t weights = size_t(grid.size());
    expect(int64_t(start.size()) == task->task.pictures, "one state for every picture expected");
    for (const DescentState& s : start) {
      expect(s.u.size() == weights, "the state does not fit the shape");
      for (const auto* a : {&s.m, &s.v, &s.best_u})
        expect(a->empty() || a->size() == weights, "the state does not fit the shape");
      expect(s.step == start[0].step && s.q == start[0].q, "the states must be at the same step");
    }
    const float *from_grid = grid.data(), *from_mask = mask.data();
    py::gil_scoped_release release;
    descent = std::make_unique<Descent>(*task->backend, task->task, plan, from_grid, from_mask, start);
  }

  DescentState state(int64_t picture) const {
    expect(picture >= 0 && picture < task->task.pictures, "no such picture");
    py::gil_scoped_release release;
    return descent->state(picture);
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

  py::class_<Backend, std::shared_ptr<Backend>>(m, "Backend", "A device and its kernels.")
      .def_property_readonly("name", &Backend::name)
      .def("peak", &Backend::peak, py::arg("seconds") = 0.2, py::call_guard<py::gil_scoped_release>(),
           "GFLOP/s of multiply-adds from registers, the whole device together.")
      .def("render", &render, py::arg("shape"), py::arg("weights"), py::arg("x"), py::arg("y"),
           py::arg("grid"), "(pixels, C) float32 activations of the output neurons, bit-exact everywhere.")
      .def("render_bytes", &render_bytes, py::arg("shape"), py::arg("weights"), py::arg("x"), py::arg("y"),
           py::arg("grid"), "(pixels, C) uint8: floor(256 a), clipped; bit-exact everywhere.")
      .def("activations", &activations, py::arg("shape"), py::arg("weights"), py::arg("x"), py::arg("y"),
           py::arg("grid"), "(N, pixels) float32 activations of all neurons, bit-exact everywhere.");

  py::class_<cpu::CpuBackend, Backend, std::shared_ptr<cpu::CpuBackend>>(
      m, "Cpu", "A CPU backend: kernels of an instruction set, and threads.")
      .def(py::init([](const std::string& isa, int threads) {
             return std::shared_ptr<cpu::CpuBackend>(make_cpu(isa, threads));
           }),
           py::arg("isa") = "", py::arg("threads") = 1)
      .def_property_readonly("threads", &cpu::CpuBackend::threads);

  py::class_<Task, std::shared_ptr<Task>>(
      m, "Task",
      "A network and the picture it is to fit, target (C, pixels); or B of both, target (B, C, pixels).")
      .def(py::init<std::shared_ptr<Backend>, const CascadeShape&, const FloatArray&, const FloatArray&, bool,
                    const FloatArray&>(),
           py::arg("backend"), py::arg("shape"), py::arg("x"), py::arg("y"), py::arg("grid"),
           py::arg("target"))
      .def("loss", &Task::loss, py::arg("weights"),
           "The score: (256/255)^2 times the sum of squared differences; (B,) of them for B pictures.")
      .def("gradient", &Task::gradient, py::arg("weights"),
           "(loss, gradient (K,)); (losses (B,), gradients (B, K)) for B pictures.")
      .def_property_readonly("pictures", [](const Task& t) { return t.task.pictures; })
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
      .def(py::init([](std::shared_ptr<Task> task, const DescentPlan& plan, const FloatArray& grid,
                       const FloatArray& mask, const DescentState& start) {
             return std::make_unique<PyDescent>(std::move(task), plan, grid, mask, std::vector{start});
           }),
           py::arg("task"), py::arg("plan"), py::arg("grid"), py::arg("mask"), py::arg("start"))
      .def(py::init<std::shared_ptr<Task>, const DescentPlan&, const FloatArray&, const FloatArray&,
                    const std::vector<DescentState>&>(),
           py::arg("task"), py::arg("plan"), py::arg("grid"), py::arg("mask"), py::arg("start"))
      .def("run", &PyDescent::run, py::arg("count"))
      .def("state", &PyDescent::state, py::arg("picture") = 0);
}

}  // namespace cppn::bindings
