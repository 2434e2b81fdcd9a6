#include "plan.h"

#include <algorithm>

namespace cppn::cuda {

namespace {

constexpr int kWarp = 32;
constexpr int kThreads[] = {256, 224, 192, 160, 128, 96, 64, 32, 16};  // 16: for the widest on the smallest
constexpr int64_t kMostParts = 1024;

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// In units of one tile that a multiprocessor works on alone. A warp waits for its own results most of the
// time, so others slow it down by less than their share.
double cost(const Launch& how, int64_t tiles, int64_t pictures, int resident, const Limits& limits) {
  const int64_t blocks = how.parts * pictures;
  const int64_t waves = ceil_div(blocks, int64_t(resident) * limits.multiprocessors);
  const int64_t beside = std::min<int64_t>(resident, ceil_div(blocks, limits.multiprocessors));
  const double crowd = 1.0 + 0.15 * double(beside * ceil_div(how.threads, kWarp));
  const double opening = 0.3;  // reading the weights, writing the sums
  return double(waves) * (double(ceil_div(tiles, how.parts)) + opening) * crowd;
}

// The fewest parts at the least cost.
double best_parts(Launch& how, int64_t tiles, int64_t pictures, int resident, const Limits& limits) {
  const int64_t most = std::min({tiles, kMostParts, int64_t(resident) * limits.multiprocessors});
  Launch trial = how;
  double least = 0;
  for (trial.parts = 1; trial.parts <= most; ++trial.parts) {
    const double now = cost(trial, tiles, pictures, resident, limits);
    if (trial.parts > 1 && now >= least) continue;
    how = trial;
    least = now;
  }
  return least;
}

}  // namespace

Launch plan_launch(const CascadeShape& shape, const Layout& layout, int64_t pixels, int64_t pictures,
                   const Limits& limits, Bytes bytes, Occupancy occupancy) {
  Launch best{};
  double least = 0;
  for (bool shared_weights : {true, false}) {
    for (int threads : kThreads) {
      if (threads < kWarp && (shared_weights || best.threads)) continue;
      Launch how{threads, 1, bytes(shape, layout, threads, shared_weights), shared_weights};
      const int resident = how.bytes <= limits.block_bytes ? occupancy(shape, how) : 0;
      if (resident == 0) continue;
      const double now = best_parts(how, ceil_div(pixels, 2 * how.threads), pictures, resident, limits);
      // At the same cost small blocks: while one waits at a barrier another works.
      if (best.threads && now > least) continue;
      best = how;
      least = now;
    }
    if (best.threads) return best;  // weights in shared memory wherever they fit
  }
  throw DeviceFailure("the GPU has too little shared memory for this network");
}

}  // namespace cppn::cuda
