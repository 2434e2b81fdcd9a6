#include "descent.h"

#include "../core/philox.h"
#include "../core/quantize.h"
#include "float_mode.h"

namespace cppn::cpu {

namespace {

// w = grid * draw(u); live = 1 where the gradient flows and 0 where a weight was quantized. Returns how many
// weights stayed float.
int64_t draw(const TrainKernels& kernels, const std::vector<float>& u, const std::vector<float>& grid,
             const DrawStep& how, float* w, float* live) {
  const size_t count = u.size();
  const auto uniform = [&](size_t i) { return philox_uniform(how.seed, uint64_t(how.step), uint32_t(i), 0); };
  if (how.how == Draw::stochastic) {
    const float s = kernels.quantization_scale(u.data(), int64_t(count), how.fraction);
    int64_t floating = 0;
    for (size_t i = 0; i < count; ++i) {
      const bool keep = uniform(i) < keep_probability(quantization_rate(u[i]), s);
      w[i] = (keep ? u[i] : round_small(u[i])) * grid[i];
      live[i] = keep ? 1.0f : 0.0f;
      floating += keep;
    }
    return floating;
  }
  for (size_t i = 0; i < count; ++i) {
    const float noise = how.how == Draw::noise ? how.amplitude * (uniform(i) - 0.5f) : 0.0f;
    w[i] = (u[i] + noise) * grid[i];
    live[i] = 1.0f;
  }
  return int64_t(count);
}

}  // namespace

CpuStepLoop::CpuStepLoop(CpuBackend& backend, const CascadeTask& task, const DescentTerms& terms,
                         const std::vector<Descending>& start)
    : backend_(backend),
      task_(task),
      grid_(terms.host_grid, terms.host_grid + task.shape.weights()),
      mask_(terms.host_mask, terms.host_mask + task.shape.weights()),
      limit_(terms.limit),
      now_(start),
      scratch_(size_t(backend.threads())) {
  const size_t weights = size_t(task.shape.weights());
  for (Descending& now : now_)
    for (std::vector<float>* v : {&now.m, &now.v, &now.best_u}) v->resize(weights);
  for (Scratch& s : scratch_)
    for (std::vector<float>* v : {&s.w, &s.live, &s.grad}) v->resize(weights);
}

template <class Gradient>
void CpuStepLoop::step(Descending& now, Scratch& scratch, const StepPlan& plan, Gradient&& gradient) {
  {
    const FloatMode mode(FloatMode::fast);
    now.floating = draw(backend_.train(), now.u, grid_, plan.draw, scratch.w.data(), scratch.live.data());
  }
  now.loss = gradient(scratch.w.data(), scratch.grad.data());
  if (plan.draw.how == Draw::stochastic && now.floating == 0 && (!now.has_best || now.loss < now.best_loss)) {
    now.has_best = true;
    now.best_loss = now.loss;
    now.best_u = now.u;  // rounded, these are the weights just drawn
  }
  const FloatMode mode(FloatMode::fast);
  for (size_t i = 0; i < now.u.size(); ++i)
    if (mask_[i] != 0.0f)
      adam_update(now.u[i], now.m[i], now.v[i], scratch.grad[i] * grid_[i] * scratch.live[i], plan.adam,
                  limit_);
}

void CpuStepLoop::take(const StepPlan* steps, int64_t count) {
  if (now_.size() == 1) {
    for (int64_t i = 0; i < count; ++i)
      step(now_[0], scratch_[0], steps[i],
           [&](const float* w, float* grad) { return backend_.picture_gradient(task_, 0, w, grad); });
    return;
  }
  backend_.pool().run(int64_t(now_.size()), [&](int64_t picture, int thread) {
    for (int64_t i = 0; i < count; ++i)
      step(now_[size_t(picture)], scratch_[size_t(thread)], steps[i], [&](const float* w, float* grad) {
        return backend_.picture_gradient_on(thread, task_, picture, w, grad);
      });
  });
}

std::unique_ptr<StepLoop> CpuBackend::descend(const CascadeTask& task, const DescentTerms& terms,
                                              const std::vector<Descending>& start) {
  return std::make_unique<CpuStepLoop>(*this, task, terms, start);
}

}  // namespace cppn::cpu
