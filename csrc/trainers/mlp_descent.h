// Training of a perceptron: batches, noise on the targets, Adam with decoupled decay, running moments.
#pragma once
#include "../cpu/mlp.h"

namespace cppn {

// All that a run depends on, so that it can be stopped and continued to the bit.
struct MlpState {
  int64_t step = 0;
  std::vector<float> params, m, v;
  std::vector<double> running;  // mean, then variance, of every normalizing layer, one after the other
};

struct MlpTerms {
  Loss loss = Loss::mse;
  int64_t batch = 0;  // rows a step; 0: all of them
  uint64_t seed = 0;  // of the batches and the noise
  float decay = 0;    // AdamW: w -= rate decay w (Loshchilov & Hutter 2019)
  float b1 = 0.9f, b2 = 0.999f, eps = 1e-8f;
  bool in_order = false;  // batches as the rows come, not drawn
};

class MlpDescent {
 public:
  // Data x (rows, inputs), y (rows, outputs), copied. Alone on one thread unless `pool` is given.
  MlpDescent(const cpu::Kernels& kernels, cpu::Pool* pool, const MlpShape& shape, const MlpTerms& terms,
             std::vector<float> x, std::vector<float> y, MlpState start);

  // A step for every rate; targets take noise of that standard deviation, fresh at every step. Returns the
  // mean loss.
  double run(const std::vector<float>& rates, float noise);
  // New targets, as of a next stage of a recipe.
  void set_targets(std::vector<float> y);

  const MlpState& state() const { return state_; }
  const MlpShape& shape() const { return mlp_.shape(); }
  int64_t rows() const { return rows_; }

 private:
  void load_batch(float noise);
  void update(float rate);
  void follow_moments();

  cpu::Mlp mlp_;
  MlpTerms terms_;
  std::vector<float> x_, y_, grad_;
  MlpState state_;
  int64_t rows_, batch_;
  std::vector<int32_t> order_;  // of an epoch's rows
  int64_t epoch_ = -1;
};

}  // namespace cppn
