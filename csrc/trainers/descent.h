// Gradient descent on one picture: draw the weights, value and gradient, Adam and clip; the loop of every
// method.
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

struct DescentState {
  int64_t step = 0;
  double q = 0;     // the fraction of the next step
  double loss = 0;  // of the last step, at the weights it drew
  int64_t floating = 0;
  double best_loss = 0;  // only with draw = stochastic: of best_u, the best with no weight left float
  bool has_best = false;
  std::vector<float> u, m, v, best_u;
};

class Descent {
 public:
  // grid (K): level -> weight; mask (K): 0 where a weight stands still. Everything is copied to the backend.
  Descent(Backend& backend, const CascadeTask& task, const DescentPlan& plan, const float* host_grid,
          const float* host_mask, const DescentState& start);
  ~Descent();

  // Up to `count` steps; asks stop() after each and returns the number taken.
  int64_t run(int64_t count, const std::function<bool()>& stop);
  DescentState state() const;

 private:
  void step();

  Backend& backend_;
  CascadeTask task_;
  DescentPlan plan_;
  DescentState now_;
  int64_t weights_;
  float *grid_, *mask_, *u_, *m_, *v_, *w_, *live_, *grad_;
};

// The schedules, by step from 0; tests hold them to the formula.
double descent_rate(const DescentPlan& plan, int64_t step);
double descent_noise(const DescentPlan& plan, int64_t step);

}  // namespace cppn
