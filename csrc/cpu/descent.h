// The steps of a descent on the CPU: one picture on all threads, or many pictures with a thread each.
#pragma once
#include "backend.h"

namespace cppn::cpu {

class CpuStepLoop final : public StepLoop {
 public:
  CpuStepLoop(CpuBackend& backend, const CascadeTask& task, const DescentTerms& terms,
              const std::vector<Descending>& start);

  void take(const StepPlan* steps, int64_t count) override;
  int64_t burst() const override { return 1; }
  Descending read(int64_t picture) override { return now_[size_t(picture)]; }

 private:
  struct Scratch {
    std::vector<float> w, live, grad;
  };
  // gradient(w, grad) returns the loss
  template <class Gradient>
  void step(Descending& now, Scratch& scratch, const StepPlan& plan, Gradient&& gradient);

  CpuBackend& backend_;
  CascadeTask task_;
  std::vector<float> grid_, mask_;
  float limit_;
  std::vector<Descending> now_;
  std::vector<Scratch> scratch_;  // one per thread
};

}  // namespace cppn::cpu
