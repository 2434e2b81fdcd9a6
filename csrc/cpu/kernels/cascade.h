// The dense cascade over a tile of pixels that stays in L1: forward, backward, weight gradient.
//   D inputs, N neurons, P pixels in the tile, L lanes, B neurons and V vectors in a register block
//   a (D+N, P) nodes      g (N, P) first f'(z), then dloss/dz      w (N, stride)
//   forward    z[n] = sum_k w[n,k] a[k]           for B neurons x V vectors at a time; inside the block the
//                                                 triangle is finished as each neuron's activation arrives
//   backward   g[n] = f'(z[n]) * (seed[n] + sum_{m>n} w[m, D+n] g[m])
//   gradient   gw[n,k] = sum_p g[n,p] a[k,p]      as 4 x 4 register tiles over the tile's pixels
// f' and dloss/dz share storage: the first is dead when the second is born.
#pragma once
#include "../../core/inputs.h"
#include "../vec.h"
#include "kernels.h"

namespace cppn::cpu {
namespace {

// 16 accumulators hide the latency of two multiply-adds a cycle; 16-register machines hold 8 with their operands.
#if defined(__AVX512F__) || defined(__ARM_NEON)
constexpr int kBlock = 4, kStrip = 4;
#else
constexpr int kBlock = 4, kStrip = 2;
#endif
constexpr int kStripPixels = kStrip * kLanes;
constexpr int kGradRows = 4, kGradColumns = 4;

#ifndef CPPN_TILE_BYTES
#define CPPN_TILE_BYTES 49152  // nodes and g of one tile; measured in bench/bench_cascade.py --tiles
#endif

// P: as many whole strips as fit.
CPPN_FN int tile_pixels(const CascadeShape& s) {
  const int64_t fit = CPPN_TILE_BYTES / (4 * int64_t(s.nodes() + s.neurons));
  const int64_t strips = fit / kStripPixels;
  return int(strips < 1 ? 1 : strips > 16 ? 16 : strips) * kStripPixels;
}

struct Tile {
  float *a, *g, *seed, *gw;
  int pixels;
};

CPPN_FN int64_t padded_nodes(const CascadeShape& s) { return s.nodes() + kGradColumns; }

CPPN_FN Tile carve(const CascadeShape& s, float* scratch) {
  const int p = tile_pixels(s);
  Tile t;
  t.pixels = p;
  t.a = scratch;
  t.g = t.a + padded_nodes(s) * p;
  t.seed = t.g + int64_t(s.neurons) * p;
  t.gw = t.seed + int64_t(kMaxChannels) * p;
  return t;
}

CPPN_FN int64_t tile_scratch(const CascadeShape& s) {
  const int64_t p = tile_pixels(s);
  return (padded_nodes(s) + s.neurons + kMaxChannels) * p + (s.weights() + kGradColumns) * kLanes + 64;
}

// Pixels past `last` repeat the last one: their results are dropped or their seeds zeroed.
CPPN_FN void load_inputs(const CascadeShape& s, const Pixels& at, int64_t first, int64_t last, Tile& t) {
  alignas(64) float x[16 * 64], y[16 * 64];
  const int P = t.pixels;
  int64_t column = at.width ? first % at.width : 0, row = at.width ? first / at.width : 0;
  for (int p = 0; p < P; ++p) {
    const int64_t q = first + p < last ? first + p : last - 1;
    x[p] = at.width ? at.x[column] : at.x[q];
    y[p] = at.width ? at.y[row] : at.y[q];
    if (at.width && first + p + 1 < last && ++column == at.width) column = 0, ++row;
  }
  for (int p = 0; p < P; p += kLanes)
    cascade_inputs(load(x + p), load(y + p), s.radius, s.octaves, [](vf v) { return square_root(v); },
                   [&](int i, vf v) { store(t.a + i * P + p, v); });
}

template <int B, bool kSlopes>
CPPN_FN void forward_block(const CascadeShape& s, const float* w, int stride, Tile& t, int n0) {
  const int P = t.pixels, k0 = s.inputs + n0;
  for (int p = 0; p < P; p += kStripPixels) {
    vf z[B][kStrip] = {};
    for (int k = 0; k < k0; ++k) {
      vf a[kStrip];
#pragma GCC unroll 8
      for (int v = 0; v < kStrip; ++v) a[v] = load(t.a + k * P + p + v * kLanes);
#pragma GCC unroll 8
      for (int b = 0; b < B; ++b) {
        const vf wk = splat(w[(n0 + b) * stride + k]);
#pragma GCC unroll 8
        for (int v = 0; v < kStrip; ++v) z[b][v] += wk * a[v];
      }
    }
#pragma GCC unroll 8
    for (int b = 0; b < B; ++b) {
      vf a[kStrip];
      with_activation(s.activation[n0 + b], [&](auto f) {
#pragma GCC unroll 8
        for (int v = 0; v < kStrip; ++v) {
          const auto r = f.eval(z[b][v]);
          a[v] = r.value;
          if (kSlopes) store(t.g + (n0 + b) * P + p + v * kLanes, r.slope);
        }
      });
#pragma GCC unroll 8
      for (int v = 0; v < kStrip; ++v) store(t.a + (k0 + b) * P + p + v * kLanes, a[v]);
#pragma GCC unroll 8
      for (int m = b + 1; m < B; ++m) {
        const vf wk = splat(w[(n0 + m) * stride + k0 + b]);
#pragma GCC unroll 8
        for (int v = 0; v < kStrip; ++v) z[m][v] += wk * a[v];
      }
    }
  }
}

// Seeds the outputs with t.seed (C, P) and leaves dloss/dz in t.g.
template <int B>
CPPN_FN void backward_block(const CascadeShape& s, const float* w, int stride, Tile& t, int n0) {
  const int P = t.pixels, k0 = s.inputs + n0;
  for (int p = 0; p < P; p += kStripPixels) {
    vf d[B][kStrip] = {};
    for (int m = n0 + B; m < s.neurons; ++m) {
      vf g[kStrip];
#pragma GCC unroll 8
      for (int v = 0; v < kStrip; ++v) g[v] = load(t.g + m * P + p + v * kLanes);
#pragma GCC unroll 8
      for (int b = 0; b < B; ++b) {
        const vf wk = splat(w[m * stride + k0 + b]);
#pragma GCC unroll 8
        for (int v = 0; v < kStrip; ++v) d[b][v] += wk * g[v];
      }
    }
#pragma GCC unroll 8
    for (int b = B - 1; b >= 0; --b) {
      const int channel = n0 + b - s.first_output();
      if (channel >= 0) {
#pragma GCC unroll 8
        for (int v = 0; v < kStrip; ++v) d[b][v] += load(t.seed + channel * P + p + v * kLanes);
      }
#pragma GCC unroll 8
      for (int v = 0; v < kStrip; ++v) {
        float* slot = t.g + (n0 + b) * P + p + v * kLanes;
        d[b][v] *= load(slot);
        store(slot, d[b][v]);
      }
#pragma GCC unroll 8
      for (int m = 0; m < b; ++m) {
        const vf wk = splat(w[(n0 + b) * stride + k0 + m]);
#pragma GCC unroll 8
        for (int v = 0; v < kStrip; ++v) d[m][v] += wk * d[b][v];
      }
    }
  }
}

// gw (K, L) += the tile's share, still apart in lanes.
template <int R>
CPPN_FN void gradient_block(const CascadeShape& s, Tile& t, int n0) {
  const int P = t.pixels;
  for (int k0 = 0; k0 < s.inputs + n0 + R - 1; k0 += kGradColumns) {
    vf sum[R][kGradColumns] = {};
    for (int p = 0; p < P; p += kLanes) {
      vf a[kGradColumns];
#pragma GCC unroll 8
      for (int k = 0; k < kGradColumns; ++k) a[k] = load(t.a + (k0 + k) * P + p);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        const vf g = load(t.g + (n0 + r) * P + p);
#pragma GCC unroll 8
        for (int k = 0; k < kGradColumns; ++k) sum[r][k] += g * a[k];
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      float* gw = t.gw + (s.row(n0 + r) + k0) * kLanes;
      const int width = s.inputs + n0 + r - k0;  // of this row, what lies in the triangle
#pragma GCC unroll 8
      for (int k = 0; k < kGradColumns; ++k)
        if (k < width) store(gw + k * kLanes, load(gw + k * kLanes) + sum[r][k]);
    }
  }
}

// The neurons in blocks of kBlock, the odd ones first, where the rows are short.
template <bool kSlopes>
CPPN_FN void forward_tile(const CascadeShape& s, const float* w, Tile& t) {
  const int stride = weight_stride(s), odd = s.neurons % kBlock;
  if (odd == 1) forward_block<1, kSlopes>(s, w, stride, t, 0);
  if (odd == 2) forward_block<2, kSlopes>(s, w, stride, t, 0);
  if (odd == 3) forward_block<3, kSlopes>(s, w, stride, t, 0);
  for (int n = odd; n < s.neurons; n += kBlock) forward_block<kBlock, kSlopes>(s, w, stride, t, n);
}

CPPN_FN void backward_tile(const CascadeShape& s, const float* w, Tile& t) {
  const int stride = weight_stride(s), odd = s.neurons % kBlock;
  for (int n = s.neurons - kBlock; n >= odd; n -= kBlock) backward_block<kBlock>(s, w, stride, t, n);
  if (odd == 1) backward_block<1>(s, w, stride, t, 0);
  if (odd == 2) backward_block<2>(s, w, stride, t, 0);
  if (odd == 3) backward_block<3>(s, w, stride, t, 0);
}

CPPN_FN void gradient_tile(const CascadeShape& s, Tile& t) {
  const int odd = s.neurons % kGradRows;
  if (odd == 1) gradient_block<1>(s, t, 0);
  if (odd == 2) gradient_block<2>(s, t, 0);
  if (odd == 3) gradient_block<3>(s, t, 0);
  for (int n = odd; n < s.neurons; n += kGradRows) gradient_block<kGradRows>(s, t, n);
}

}  // namespace
}  // namespace cppn::cpu
