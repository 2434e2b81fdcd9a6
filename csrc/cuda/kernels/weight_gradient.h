// gw[n,k] += sum_p g[n,p] a[k,p] over the pixels of a block's tile: an 8 x 8 tile of weights in the registers
// of a thread, so that every float loaded serves four multiply-adds. Where there are fewer tiles than
// threads, several threads share one, each with every S-th group of four pixels, and their sums are added in
// order.
#pragma once
#include "../layout.h"
#include "tile.h"

namespace cppn::cuda {

struct TileSums {
  float of[kTileSide][kTileSide];
};

__device__ __forceinline__ float plus_dot(float sum, float4 a, float4 b) {
  return sum + a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w;
}

// Groups first, first + step, ... of the tile's pixels. Rows of deltas before the first neuron or past the
// last, and nodes past the last, hold something else: those sums belong to no weight.
__device__ __forceinline__ void sum_tile(TileSums& sums, TilePlace at, const Rows& a, const Rows& g,
                                         int first, int step) {
#pragma unroll
  for (int i = 0; i < kTileWeights; ++i) sums.of[i / kTileSide][i % kTileSide] = 0.0f;
  const int stride = a.pixels;
  const float* deltas = g.data + kTileSide * at.row * stride;
  const float* nodes = a.data + kTileSide * at.column * stride;
#pragma unroll 1
  for (int group = first; group < stride / 4; group += step) {
    float4 delta[kTileSide];
    const float* from = deltas + Rows::place(kTileSide * at.row, 4 * group);
#pragma unroll
    for (int i = 0; i < kTileSide; ++i) delta[i] = *reinterpret_cast<const float4*>(from + i * stride);
    from = nodes + Rows::place(kTileSide * at.column, 4 * group);
#pragma unroll
    for (int k = 0; k < kTileSide; ++k) {
      const float4 node = *reinterpret_cast<const float4*>(from + k * stride);
#pragma unroll
      for (int i = 0; i < kTileSide; ++i) sums.of[i][k] = plus_dot(sums.of[i][k], delta[i], node);
    }
  }
}

// A tile for every thread and round; gw (slots) in shared memory.
__device__ __forceinline__ void add_whole_tiles(const CascadeShape& s, const Layout& layout, const Rows& a,
                                                const Rows& g, float* gw) {
  for (int tile = int(threadIdx.x); tile < layout.tiles; tile += int(blockDim.x)) {
    TileSums sums;
    sum_tile(sums, tile_place(tile, s), a, g, 0, 1);
#pragma unroll
    for (int e = 0; e < kTileWeights; ++e) gw[tile * kTileSlots + e] += sums.of[e / kTileSide][e % kTileSide];
  }
}

// S threads for every tile. Their sums go where a and g were, which nobody needs any more.
__device__ __forceinline__ void add_shared_tiles(const CascadeShape& s, const Layout& layout, const Rows& a,
                                                 const Rows& g, float* gw) {
  const int thread = int(threadIdx.x), threads = int(blockDim.x);
  const int sharing = threads / layout.tiles, slice = thread / layout.tiles;
  TileSums sums;
  if (slice < sharing) sum_tile(sums, tile_place(thread % layout.tiles, s), a, g, slice, sharing);
  __syncthreads();
  float* all = a.data;  // (threads, slots of a tile)
  if (slice < sharing) {
#pragma unroll
    for (int e = 0; e < kTileWeights; ++e)
      all[thread * kTileSlots + e] = sums.of[e / kTileSide][e % kTileSide];
  }
  __syncthreads();
  for (int slot = thread; slot < layout.slots(); slot += threads) {
    float sum = gw[slot];
    for (int i = 0; i < sharing; ++i) sum += all[i * layout.slots() + slot];
    gw[slot] = sum;
  }
}

// All threads of the block; a and g are complete before and free after.
__device__ __forceinline__ void add_weight_gradient(const CascadeShape& s, const Layout& layout,
                                                    const Rows& a, const Rows& g, float* gw) {
  __syncthreads();
  if (2 * layout.tiles <= int(blockDim.x))
    add_shared_tiles(s, layout, a, g, gw);
  else
    add_whole_tiles(s, layout, a, g, gw);
  __syncthreads();
}

}  // namespace cppn::cuda
