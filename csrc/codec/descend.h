// Searches on grids of integers: how the encoder chooses a coder's parameters.
#pragma once
#include <cstdint>
#include <vector>

namespace cppn::codec {

struct Choice {
  std::vector<int> at;
  uint64_t price;
};

// Goes from `at` downhill: takes every move that lowers the price, as often as it does, until none does.
// The grid is 0..limits along each axis; a move is a step along one or more of them.
template <class Price>
Choice descend(const std::vector<int>& at, const std::vector<int>& limits,
               const std::vector<std::vector<int>>& moves, Price&& price) {
  Choice best{at, price(at)};
  const auto better = [&](const std::vector<int>& move) {
    std::vector<int> next = best.at;
    for (size_t i = 0; i < next.size(); ++i) {
      next[i] += move[i];
      if (next[i] < 0 || next[i] > limits[i]) return false;
    }
    const uint64_t c = price(next);
    if (c >= best.price) return false;
    best = {next, c};
    return true;
  };
  for (bool moved = true; moved;) {
    moved = false;
    for (const std::vector<int>& move : moves) {
      while (better(move)) moved = true;
    }
  }
  return best;
}

// The argument 0..count - 1 of the lowest price, for prices with one valley.
template <class Price>
int lowest(int count, Price&& price) {
  int best = 0;
  uint64_t best_price = price(0);
  const auto look = [&](int i) {
    const uint64_t c = i >= 0 && i < count ? price(i) : UINT64_MAX;
    if (c < best_price) best = i, best_price = c;
  };
  for (int i = 4; i < count; i += 4) look(i);
  for (int stride : {2, 1}) {
    const int middle = best;
    look(middle - stride);
    look(middle + stride);
  }
  return best;
}

}  // namespace cppn::codec
