// What a step does to each weight: draw it, and after the gradient Adam's step; with the sums that these
// need. Compiled without contraction, as on the CPU: the same weights are drawn and the same ones left float.
#include "../../core/philox.h"
#include "../../core/quantize.h"
#include "kernels.h"
#include "launch.h"
#include "reduce.h"

namespace cppn::cuda {

extern __shared__ float4 shared_memory[];

namespace {

constexpr int kThreads = 256;
constexpr int kSlotsPerBlock = 32;                  // a warp reads 32 neighbouring slots of a part
constexpr int kSlices = kThreads / kSlotsPerBlock;  // warps take every 8th part

__device__ __forceinline__ float uniform(const DrawStep& how, int i) {
  return philox_uniform(how.seed, uint64_t(how.step), uint32_t(i), 0);
}

__device__ __forceinline__ void place(const DescentTask& t, int64_t picture, int i, float w) {
  float* packed = t.packed + picture * t.floats;
  packed[t.forward_place[i]] = w;
  if (t.backward_place[i] >= 0) packed[t.backward_place[i]] = w;
}

__device__ __forceinline__ void draw(const DescentTask& t, int64_t picture, int i, const DrawStep& how) {
  float u = t.u[picture * t.weights + i];
  if (how.how == Draw::noise) u += how.amplitude * (uniform(how, i) - 0.5f);
  place(t, picture, i, u * t.grid[i]);
}

__global__ void __launch_bounds__(kThreads) draw_kernel(const DescentTask t) {
  const int i = int(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < t.weights) draw(t, blockIdx.y, i, t.plans[t.clock->index].draw);
}

// The scale s of core/quantize.h, to all threads.
__device__ double quantization_scale(const float* u, int count, float fraction, double* space) {
  const double target = (1.0 - double(fraction)) * double(count);
  double s = 0;
  for (int step = 0; step < kNewtonSteps; ++step) {
    double kept = 0, slope = 0;
    for (int i = int(threadIdx.x); i < count; i += int(blockDim.x)) {
      const float rate = quantization_rate(u[i]), keep = keep_probability(rate, float(s));
      kept += double(keep);
      slope += double(rate * keep);
    }
    kept = block_sum(kept, space);
    slope = block_sum(slope, space);
    if (!(slope > 0)) break;
    s -= (target - kept) / slope;
  }
  return s;
}

// One block for a picture: what stays float hangs on all of its weights.
__global__ void __launch_bounds__(kThreads) quantize_kernel(const DescentTask t) {
  double* space = reinterpret_cast<double*>(shared_memory);
  const int64_t picture = blockIdx.x;
  const float* u = t.u + picture * t.weights;
  const DrawStep how = t.plans[t.clock->index].draw;
  const float s = float(quantization_scale(u, t.weights, how.fraction, space));
  int floating = 0;
  for (int i = int(threadIdx.x); i < t.weights; i += int(blockDim.x)) {
    const bool keep = uniform(how, i) < keep_probability(quantization_rate(u[i]), s);
    place(t, picture, i, (keep ? u[i] : round_small(u[i])) * t.grid[i]);
    t.live[picture * t.weights + i] = keep ? 1.0f : 0.0f;
    floating += keep;
  }
  const double total = block_sum(double(floating), space);
  if (threadIdx.x == 0) t.record[picture].floating = int64_t(total);
}

// The gradient of a slot from its parts, to the first 32 threads.
__device__ float slot_sum(const DescentTask& t, int64_t picture, int slot, float* space) {
  const int slice = int(threadIdx.x) / kSlotsPerBlock;
  const float* from = t.partial + picture * t.parts * t.slots + slot;
  float sum = 0;
  if (slot < t.slots) {
#pragma unroll 8
    for (int part = slice; part < t.parts; part += kSlices) sum += from[int64_t(part) * t.slots];
  }
  space[threadIdx.x] = sum;
  __syncthreads();
  sum = 0;
  if (slice == 0)
    for (int i = 0; i < kSlices; ++i) sum += space[i * kSlotsPerBlock + int(threadIdx.x)];
  __syncthreads();
  return sum;
}

__device__ double picture_loss(const DescentTask& t, int64_t picture, double* space) {
  double loss = 0;
  for (int part = int(threadIdx.x); part < t.parts; part += int(blockDim.x))
    loss += t.losses[picture * t.parts + part];
  return block_sum(loss, space);
}

// Whether the weights just drawn, none of them float, are the best so far; one thread of a picture notes it.
__device__ bool improves(Record& record, double loss, int64_t step, bool noting) {
  const int now = int(step & 1), next = 1 - now;
  const bool better = record.floating == 0 && (!record.has_best[now] || loss < record.best[now]);
  if (noting) {
    record.best[next] = better ? loss : record.best[now];
    record.has_best[next] = better || record.has_best[now];
  }
  return better;
}

template <bool kStochastic>
__global__ void __launch_bounds__(kThreads) advance_kernel(const DescentTask t) {
  const int thread = int(threadIdx.x), slot = int(blockIdx.x) * kSlotsPerBlock + thread % kSlotsPerBlock;
  const int64_t picture = blockIdx.y;
  const bool first = blockIdx.x == 0 && thread == 0;
  const int next = t.clock->index;  // the gradient's launch has moved it on
  const StepPlan plan = t.plans[next - 1];
  const float sum = slot_sum(t, picture, slot, reinterpret_cast<float*>(shared_memory));
  bool better = false;
  if (kStochastic || blockIdx.x == 0) {
    const double loss = picture_loss(t, picture, reinterpret_cast<double*>(shared_memory));
    if (first) t.record[picture].loss = loss;
    if (kStochastic) better = improves(t.record[picture], loss, plan.draw.step, first);
  }
  if (thread >= kSlotsPerBlock || slot >= t.slots) return;
  const int i = t.weight_of[slot];
  if (i < 0) return;
  const int64_t at = picture * t.weights + i;
  if (better) t.best_u[at] = t.u[at];  // rounded, these are the weights just drawn
  if (t.mask[i] != 0.0f) {
    const float grad = sum * t.grid[i] * (kStochastic ? t.live[at] : 1.0f);
    adam_update(t.u[at], t.m[at], t.v[at], grad, plan.adam, t.limit);
  }
  if (!kStochastic && next < t.clock->count) draw(t, picture, i, t.plans[next].draw);
}

}  // namespace

void set_up_elementwise() {
  prefer_shared_memory(draw_kernel);
  prefer_shared_memory(quantize_kernel);
  prefer_shared_memory(advance_kernel<false>);
  prefer_shared_memory(advance_kernel<true>);
}

void launch_draw(const DescentTask& task, int64_t pictures, cudaStream_t stream) {
  launch(draw_kernel, grid_of((task.weights + kThreads - 1) / kThreads, pictures), kThreads, 0, stream, task);
}

void launch_quantize(const DescentTask& task, int64_t pictures, cudaStream_t stream) {
  launch(quantize_kernel, grid_of(pictures), kThreads, kThreads * sizeof(double), stream, task);
}

void launch_advance(const DescentTask& task, int64_t pictures, Draw draw, cudaStream_t stream) {
  launch(draw == Draw::stochastic ? advance_kernel<true> : advance_kernel<false>,
         grid_of((task.slots + kSlotsPerBlock - 1) / kSlotsPerBlock, pictures), kThreads,
         kThreads * sizeof(double), stream, task);
}

}  // namespace cppn::cuda
