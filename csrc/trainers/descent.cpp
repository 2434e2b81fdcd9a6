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
                 const float* host_mask, const DescentState& start)
    : backend_(backend), task_(task), plan_(plan), now_(start), weights_(task.shape.weights()) {
  for (float** p : {&grid_, &mask_, &u_, &m_, &v_, &w_, &live_, &grad_}) *p = backend_.allocate(weights_);
  backend_.upload(grid_, host_grid, weights_);
  backend_.upload(mask_, host_mask, weights_);
  backend_.upload(u_, start.u.data(), weights_);
  if (!start.m.empty()) backend_.upload(m_, start.m.data(), weights_);
  if (!start.v.empty()) backend_.upload(v_, start.v.data(), weights_);
  if (now_.best_u.empty()) now_.best_u.assign(size_t(weights_), 0.0f);
  if (start.step == 0) now_.q = plan.quantize_first;
}

Descent::~Descent() {
  for (float* p : {grid_, mask_, u_, m_, v_, w_, live_, grad_}) backend_.release(p);
}

void Descent::step() {
  DrawStep how;
  how.how = plan_.draw;
  how.amplitude = float(descent_noise(plan_, now_.step));
  how.fraction = float(now_.q);
  how.seed = plan_.seed;
  how.step = now_.step;
  StepRecord record;
  backend_.draw(u_, grid_, weights_, how, w_, live_, &record);
  backend_.cascade_gradient(task_, w_, grad_, &record);
  now_.loss = record.loss;
  now_.floating = record.floating;
  if (plan_.draw == Draw::stochastic && record.floating == 0 &&
      (!now_.has_best || record.loss < now_.best_loss)) {
    now_.has_best = true;
    now_.best_loss = record.loss;
    backend_.download(now_.best_u.data(), u_, weights_);  // rounded, these are the weights just drawn
  }
  backend_.adam(u_, m_, v_, grad_, grid_, live_, mask_, weights_,
                adam_at(now_.step + 1, float(descent_rate(plan_, now_.step)), plan_.b1, plan_.b2, plan_.eps,
                        plan_.decay),
                plan_.limit);
  now_.q = (1.0 - plan_.quantize_rate) * now_.q + plan_.quantize_rate;
  ++now_.step;
}

int64_t Descent::run(int64_t count, const std::function<bool()>& stop) {
  for (int64_t i = 0; i < count; ++i) {
    step();
    if (stop && stop()) return i + 1;
  }
  return count;
}

DescentState Descent::state() const {
  DescentState s = now_;
  for (auto [to, from] : {std::pair(&s.u, u_), std::pair(&s.m, m_), std::pair(&s.v, v_)}) {
    to->resize(size_t(weights_));
    backend_.download(to->data(), from, weights_);
  }
  return s;
}

}  // namespace cppn
