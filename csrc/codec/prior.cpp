#include "prior.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "descend.h"

namespace cppn::codec {

namespace {

// 2^(c / 4) * 2^octaves in 32-bit fractions; 2^(k/4) times 2^31, rounded.
uint64_t grid(int c, int octaves) {
  constexpr uint64_t roots[4] = {2147483648u, 2553802834u, 3037000500u, 3611622603u};
  return (roots[c % 4] << (c / 4)) >> (-1 - octaves);
}

// 2^32 / (1 + x), at most 2^32 - 1
uint64_t one_over_one_plus(uint64_t x) { return UINT64_MAX / ((uint64_t(1) << 32) + x); }

uint64_t times(uint64_t a, uint64_t b) { return (a * b) >> 32; }

// log2(v) in 2^-16, rounded down: squaring a number in [1, 2) shows the next bit of its logarithm.
uint32_t log2_q16(uint64_t v) {
  uint32_t result = 0;
  while (v >> result > 1) ++result;
  uint64_t m = result <= 31 ? v << (31 - result) : v >> (result - 31);
  for (int i = 0; i < 16; ++i) {
    m = (m * m) >> 31;
    result = result << 1 | uint32_t(m >> 32);
    m >>= m >> 32;
  }
  return result;
}

}  // namespace

PriorTable::PriorTable(PriorCode code) {
  const uint64_t a = one_over_one_plus(code.a == 0 ? 0 : grid(code.a - 1, -14));
  const uint64_t b = one_over_one_plus(code.b == 0 ? 0 : grid(code.b - 1, -27));
  uint64_t g = uint64_t(1) << 31, h = times(a, b);
  const uint64_t bb = times(b, b);
  start_.push_back(0);
  for (int k = 0; k < kMaxMagnitudes && g >> 7 != 0; ++k) {
    start_.push_back(start_.back() + (k == 0 ? 1 : 2) * (g >> 7));
    g = times(g, h);
    h = times(h, bb);
  }
  total_cost_ = log2_q16(total());
}

void PriorTable::encode(RangeEncoder& coder, int32_t level) const {
  const int k = std::abs(level);
  if (k < magnitudes()) {
    const uint64_t f = frequency(k);
    coder.encode(start_[size_t(k)] + (level < 0 ? f : 0), f, total());
  } else {
    coder.encode(total() - 1, 1, total());
    coder.encode(uint64_t(level + 32767), 1, kRawLevels);
  }
}

bool PriorTable::decode(RangeDecoder& coder, int32_t* level) const {
  const uint64_t at = coder.peek(total());
  if (at < start_.back()) {
    const auto after = std::upper_bound(start_.begin(), start_.end(), at);
    const int k = int(after - start_.begin()) - 1;
    const uint64_t f = frequency(k);
    const bool negative = at - start_[size_t(k)] >= f;
    coder.take(start_[size_t(k)] + (negative ? f : 0), f);
    *level = negative ? -k : k;
    return true;
  }
  if (at == total()) return false;
  coder.take(at, 1);
  const uint64_t raw = coder.peek(kRawLevels);
  if (raw == kRawLevels) return false;
  coder.take(raw, 1);
  *level = int32_t(raw) - 32767;
  return true;
}

uint32_t PriorTable::cost(int k) const {
  if (k >= magnitudes()) return total_cost_ + (16u << 16);
  if (costs_.empty()) costs_.resize(size_t(magnitudes()));
  uint32_t& known = costs_[size_t(k)];
  if (known == 0) known = total_cost_ - log2_q16(frequency(k)) + 1;
  return known - 1;
}

double PriorTable::bits(int k) const {
  const double whole = std::log2(double(total()));
  return k < magnitudes() ? whole - std::log2(double(frequency(k))) : whole + std::log2(double(kRawLevels));
}

uint64_t PriorTable::mean() const {
  uint64_t sum = 0;  // below 2^24 * 4096^2 = 2^48
  for (int k = 1; k < magnitudes(); ++k) sum += 2 * frequency(k) * uint64_t(k);
  return std::max<uint64_t>(1, (sum << 8) / start_.back());
}

Histogram histogram(const int32_t* levels, size_t count) {
  std::vector<int> sorted(count);
  for (size_t i = 0; i < count; ++i) sorted[i] = std::abs(levels[i]);
  std::sort(sorted.begin(), sorted.end());
  Histogram magnitudes;
  for (int k : sorted) {
    if (magnitudes.empty() || magnitudes.back().k != k) magnitudes.push_back({k, 0});
    ++magnitudes.back().count;
  }
  return magnitudes;
}

uint64_t cost(const PriorTable& table, const Histogram& magnitudes) {
  uint64_t sum = 0;
  for (const Magnitude& m : magnitudes) sum += m.count * table.cost(m.k);
  return sum;
}

PriorCode near_normal(const Histogram& magnitudes) {
  const int a = lowest(kPriorCodes, [&](int code) { return cost(PriorTable({code, 0}), magnitudes); });
  const int b = lowest(kPriorCodes, [&](int code) { return cost(PriorTable({0, code}), magnitudes); });
  return {std::max(0, a - 6), b};
}

std::vector<std::pair<int, int>> prior_moves() {
  std::vector<std::pair<int, int>> moves;
  for (int a : {0, -1, 1, -2, 2}) {
    for (int b : {0, -1, 1, -3, 3, -9, 9}) {
      if (a != 0 || b != 0) moves.emplace_back(a, b);
    }
  }
  return moves;
}

PriorCode fit_prior(const Histogram& magnitudes) {
  const auto price = [&](const std::vector<int>& at) { return cost(PriorTable({at[0], at[1]}), magnitudes); };
  const PriorCode normal = near_normal(magnitudes);
  const int steepest_a = normal.a + 6, steepest_b = normal.b;
  Choice best{{0, 0}, UINT64_MAX};
  for (int i = 0; i <= 8; ++i) {
    for (int j = 0; j <= 8; ++j) {
      const std::vector<int> at = {i == 8 ? 0 : std::max(0, steepest_a - 3 * i),
                                   j == 8 ? 0 : std::max(0, steepest_b - 3 * j)};
      const uint64_t c = price(at);
      if (c < best.price) best = {at, c};
    }
  }
  std::vector<std::vector<int>> moves;
  for (auto [a, b] : prior_moves()) moves.push_back({a, b});
  best = descend(best.at, {kPriorCodes - 1, kPriorCodes - 1}, moves, price);
  return {best.at[0], best.at[1]};
}

}  // namespace cppn::codec
