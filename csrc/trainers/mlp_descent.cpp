#include "mlp_descent.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "../core/adam.h"
#include "../core/philox.h"

namespace cppn {

namespace {

constexpr uint32_t kNoiseStream = 16, kOrderStream = 17;
constexpr double kMomentum = 0.1;

// Standard deviation 1 and bounded by sqrt(6): the sum of two uniform numbers, each half of 32 random bits.
float triangular(uint32_t bits) {
  const float sum = float(bits >> 16) - float(bits & 0xffffu);
  return sum * (2.4494897f / 65536.0f);
}

}  // namespace

MlpDescent::MlpDescent(const cpu::Kernels& kernels, cpu::Pool* pool, const MlpShape& shape,
                       const MlpTerms& terms, std::vector<float> x, std::vector<float> y, MlpState start)
    : mlp_(kernels, pool, shape,
           terms.batch ? std::min<int64_t>(terms.batch, int64_t(x.size()) / shape.inputs())
                       : int64_t(x.size()) / shape.inputs()),
      terms_(terms),
      x_(std::move(x)),
      y_(std::move(y)),
      grad_(size_t(shape.params())),
      state_(std::move(start)),
      rows_(int64_t(x_.size()) / shape.inputs()),
      batch_(terms.batch ? std::min(terms.batch, rows_) : rows_) {
  if (batch_ == rows_) mlp_.load(x_.data(), y_.data(), nullptr, rows_);
}

void MlpDescent::set_targets(std::vector<float> y) {
  y_ = std::move(y);
  if (batch_ == rows_) mlp_.load(x_.data(), y_.data(), nullptr, rows_);
}

// The rows of this step: an epoch is a random order of all rows, cut into whole batches.
void MlpDescent::load_batch(float noise) {
  if (batch_ == rows_ && noise == 0) return;
  const uint64_t step = uint64_t(state_.step);
  const auto add_noise = [&](int64_t index, float* y) {
    for (int c = 0; c < shape().outputs(); c += 4) {
      const uint32_t block = uint32_t(index * ((shape().outputs() + 3) / 4) + c / 4);
      const Philox4 bits = philox(terms_.seed, step, block, kNoiseStream);
      for (int k = 0; k < 4 && c + k < shape().outputs(); ++k) y[c + k] += noise * triangular(bits.v[k]);
    }
  };
  const int64_t per_epoch = rows_ / batch_, epoch = state_.step / per_epoch;
  if (epoch != epoch_ && batch_ < rows_) {
    epoch_ = epoch;
    order_.resize(size_t(rows_));
    std::iota(order_.begin(), order_.end(), 0);
    for (int64_t i = terms_.in_order ? 0 : rows_ - 1; i > 0; --i) {
      const float u = philox_uniform(terms_.seed, uint64_t(epoch), uint32_t(i), kOrderStream);
      std::swap(order_[size_t(i)], order_[size_t(std::min(i, int64_t(double(u) * double(i + 1))))]);
    }
  }
  const int32_t* rows = batch_ < rows_ ? &order_[size_t(state_.step % per_epoch * batch_)] : nullptr;
  mlp_.load(x_.data(), y_.data(), rows, batch_,
            noise == 0 ? std::function<void(int64_t, float*)>() : add_noise);
}

void MlpDescent::update(float rate) {
  const float huge = std::numeric_limits<float>::max();
  const AdamStep adam = adam_at(state_.step + 1, rate, terms_.b1, terms_.b2, terms_.eps, 0);
  for (size_t k = 0; k < grad_.size(); ++k) {
    state_.params[k] -= rate * terms_.decay * state_.params[k];
    adam_update(state_.params[k], state_.m[k], state_.v[k], grad_[k], adam, huge);
  }
}

// As PyTorch's BatchNorm1d: momentum 0.1, the unbiased variance.
void MlpDescent::follow_moments() {
  size_t at = 0;
  const double n = double(batch_), unbiased = n > 1 ? n / (n - 1) : 1;
  for (const cpu::BatchMoments& m : mlp_.moments()) {
    for (double mean : m.mean) state_.running[at] += kMomentum * (mean - state_.running[at]), ++at;
    for (double variance : m.variance)
      state_.running[at] += kMomentum * (variance * unbiased - state_.running[at]), ++at;
  }
}

double MlpDescent::run(const std::vector<float>& rates, float noise) {
  double sum = 0;
  for (float rate : rates) {
    load_batch(noise);
    sum += mlp_.gradient(state_.params.data(), terms_.loss, grad_.data());
    update(rate);
    follow_moments();
    ++state_.step;
  }
  if (batch_ == rows_ && noise != 0)
    mlp_.load(x_.data(), y_.data(), nullptr, rows_);  // the next may be without
  return rates.empty() ? 0 : sum / double(rates.size());
}

}  // namespace cppn
