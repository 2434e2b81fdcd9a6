// A vector of floats, one pixel per lane, as wide as the instruction set this file is compiled for.
// GNU vector extensions: the same source gives SSE2, AVX2, AVX-512 and NEON, and needs no dependency.
#pragma once
#include "../core/lanes.h"

#if defined(__AVX512F__) || defined(__AVX__) || defined(__SSE2__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define CPPN_VECTOR_BYTES 64
#elif defined(__AVX2__)
#define CPPN_VECTOR_BYTES 32
#else
#define CPPN_VECTOR_BYTES 16
#endif

namespace cppn {

typedef float vf __attribute__((vector_size(CPPN_VECTOR_BYTES)));
typedef int32_t vi __attribute__((vector_size(CPPN_VECTOR_BYTES)));
inline constexpr int kLanes = CPPN_VECTOR_BYTES / 4;

template <>
struct Lanes<vf> {
  using Bits = vi;
  static constexpr bool kHardware = false;
  static CPPN_FN vf splat(float s) { return vf{} + s; }
  static CPPN_FN vi bits(vf v) { return (vi)v; }
  static CPPN_FN vf from_bits(vi b) { return (vf)b; }
  static CPPN_FN vf root(vf v) {
#if defined(__AVX512F__) && defined(CPPN_FAST)
    // As the reciprocal below: 14 bits from the table and a Newton step; 0 stays 0.
    const vf r = (vf)_mm512_rsqrt14_ps(_mm512_max_ps((__m512)v, _mm512_set1_ps(1e-37f)));
    return v * r * (splat(1.5f) - splat(0.5f) * v * r * r);
#elif defined(__AVX512F__)
    return (vf)_mm512_sqrt_ps((__m512)v);
#elif defined(__AVX2__)
    return (vf)_mm256_sqrt_ps((__m256)v);
#elif defined(__SSE2__)
    return (vf)_mm_sqrt_ps((__m128)v);
#else
    for (int l = 0; l < kLanes; ++l) v[l] = __builtin_sqrtf(v[l]);
    return v;
#endif
  }
  // a < b ? a : b is what minps computes, NaN included; older compilers do not see it.
#if defined(__AVX512F__)
  static CPPN_FN vf min(vf a, vf b) { return (vf)_mm512_min_ps((__m512)a, (__m512)b); }
  static CPPN_FN vf max(vf a, vf b) { return (vf)_mm512_max_ps((__m512)a, (__m512)b); }
#elif defined(__AVX2__)
  static CPPN_FN vf min(vf a, vf b) { return (vf)_mm256_min_ps((__m256)a, (__m256)b); }
  static CPPN_FN vf max(vf a, vf b) { return (vf)_mm256_max_ps((__m256)a, (__m256)b); }
#elif defined(__SSE2__)
  static CPPN_FN vf min(vf a, vf b) { return (vf)_mm_min_ps((__m128)a, (__m128)b); }
  static CPPN_FN vf max(vf a, vf b) { return (vf)_mm_max_ps((__m128)a, (__m128)b); }
#else
  static CPPN_FN vf min(vf a, vf b) { return a < b ? a : b; }
  static CPPN_FN vf max(vf a, vf b) { return a > b ? a : b; }
#endif
#if defined(__AVX512F__) && defined(CPPN_FAST)
  // 14 bits from the table, squared by one Newton step: 3 instructions against a division's 10 cycles.
  static CPPN_FN vf reciprocal(vf v) {
    const vf r = (vf)_mm512_rcp14_ps((__m512)v);
    return r * (splat(2.0f) - v * r);
  }
#else
  static CPPN_FN vf reciprocal(vf v) { return splat(1.0f) / v; }
#endif
};

CPPN_FN vf splat(float s) { return Lanes<vf>::splat(s); }
CPPN_FN vf load(const float* p) { return *reinterpret_cast<const vf*>(p); }
CPPN_FN void store(float* p, vf v) { *reinterpret_cast<vf*>(p) = v; }
CPPN_FN vf load_unaligned(const float* p) {
  vf v;
  memcpy(&v, p, sizeof v);
  return v;
}

CPPN_FN vf square_root(vf v) { return Lanes<vf>::root(v); }

// Whether any lane of a comparison holds.
CPPN_FN bool any(vi v) {
#if defined(__AVX512F__)
  return _mm512_test_epi32_mask((__m512i)v, (__m512i)v) != 0;
#elif defined(__AVX2__)
  return _mm256_movemask_ps((__m256)v) != 0;
#elif defined(__SSE2__)
  return _mm_movemask_ps((__m128)v) != 0;
#else
  int32_t all = 0;
  for (int l = 0; l < kLanes; ++l) all |= v[l];
  return all != 0;
#endif
}

// Halves added to each other until one lane is left: a fixed order, though another on every width.
CPPN_FN float fold(vf v) {
#if defined(__SSE2__)
#if defined(__AVX512F__)
  const __m256 half = _mm256_add_ps(_mm512_castps512_ps256((__m512)v), _mm512_extractf32x8_ps((__m512)v, 1));
#elif defined(__AVX2__)
  const __m256 half = (__m256)v;
#endif
#if defined(__AVX2__)
  __m128 a = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
#else
  __m128 a = (__m128)v;
#endif
  a = _mm_add_ps(a, _mm_movehl_ps(a, a));
  return _mm_cvtss_f32(_mm_add_ss(a, _mm_shuffle_ps(a, a, 1)));
#else
  return (v[0] + v[2]) + (v[1] + v[3]);
#endif
}

// In a fixed order: the same sum on every run, though not the same on every width.
CPPN_FN double sum_lanes(vf v) {
  double sum = 0;
  for (int l = 0; l < kLanes; ++l) sum += double(v[l]);
  return sum;
}

}  // namespace cppn
