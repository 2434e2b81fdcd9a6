#include "wave_models.h"

#include <algorithm>
#include <cmath>

#include "../core/math.h"

namespace cppn::codec {

namespace {

constexpr int kFeatures = kWaveFeatures, kModels = 3;
#include "waves_models.inc"

constexpr int kUnits =
    (kHiddenUnits + kModels + 3) / 4 * 4;  // filled up for compilers that take four at a time

float bent(float x) { return 1.0f - 2.0f / (exp_poly(2.0f * x) + 1.0f); }  // tanh

// The weights of all units by feature, so that one feature serves them all.
struct Weights {
  float bias[kUnits] = {}, by_feature[kFeatures][kUnits] = {};
  Weights() {
    std::copy(kHiddenBias, kHiddenBias + kHiddenUnits, bias);
    std::copy(kStraightBias, kStraightBias + kModels, bias + kHiddenUnits);
    for (int f = 0; f < kFeatures; ++f) {
      for (int k = 0; k < kHiddenUnits; ++k) by_feature[f][k] = kHidden[k][f];
      for (int m = 0; m < kModels; ++m) by_feature[f][kHiddenUnits + m] = kStraight[m][f];
    }
  }
};

// units: the hidden ones bent, then the straight part of the odds
void units_of(const WaveFeatures& x, float (&units)[kUnits]) {
  static const Weights weights;
  std::copy(weights.bias, weights.bias + kUnits, units);
  for (int f = 0; f < kFeatures; ++f)
    for (int k = 0; k < kUnits; ++k) units[k] += weights.by_feature[f][k] * x[size_t(f)];
  for (int k = 0; k < kHiddenUnits; ++k) units[k] = bent(units[k]);
}

}  // namespace

WaveOdds odds_of(const WaveFeatures& x) {
  float units[kUnits];
  units_of(x, units);
  WaveOdds odds;
  for (int m = 0; m < kModels; ++m) {
    float more = 0;
    for (int k = 0; k < kHiddenUnits; ++k) more += kBent[m][k] * units[k];
    odds[size_t(m)] = units[kHiddenUnits + m] + more;
  }
  return odds;
}

WaveFeatures slopes_of(const WaveFeatures& x, const WaveOdds& by_odds) {
  float units[kUnits];
  units_of(x, units);
  WaveFeatures slopes{};
  for (int f = 0; f < kFeatures; ++f)
    for (int m = 0; m < kModels; ++m) slopes[size_t(f)] += kStraight[m][f] * by_odds[size_t(m)];
  for (int k = 0; k < kHiddenUnits; ++k) {
    float slope = 0;
    for (int m = 0; m < kModels; ++m) slope += kBent[m][k] * by_odds[size_t(m)];
    slope *= 1.0f - units[k] * units[k];
    for (int f = 0; f < kFeatures; ++f) slopes[size_t(f)] += kHidden[k][f] * slope;
  }
  return slopes;
}

}  // namespace cppn::codec
