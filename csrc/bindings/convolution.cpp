// Stacks of convolutions: the networks of random pictures.
#include "../cpu/convolution.h"

#include "bindings.h"

namespace cppn::bindings {

namespace {

constexpr int64_t kMaxSide = 1 << 16, kMaxFilters = 1 << 16, kMaxFloats = int64_t(1) << 31;

py::array_t<float> convolve(cpu::CpuBackend& backend, const FloatArray& pictures,
                            const std::vector<std::pair<FloatArray, bool>>& layers) {
  expect(pictures.ndim() == 4 && pictures.size() >= 1, "pictures (B, C, H, W) expected");
  const int64_t count = pictures.shape(0), first = pictures.shape(1);
  int64_t channels = first, height = pictures.shape(2), width = pictures.shape(3);
  std::vector<cpu::Convolution> stack;
  for (const auto& [w, upsample] : layers) {
    expect(w.ndim() == 4 && w.shape(0) >= 1 && w.shape(1) == channels && w.shape(2) == 7 && w.shape(3) == 7,
           "weights (F, C, 7, 7) expected");
    channels = w.shape(0);
    height *= upsample ? 2 : 1;
    width *= upsample ? 2 : 1;
    expect(channels <= kMaxFilters && height <= kMaxSide && width <= kMaxSide &&
               count * channels <= kMaxFloats / (height + 6) / (width + 22),
           "too large");
    stack.push_back({int(channels), w.data(), upsample});
  }
  expect(first <= kMaxFilters &&
             count * first <= kMaxFloats / (pictures.shape(2) + 6) / (pictures.shape(3) + 22),
         "too large");
  py::array_t<float> out({count, channels, height, width});
  const float* from = pictures.data();
  float* to = out.mutable_data();
  Interrupt interrupt;
  {
    py::gil_scoped_release release;
    cpu::convolve(backend, stack, count, int(first), pictures.shape(2), pictures.shape(3), from, to,
                  [&] { return interrupt(); });
  }
  interrupt.rethrow();
  return out;
}

}  // namespace

void bind_convolution(py::module_& m) {
  m.def(
      "convolve", &convolve, py::arg("cpu"), py::arg("pictures"), py::arg("layers"),
      "pictures (B, C, H, W) through layers [(weights (F, C, 7, 7), upsample)]: cross-correlation with zeros "
      "outside, max(0, .), and, if asked for, every pixel twice both ways; bit-exact everywhere.");
}

}  // namespace cppn::bindings
