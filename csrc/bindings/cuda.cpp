// GPUs: what there is, and a backend on one of them. Works, and says why not, in builds without CUDA too.
#include "bindings.h"

#include "../cuda/devices.h"

namespace cppn::bindings {

namespace {

#if !CPPN_HAS_CUDA
constexpr const char* kNoKernels =
    "this build of cppn_native has no CUDA kernels: nvcc was not found, or CPPN_CUDA=OFF was set, when it "
    "was "
    "built. Install the CUDA toolkit (12.0 or later) and then cppn_native again from source";
#endif

std::vector<cuda::DeviceInfo> devices() {
#if CPPN_HAS_CUDA
  return cuda::devices();
#else
  return {{"", "", 0, kNoKernels}};
#endif
}

std::shared_ptr<Backend> open(int index) {
#if CPPN_HAS_CUDA
  return cuda::open(index);
#else
  (void)index;
  throw DeviceFailure(kNoKernels);
#endif
}

}  // namespace

void bind_cuda(py::module_& m) {
  py::register_exception<DeviceFailure>(m, "DeviceError", PyExc_RuntimeError);
  m.attr("DeviceError").attr("__doc__") = "A device that cannot run here, or failed; the message says why.";
  m.attr("HAS_CUDA") = bool(CPPN_HAS_CUDA);

  py::class_<cuda::DeviceInfo>(m, "CudaDevice", "A GPU; `why` says why it cannot be used, empty if it can.")
      .def_readonly("name", &cuda::DeviceInfo::name)
      .def_readonly("architecture", &cuda::DeviceInfo::architecture)
      .def_readonly("multiprocessors", &cuda::DeviceInfo::multiprocessors)
      .def_readonly("why", &cuda::DeviceInfo::why);
  m.def("cuda_devices", &devices, py::call_guard<py::gil_scoped_release>(),
        "Every GPU that CUDA sees; where it sees none, one nameless entry that says why. Never raises.");
  m.def("open_cuda", &open, py::arg("index") = 0, py::call_guard<py::gil_scoped_release>(),
        "A backend on that GPU. Raises DeviceError.");
}

}  // namespace cppn::bindings
