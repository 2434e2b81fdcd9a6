// Stacks of convolutions on all threads of the CPU.
#pragma once
#include <vector>

#include "backend.h"

namespace cppn::cpu {

// 7 x 7 cross-correlation, zeros outside, then max(0, .), then each pixel twice in both directions if asked
// for.
struct Convolution {
  int filters;
  const float* w;  // (filters, inputs, 7, 7)
  bool upsample;
};

// in (pictures, inputs, height, width), out (pictures, filters of the last, final height, final width): the
// same bits on every instruction set and any number of threads. False, with out unfinished, once stop() is
// true.
bool convolve(CpuBackend& backend, const std::vector<Convolution>& layers, int64_t pictures, int inputs,
              int64_t height, int64_t width, const float* in, float* out, const Stop& stop);

}  // namespace cppn::cpu
