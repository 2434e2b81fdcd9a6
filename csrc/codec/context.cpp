#include "context.h"

#include <algorithm>
#include <cstdlib>

namespace cppn::codec {

namespace {

// 4 log2(a / b), rounded to the nearest integer and clamped.
int quarter_octaves(uint64_t a, uint64_t b) {
  // 2^(1/8), 2^(3/8), 2^(5/8), 2^(7/8) in 16-bit fractions: the borders between quarter octaves.
  constexpr uint64_t edges[4] = {71468, 84990, 101070, 120194};
  int j = 0;
  for (; a >= 2 * b && j < kMaxShift; j += 4) b *= 2;
  for (; a < b && j > -kMaxShift; j -= 4) a *= 2;
  const uint64_t ratio = (a << 16) / b;
  for (uint64_t edge : edges) j += ratio >= edge;
  return std::clamp(j, -kMaxShift, kMaxShift);
}

// The bell 2^(j/4) times as wide: x falls by j grid points, y by 2j.
PriorCode widened(PriorCode code, int j) {
  if (code.a != 0) code.a = std::clamp(code.a - j, 1, kPriorCodes - 1);
  if (code.b != 0) code.b = std::clamp(code.b - 2 * j, 1, kPriorCodes - 1);
  return code;
}

uint64_t votes(int strength) { return uint64_t(1) << (strength - 1); }

}  // namespace

const PriorTable& PriorTables::at(PriorCode code) {
  const int key = code.a * kPriorCodes + code.b;
  const auto found = tables_.find(key);
  return found != tables_.end() ? found->second : tables_.emplace(key, PriorTable(code)).first->second;
}

Context::Context(const ContextPlan& plan, int inputs, int neurons, PriorTables& tables)
    : plan_(plan), inputs_(inputs), tables_(tables), columns_(size_t(inputs + neurons)) {
  for (size_t kind = 0; kind < kKinds; ++kind) mean_[kind] = tables_.at(plan_.prior[kind]).mean();
}

const PriorTable& Context::prior(int column) {
  const size_t kind = size_t(kind_of(column, inputs_));
  const uint64_t m = mean_[kind];
  column_ = column;
  expected_ = m;
  if (plan_.column_strength != 0) {
    const Tally& c = columns_[size_t(column)];
    const uint64_t u = votes(plan_.column_strength);
    expected_ = std::max<uint64_t>(1, (u * m + c.sum) / (u + c.count));
  }
  uint64_t scale = expected_;
  if (plan_.row_strength != 0) {
    const uint64_t v = votes(plan_.row_strength);
    scale = std::max<uint64_t>(1, expected_ * (v * 256 + row_.sum) / ((v + row_.count) * 256));
  }
  const int j = quarter_octaves(scale, m);
  const PriorTable*& table = ladder_[kind][size_t(j + kMaxShift)];
  if (table == nullptr) table = &tables_.at(widened(plan_.prior[kind], j));
  return *table;
}

void Context::learn(int32_t level) {
  const uint64_t magnitude = uint64_t(std::abs(level)) * 256;
  Tally& c = columns_[size_t(column_)];
  c.sum += magnitude;
  ++c.count;
  row_.sum += std::min<uint64_t>(magnitude * 256 / expected_, 16 * 256);
  ++row_.count;
}

}  // namespace cppn::codec
