#include "mlp.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "float_mode.h"

namespace cppn::cpu {

namespace {

// Groups of tiles are the unit of work and of the reduction: any number of threads adds the same sums in
// order.
constexpr int64_t kMaxGroups = 32;
constexpr int kNormRows = 6;  // scale, shift, mean; then a, b, c of MlpSeed

}  // namespace

MlpLayout::MlpLayout(const MlpShape& s) : packed(0), gradient(0) {
  for (int l = 0; l < s.count; ++l) {
    const int64_t I = s.layer[l].inputs, O = s.layer[l].outputs, PI = padded16(int(I)), PO = padded16(int(O));
    place[l] = {packed, packed + I * PO, packed + (I + 1) * PO, gradient};
    packed += (I + 1) * PO + O * PI;
    gradient += PO * PI + PO;
  }
}

Mlp::Mlp(const Kernels& kernels, Pool* pool, const MlpShape& shape, int64_t most)
    : kernels_(kernels), pool_(pool), shape_(shape), layout_(shape), most_(most) {
  const int64_t room = (most + kMlpTile - 1) / kMlpTile * kMlpTile;
  packed_ = aligned_floats(layout_.packed);
  x_ = aligned_floats(room * padded16(shape.inputs()));
  y_ = aligned_floats(room * padded16(shape.outputs()));
  for (int l = 0; l < shape.count; ++l)
    if (l + 1 == shape.count || shape.layer[l].norm) ends_.push_back(l + 1);
  for (size_t i = 0; i + 1 < ends_.size(); ++i)
    between_.push_back(aligned_floats(room * padded16(shape.layer[ends_[i] - 1].outputs)));
  moments_.resize(between_.size());
  const int64_t groups = std::min(kMaxGroups, room / kMlpTile);
  partial_ = aligned_floats(groups * layout_.gradient);
  norms_ = aligned_floats(int64_t(between_.size()) * kNormRows * widest(shape));
  sums_.resize(size_t(groups * 2 * widest(shape)));
  for (int t = 0; t < (pool ? pool->threads() : 1); ++t)
    scratch_.push_back(aligned_floats(kernels.mlp->scratch_floats(shape)));
}

void Mlp::run(const std::function<void(int64_t group, int thread)>& f) {
  const auto work = [&](int64_t group, int thread) {
    const FloatMode mode(FloatMode::fast);
    f(group, thread);
  };
  if (pool_)
    pool_->run(groups_, work);
  else
    for (int64_t group = 0; group < groups_; ++group) work(group, 0);
}

void Mlp::load(const float* x, const float* y, const int32_t* rows, int64_t count,
               const std::function<void(int64_t index, float* y)>& noise) {
  pixels_ = std::min(count, most_);
  tiles_ = (pixels_ + kMlpTile - 1) / kMlpTile;
  groups_ = std::min(kMaxGroups, tiles_);
  const int64_t I = shape_.inputs(), O = shape_.outputs(), PI = padded16(int(I)), PO = padded16(int(O));
  run([&](int64_t group, int) {
    for (int64_t p = tile_of(group) * kMlpTile; p < tile_of(group + 1) * kMlpTile; ++p) {
      const int64_t at = std::min(p, pixels_ - 1),
                    row = rows ? rows[at] : at;  // past the end: the last one again
      std::memcpy(&x_[size_t(p * PI)], x + row * I, sizeof(float) * size_t(I));
      std::memcpy(&y_[size_t(p * PO)], y + row * O, sizeof(float) * size_t(O));
      if (noise) noise(at, &y_[size_t(p * PO)]);
    }
  });
}

void Mlp::pack(const float* params) {
  for (int l = 0; l < shape_.count; ++l) {
    const MlpLayer& layer = shape_.layer[l];
    const int I = layer.inputs, O = layer.outputs, PI = padded16(I), PO = padded16(O);
    const float* w = params + shape_.at(l);
    float* packed = packed_.get();
    const MlpPlace& at = layout_.place[l];
    for (int o = 0; o < O; ++o) {
      packed[at.bias + o] = w[layer.bias() + o];
      for (int i = 0; i < I; ++i) {
        packed[at.forward + int64_t(i) * PO + o] = w[int64_t(o) * I + i];
        packed[at.backward + int64_t(o) * PI + i] = w[int64_t(o) * I + i];
      }
    }
  }
}

MlpPass Mlp::pass_at(size_t i) const {
  const int64_t most = widest(shape_);
  const float* norm = i ? &norms_[(i - 1) * size_t(kNormRows * most)] : nullptr;
  return {&shape_,
          &layout_,
          i ? ends_[i - 1] : 0,
          ends_[i],
          packed_.get(),
          i ? between_[i - 1].get() : x_.get(),
          norm,
          norm ? norm + most : nullptr,
          norm ? norm + 2 * most : nullptr,
          pixels_};
}

// The outputs of pass i, which a normalization follows, and what that makes of them.
void Mlp::forward(size_t i, const float* params) {
  const MlpPass pass = pass_at(i);
  const int O = pass.outputs(), PO = padded16(O);
  std::vector<double> means(size_t(groups_ * PO)), squares(size_t(groups_ * PO));
  std::vector<MlpMoments> found(static_cast<size_t>(groups_));
  run([&](int64_t g, int thread) {
    found[size_t(g)] = {0, &means[size_t(g * PO)], &squares[size_t(g * PO)]};
    kernels_.mlp->forward(pass, tile_of(g), tile_of(g + 1), scratch_[size_t(thread)].get(), between_[i].get(),
                          &found[size_t(g)]);
  });
  BatchMoments& all = moments_[i];
  all.mean.assign(size_t(O), 0);
  all.variance.assign(size_t(O), 0);
  const MlpLayer& layer = shape_.layer[ends_[i] - 1];
  const float* gamma = params + shape_.at(ends_[i] - 1) + layer.gamma();
  const int64_t most = widest(shape_);
  float* norm = &norms_[i * size_t(kNormRows * most)];
  for (int o = 0; o < O; ++o) {
    double count = 0, mean = 0, m2 = 0;
    for (const MlpMoments& group : found) {
      const double here = double(group.count), delta = group.mean[o] - mean;
      m2 += group.m2[o] + delta * delta * count * here / (count + here);
      mean += delta * here / (count + here);
      count += here;
    }
    all.mean[size_t(o)] = mean;
    all.variance[size_t(o)] = m2 / count;
    const double scale = double(gamma[o]) / std::sqrt(m2 / count + double(kNormEps));
    norm[o] = float(scale);
    norm[most + o] = float(double(gamma[O + o]) - mean * scale);
    norm[2 * most + o] = float(mean);
  }
}

double Mlp::backward(size_t i, const float* params, Loss loss, float* grad) {
  const MlpPass pass = pass_at(i);
  const int64_t most = widest(shape_);
  const int PI = padded16(pass.inputs());
  const bool last = i + 1 == ends_.size();
  const float* norm = last ? nullptr : &norms_[i * size_t(kNormRows * most)];
  const float share = 1.0f / (float(pixels_) * float(shape_.outputs()));
  const auto row = [&](int64_t n) { return last ? nullptr : norm + n * most; };
  const MlpSeed seed = {last ? y_.get() : nullptr,
                        loss,
                        share,
                        last ? nullptr : between_[i].get(),
                        row(2),
                        row(3),
                        row(4),
                        row(5)};
  float* din = i ? between_[i - 1].get() : nullptr;
  std::vector<double> losses(static_cast<size_t>(groups_));
  std::fill(sums_.begin(), sums_.end(), 0.0);
  run([&](int64_t g, int thread) {
    losses[size_t(g)] =
        kernels_.mlp->backward(pass, seed, tile_of(g), tile_of(g + 1), scratch_[size_t(thread)].get(),
                               &partial_[size_t(g * layout_.gradient)], din, &sums_[size_t(g * 2 * most)]);
  });
  double all = 0;
  for (double one : losses) all += one;
  if (i == 0) return all;

  // Through the normalization before: y = gamma (h - mean) / sigma + beta, mean and sigma functions of all h.
  const MlpLayer& layer = shape_.layer[pass.first - 1];
  const float* gamma = params + shape_.at(pass.first - 1) + layer.gamma();
  float* dgamma = grad + shape_.at(pass.first - 1) + layer.gamma();
  float* to = &norms_[(i - 1) * size_t(kNormRows * most)] + 3 * most;
  for (int o = 0; o < layer.outputs; ++o) {
    double dy = 0, dyh = 0;
    for (int64_t g = 0; g < groups_; ++g) {
      dy += sums_[size_t(g * 2 * most + o)];
      dyh += sums_[size_t(g * 2 * most + PI + o)];
    }
    const BatchMoments& m = moments_[i - 1];
    const double off = double(float(m.mean[size_t(o)])) - m.mean[size_t(o)];  // the kernels' mean is a float
    dyh += off * dy;
    const double sigma = std::sqrt(m.variance[size_t(o)] + double(kNormEps)), count = double(pixels_);
    const double scale = double(gamma[o]) / sigma, bend = -scale * dyh / (sigma * sigma * count);
    dgamma[o] = float(dyh / sigma);
    dgamma[layer.outputs + o] = float(dy);
    to[o] = float(scale);
    to[most + o] = float(bend);
    to[2 * most + o] = float(bend * off - scale * dy / count);
  }
  return all;
}

double Mlp::gradient(const float* params, Loss loss, float* grad) {
  pack(params);
  std::memset(partial_.get(), 0, sizeof(float) * size_t(groups_ * layout_.gradient));
  for (size_t i = 0; i + 1 < ends_.size(); ++i) forward(i, params);
  double found = 0;
  for (size_t i = ends_.size(); i-- > 0;) found += backward(i, params, loss, grad);
  gather_gradient(grad);
  return found;
}

void Mlp::gather_gradient(float* grad) const {
  for (int l = 0; l < shape_.count; ++l) {
    const MlpLayer& layer = shape_.layer[l];
    const int64_t I = layer.inputs, O = layer.outputs, PI = padded16(layer.inputs),
                  PO = padded16(layer.outputs);
    const auto sum = [&](int64_t at) {
      double all = 0;
      for (int64_t g = 0; g < groups_; ++g) all += double(partial_[size_t(g * layout_.gradient + at)]);
      return float(all);
    };
    float* to = grad + shape_.at(l);
    const int64_t from = layout_.place[l].gradient;
    for (int64_t o = 0; o < O; ++o) {
      for (int64_t i = 0; i < I; ++i) to[o * I + i] = sum(from + o * PI + i);
      to[layer.bias() + o] = sum(from + PO * PI + o);
    }
  }
}

}  // namespace cppn::cpu
