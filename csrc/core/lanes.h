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
struct Lanes;  // splat, bits, from_bits, min, max, reciprocal; specialised for vectors in cpu/vec.h

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
#if defined(__CUDA_ARCH__) && defined(CPPN_FAST)
  // One instruction each on a GPU, within 2 units in the last place; a division is ten.
  static constexpr bool kHasExp2 = true;
  static CPPN_FN float exp2(float v) {
    float r;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(v));
    return r;
  }
  static CPPN_FN float reciprocal(float v) { return __fdividef(1.0f, v); }
#else
  static constexpr bool kHasExp2 = false;
  static CPPN_FN float reciprocal(float v) { return 1.0f / v; }
#endif
};

}  // namespace cppn
