#include "waves.h"

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "header.h"
#include "range_coder.h"
#include "step_grid.h"
#include "wave_context.h"

namespace cppn::codec {

namespace {

constexpr int kCountBits = 15;
constexpr uint64_t kParts = 1 << 16, kLeast = 16;  // of a decision; no decision is certain

// Parts of kParts that "yes" has, by the logarithm of its odds.
uint64_t parts_of(float odds) {
  const float share = 1.0f / (1.0f + exp_poly(-odds));
  const int64_t parts = int64_t(share * float(kParts) + 0.5f);
  return uint64_t(std::clamp(parts, int64_t(kLeast), int64_t(kParts - kLeast)));
}

void put_decision(RangeEncoder& coder, bool yes, uint64_t parts) {
  coder.encode(yes ? 0 : parts, yes ? parts : kParts - parts, kParts);
}

bool take_decision(RangeDecoder& coder, uint64_t parts) {
  const bool yes = coder.peek(kParts) < parts;  // kParts, for what is no code, is a "no"
  coder.take(yes ? 0 : parts, yes ? parts : kParts - parts);
  return yes;
}

void put_level(RangeEncoder& coder, int32_t level, const WaveOdds& odds) {
  put_decision(coder, level != 0, parts_of(odds[0]));
  if (level == 0) return;
  put_decision(coder, level < 0, kParts / 2);
  const int32_t size = std::abs(level);
  put_decision(coder, size > 1, parts_of(odds[1]));
  if (size == 1) return;
  const uint64_t more = parts_of(odds[2]);
  for (int32_t k = 2; k < size; ++k) put_decision(coder, true, more);
  put_decision(coder, false, more);
}

// kMaxWaveLevel + 1 for a level beyond.
int32_t take_level(RangeDecoder& coder, const WaveOdds& odds) {
  if (!take_decision(coder, parts_of(odds[0]))) return 0;
  const bool negative = take_decision(coder, kParts / 2);
  int32_t size = 1;
  if (take_decision(coder, parts_of(odds[1]))) {
    const uint64_t more = parts_of(odds[2]);
    for (size = 2; size <= kMaxWaveLevel && take_decision(coder, more);) ++size;
  }
  return negative ? -size : size;
}

// visit(odds, level&) for every level, in the order of the file
template <class Levels, class Visit>
void walk(const Waves& waves, const std::vector<int32_t>& counts, Levels& levels, Visit&& visit) {
  WaveContext context(waves, *std::max_element(counts.begin(), counts.end()));
  size_t at = 0;
  for (size_t axis = 0; axis < counts.size(); ++axis) {
    context.begin(int(axis));
    for (int32_t n = 0; n < counts[axis]; ++n, ++at) {
      visit(odds_of(context.features(n)), levels[at]);
      context.learn(n, std::abs(levels[at]));
    }
  }
}

void put_facts(BitWriter& out, const WavesRecord& r) {
  out.put(kMagic, 8);
  out.put(kWavesKind, 4);
  out.put(r.waves.channels == 3, 1);
  put_sizes(out, r.waves.width, r.waves.height);
  out.put(uint64_t(r.step), 8);
  out.put(uint64_t(r.waves.filter), 8);
  out.put(uint64_t(r.waves.strength), 8);
  for (int k = 0; k < r.waves.channels; ++k) out.put(uint64_t(r.waves.mean[k]), 8);
  for (int k = 0; k < 3 && r.waves.channels == 3; ++k) out.put(uint64_t(r.waves.angles[k]), 8);
  int bits = 0;
  for (int32_t count : r.counts)
    while (count >> bits != 0) ++bits;
  out.put(uint64_t(bits), 4);
  for (int32_t count : r.counts) out.put(uint64_t(count), bits);
}

WavesRecord take_facts(BitReader& in) {
  in.take(8);
  if (in.take(4) != kWavesKind) throw FormatError(1, "no file of waves");
  WavesRecord r;
  r.waves.channels = in.take(1) == 1 ? 3 : 1;
  take_sizes(in, &r.waves.width, &r.waves.height);
  r.step = int(in.take(8));
  r.waves.step = step_grid(r.step);
  r.waves.filter = int32_t(in.take(8));
  r.waves.strength = int32_t(in.take(8));
  if (filter_grid(r.waves).points() > kMaxFilterPoints)
    throw FormatError(in.offset(), "the filter's grid is too large");
  for (int k = 0; k < r.waves.channels; ++k) r.waves.mean[k] = int32_t(in.take(8));
  for (int k = 0; k < 3 && r.waves.channels == 3; ++k) r.waves.angles[k] = int32_t(in.take(8));
  const int bits = int(in.take(4));
  r.counts.assign(size_t(r.waves.channels), 0);
  for (int32_t& count : r.counts) {
    count = int32_t(in.take(bits));
    if (int64_t(count) >= int64_t(r.waves.width) * r.waves.height)
      throw FormatError(in.offset(), "more waves than the picture has");
  }
  return r;
}

}  // namespace

void check(const WavesRecord& r) {
  const Waves& w = r.waves;
  expect(w.channels == 1 || w.channels == 3, "channels must be 1 or 3");
  expect(w.width >= 1 && w.width <= kMaxSide && w.height >= 1 && w.height <= kMaxSide,
         "a side must be 1..65535");
  expect(r.step >= 0 && r.step < kStepCodes, "step must be 0..255");
  expect(w.filter >= 0 && w.filter < 256, "filter must be 0..255");
  expect(w.strength >= 0 && w.strength < 256, "strength must be 0..255");
  expect(filter_grid(w).points() <= kMaxFilterPoints, "the filter's grid is too large");
  expect(r.counts.size() == size_t(w.channels), "a count for each channel expected");
  for (int k = 0; k < 3; ++k) {
    expect(w.mean[k] >= 0 && w.mean[k] < 256, "mean must be 0..255");
    expect(w.angles[k] >= 0 && w.angles[k] < kAngles, "angles must be 0..255");
  }
  int64_t all = 0;
  for (int32_t count : r.counts) {
    expect(count >= 0 && count <= kMaxWaves && count < int64_t(w.width) * w.height,
           "counts are out of range");
    all += count;
  }
  expect(int64_t(r.levels.size()) == all, "levels do not fit counts");
  for (int32_t level : r.levels) expect(std::abs(level) <= kMaxWaveLevel, "levels must be -2047..2047");
}

std::vector<WaveOdds> wave_odds(const WavesRecord& r) {
  check(r);
  std::vector<WaveOdds> found;
  walk(r.waves, r.counts, r.levels, [&](const WaveOdds& odds, int32_t) { found.push_back(odds); });
  return found;
}

std::vector<uint8_t> encode_waves(const WavesRecord& r) {
  check(r);
  BitWriter header;
  put_facts(header, r);
  RangeEncoder coder;
  walk(r.waves, r.counts, r.levels,
       [&](const WaveOdds& odds, int32_t level) { put_level(coder, level, odds); });
  return sealed(header, coder.finish());
}

WavesRecord decode_waves(const uint8_t* data, size_t size, FileInfo* info) {
  uint16_t sum;
  BitReader header(data, unsealed(data, size, &sum));
  WavesRecord r = take_facts(header);
  const size_t start = range_code_start(header), payload = header.rest_size();
  RangeDecoder coder(header.rest(), payload);
  size_t all = 0;
  for (int32_t count : r.counts) all += size_t(count);
  r.levels.resize(all);
  walk(r.waves, r.counts, r.levels, [&](const WaveOdds& odds, int32_t& level) {
    level = take_level(coder, odds);
    if (std::abs(level) > kMaxWaveLevel) throw FormatError(start + coder.at(), "a level is out of range");
    if (coder.needed() > payload + 8)
      throw FormatError(start + coder.at(), "the levels go on beyond the file");
  });
  if (payload > coder.needed())
    throw FormatError(start + coder.needed(),
                      std::to_string(payload - coder.needed()) + " bytes after the levels");
  if (info != nullptr) *info = {kVersion, kWavesKind, 0, start, payload, sum};
  return r;
}

}  // namespace cppn::codec
