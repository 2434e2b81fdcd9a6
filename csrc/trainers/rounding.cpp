#include "rounding.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace cppn {

double BitTable::cost(int64_t i, double level) const {
  if (price == 0) return 0;
  const int64_t k = std::min(int64_t(std::fabs(level)), max_level);
  return price * bits[kind[i] * (max_level + 1) + k];
}

namespace {

struct Rounded {
  double level, cost, order;
};

// Of the two integers around u, the one that costs less in loss and bits together. Weights are taken in the
// order of what rounding adds: the bits that any choice would cost are not held against a weight.
Rounded round_priced(double u, double inverse, int64_t i, double limit, const BitTable& bits) {
  Rounded best{0, std::numeric_limits<double>::infinity(), 0};
  double cheapest = std::numeric_limits<double>::infinity();
  for (double level : {std::floor(u), std::ceil(u)}) {
    level = std::clamp(level, -limit, limit);
    const double price = bits.cost(i, level), cost = (u - level) * (u - level) / inverse + price;
    cheapest = std::min(cheapest, price);
    if (cost < best.cost) best = {level, cost, 0};
  }
  best.order = best.cost - cheapest;
  return best;
}

}  // namespace

void freeze(double* hinv, int64_t n, double* u, int32_t* fixed, int64_t count, double limit,
            const BitTable& bits, MinusOuter minus_outer, const std::function<bool()>& stop) {
  std::vector<int64_t> id(static_cast<size_t>(n));  // the live ones, packed to the front of hinv
  for (int64_t i = 0; i < n; ++i) id[size_t(i)] = i;
  std::vector<double> column(static_cast<size_t>(n));
  for (int64_t live = n; count > 0 && live > 0; --count, --live) {
    int64_t at = 0;
    Rounded best{};
    for (int64_t i = 0; i < live; ++i) {
      const Rounded r = round_priced(u[id[size_t(i)]], hinv[i * n + i], id[size_t(i)], limit, bits);
      if (i == 0 || r.order < best.order) at = i, best = r;
    }
    const int64_t last = live - 1;  // swap the chosen one to the end
    if (at != last) {
      std::swap_ranges(hinv + at * n, hinv + at * n + live, hinv + last * n);
      for (int64_t i = 0; i < live; ++i) std::swap(hinv[i * n + at], hinv[i * n + last]);
      std::swap(id[size_t(at)], id[size_t(last)]);
    }
    std::copy(hinv + last * n, hinv + last * n + live, column.begin());
    const double pivot = column[size_t(last)], step = (u[id[size_t(last)]] - best.level) / pivot;
    for (int64_t i = 0; i < last; ++i)
      u[id[size_t(i)]] = std::clamp(u[id[size_t(i)]] - step * column[size_t(i)], -limit, limit);
    u[id[size_t(last)]] = best.level;
    fixed[id[size_t(last)]] = 1;
    minus_outer(hinv, n, column.data(), 1.0 / pivot, last);
    if (stop && stop()) return;
  }
}

int64_t integer_moves(const double* hessian, int64_t n, double* g, double* u, int64_t most, double limit,
                      const BitTable& bits, double* gain, const std::function<bool()>& stop) {
  *gain = 0;
  for (int64_t moves = 0; moves < most; ++moves) {
    int64_t at = -1;
    double best = -1e-9, direction = 0;
    for (int64_t i = 0; i < n; ++i) {
      const double h = hessian[i * n + i], now = bits.cost(i, u[i]);
      for (double d : {-1.0, 1.0}) {
        if (std::fabs(u[i] + d) > limit) continue;
        const double change = g[i] * d + h + bits.cost(i, u[i] + d) - now;
        if (change < best) best = change, at = i, direction = d;
      }
    }
    if (at < 0 || (stop && stop())) return moves;
    u[at] += direction;
    *gain -= best;
    const double* row = hessian + at * n;
    for (int64_t j = 0; j < n; ++j) g[j] += 2 * direction * row[j];
  }
  return most;
}

}  // namespace cppn
