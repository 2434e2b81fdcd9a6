// A picture of shapes, and the loss and gradient of its raw parameters, on the threads of a CPU.
#pragma once
#include "backend.h"
#include "kernels/shapes_kernels.h"

namespace cppn::cpu {

// What a step came to: the loss, and the plain sum of squared errors.
struct ShapesLoss {
  double loss, squares;
};

// out (H, W, C), x (W), y (H): the same bits on every machine
void shapes_render(CpuBackend& backend, const ShapesShape& shape, const float* params, const float* x,
                   int64_t width, const float* y, int64_t height, float* out);

class Shapes {
 public:
  // Pixels at x (W), y (H); target and weight (H, W, C), copied. Weights are above 0.
  Shapes(CpuBackend& backend, const ShapesShape& shape, const float* x, int64_t width, const float* y,
         int64_t height, const float* target, const float* weight, ShapeLoss loss);
  Shapes(const Shapes&) = delete;  // its task points into it
  Shapes& operator=(const Shapes&) = delete;

  // Unless null, grad (K) = dloss/dparams. Of article the colours among the parameters are set first: they
  // are the means of the target under the shapes, and the gradient goes through them.
  ShapesLoss gradient(float* params, float* grad);

  const ShapesShape& shape() const { return shape_; }

 private:
  template <class F>
  void run(F&& f);
  void set_colours(float* params);
  void pull_means();
  void add_groups();
  void gather(const float* params, double factor, float* grad) const;

  CpuBackend& backend_;
  ShapesShape shape_;
  int64_t width_, height_, tiles_, groups_;
  std::vector<float> x_, y_;
  AlignedFloats target_, weight_, rows_, boxes_;
  std::vector<int32_t> shapes_;  // of every row, which it is
  std::vector<double> partial_, total_, means_;
  std::vector<float> pull_;
  ShapesTask task_;
};

}  // namespace cppn::cpu
