// exp, log and sin as polynomials, in nothing but +, -, x and bit shifts, each rounded by IEEE 754: compiled
// without contraction they give the same bits on every machine, which libm does not promise. Coefficients are
// minimax fits (Lawson's iteration on a Chebyshev grid) made for this file.
#pragma once
#include "lanes.h"

namespace cppn {

// Adding and subtracting 1.5 * 2^23 rounds to the nearest integer (half to even) while |x| < 2^22.
inline constexpr float kRoundMagic = 12582912.0f;

template <class V>
CPPN_FN V round_small(V x) {
  const V magic = Lanes<V>::splat(kRoundMagic);
  return (x + magic) - magic;
}

// 2^x, relative error 1.0e-7; x is clamped to [-126, 126].
template <class V>
CPPN_FN V exp2_poly(V x) {
  using L = Lanes<V>;
  if constexpr (L::kHardware) return L::exp2(x);
  x = L::min(L::max(x, L::splat(-126.0f)), L::splat(126.0f));
  const V shifted = x + L::splat(kRoundMagic);  // its low bits hold round(x)
  const V f = x - (shifted - L::splat(kRoundMagic));
  const V f2 = f * f;  // Estrin's order: half the depth of Horner's
  const V p45 = L::splat(9.6715127858e-3f) + f * L::splat(1.3264727253e-3f);
  const V p23 = L::splat(2.4022242083e-1f) + f * L::splat(5.5507337445e-2f);
  const V p01 = L::splat(1.0f) + f * L::splat(6.9314697760e-1f);
  const V p = p01 + f2 * (p23 + f2 * p45);
  // The shift leaves round(x) in the exponent field; 0x3f800000 is 1.0f.
  return p * L::from_bits((L::bits(shifted) << 23) + 0x3f800000);
}

template <class V>
CPPN_FN V exp_poly(V x) {
  return exp2_poly(x * Lanes<V>::splat(1.44269504f));
}

// log(x) of a normal x > 0, relative error 1.1e-7. With x = 2^e (1 + f), sqrt(1/2) <= 1 + f < sqrt(2): e log
// 2 in two parts, the first of few enough bits that e times it is exact.
template <class V>
CPPN_FN V log_poly(V x) {
  using L = Lanes<V>;
  const auto bits = L::bits(x);
  const auto e = (bits - 0x3f3504f3) >> 23;  // 0x3f3504f3: sqrt(1/2)
  const V exponent = L::from_bits(e + 0x4b400000) - L::splat(kRoundMagic);
  const V f = L::from_bits(bits - (e << 23)) - L::splat(1.0f);
  const V f2 = f * f;
  const V q01 = L::splat(3.3333910738e-1f) + f * L::splat(-2.5001337037e-1f);
  const V q23 = L::splat(1.9963063776e-1f) + f * L::splat(-1.6577584698e-1f);
  const V q45 = L::splat(1.4914768227e-1f) + f * L::splat(-1.4267486774e-1f);
  const V q = (q01 + f2 * q23) + (f2 * f2) * (q45 + f2 * L::splat(8.7004345269e-2f));
  const V low = exponent * L::splat(-2.12194440e-4f) - f2 * L::splat(0.5f);
  return (f + ((f * f2) * q + low)) + exponent * L::splat(0.693359375f);
}

// sin and cos of z / 2 + k pi for some integer k: what the double-angle formulas need, and they forget the
// sign that k leaves open. Absolute error 5e-8 for |z| < 2^22; beyond that the phase is noise, but finite.
template <class V>
struct HalfAngle {
  V s, c;
};

// of z = 2 pi turns
template <class V>
CPPN_FN HalfAngle<V> half_angle_of_turns(V turns) {
  using L = Lanes<V>;
  V r = turns - round_small(turns);  // z / 2 = pi r (mod pi), |r| <= 1/2
  if constexpr (!L::kHardware) r = L::min(L::max(r, L::splat(-0.5f)), L::splat(0.5f));
  const V r2 = r * r;
  const V r4 = r2 * r2;  // Estrin's order: half the depth of Horner's
  const V s01 = L::splat(3.1415926369f) + r2 * L::splat(-5.1677096845f);
  const V s23 = L::splat(2.5500697199f) + r2 * L::splat(-5.9824208056e-1f);
  const V c01 = L::splat(9.9999995346e-1f) + r2 * L::splat(-4.9347928578f);
  const V c23 = L::splat(4.0584118925f) + r2 * L::splat(-1.3318799996f);
  const V s = s01 + r4 * (s23 + r4 * L::splat(7.7560285318e-2f));
  const V c = c01 + r4 * (c23 + r4 * L::splat(2.1969642860e-1f));
  return {s * r, c};
}

template <class V>
CPPN_FN HalfAngle<V> half_angle(V z) {
  return half_angle_of_turns(z * Lanes<V>::splat(0.159154943f));
}

}  // namespace cppn
