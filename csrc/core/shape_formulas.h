// A shape at a pixel, with V a float or a vector of pixels. With (x, y) the pixel, s the shape's values:
//   (X', Y') = rotation (x - px, y - py)      X = sx X'      Y = sy Y'      R = sqrt(X^2 + Y^2)
//   theta = -acos(u) sign(Y),  u = X / (R + 1e-4)
// so cos theta = u and sin theta = -sign(Y) sqrt(1 - u^2) but for Y = 0, where sign(0) = 0 makes theta 0. No
// angle is computed: cos m theta and sin m theta follow by c[m+1] = 2 c[1] c[m] - c[m-1], s alike. 1 - u^2
// and 1 - |u| are written as sums of what is not negative, which keeps their digits where u is near 1 and
// never lets them be 0.
#pragma once
#include "formulas.h"
#include "shapes.h"

namespace cppn {

inline constexpr float kPoleEps = 1e-4f;  // of R in u
inline constexpr float kMeanEps = 1e-5f;  // of the weights' sum in depth and stroke, of the mask's in article
inline constexpr float kRankEps = 1e-4f;  // of the weights' sum in article
inline constexpr float kSharpness = 16.0f;  // of the notebook's outline
inline constexpr float kDisc = 0.2f;        // the article's radius
inline constexpr float kNextRank = 1e-3f;   // what the article leaves to the shape behind

// A shape's values as kernels read them: floats of one row, then w_sin (T) and w_cos (T).
enum ShapeSlot {
  kPx,
  kPy,
  kCos,
  kSin,
  kSx,
  kSy,
  kRadius,
  kPerRadius,
  kWeight,
  kWidth,
  kLength,
  kInner,
  kOuter,
  kStretch,
  kColour = 16,
  kWaves = 20
};  // kWeight: what its amount is multiplied by; R lies in [kInner, kOuter] where the shape is; kStretch:
    // max(sx, sy)

// Sums of derivatives over pixels, from which those of the raw parameters follow; a point has the first two
// only.
enum ShapeSum {
  kDX,
  kDY,
  kDXX,
  kDYY,
  kDXY,
  kDYX,  // of dX, dY, dX X', dY Y', dX Y', dY X'
  kDRadius,
  kDWeight,
  kDWidth,
  kDLength,
  kDColour = 10,
  kDWaves = 14
};

CPPN_FN int shape_row(const ShapesShape& s) { return kWaves + 2 * s.terms; }
CPPN_FN int shape_sums(const ShapesShape& s) {
  return s.kind == ShapeKind::point ? 2 : kDWaves + 2 * s.terms;
}

template <class V>
struct ShapeFrame {
  V xr, yr, x, y, rr;  // X', Y', X, Y, R^2
};

template <class V>
CPPN_FN ShapeFrame<V> shape_frame(const float* s, V x, V y) {
  using L = Lanes<V>;
  const V dx = x - L::splat(s[kPx]), dy = y - L::splat(s[kPy]);
  ShapeFrame<V> f;
  f.xr = L::splat(s[kCos]) * dx - L::splat(s[kSin]) * dy;
  f.yr = L::splat(s[kSin]) * dx + L::splat(s[kCos]) * dy;
  f.x = L::splat(s[kSx]) * f.xr;
  f.y = L::splat(s[kSy]) * f.yr;
  f.rr = f.x * f.x + f.y * f.y;
  return f;
}

template <class V>
struct ShapeAngle {
  V r, per, u, slant, side;  // R, 1 / (R + eps), cos, |sin|, sign(Y)
};

template <class V>
CPPN_FN ShapeAngle<V> shape_angle(const ShapeFrame<V>& f) {
  using L = Lanes<V>;
  ShapeAngle<V> a;
  a.r = L::root(f.rr);
  a.per = L::reciprocal(a.r + L::splat(kPoleEps));
  a.u = f.x * a.per;
  a.slant = L::root(f.y * f.y + L::splat(kPoleEps) * (a.r + a.r + L::splat(kPoleEps))) * a.per;
  a.side = sign(f.y);
  return a;
}

// F(theta) = sum_m w_sin[m] sin m theta + w_cos[m] cos m theta, its slope, and the waves themselves. T terms,
// where they are known to the compiler: they stay in registers then; 0: as many as `terms` says.
template <class V>
struct ShapeWaves {
  V value, slope;
  V c[kMaxTerms], s[kMaxTerms];
};

// kAll: value, slope and waves; otherwise the value alone.
template <int T, bool kAll, class V>
CPPN_FN void shape_waves(const float* w, int terms, const ShapeAngle<V>& a, ShapeWaves<V>& out) {
  using L = Lanes<V>;
  if (T) terms = T;
  const V zero = L::splat(0.0f), one = L::splat(1.0f);
  const V flat = one - a.side * a.side;  // 1 where Y = 0
  const V c1 = a.side * a.side * a.u + flat, s1 = -(a.side * a.slant), twice = c1 + c1;
  V c = c1, s = s1, c0 = one, s0 = zero;
  out.value = out.slope = zero;
#pragma GCC unroll 8
  for (int m = 0; m < terms; ++m) {
    const V ws = L::splat(w[m]), wc = L::splat(w[terms + m]);
    out.value += ws * s + wc * c;
    if (kAll) {
      out.c[m] = c;
      out.s[m] = s;
      out.slope += L::splat(float(m + 1)) * (ws * c - wc * s);
    }
    const V next_c = twice * c - c0, next_s = twice * s - s0;
    c0 = c, s0 = s, c = next_c, s = next_s;
  }
}

// What dF, the derivative by F, adds to that by u: d theta / d u = sign(Y) / sqrt(1 - u^2), 0 where Y = 0.
template <class V>
CPPN_FN V shape_turn(const ShapeWaves<V>& w, const ShapeAngle<V>& a, V df) {
  return df * w.slope * a.side * Lanes<V>::reciprocal(a.slant);
}

// f = tanh z where that is positive, else 0, and its slope: 1 - f^2 written as a product, since most of a
// shape is where f is near 1.
template <class V>
struct ShapeSoft {
  V f, slope;
};

template <class V>
CPPN_FN ShapeSoft<V> shape_soft(V z) {
  using L = Lanes<V>;
  const V one = L::splat(1.0f), e = exp2_poly(z * L::splat(-2.88539008f));
  const V a = L::reciprocal(one + e), twice = a + a;
  const V inside = step(z);
  return {inside * (twice - one), inside * (twice * (twice * e))};
}

// The outline, f = soft(v): v = 16 (radius (1 + F/10) - R) / radius in the notebook, radius F - R in the
// prose. slope: d f / d (v / 16), or by v.
template <class V>
CPPN_FN ShapeSoft<V> shape_outline(const float* s, ShapeFormula formula, V waves, V r) {
  using L = Lanes<V>;
  if (formula == ShapeFormula::prose) return shape_soft(L::splat(s[kRadius]) * waves - r);
  const V v = L::splat(1.0f) + L::splat(0.1f) * waves - r * L::splat(s[kPerRadius]);
  const ShapeSoft<V> t = shape_soft(L::splat(kSharpness) * v);
  return {t.f, t.slope * L::splat(kSharpness)};
}

// The article's disc, f = soft(5 (0.2 - R) / 0.2); slope: by R.
template <class V>
CPPN_FN ShapeSoft<V> shape_disc(V r) {
  using L = Lanes<V>;
  const ShapeSoft<V> t = shape_soft((L::splat(kDisc) - r) * L::splat(5.0f / kDisc));
  return {t.f, t.slope * L::splat(-5.0f / kDisc)};
}

// A stroke: part of a ring. log2 of its amount is
//   -(width (radius - R)^2 + alpha) log2 e + length log2 b,   b = 1 - cos(theta / 2) = 1 - sqrt((1 + u) / 2)
// and 2^-126, which is nothing, where Y = 0 makes b = 0. slope: d log b / du = -1 / (4 b sqrt((1 + u) / 2)).
template <class V>
struct ShapeStroke {
  V amount, off, log_b, slope;  // off: radius - R; log_b natural
};

template <class V>
CPPN_FN ShapeStroke<V> shape_stroke(const float* s, const ShapeFrame<V>& f, const ShapeAngle<V>& a) {
  using L = Lanes<V>;
  const V zero = L::splat(0.0f), one = L::splat(1.0f), eps = L::splat(kPoleEps);
  const V tiny = L::splat(1e-30f), along = magnitude(f.x);
  const V far = a.r + along, near = f.y * f.y * L::reciprocal(far + tiny);  // R + |X|, R - |X|
  const V plus = (eps + (f.x < zero ? near : far)) * a.per;                 // 1 + u
  const V minus = (eps + (f.x < zero ? far : near)) * a.per;                // 1 - u
  const V half = L::root(L::splat(0.5f) * plus);                            // cos(theta / 2)
  const V b = L::splat(0.5f) * minus * L::reciprocal(one + half);
  const V flat = one - a.side * a.side;
  ShapeStroke<V> out;
  out.off = L::splat(s[kRadius]) - a.r;
  out.log_b = log_poly(b);
  const V e =
      (L::splat(s[kLength]) * out.log_b - L::splat(s[kWidth]) * out.off * out.off) * L::splat(1.44269504f) +
      L::splat(s[kWeight]);  // kWeight: -alpha log2 e
  out.amount = exp2_poly(e - flat * L::splat(1e6f));
  out.slope = L::splat(-0.25f) * L::reciprocal(b * half);
  return out;
}

// From dR and du to dX and dY: u = X / (R + eps). At R = 0, where R has no slope, that of R is 0.
template <class V>
struct ShapeSlope {
  V x, y;
};

template <class V>
CPPN_FN ShapeSlope<V> shape_slope(const ShapeFrame<V>& f, const ShapeAngle<V>& a, V dr, V du) {
  using L = Lanes<V>;
  const V along = (dr - du * a.u * a.per) * L::reciprocal(L::max(a.r, L::splat(1e-30f)));
  return {along * f.x + du * a.per, along * f.y};
}

}  // namespace cppn
