// Loss and gradient of a cascade in one pass: forward, seeds, backward and weight gradient, tile by tile,
// with nodes and deltas in shared memory alone. A block takes every `parts`-th tile of its picture and leaves
// one sum per weight. Multiply and add may be fused here.
#define CPPN_CUDA_FAST 1
#include <cuda_runtime.h>

#include "kernels.h"
#include "launch.h"
#include "reduce.h"
#include "sweep.h"
#include "weight_gradient.h"

namespace cppn::cuda {

namespace {

constexpr int kMostThreads = 256;  // leaves a thread the 255 registers that a sweep may want

// Shared memory in floats: nodes, deltas and, where they fit, weights and gradient.
struct Carving {
  int nodes, deltas, weights, gradient, floats;  // deltas: of node 0, D rows before the first neuron's

  __host__ __device__ Carving(const CascadeShape& s, const Layout& layout, int threads, bool shared_weights) {
    const int pixels = 2 * threads;
    nodes = 0;
    deltas = s.neurons * pixels;
    weights = deltas + s.nodes() * pixels;
    // The sums of shared tiles pass through the same place.
    if (weights < kTileSlots * threads) weights = kTileSlots * threads;
    gradient = weights + (shared_weights ? layout.floats : 0);
    floats = gradient + (shared_weights ? layout.slots() : 0);
    // Tiles of the gradient read past the last delta, to whole eights.
    const int most = deltas + round_up(s.nodes(), kTileSide) * pixels;
    if (floats < most) floats = most;
  }
};

__device__ void copy_floats(float* to, const float* from, int count) {
  for (int i = int(threadIdx.x); i < count / 4; i += int(blockDim.x))
    reinterpret_cast<float4*>(to)[i] = reinterpret_cast<const float4*>(from)[i];
}

// seed[i] = dloss/da of output N - 1 - i at the thread's pixels; returns their loss.
__device__ __forceinline__ float seed_loss(const GradientTask& t, const float* target, int64_t first,
                                           const Rows& a, float2 (&seed)[kMaxChannels]) {
  const int64_t p = first + 2 * int(threadIdx.x);
  float loss = 0;
#pragma unroll
  for (int i = 0; i < kMaxChannels; ++i) {
    seed[i] = make_float2(0.0f, 0.0f);
    if (i >= t.shape.channels) continue;
    const float2 shown = *a.pair(t.shape.nodes() - 1 - i, int(threadIdx.x));
    const float* want = target + (t.shape.channels - 1 - i) * t.pixels.count + p;
    const float dx = p < t.pixels.count ? shown.x - want[0] : 0.0f;
    const float dy = p + 1 < t.pixels.count ? shown.y - want[1] : 0.0f;
    loss += dx * dx + dy * dy;
    seed[i] = make_float2(2.0f * kScoreScale * dx, 2.0f * kScoreScale * dy);
  }
  return loss;
}

template <class Hidden, bool kSharedWeights>
__global__ void __launch_bounds__(kMostThreads) gradient_kernel(const GradientTask t) {
  const int thread = int(threadIdx.x), pixels = 2 * int(blockDim.x);
  const int64_t picture = blockIdx.y, part = picture * gridDim.x + blockIdx.x;
  float* shared = reinterpret_cast<float*>(shared_memory);
  const Carving at(t.shape, t.layout, int(blockDim.x), kSharedWeights);
  const Rows a{shared + at.nodes, pixels}, g{shared + at.deltas, pixels};
  // Where they do not fit, the sums grow in the cache: at their place a block is alone, and so is its thread.
  float* sums = t.partial ? t.partial + part * t.layout.slots() : nullptr;
  float* gw = kSharedWeights ? shared + at.gradient : sums;
  const float* w = t.packed + picture * t.layout.floats;
  const float* target = t.target + picture * t.shape.channels * t.pixels.count;
  if (kSharedWeights) {
    copy_floats(shared + at.weights, w, t.layout.floats);
    w = shared + at.weights;
  }
  for (int i = thread; i < t.layout.slots() && gw; i += int(blockDim.x)) gw[i] = 0;
  __syncthreads();

  double loss = 0;
  for (int64_t first = int64_t(blockIdx.x) * pixels; first < t.pixels.count;
       first += int64_t(gridDim.x) * pixels) {
    float2 seed[kMaxChannels];
    load_inputs(t.shape, t.pixels, first, a);
    forward<Hidden, true>(t.shape, t.layout, w, a, (at.deltas - at.nodes) / 2);
    loss += double(seed_loss(t, target, first, a, seed));
    if (!t.partial) continue;
    backward(t.shape, t.layout, w, seed, g);
    add_weight_gradient(t.shape, t.layout, a, g, gw);
  }

  if (kSharedWeights && sums)
    for (int i = thread; i < t.layout.slots(); i += int(blockDim.x)) sums[i] = gw[i];
  loss = block_sum(loss, reinterpret_cast<double*>(shared));
  if (thread == 0) t.losses[part] = loss * double(kScoreScale);
  if (t.clock && thread == 0 && blockIdx.x == 0 && picture == 0) ++t.clock->index;
}

// Networks of the two activations that pictures are fitted with have kernels of their own.
using Kernel = void (*)(GradientTask);

Kernel kernel_for(const CascadeShape& s, bool shared_weights) {
  if (!shared_weights) return gradient_kernel<void, false>;
  if (s.activation[0] == Activation::sigmoid) return gradient_kernel<activation::sigmoid, true>;
  if (s.activation[0] == Activation::sine) return gradient_kernel<activation::sine, true>;
  return gradient_kernel<void, true>;
}

}  // namespace

size_t gradient_bytes(const CascadeShape& s, const Layout& layout, int threads, bool shared_weights) {
  return sizeof(float) * size_t(Carving(s, layout, threads, shared_weights).floats);
}

void allow_gradient(size_t bytes) {
  for (Kernel kernel : {gradient_kernel<void, false>, gradient_kernel<void, true>,
                        gradient_kernel<activation::sigmoid, true>, gradient_kernel<activation::sine, true>})
    allow(kernel, bytes);
}

int gradient_occupancy(const CascadeShape& s, const Launch& how) {
  return occupancy(kernel_for(s, how.shared_weights), how.threads, how.bytes);
}

void launch_gradient(const GradientTask& task, int64_t pictures, const Launch& how, cudaStream_t stream) {
  launch(kernel_for(task.shape, how.shared_weights), grid_of(how.parts, pictures), how.threads, how.bytes,
         stream, task);
}

}  // namespace cppn::cuda
