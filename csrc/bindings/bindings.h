#pragma once
#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <chrono>
#include <functional>

namespace cppn::bindings {

namespace py = pybind11;
using FloatArray = py::array_t<float, py::array::c_style | py::array::forcecast>;
using DoubleArray = py::array_t<double, py::array::c_style | py::array::forcecast>;
using IntArray = py::array_t<int32_t, py::array::c_style | py::array::forcecast>;

// For what the Python layer has checked already: a caller of _core itself hears of it too.
inline void expect(bool holds, const char* what) {
  if (!holds) throw py::value_error(what);
}

void bind_machine(py::module_& m);
void bind_cascade(py::module_& m);
void bind_layers(py::module_& m);
void bind_mlp(py::module_& m);
void bind_shapes(py::module_& m);
void bind_convolution(py::module_& m);
void bind_genetic(py::module_& m);
void bind_cuda(py::module_& m);
void bind_rounding(py::module_& m);
void bind_codec(py::module_& m);
void bind_list(py::module_& m);
void bind_waves(py::module_& m);

// For long loops that run without the GIL: asks Python every 50 ms whether a signal (Ctrl-C) has come.
class Interrupt {
 public:
  bool operator()() {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return raised_;
    next_ = now + std::chrono::milliseconds(50);
    py::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() != 0) raised_ = true;
    return raised_;
  }
  // With the GIL held: throws the KeyboardInterrupt that was seen.
  void rethrow() const {
    if (raised_) throw py::error_already_set();
  }

 private:
  std::chrono::steady_clock::time_point next_ =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
  bool raised_ = false;
};

}  // namespace cppn::bindings
