#include "wave_context.h"

#include <cmath>

namespace cppn::codec {

namespace {

constexpr int kFeatures = 17;
#include "waves_models.inc"

float bent(float x) { return 1.0f - 2.0f / (exp_poly(2.0f * x) + 1.0f); }  // tanh

float dot(const float* a, const float* b, int n) {
  float sum = 0;
  for (int k = 0; k < n; ++k) sum += a[k] * b[k];
  return sum;
}

}  // namespace

WaveContext::WaveContext(const Waves& waves, int64_t count)
    : waves_(waves), order_(waves_by_frequency(waves, count)) {
  for (const Wave& wave : order_) {
    rows_ = std::max<int64_t>(rows_, wave.v + 1);
    columns_ = std::max<int64_t>(columns_, wave.u + 1);
  }
}

void WaveContext::begin(int axis) {
  axis_ = axis;
  quick_ = slow_ = 1.0f;
  planes_[axis].assign(size_t(rows_ * columns_), 0.0f);
}

void WaveContext::learn(int64_t n, int32_t size) {
  const Wave& wave = order_[size_t(n)];
  planes_[axis_][size_t(wave.v * columns_ + wave.u)] = float(size);
  quick_ += (float(size) - quick_) * (1.0f / 40.0f);
  slow_ += (float(size) - slow_) * (1.0f / 300.0f);
}

// 0 for what lies outside, and for what is not of a lower frequency, though it may be known.
float WaveContext::size(int axis, const Wave& wave, Place back) const {
  const int64_t v = wave.v - back.v, u = wave.u - back.u;
  if (v < 0 || u < 0 || v >= rows_ || u >= columns_) return 0.0f;
  if (frequency(waves_, v, u) >= frequency(waves_, wave.v, wave.u)) return 0.0f;
  return planes_[axis][size_t(v * columns_ + u)];
}

template <size_t N>
float WaveContext::sum(int axis, const Wave& wave, const Place (&places)[N]) const {
  float all = 0;
  for (const Place& place : places) all += size(axis, wave, place);
  return all;
}

WaveOdds WaveContext::odds(int64_t n) const {
  static constexpr Place near[] = {{1, 0}, {0, 1}}, diagonal[] = {{1, 1}}, anti[] = {{1, -1}, {-1, 1}},
                         far[] = {{2, 0}, {0, 2}}, further[] = {{2, 1},  {1, 2},  {2, 2},  {3, 0}, {0, 3},
                                                                {2, -1}, {-1, 2}, {2, -2}, {-2, 2}},
                         around[] = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}, {1, 1}, {1, -1}, {-1, 1}};
  const Wave& wave = order_[size_t(n)];
  const float rings[5] = {sum(axis_, wave, near), sum(axis_, wave, diagonal), sum(axis_, wave, anti),
                          sum(axis_, wave, far), sum(axis_, wave, further)};
  float x[kFeatures], all = 0;
  x[0] = 1.0f;
  for (int k = 0; k < 5; ++k) {
    x[1 + k] = log_poly(rings[k] + 0.3f);
    all += rings[k];
  }
  x[6] = log_poly(all + 0.2f);
  x[7] = log_poly(quick_ + 0.02f);
  x[8] = log_poly(slow_ + 0.02f);
  const float area = float(waves_.width) * float(waves_.height);
  const float radius = std::sqrt(float(frequency(waves_, wave.v, wave.u))) / (2.0f * std::sqrt(area));
  x[9] = log_poly(radius + 1.0f);
  x[10] = x[9] * x[9] * 0.25f;
  for (int other = 0; other < 2; ++other) {
    const bool known = other < axis_;
    x[11 + 2 * other] = log_poly((known ? planes_[other][size_t(wave.v * columns_ + wave.u)] : 0.0f) + 0.3f);
    x[12 + 2 * other] = log_poly((known ? sum(other, wave, around) : 0.0f) + 0.3f);
  }
  x[15] = float(axis_ == 1);
  x[16] = float(axis_ == 2);
  float hidden[kHiddenUnits];
  for (int k = 0; k < kHiddenUnits; ++k) hidden[k] = bent(dot(kHidden[k], x, kFeatures) + kHiddenBias[k]);
  WaveOdds odds;
  for (size_t k = 0; k < 3; ++k)
    odds[k] = (dot(kStraight[k], x, kFeatures) + kStraightBias[k]) + dot(kBent[k], hidden, kHiddenUnits);
  return odds;
}

}  // namespace cppn::codec
