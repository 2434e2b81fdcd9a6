// Stochastic quantization as the 1020-byte program was trained (after Dong et al. 2017, "Learning accurate
// low-bit deep neural networks with stochastic quantization"). Weights are counted in levels, the grid is the
// integers, and q is the fraction to be quantized in this step:
//   rate_i = 1 / (|u_i - round(u_i)| + 1e-6)                          round: half to even
//   s solves sum_i exp(-s rate_i) = (1 - q) K                          16 Newton steps from s = 0
//   u_i stays as it is with probability exp(-s rate_i), else it is round(u_i) and its gradient is zero.
#pragma once
#include "math.h"

namespace cppn {

inline constexpr int kNewtonSteps = 16;

template <class V>
CPPN_FN V quantization_rate(V u) {
  using L = Lanes<V>;
  const V d = u - round_small(u);
  return L::splat(1.0f) / (L::max(d, -d) + L::splat(1e-6f));
}

// The probability that a weight stays float.
template <class V>
CPPN_FN V keep_probability(V rate, float s) {
  return exp_poly(rate * Lanes<V>::splat(-s));
}

}  // namespace cppn
