// Downhill on a grid of integers: the encoder's search for coder parameters.
#pragma once
#include <cstdint>
#include <vector>

namespace cppn::codec {

// Tries steps of `stride` along every axis and along the diagonals of neighbouring axes (x and y of a prior
// trade off against each other, so the valley lies across), halves the stride when nothing helps, and ends
// below 1. `at` is where to start, 0..limits the bounds, price(at) an integer to make small.
template <class Price>
std::vector<int> descend(std::vector<int> at, const std::vector<int>& limits, int stride, Price&& price) {
  uint64_t lowest = price(at);
  const auto better = [&](size_t i, int di, size_t j, int dj) {
    std::vector<int> next = at;
    next[i] += di;
    if (j != i) next[j] += dj;
    for (size_t axis : {i, j}) {
      if (next[axis] < 0 || next[axis] > limits[axis]) return false;
    }
    const uint64_t c = price(next);
    if (c >= lowest) return false;
    lowest = c;
    at = next;
    return true;
  };
  for (; stride >= 1; stride /= 2) {
    for (bool moved = true; moved;) {
      moved = false;
      for (size_t i = 0; i < at.size(); ++i) {
        for (int d : {-stride, stride}) {
          while (better(i, d, i, 0)) moved = true;
          if (i + 1 == at.size()) continue;
          while (better(i, d, i + 1, d)) moved = true;
          while (better(i, d, i + 1, -d)) moved = true;
        }
      }
    }
  }
  return at;
}

}  // namespace cppn::codec
