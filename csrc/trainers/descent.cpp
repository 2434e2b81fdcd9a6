#include "descent.h"

#include <algorithm>
#include <cmath>

namespace cppn {

double descent_rate(const DescentPlan& plan, int64_t step) {
  const double done = std::min(1.0, double(step) / double(std::max<int64_t>(plan.steps, 1)));
  const double floor = plan.rate_floor, pi = 3.14159265358979323846;
  double rate = plan.rate * (floor + (1.0 - floor) * 0.5 * (1.0 + std::cos(pi * done)));
  if (step < plan.warmup) rate *= double(step + 1) / double(plan.warmup);
  return rate;
}

double descent_noise(const DescentPlan& plan, int64_t step) {
  const double rise = plan.noise_rise * double(plan.steps);
  return rise > 0 ? plan.noise * std::min(1.0, double(step) / rise) : plan.noise;
}

Descent::Descent(Backend& backend, const CascadeTask& task, const DescentPlan& plan, const float* host_grid,
                 const float* host_mask, const std::vector<DescentState>& start)
    : plan_(plan), step_(start[0].step), q_(step_ == 0 ? plan.quantize_first : start[0].q) {
  const std::vector<Descending> now(start.begin(), start.end());
  loop_ = backend.descend(task, {host_grid, host_mask, plan.limit}, now);
}

StepPlan Descent::next_step() {
  StepPlan next;
  next.draw.how = plan_.draw;
  next.draw.amplitude = float(descent_noise(plan_, step_));
  next.draw.fraction = float(q_);
  next.draw.seed = plan_.seed;
  next.draw.step = step_;
  next.adam =
      adam_at(step_ + 1, float(descent_rate(plan_, step_)), plan_.b1, plan_.b2, plan_.eps, plan_.decay);
  q_ = (1.0 - plan_.quantize_rate) * q_ + plan_.quantize_rate;
  ++step_;
  return next;
}

int64_t Descent::run(int64_t count, const Stop& stop) {
  std::vector<StepPlan> burst;
  for (int64_t taken = 0; taken < count;) {
    const int64_t size = std::min(loop_->burst(), count - taken);
    burst.resize(size_t(size));
    for (StepPlan& step : burst) step = next_step();
    loop_->take(burst.data(), size);
    taken += size;
    if (stop && stop()) return taken;
  }
  return count;
}

DescentState Descent::state(int64_t picture) const {
  DescentState s;
  static_cast<Descending&>(s) = loop_->read(picture);
  s.step = step_;
  s.q = q_;
  return s;
}

}  // namespace cppn
