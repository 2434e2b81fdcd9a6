// What a formula may ask of a number. Every formula in core is a template over V: a float, a GNU vector of
// floats (one pixel per lane), or a float inside a CUDA kernel, so that each is written once.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#if defined(__CUDACC__)
#define CPPN_FN __host__ __device__ __forceinline__
#else
#define CPPN_FN inline __attribute__((always_inline))
#endif

namespace cppn {

template <class V>
struct Lanes;  // splat, bits, from_bits, min, max, root, reciprocal; specialised for vectors in cpu/vec.h

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
  static CPPN_FN float root(float v) { return sqrtf(v); }
#if defined(CPPN_CUDA_FAST)
  // A GPU's own exp2 and reciprocal, an instruction each, within 2 units in the last place. (Its own sine is
  // good to 5e-7 only, which a gradient of small differences shows.)
  static constexpr bool kHardware = true;
  static CPPN_FN float exp2(float v) { return exp2f(v); }
#if defined(__CUDACC__) && !defined(__CUDA_ARCH__)  // the host's pass over the same file; never run
  static CPPN_FN float reciprocal(float v) { return 1.0f / v; }
#else
  static CPPN_FN float reciprocal(float v) { return __fdividef(1.0f, v); }
#endif
#else
  static constexpr bool kHardware = false;
  static CPPN_FN float reciprocal(float v) { return 1.0f / v; }
#endif
};

}  // namespace cppn
