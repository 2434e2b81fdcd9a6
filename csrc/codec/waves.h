// Waves in a .cppn file (kind 3). docs/format.md is the specification of the bytes.
//   the levels of each axis by frequency, each as decisions: zero?, sign, one?, one more? ...; what is
//   expected of a decision is computed from the levels before it by fixed models, waves_models.inc, in IEEE
//   754 single precision
#pragma once
#include <cstdint>
#include <vector>

#include "../core/waves.h"
#include "container.h"
#include "wave_models.h"

namespace cppn::codec {

inline constexpr int kMaxWaves = 32767;     // of an axis
inline constexpr int kMaxWaveLevel = 2047;  // of |level|

inline constexpr int64_t kMaxFilterPoints = 1 << 18;  // of its grid: some seconds at most

struct WavesRecord {
  Waves waves;
  int step = 0;  // the code of waves.step
  std::vector<int32_t> counts = {0, 0, 0};
  std::vector<int32_t> levels;  // of the first axis, of the second, of the third
};

// Throws std::invalid_argument naming the field that no file can hold.
void check(const WavesRecord& record);

// Of every level, as its decoder will expect it.
std::vector<WaveOdds> wave_odds(const WavesRecord& record);

// What the levels after it would cost more, in bits, were a level's size one more; and what they cost more
// because it is not one less. To first order: for a search.
using WaveInfluence = std::array<float, 2>;
std::vector<WaveInfluence> wave_influence(const WavesRecord& record);

std::vector<uint8_t> encode_waves(const WavesRecord& record);
// Throws FormatError, and nothing else, for bytes that are not such a file.
WavesRecord decode_waves(const uint8_t* data, size_t size, FileInfo* info = nullptr);

}  // namespace cppn::codec
