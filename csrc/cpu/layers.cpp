#include "layers.h"

#include <algorithm>

#include "float_mode.h"

namespace cppn::cpu {

namespace {
constexpr int64_t kTaskPixels = 2048;  // some tenths of a millisecond: enough tasks for every thread
}

void layers_forward(CpuBackend& backend, const std::vector<Layer>& layers, const PlaneInputs& inputs,
                    float* out) {
  const LayerKernels& kernels = *backend.kernels().layers;
  const int count = int(layers.size());
  const int64_t channels = layers.back().shape.outputs, pixels = inputs.width * inputs.height;
  const int64_t floats = kernels.scratch_floats(layers.data(), count);
  backend.pool().run((pixels + kTaskPixels - 1) / kTaskPixels, [&](int64_t task, int thread) {
    const FloatMode mode(FloatMode::fast);
    const int64_t first = task * kTaskPixels, last = std::min(pixels, first + kTaskPixels);
    kernels.forward(layers.data(), count, inputs, first, last, backend.scratch(thread, floats),
                    out + first * channels);
  });
}

}  // namespace cppn::cpu
