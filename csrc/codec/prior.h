// What the range coder believes about levels: a symmetric, discrete bell with two parameters,
//   p(k) ~ A^|k| B^(k^2),  A = 1 / (1 + x), B = 1 / (1 + y)        B = 1: Laplace    A = 1: Gauss
// with x and y from logarithmic grids of 127 values, four to the octave, and zero. The frequencies come from
// a recurrence on integers, for no two machines agree on the last bit of exp:
//   g[0] = 2^31, g[k+1] = g[k] h[k],  h[0] = A B, h[k+1] = h[k] B^2 (32-bit fractions, rounded down)
//   f[k] = g[k] >> 7, as far as it is not 0, at most kMaxMagnitudes of them
// Levels beyond the table have an escape of frequency 1, then level + 32767 as one of 65535 equal parts.
#pragma once
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "range_coder.h"

namespace cppn::codec {

inline constexpr int kPriorCodes = 128;
inline constexpr int kMaxMagnitudes = 4096;
inline constexpr uint64_t kRawLevels = 65535;
static_assert((uint64_t(2) * kMaxMagnitudes << 24) + 1 <= kMaxTotal, "f[k] is at most 2^24");

struct PriorCode {
  int a = 0, b = 0;  // 0: no such factor; c: x = 2^((c - 1) / 4 - 14), y = 2^((c - 1) / 4 - 27)
};

class PriorTable {
 public:
  explicit PriorTable(PriorCode code);

  // start_[k]: the parts before magnitude k. 0 has f[0] of them, any other has f[k] for +k, then f[k] for -k.
  int magnitudes() const { return int(start_.size()) - 1; }
  uint64_t total() const { return start_.back() + 1; }  // the last part is the escape
  uint64_t frequency(int k) const {
    const uint64_t both = start_[size_t(k) + 1] - start_[size_t(k)];
    return k == 0 ? both : both / 2;
  }

  void encode(RangeEncoder& coder, int32_t level) const;
  // False if the bytes are no code.
  bool decode(RangeDecoder& coder, int32_t* level) const;

  // Length of the code of +k or -k in 2^-16 bits: an integer, because the encoder chooses by it.
  uint32_t cost(int k) const;
  // The same as a number for plots and for rate-distortion searches, in bits.
  double bits(int k) const;
  // 256 times the mean of |k|, rounded down, at least 1.
  uint64_t mean() const;

 private:
  std::vector<uint64_t> start_;
  uint32_t total_cost_;                  // log2(total) in 2^-16 bits
  mutable std::vector<uint32_t> costs_;  // 0: not asked for yet
};

// How often each magnitude occurs, ascending.
struct Magnitude {
  int k;
  uint64_t count;
};
using Histogram = std::vector<Magnitude>;
Histogram histogram(const int32_t* levels, size_t count);
uint64_t cost(const PriorTable& table, const Histogram& magnitudes);

// Steps that find their way along the valley: where one factor is weak, its code must move far to matter.
std::vector<std::pair<int, int>> prior_moves();

// The codes that make the levels shortest. Neither factor can be steeper than it would be alone, so the
// search scans six octaves below the best Laplace and the best normal bell and goes downhill from there;
// downhill alone does not find the way from one to the other. A test compares with all 16384 pairs.
PriorCode fit_prior(const Histogram& magnitudes);

// A bell close to normal, as levels have it once their scales are known: where a learning coder starts to
// search.
PriorCode near_normal(const Histogram& magnitudes);

}  // namespace cppn::codec
