// The dense cascade as sweeps over a panel of neurons, for the two pixels of a thread (see layout.h):
//   forward    z[n] = sum_k w[n,k] a[k]                      a[D+n] = f(z[n])
//   backward   g[n] = f'(z[n]) * (seed[n] + sum_{m>n} w[m,D+n] g[m])
// Weights are read by all threads of a warp at once, four in one load, and serve eight multiply-adds. Sums
// are added in the order of the nodes, as everywhere in this project, so that decoding can be exact.
#pragma once
#include "../layout.h"
#include "tile.h"

namespace cppn::cuda {

// The sums of a panel's neurons; sum 0 is that of the neuron at hand. Dead ones, past the panel's end, hold
// anything.
struct Sums {
  float2 of[kPanel + 1];
};

__device__ __forceinline__ float2 plus_product(float2 sum, float w, float2 v) {
  return make_float2(sum.x + w * v.x, sum.y + w * v.y);
}

// R sums (a multiple of 4) take w * v, each from the sum kShift places on.
template <int R, int kShift>
__device__ __forceinline__ void add_row(Sums& s, const float* w, float2 v) {
#pragma unroll
  for (int i = 0; i < R; i += 4) {
    const float4 four = *reinterpret_cast<const float4*>(w + i);
    s.of[i] = plus_product(s.of[i + kShift], four.x, v);
    s.of[i + 1] = plus_product(s.of[i + 1 + kShift], four.y, v);
    s.of[i + 2] = plus_product(s.of[i + 2 + kShift], four.z, v);
    s.of[i + 3] = plus_product(s.of[i + 3 + kShift], four.w, v);
  }
}

// Calls f.run<R>() with the smallest multiple of four R that holds `rows`: widths are known when compiling.
template <class F>
__device__ __forceinline__ void with_width(int rows, F&& f) {
  static_assert(kPanel == 64, "one case for every four rows");
#define CPPN_WIDTH(fours)                        \
  case fours:                                    \
    f(std::integral_constant<int, 4 * fours>()); \
    break;
  switch ((rows + 3) / 4) {
    CPPN_WIDTH(1)
    CPPN_WIDTH(2) CPPN_WIDTH(3) CPPN_WIDTH(4) CPPN_WIDTH(5) CPPN_WIDTH(6) CPPN_WIDTH(7) CPPN_WIDTH(8)
        CPPN_WIDTH(9) CPPN_WIDTH(10) CPPN_WIDTH(11) CPPN_WIDTH(12) CPPN_WIDTH(13) CPPN_WIDTH(14)
            CPPN_WIDTH(15) CPPN_WIDTH(16) default : break;
  }
#undef CPPN_WIDTH
}

// What `count` rows from `row` on contribute to the panel: the rectangle. The width is asked for row by row:
// a loop inside every case would make sixteen copies of what surrounds it.
__device__ __forceinline__ void add_rectangle(Sums& s, const Panel& p, const float* w, const Rows& rows,
                                              int row, int count) {
#pragma unroll 1
  for (int k = 0; k < count; ++k) {
    const float2 v = *rows.pair(row + k, int(threadIdx.x));
    with_width(p.rows, [&](auto width) { add_row<width.value, 0>(s, w + k * p.stride(), v); });
  }
}

// Neuron after neuron, turn(j, sum) makes a value of the sum of the j-th, which the sums of the rest take in.
template <class Turn>
__device__ __forceinline__ void sweep(Sums& s, const Panel& p, const float* w, Turn&& turn) {
#pragma unroll 1
  for (int j = 0; j < p.rows; ++j) {
    const float2 v = turn(j, s.of[0]);
    with_width(p.rows - 1 - j, [&](auto width) {
      add_row<width.value, 1>(s, w, v);
      w += width.value;
    });
  }
}

__device__ __forceinline__ void clear(Sums& s) {
#pragma unroll
  for (int i = 0; i <= kPanel; ++i) s.of[i] = make_float2(0.0f, 0.0f);
}

// Fills the neurons' rows of a; take(n, slopes) is told f'(z[n]).
template <class Take>
__device__ __forceinline__ void forward(const CascadeShape& s, const Layout& layout, const float* w,
                                        const Rows& a, Take&& take) {
  const int thread = int(threadIdx.x);
  for (int i = 0; i < layout.panels; ++i) {
    const Panel& p = layout.panel[i];
    const int before = s.inputs + p.first;
    Sums sums;
    clear(sums);
    add_rectangle(sums, p, w + p.forward, a, 0, before);
    sweep(sums, p, w + p.forward + before * p.stride(), [&](int j, float2 z) {
      const ActivatedPair r = activate(s.activation[p.first + j], z);
      *a.pair(before + j, thread) = r.value;
      take(p.first + j, r.slope);
      return r.value;
    });
  }
}

// Turns the slopes in g into dloss/dz; seed[i] is dloss/da of output neuron N - 1 - i.
__device__ __forceinline__ void backward(const CascadeShape& s, const Layout& layout, const float* w,
                                         const float2 (&seed)[kMaxChannels], const Rows& g) {
  const int thread = int(threadIdx.x);
  for (int i = layout.panels - 1; i >= 0; --i) {
    const Panel& p = layout.panel[i];
    Sums sums;
    clear(sums);
    if (p.last() == s.neurons) {
#pragma unroll
      for (int c = 0; c < kMaxChannels; ++c) sums.of[c] = seed[c];
    }
    add_rectangle(sums, p, w + p.backward, g, s.inputs + p.last(), s.neurons - p.last());
    sweep(sums, p, w + p.backward + (s.neurons - p.last()) * p.stride(), [&](int j, float2 sum) {
      float2* slot = g.pair(s.inputs + p.last() - 1 - j, thread);
      const float2 slope = *slot;
      return *slot = make_float2(sum.x * slope.x, sum.y * slope.y);
    });
  }
}

}  // namespace cppn::cuda
