// The ceiling: multiply-adds from register to register, nothing else. The benchmarks quote rates against it.
#define CPPN_FAST 1
#include <chrono>

#include "../vec.h"
#include "kernels.h"

namespace cppn::cpu {
namespace {

constexpr int kChains = 12;  // enough for two units of latency 4 to 6, few enough for 16 registers

double peak(double seconds) {
  using Clock = std::chrono::steady_clock;
  vf chain[kChains];
  for (int i = 0; i < kChains; ++i) chain[i] = splat(1e-3f * float(i));
  const vf x = splat(0.999f), y = splat(1e-3f);
  constexpr int64_t kRounds = 1 << 18;
  int64_t rounds = 0;
  const auto start = Clock::now();
  double elapsed = 0;
  do {
    for (int64_t r = 0; r < kRounds; ++r) {
#pragma GCC unroll 16
      for (int i = 0; i < kChains; ++i) chain[i] = chain[i] * x + y;
    }
    rounds += kRounds;
    elapsed = std::chrono::duration<double>(Clock::now() - start).count();
  } while (elapsed < seconds);
  vf sum{};
  for (int i = 0; i < kChains; ++i) sum += chain[i];
  volatile double keep = sum_lanes(sum);
  (void)keep;
  return double(rounds) * kChains * kLanes * 2.0 / elapsed / 1e9;
}

}  // namespace

#define CPPN_JOIN2(a, b) a##b
#define CPPN_JOIN(a, b) CPPN_JOIN2(a, b)
extern double (*const CPPN_JOIN(peak_, CPPN_ISA))(double);
double (*const CPPN_JOIN(peak_, CPPN_ISA))(double) = peak;

}  // namespace cppn::cpu
