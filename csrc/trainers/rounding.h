// From float weights to integers, on the quadratic model of the loss around the present weights:
//   loss(u + d) = loss(u) + g d + d^T H d         u counted in levels; H the Gauss-Newton matrix (half the
//   Hessian)
// and a price per bit, so that what is minimised is loss + price * bits. `bits` (2 * kMaxLevel + 1 per table)
// holds the cost of every level under the coder's prior, one table for each kind of weight.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

namespace cppn {

struct BitTable {
  const double* bits;  // (tables, max_level + 1): cost of |level|
  int64_t max_level;
  const int32_t* kind;  // (n) which table a weight uses
  double price;         // loss per bit
  double cost(int64_t i, double level) const;
};

// Optimal brain surgeon's step with integers for targets (Hassibi & Stork 1993; for quantization Frantar &
// Alistarh 2022): fix the weight whose rounding costs least, let all others make up for it, and go on,
// `count` times.
//   cost_i = (u_i - r)^2 / Hinv[i, i] + price * bits(r)      u -= (u_i - r) / Hinv[i, i] * Hinv[:, i]
// hinv (n, n) is destroyed; u (n) is updated, fixed (n) gets 1 where a weight now is an integer.
using MinusOuter = void (*)(double* c, int64_t ldc, const double* h, double scale, int64_t n);
void freeze(double* hinv, int64_t n, double* u, int32_t* fixed, int64_t count, double limit,
            const BitTable& bits, MinusOuter minus_outer, const std::function<bool()>& stop);

// Single steps of +-1, the best first, until none lowers the model or `most` are made. u are integers; g is
// kept up to date: g + 2 H d. Returns the number of moves; *gain is how much the model fell (loss + price *
// bits).
int64_t integer_moves(const double* hessian, int64_t n, double* g, double* u, int64_t most, double limit,
                      const BitTable& bits, double* gain, const std::function<bool()>& stop);

}  // namespace cppn
