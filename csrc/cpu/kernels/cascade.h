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

// B x V: 16 accumulators hide the latency of two multiply-adds a cycle; 16-register machines hold 8 with
// their operands. Forward blocks are low and wide: an activation is one long chain of dependent operations,
// and only as many vectors as stand side by side fill the gaps in it (2 x 8 against 4 x 4: 10 % of a step of
// sine neurons).
#if defined(__AVX512F__) || defined(__ARM_NEON)
constexpr int kForwardBlock = 2, kForwardStrip = 8;
constexpr int kBlock = 4, kStrip = 4;
#else
constexpr int kForwardBlock = 2, kForwardStrip = 4;
constexpr int kBlock = 4, kStrip = 2;
#endif
constexpr int kStripPixels = kStrip * kLanes;
constexpr int kWholeStrip = kForwardStrip * kLanes;  // a multiple of kStripPixels
constexpr int kMaxTile = 4 * kWholeStrip;
constexpr int kGradRows = 4, kGradColumns = 4;

constexpr int64_t kTileBytes = 49152;  // nodes and g of one tile; 24 and 73 kB lose 3 to 8 % of a step

// P: as many whole strips as fit, a power of two, so that groups of pixels (backend.cpp) are whole tiles.
CPPN_FN int tile_pixels(const CascadeShape& s) {
  const int64_t strips = kTileBytes / (4 * int64_t(s.nodes() + s.neurons)) / kWholeStrip;
  return int(strips >= 4 ? 4 : strips >= 2 ? 2 : 1) * kWholeStrip;
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

// Coordinates of the tile's pixels, row by row. Pixels past `last` repeat the last one: their results are
// dropped or their seeds zeroed.
CPPN_FN void load_coordinates(const Pixels& at, int64_t first, int64_t last, int P, float* x, float* y) {
  const int valid = int(last - first < P ? last - first : P);
  if (at.width == 0) {
    memcpy(x, at.x + first, sizeof(float) * size_t(valid));
    memcpy(y, at.y + first, sizeof(float) * size_t(valid));
  } else {
    int64_t row = first / at.width, column = first % at.width;
    for (int p = 0; p < valid; ++row, column = 0) {
      const int run = int(at.width - column < valid - p ? at.width - column : valid - p);
      memcpy(x + p, at.x + column, sizeof(float) * size_t(run));
      for (int q = p; q < p + run; ++q) y[q] = at.y[row];
      p += run;
    }
  }
  for (int p = valid; p < P; ++p) x[p] = x[valid - 1], y[p] = y[valid - 1];
}

CPPN_FN void load_inputs(const CascadeShape& s, const Pixels& at, int64_t first, int64_t last, Tile& t) {
  alignas(64) float x[kMaxTile], y[kMaxTile];
  load_coordinates(at, first, last, t.pixels, x, y);
  for (int p = 0; p < t.pixels; p += kLanes)
    cascade_inputs(
        load(x + p), load(y + p), s.radius, s.octaves, [](vf v) { return square_root(v); },
        [&](int i, vf v) { store(t.a + i * t.pixels + p, v); });
}

template <int B, bool kSlopes>
CPPN_FN void forward_block(const CascadeShape& s, const float* w, int stride, Tile& t, int n0) {
  const int P = t.pixels, k0 = s.inputs + n0;
  for (int p = 0; p < P; p += kForwardStrip * kLanes) {
    vf z[B][kForwardStrip] = {};
    for (int k = 0; k < k0; ++k) {
      vf a[kForwardStrip];
#pragma GCC unroll 8
      for (int v = 0; v < kForwardStrip; ++v) a[v] = load(t.a + k * P + p + v * kLanes);
#pragma GCC unroll 8
      for (int b = 0; b < B; ++b) {
        const vf wk = splat(w[(n0 + b) * stride + k]);
#pragma GCC unroll 8
        for (int v = 0; v < kForwardStrip; ++v) z[b][v] += wk * a[v];
      }
    }
#pragma GCC unroll 8
    for (int b = 0; b < B; ++b) {
      vf a[kForwardStrip];
      with_activation(s.activation[n0 + b], [&](auto f) {
#pragma GCC unroll 8
        for (int v = 0; v < kForwardStrip; ++v) {
          const auto r = f.eval(z[b][v]);
          a[v] = r.value;
          if (kSlopes) store(t.g + (n0 + b) * P + p + v * kLanes, r.slope);
        }
      });
#pragma GCC unroll 8
      for (int v = 0; v < kForwardStrip; ++v) store(t.a + (k0 + b) * P + p + v * kLanes, a[v]);
#pragma GCC unroll 8
      for (int m = b + 1; m < B; ++m) {
        const vf wk = splat(w[(n0 + m) * stride + k0 + b]);
#pragma GCC unroll 8
        for (int v = 0; v < kForwardStrip; ++v) z[m][v] += wk * a[v];
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

// The neurons in blocks of B, the odd ones first, where the rows are short.
template <bool kSlopes>
CPPN_FN void forward_tile(const CascadeShape& s, const float* w, Tile& t) {
  const int stride = weight_stride(s), odd = s.neurons % kForwardBlock;
  static_assert(kForwardBlock == 2, "one odd neuron at most");
  if (odd) forward_block<1, kSlopes>(s, w, stride, t, 0);
  for (int n = odd; n < s.neurons; n += kForwardBlock)
    forward_block<kForwardBlock, kSlopes>(s, w, stride, t, n);
}

CPPN_FN void backward_tile(const CascadeShape& s, const float* w, Tile& t) {
  const int stride = weight_stride(s), odd = s.neurons % kBlock;
  static_assert(kBlock == 4 && kGradRows == 4, "three odd neurons at most");
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
