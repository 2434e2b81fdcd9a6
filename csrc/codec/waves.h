// Waves in a .cppn file (kind 3). docs/format.md is the specification of the bytes.
//   the levels of each axis by frequency, each as decisions: zero?, sign, one?, one more? ...; what is
//   expected of a decision is computed from the levels before it by fixed models, waves_models.inc, in IEEE
//   754 single precision
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "../core/waves.h"
#include "container.h"

namespace cppn::codec {

inline constexpr int kMaxWaves = 32767;     // of an axis
inline constexpr int kMaxWaveLevel = 2047;  // of |level|

struct WavesRecord {
  Waves waves;
  int step = 0;  // the code of waves.step
  std::vector<int32_t> counts = {0, 0, 0};
  std::vector<int32_t> levels;  // of the first axis, of the second, of the third
};

// Logarithms of the odds: that a level is not zero, that it is then more than one, that it is then one more.
using WaveOdds = std::array<float, 3>;

// Throws std::invalid_argument naming the field that no file can hold.
void check(const WavesRecord& record);

// Of every level, as its decoder will expect it.
std::vector<WaveOdds> wave_odds(const WavesRecord& record);

std::vector<uint8_t> encode_waves(const WavesRecord& record);
// Throws FormatError, and nothing else, for bytes that are not such a file.
WavesRecord decode_waves(const uint8_t* data, size_t size, FileInfo* info = nullptr);

}  // namespace cppn::codec
