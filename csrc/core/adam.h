// Adam (Kingma & Ba 2015, algorithm 1), then the clip to [-limit, limit]:
//   m = b1 m + (1 - b1) g      v = b2 v + (1 - b2) g^2      w = clip(w - rate * (m / c1) / (sqrt(v / c2) +
//   eps))
// with c1 = 1 - b1^t and c2 = 1 - b2^t at step t = 1, 2, ... A decay d adds d w to the gradient, which is
// what a Gaussian prior on the weights asks of it: the coder's bits are part of the loss.
#pragma once
#include <cmath>

#include "lanes.h"

namespace cppn {

struct AdamStep {
  float rate = 0.01f, b1 = 0.9f, b2 = 0.999f, eps = 1e-8f;
  float c1 = 1.0f, c2 = 1.0f;  // bias corrections of this step
  float decay = 0.0f;
};

inline AdamStep adam_at(int64_t t, float rate, float b1, float b2, float eps, float decay) {
  const double n = double(t);
  return {rate, b1, b2, eps, float(1.0 - std::pow(double(b1), n)), float(1.0 - std::pow(double(b2), n)),
          decay};
}

CPPN_FN void adam_update(float& w, float& m, float& v, float g, const AdamStep& a, float limit) {
  g += a.decay * w;
  m = a.b1 * m + (1.0f - a.b1) * g;
  v = a.b2 * v + (1.0f - a.b2) * g * g;
  w -= a.rate * (m / a.c1) / (sqrtf(v / a.c2) + a.eps);
  w = w < -limit ? -limit : (w > limit ? limit : w);
}

}  // namespace cppn
