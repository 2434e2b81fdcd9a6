// A prior that learns, weight by weight, how large the weights of a column (everything that leaves one node)
// and of a row (everything that enters one neuron) are. Encoder and decoder see the same levels in the same
// order, so nothing is sent but two strengths. All in integers, magnitudes in 1/256.
//   column:  e = (u m + sum |level|) / (u + count)                   m: mean |level| of the kind's prior
//   row:     r = (v + sum min(|level| / e, 16)) / (v + count)
//   shift:   j = 4 log2(e r / m), rounded, -12..12: x and y become those of a bell 2^(j/4) times as wide
// u and v are 2^(strength - 1): how many weights the prior's word is worth. Strength 0 leaves e = m or r = 1.
// Tried and left out: a column that starts from its left neighbour's e instead of m (3 bytes of 970 fewer on
// a trained network, 9 more where columns have nothing to do with each other); sums that forget (within 1
// byte).
#pragma once
#include <array>
#include <map>
#include <vector>

#include "prior.h"
#include "record.h"

namespace cppn::codec {

inline constexpr int kStrengths = 8;
inline constexpr int kMaxShift = 12;

// The tables asked for so far. A search over parameters shares one among all its tries.
class PriorTables {
 public:
  const PriorTable& at(PriorCode code);

 private:
  std::map<int, PriorTable> tables_;
};

struct ContextPlan {
  std::array<PriorCode, kKinds> prior;
  int column_strength = 0, row_strength = 0;
};

class Context {
 public:
  Context(const ContextPlan& plan, int inputs, int neurons, PriorTables& tables);

  void begin_row() { row_ = {}; }
  // The prior of the next weight, which stands in this column; then learn(level) of it.
  const PriorTable& prior(int column);
  void learn(int32_t level);

 private:
  struct Tally {
    uint64_t sum = 0, count = 0;
  };
  ContextPlan plan_;
  int inputs_;
  PriorTables& tables_;
  std::array<uint64_t, kKinds> mean_;                                              // m
  std::array<std::array<const PriorTable*, 2 * kMaxShift + 1>, kKinds> ladder_{};  // by kind and j + 12
  std::vector<Tally> columns_;
  Tally row_;
  int column_ = 0;
  uint64_t expected_ = 0;  // e
};

}  // namespace cppn::codec
