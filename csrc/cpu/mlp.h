// Loss and gradient of a perceptron over a batch of pixels, batch normalization included, on the threads of a
// CPU.
#pragma once
#include <functional>

#include "../core/mlp.h"
#include "backend.h"
#include "kernels/mlp_kernels.h"

namespace cppn::cpu {

// Mean and biased variance of the features that a layer normalized, over the batch.
struct BatchMoments {
  std::vector<double> mean, variance;  // (outputs)
};

class Mlp {
 public:
  // With room for `most` pixels. One thread computes alone unless `pool` is given.
  Mlp(const Kernels& kernels, Pool* pool, const MlpShape& shape, int64_t most);

  // The batch: rows x (·, inputs) and y (·, outputs) at `rows`, or the first `count` of them where that is
  // null. `blur(index, y)`, unless empty, may change a target before it is used.
  void load(const float* x, const float* y, const int32_t* rows, int64_t count,
            const std::function<void(int64_t index, float* y)>& noise = {});

  // grad (params) = dloss/dparams
  double gradient(const float* params, Loss loss, float* grad);

  const std::vector<BatchMoments>& moments() const { return moments_; }  // one for each normalizing layer
  const MlpShape& shape() const { return shape_; }

 private:
  struct Pass;
  void run(const std::function<void(int64_t group, int thread)>& f);
  void pack(const float* params);
  MlpPass pass_at(size_t i) const;
  void forward(size_t i, const float* params);
  double backward(size_t i, const float* params, Loss loss, float* grad);
  void gather_gradient(float* grad) const;
  int64_t tile_of(int64_t group) const { return group * tiles_ / groups_; }

  const Kernels& kernels_;
  Pool* pool_;
  MlpShape shape_;
  MlpLayout layout_;
  std::vector<int> ends_;  // of the passes: one past the last layer
  int64_t most_, pixels_ = 0, tiles_ = 0, groups_ = 0;
  AlignedFloats packed_, x_, y_, partial_, norms_;
  std::vector<AlignedFloats> between_;  // outputs of every pass but the last, then what comes back to them
  std::vector<AlignedFloats> scratch_;  // one for each thread
  std::vector<BatchMoments> moments_;
  std::vector<double> sums_;  // (groups, 2, widest)
};

}  // namespace cppn::cpu
