// The ceiling that training is measured against: chains of multiply-adds that never leave the registers.
#include "../memory.h"
#include "kernels.h"
#include "launch.h"

namespace cppn::cuda {

namespace {

constexpr int kThreads = 256, kBlocks = 8;  // per multiprocessor: as many threads as it holds
constexpr int kChains = 8, kRounds = 4096;

__global__ void __launch_bounds__(kThreads) peak_kernel(float x, float y, float* never) {
  float chain[kChains];
#pragma unroll
  for (int i = 0; i < kChains; ++i) chain[i] = float(threadIdx.x) + float(i);
#pragma unroll 16
  for (int round = 0; round < kRounds; ++round) {
#pragma unroll
    for (int i = 0; i < kChains; ++i) chain[i] = chain[i] * x + y;
  }
  float sum = 0;
#pragma unroll
  for (int i = 0; i < kChains; ++i) sum += chain[i];
  if (sum == -1.0f) *never = sum;  // it is positive, but the compiler does not know
}

}  // namespace

double measure_peak(double seconds, int multiprocessors, const Stream& stream) {
  const int blocks = kBlocks * multiprocessors;
  const double flops = 2.0 * kChains * kRounds * kThreads * double(blocks);
  double best = 0, spent = 0;
  for (int i = 0; i < 3 || spent < seconds; ++i) {
    Event begin, end;
    begin.record(stream);
    launch(peak_kernel, grid_of(blocks), kThreads, 0, stream.get(), 0.5f, 0.25f,
           static_cast<float*>(nullptr));
    end.record(stream);
    const double took = end.seconds_since(begin);
    spent += took + 1e-4;
    if (i > 0 && took > 0) best = best > flops / took ? best : flops / took;  // the first one warms up
  }
  return best / 1e9;
}

}  // namespace cppn::cuda
