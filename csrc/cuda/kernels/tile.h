// The pixels that a block of threads works on at a time, in shared memory: nodes a (D+N, P) and, for
// training, the neurons' slopes and then deltas g (N, P), whose rows are counted by node as well. Thread t
// owns pixels 2t and 2t + 1, so P = 2 * threads.
//
// A row's groups of four pixels are permuted by its number: group c of row r lies at c ^ (r / 8 mod 8).
// Threads that read one group of rows eight apart, as the weight gradient does, then meet different banks.
#pragma once
#include <cuda_runtime.h>

#include "../../core/cascade.h"
#include "../../core/inputs.h"

namespace cppn::cuda {

extern __shared__ float4 shared_memory[];

struct Rows {
  float* data;  // of row 0; g has no rows before that of the first neuron
  int pixels;   // P

  // In floats; rows that share it lie next to each other in eights.
  static __device__ __forceinline__ int place(int row, int pixel) { return pixel ^ ((row >> 1) & 0x1c); }

  __device__ __forceinline__ float2* pair(int row, int thread) const {
    return reinterpret_cast<float2*>(data + row * pixels + place(row, 2 * thread));
  }
};

// A thread's pair in row after row, or in g before it (kStep = -1), at two additions and one bit operation
// each.
template <int kStep>
class Pairs {
 public:
  __device__ __forceinline__ Pairs(const Rows& rows, int row, int thread)
      : row_(reinterpret_cast<char*>(rows.data + row * rows.pixels)),
        stride_(kStep * int(sizeof(float)) * rows.pixels),
        pair_(int(sizeof(float2)) * thread),
        bits_(2 * row) {}

  __device__ __forceinline__ float2* at() const {
    return reinterpret_cast<float2*>(row_ + (pair_ ^ (bits_ & 0x70)));
  }
  __device__ __forceinline__ void next() {
    row_ += stride_;
    bits_ += 2 * kStep;
  }

 private:
  char* row_;
  int stride_, pair_, bits_;
};

// The inputs of a thread's two pixels. Pixels past the end repeat the last one: nobody counts them.
__device__ __forceinline__ void load_inputs(const CascadeShape& s, const Pixels& at, int64_t first,
                                            const Rows& a) {
  for (int i = 0; i < 2; ++i) {
    const int64_t wanted = first + 2 * int(threadIdx.x) + i;
    const uint32_t p = uint32_t(wanted < at.count ? wanted : at.count - 1);
    const uint32_t width = uint32_t(at.width);
    const float x = at.x[width ? p % width : p], y = at.y[width ? p / width : p];
    cascade_inputs(
        x, y, s.radius, s.octaves, [](float v) { return sqrtf(v); },
        [&](int row, float v) { (&a.pair(row, int(threadIdx.x))->x)[i] = v; });
  }
}

struct ActivatedPair {
  float2 value, slope;
};

template <class F>
__device__ __forceinline__ ActivatedPair activate(F f, float2 z) {
  const Activated<float> x = f.eval(z.x), y = f.eval(z.y);
  return {make_float2(x.value, y.value), make_float2(x.slope, y.slope)};
}

__device__ __forceinline__ ActivatedPair activate(Activation f, float2 z) {
  ActivatedPair r;
  with_activation(f, [&](auto of) { r = activate(of, z); });
  return r;
}

}  // namespace cppn::cuda
