// What a formula may ask of a number. Every formula in core is a template over V: a float, a GNU vector of
// floats (one pixel per lane), or a float inside a CUDA kernel, so that each is written once.
#pragma once
#include <cstdint>
#include <cstring>

#if defined(__CUDACC__)
#define CPPN_FN __host__ __device__ __forceinline__
#else
#define CPPN_FN inline __attribute__((always_inline))
#endif

namespace cppn {

template <class V>
struct Lanes;  // splat, bits, from_bits, select; specialised for vectors in cpu/vec.h

template <>
struct Lanes<float> {
  using Bits = int32_t;
  static CPPN_FN float splat(float s) { return s; }
  static CPPN_FN Bits bits(float v) {
    Bits b;
    memcpy(&b, &v, sizeof b);
    return b;
  }
  static CPPN_FN float from_bits(Bits b) {
    float v;
    memcpy(&v, &b, sizeof v);
    return v;
  }
  static CPPN_FN float min(float a, float b) { return a < b ? a : b; }
  static CPPN_FN float max(float a, float b) { return a > b ? a : b; }
  static CPPN_FN float reciprocal(float v) { return 1.0f / v; }
};

}  // namespace cppn
