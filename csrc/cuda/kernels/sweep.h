// The dense cascade as sweeps over a panel of neurons, for the two pixels of a thread (see layout.h):
//   forward    z[n] = sum_k w[n,k] a[k]                      a[D+n] = f(z[n])
//   backward   g[n] = f'(z[n]) * (seed[n] + sum_{m>n} w[m,D+n] g[m])
// Weights are read by all threads of a warp at once, four in one load, and serve eight multiply-adds. Sums
// are added in the order of the nodes, as everywhere in this project, so that decoding can be exact.
#pragma once
#include <type_traits>

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

// Calls f(R) with the smallest multiple of four that holds `rows`, as a constant: widths are known when
// compiling.
template <class F>
__device__ __forceinline__ void with_width(int rows, F&& f) {
  static_assert(kPanel == 64, "one case for every four rows");
  // clang-format off
#define CPPN_WIDTH(fours) case fours: f(std::integral_constant<int, 4 * fours>()); break;
  switch ((rows + 3) / 4) {
    CPPN_WIDTH(1) CPPN_WIDTH(2) CPPN_WIDTH(3) CPPN_WIDTH(4)
    CPPN_WIDTH(5) CPPN_WIDTH(6) CPPN_WIDTH(7) CPPN_WIDTH(8)
    CPPN_WIDTH(9) CPPN_WIDTH(10) CPPN_WIDTH(11) CPPN_WIDTH(12)
    CPPN_WIDTH(13) CPPN_WIDTH(14) CPPN_WIDTH(15) CPPN_WIDTH(16)
    default: break;
  }
#undef CPPN_WIDTH
  // clang-format on
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

// The same, but for the neuron that comes next: its sum is complete with the first multiply-add, and
// turn(sum) can begin while the rest is added. A warp waits for results most of the time; this gives it
// something to do.
template <int R, class Turn>
__device__ __forceinline__ float2 add_row_and_turn(Sums& s, const float* w, float2 v, Turn&& turn) {
  const float4 four = *reinterpret_cast<const float4*>(w);
  s.of[0] = plus_product(s.of[1], four.x, v);
  const float2 next = turn(s.of[0]);
  s.of[1] = plus_product(s.of[2], four.y, v);
  s.of[2] = plus_product(s.of[3], four.z, v);
  s.of[3] = plus_product(s.of[4], four.w, v);
#pragma unroll
  for (int i = 4; i < R; i += 4) {
    const float4 more = *reinterpret_cast<const float4*>(w + i);
    s.of[i] = plus_product(s.of[i + 1], more.x, v);
    s.of[i + 1] = plus_product(s.of[i + 2], more.y, v);
    s.of[i + 2] = plus_product(s.of[i + 3], more.z, v);
    s.of[i + 3] = plus_product(s.of[i + 4], more.w, v);
  }
  return next;
}

// Where a sweep stands: neuron j of `rows` has the value v, and w is the row of weights from it.
struct Place {
  int j;
  float2 v;
  const float* w;
};

// Neuron after neuron up to number `end` - 1, turn(sum) makes a value of the next one's sum, which the sums
// of the rest take in. No branches in turn: neurons of one width, four at a time, are one loop.
template <class Turn>
__device__ __forceinline__ void sweep_alike(Sums& s, Place& at, int rows, int end, Turn&& turn) {
  while (at.j + 1 < end) {
    const int left = rows - 1 - at.j, of_this_width = (left - 1) % 4 + 1;
    const int stop = at.j + of_this_width < end - 1 ? at.j + of_this_width : end - 1;
    with_width(left, [&](auto width) {
#pragma unroll 1
      for (; at.j < stop; ++at.j, at.w += width.value)
        at.v = add_row_and_turn<width.value>(s, at.w, at.v, turn);
    });
  }
}

// The same for any turn(j, sum), one width at a time.
template <class Turn>
__device__ __forceinline__ void sweep_any(Sums& s, Place& at, int rows, Turn&& turn) {
#pragma unroll 1
  while (at.j + 1 < rows) {
    with_width(rows - 1 - at.j, [&](auto width) {
      add_row<width.value, 1>(s, at.w, at.v);
      at.w += width.value;
    });
    ++at.j;
    at.v = turn(at.j, s.of[0]);
  }
}

__device__ __forceinline__ void clear(Sums& s) {
#pragma unroll
  for (int i = 0; i <= kPanel; ++i) s.of[i] = make_float2(0.0f, 0.0f);
}

// Neurons from `first` on that share the activation Hidden.
template <class Hidden>
__device__ __forceinline__ int alike(const CascadeShape& s, const Panel& p) {
  int j = 0;
  while (j < p.rows && s.activation[p.first + j] == activation_number<Hidden>()) ++j;
  return j;
}

// Fills the neurons' rows of a, and of g with f'(z) where kSlopes; g lies `to_slopes` pairs behind a. Neurons
// that begin a panel with the activation Hidden are quick; void: none is.
template <class Hidden, bool kSlopes>
__device__ __forceinline__ void forward(const CascadeShape& s, const Layout& layout, const float* w,
                                        const Rows& a, int to_slopes) {
  for (int i = 0; i < layout.panels; ++i) {
    const Panel& p = layout.panel[i];
    const int before = s.inputs + p.first;
    Sums sums;
    clear(sums);
    add_rectangle(sums, p, w + p.forward, a, 0, before);
    Pairs<1> pairs(a, before, int(threadIdx.x));
    const auto put = [&](const ActivatedPair& r) {
      float2* slot = pairs.at();
      slot[0] = r.value;
      if (kSlopes) slot[to_slopes] = r.slope;
      pairs.next();
      return r.value;
    };
    const auto turn_any = [&](int j, float2 z) { return put(activate(s.activation[p.first + j], z)); };
    Place at{0, turn_any(0, sums.of[0]), w + p.forward + before * p.stride()};
    if constexpr (!std::is_void_v<Hidden>)
      sweep_alike(sums, at, p.rows, alike<Hidden>(s, p),
                  [&](float2 z) { return put(activate(Hidden(), z)); });
    sweep_any(sums, at, p.rows, turn_any);
  }
}

// Turns the slopes in g into dloss/dz; seed[i] is dloss/da of output neuron N - 1 - i.
__device__ __forceinline__ void backward(const CascadeShape& s, const Layout& layout, const float* w,
                                         const float2 (&seed)[kMaxChannels], const Rows& g) {
  for (int i = layout.panels - 1; i >= 0; --i) {
    const Panel& p = layout.panel[i];
    Sums sums;
    clear(sums);
    if (p.last() == s.neurons) {
#pragma unroll
      for (int c = 0; c < kMaxChannels; ++c) sums.of[c] = seed[c];
    }
    add_rectangle(sums, p, w + p.backward, g, s.inputs + p.last(), s.neurons - p.last());
    Pairs<-1> pairs(g, s.inputs + p.last() - 1, int(threadIdx.x));
    const auto turn = [&](float2 sum) {
      float2* slot = pairs.at();
      const float2 slope = *slot;
      pairs.next();
      return *slot = make_float2(sum.x * slope.x, sum.y * slope.y);
    };
    Place at{0, turn(sums.of[0]), w + p.backward + (s.neurons - p.last()) * p.stride()};
    sweep_alike(sums, at, p.rows, p.rows, turn);
  }
}

}  // namespace cppn::cuda
