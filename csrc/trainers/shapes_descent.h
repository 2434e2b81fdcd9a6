// Descent of a picture of shapes: the whole picture a step, AdamW, the best step remembered.
#pragma once
#include <memory>

#include "../cpu/shapes.h"

namespace cppn {

// All that a run depends on, so that it can be stopped and continued to the bit.
struct ShapesState {
  int64_t step = 0;
  std::vector<float> params, m, v;
  std::vector<float> best;  // the parameters of the lowest loss seen
  double best_loss = 0;     // not below 0; infinite before the first step
};

struct ShapesTerms {
  float decay = 0;  // AdamW: w -= rate decay w (Loshchilov & Hutter 2019)
  float b1 = 0.9f, b2 = 0.999f, eps = 1e-8f;
};

class ShapesDescent {
 public:
  ShapesDescent(std::unique_ptr<cpu::Shapes> shapes, const ShapesTerms& terms, ShapesState start);

  // A step for every rate; what they came to, before each moved.
  std::vector<cpu::ShapesLoss> run(const std::vector<float>& rates);
  // Of the parameters as they are, which may be the best.
  cpu::ShapesLoss look();

  const ShapesState& state() const { return state_; }

 private:
  void remember(double loss);
  void update(float rate);

  std::unique_ptr<cpu::Shapes> shapes_;
  ShapesTerms terms_;
  ShapesState state_;
  std::vector<float> grad_;
};

}  // namespace cppn
