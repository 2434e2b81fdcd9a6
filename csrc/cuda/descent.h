// The steps of a descent on a GPU. A burst of them is queued without asking for anything back: the numbers of
// its steps go ahead as a table, kernels count the steps themselves, and most of them are one captured graph.
#pragma once
#include "backend.h"

namespace cppn::cuda {

// A captured sequence of launches, started as one.
class Graph {
 public:
  Graph() = default;
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  bool captured() const { return graph_ != nullptr; }
  template <class Queue>
  void capture(const Stream& stream, Queue&& queue);
  void start(const Stream& stream) const;

 private:
  cudaGraphExec_t graph_ = nullptr;
};

class CudaStepLoop final : public StepLoop {
 public:
  CudaStepLoop(CudaBackend& backend, const CascadeTask& task, const DescentTerms& terms,
               const std::vector<Descending>& start);
  ~CudaStepLoop() override;

  void take(const StepPlan* steps, int64_t count) override;
  int64_t burst() const override { return burst_; }
  Descending read(int64_t picture) override;

 private:
  // A burst's numbers in memory that the device reads when it gets there; two, so that one can be filled
  // meanwhile.
  struct Table {
    Pinned<StepPlan> plans;
    Pinned<Clock> clock;
    std::unique_ptr<Event> read;
  };

  DescentTask descent_task() const;
  void queue_step() const;
  void send(const StepPlan* steps, int64_t count);

  CudaBackend& backend_;
  int64_t pictures_;
  int64_t weights_;
  int64_t burst_;
  float limit_;
  Draw draw_ = Draw::plain;
  int64_t next_step_ = 0;
  bool stepped_ = false;
  Layout layout_;
  Launch how_;
  GradientTask gradient_;

  Buffer<float> grid_, mask_, u_, m_, v_, live_, best_u_, packed_, partial_;
  Buffer<int> forward_place_, backward_place_, weight_of_;
  Buffer<double> losses_;
  Buffer<Record> record_;
  Buffer<Clock> clock_;
  Buffer<StepPlan> plans_;
  Table table_[2];
  int turn_ = 0;
  Graph graph_;
};

}  // namespace cppn::cuda
