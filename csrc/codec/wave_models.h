// The models that say what a level of a wave costs: 25 features, 16 hidden units, three logits. Fitted by
// bench/fit_waves.py, and part of this version of the format. The same bits on every machine.
#pragma once
#include <array>

namespace cppn::codec {

inline constexpr int kWaveFeatures = 25;
using WaveFeatures = std::array<float, kWaveFeatures>;

// Logarithms of the odds: that a level is not zero, that it is then more than one, that it is then one more.
using WaveOdds = std::array<float, 3>;

WaveOdds odds_of(const WaveFeatures& x);

// How a sum changes with the features, of how it changes with the odds.
WaveFeatures slopes_of(const WaveFeatures& x, const WaveOdds& by_odds);

}  // namespace cppn::codec
