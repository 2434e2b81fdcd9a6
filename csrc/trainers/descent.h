// Gradient descent, the loop of every method: draw the weights, value and gradient, Adam and clip. On one
// picture, or on many of one size side by side, each with a network of its own.
#pragma once
#include <memory>
#include <vector>

#include "../backend.h"

namespace cppn {

struct DescentPlan {
  Draw draw = Draw::plain;
  int64_t steps = 10000;    // the length of the schedules; run() may stop earlier or go on
  float rate = 0.01f;       // in levels
  float rate_floor = 1.0f;  // cosine from rate to rate * rate_floor over `steps`
  int64_t warmup = 0;       // steps over which the rate rises from zero
  float b1 = 0.9f, b2 = 0.999f, eps = 1e-8f;
  float decay = 0;              // adds decay * u^2 / 2 to the loss
  float limit = 55.0f;          // |u| <= limit
  float noise = 0;              // full width of the uniform noise, in levels
  double noise_rise = 0;        // the fraction of `steps` over which it grows from zero
  double quantize_rate = 1e-4;  // q <- q + rate (1 - q), from quantize_first, after each step
  double quantize_first = 0;
  uint64_t seed = 0;
};

struct DescentState : Descending {
  int64_t step = 0;
  double q = 0;  // the fraction of the next step
};

class Descent {
 public:
  // grid (K): level -> weight; mask (K): 0 where a weight stands still. One state for every picture, all at
  // the same step. Everything is copied to the backend but the picture.
  Descent(Backend& backend, const CascadeTask& task, const DescentPlan& plan, const float* host_grid,
          const float* host_mask, const std::vector<DescentState>& start);

  // Up to `count` steps; asks stop() after each burst of the backend and returns the number taken.
  int64_t run(int64_t count, const Stop& stop);
  DescentState state(int64_t picture) const;

 private:
  StepPlan next_step();

  DescentPlan plan_;
  int64_t step_;
  double q_;
  std::unique_ptr<StepLoop> loop_;
};

// The schedules, by step from 0; tests hold them to the formula.
double descent_rate(const DescentPlan& plan, int64_t step);
double descent_noise(const DescentPlan& plan, int64_t step);

}  // namespace cppn
