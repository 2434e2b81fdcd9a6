#include "shapes_descent.h"

#include <limits>
#include <utility>

#include "../core/adam.h"

namespace cppn {

ShapesDescent::ShapesDescent(std::unique_ptr<cpu::Shapes> shapes, const ShapesTerms& terms, ShapesState start)
    : shapes_(std::move(shapes)),
      terms_(terms),
      state_(std::move(start)),
      grad_(size_t(shapes_->shape().params())) {}

void ShapesDescent::remember(double loss) {
  if (!(loss < state_.best_loss)) return;
  state_.best_loss = loss;
  state_.best = state_.params;
}

// The colours of article are no parameters: the next step sets them, and nothing must move them before.
void ShapesDescent::update(float rate) {
  const ShapesShape& shape = shapes_->shape();
  const float huge = std::numeric_limits<float>::max();
  const AdamStep adam = adam_at(state_.step + 1, rate, terms_.b1, terms_.b2, terms_.eps, 0);
  const size_t derived = shape.kind == ShapeKind::article ? size_t(shape.n) * size_t(shape.channels) : 0;
  for (size_t k = 0; k < grad_.size() - derived; ++k) {
    state_.params[k] -= rate * terms_.decay * state_.params[k];
    adam_update(state_.params[k], state_.m[k], state_.v[k], grad_[k], adam, huge);
  }
}

std::vector<cpu::ShapesLoss> ShapesDescent::run(const std::vector<float>& rates) {
  std::vector<cpu::ShapesLoss> losses;
  for (float rate : rates) {
    losses.push_back(shapes_->gradient(state_.params.data(), grad_.data()));
    remember(losses.back().loss);
    update(rate);
    ++state_.step;
  }
  return losses;
}

cpu::ShapesLoss ShapesDescent::look() {
  const cpu::ShapesLoss found = shapes_->gradient(state_.params.data(), nullptr);
  remember(found.loss);
  return found;
}

}  // namespace cppn
