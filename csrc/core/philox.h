// Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011): random numbers without a state. The same (seed, step,
// index) gives the same number on every thread and device, so a run can be split, resumed and moved.
#pragma once
#include <cstdint>

#include "lanes.h"

namespace cppn {

struct Philox4 {
  uint32_t v[4];
};

CPPN_FN Philox4 philox(uint64_t seed, uint64_t step, uint32_t block, uint32_t stream) {
  uint32_t c0 = block, c1 = stream, c2 = uint32_t(step), c3 = uint32_t(step >> 32);
  uint32_t k0 = uint32_t(seed), k1 = uint32_t(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t(0xD2511F53u) * c0, p1 = uint64_t(0xCD9E8D57u) * c2;
    const uint32_t n0 = uint32_t(p1 >> 32) ^ c1 ^ k0, n2 = uint32_t(p0 >> 32) ^ c3 ^ k1;
    c1 = uint32_t(p1);
    c3 = uint32_t(p0);
    c0 = n0;
    c2 = n2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

// In [0, 1), 24 bits.
CPPN_FN float to_unit(uint32_t u) { return float(u >> 8) * (1.0f / 16777216.0f); }

// Number `index` of a step: four to a block.
CPPN_FN float philox_uniform(uint64_t seed, uint64_t step, uint32_t index, uint32_t stream) {
  return to_unit(philox(seed, step, index / 4, stream).v[index % 4]);
}

}  // namespace cppn
