// Convolution by 7 x 7 and ReLU, compiled once for each instruction set WITHOUT contraction: a pixel is the
// sum over inputs, rows and columns of the kernel in this order, whatever the tile, so the bits agree
// everywhere.
//
// Pixels in lanes, weights broadcast. A tile of F filters x R rows x V vectors stays in registers; what it
// loads serves F * R products, so few filters take several rows: 4 x 1, 3 x 1, 2 x 2, 1 x 4. A strip of V
// vectors goes down the picture, and its last 7 rows of every input stay in L1.
#include "convolution.h"

#include <utility>

#include "../vec.h"
#include "kernels.h"

namespace cppn::cpu {
namespace {

#if defined(__AVX512F__) || defined(__ARM_NEON)
constexpr int kVectors = 4;  // 32 registers: 16 sums, 4 loads
#else
constexpr int kVectors = 2;
#endif

// A load that straddles two cache lines counts twice, and the compiler would rather repeat it than keep what
// it gave.
CPPN_FN vf kept(vf v) {
#if defined(__SSE2__)
  asm("" : "+v"(v));
#elif defined(__ARM_NEON)
  asm("" : "+w"(v));
#endif
  return v;
}

template <int F, int R, int V>
struct Tile {
  vf sum[F][R][V];
};

// One row of an input: it is row i of the kernel for the tile's row 0, row i - r for row r, Lo <= r < Hi.
//   w (7, 7, F), at row i
template <int Lo, int Hi, int F, int R, int V>
CPPN_FN void add_row(Tile<F, R, V>& t, const float* in, const float* w) {
#pragma GCC unroll 1
  for (int j = 0; j < kKernel; ++j) {
    vf x[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) x[v] = kept(load_unaligned(in + j + v * kLanes));
#pragma GCC unroll 8
    for (int r = Lo; r < Hi; ++r)
#pragma GCC unroll 4
      for (int f = 0; f < F; ++f) {
        const float weight = w[(j - r * kKernel) * F + f];
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) t.sum[f][r][v] += weight * x[v];
      }
  }
}

// The R - 1 rows above and below, where only some of the tile's rows have a kernel.
template <int F, int R, int V, int... I>
CPPN_FN void add_first_rows(Tile<F, R, V>& t, const float* in, int64_t stride, const float* w,
                            std::integer_sequence<int, I...>) {
  (add_row<0, I + 1>(t, in + I * stride, w + I * kKernel * F), ...);
}
template <int F, int R, int V, int... I>
CPPN_FN void add_last_rows(Tile<F, R, V>& t, const float* in, int64_t stride, const float* w,
                           std::integer_sequence<int, I...>) {
  (add_row<I + 1, R>(t, in + (kKernel + I) * stride, w + (kKernel + I) * kKernel * F), ...);
}

struct Strip {
  const float* in;  // the planes, at the kernel's upper left corner for column x of row 0
  float* out;       // the planes of the group's filters, at column x of row 0
  int64_t in_plane, out_plane, stride;
  int inputs;
  int64_t valid;  // columns to write
};

template <int F, int R, int V, class Put>
CPPN_FN void write(const Tile<F, R, V>& t, const Strip& s, int64_t y, Put&& put) {
#pragma GCC unroll 4
  for (int f = 0; f < F; ++f)
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v)
        put(s.out + f * s.out_plane + (y + r) * s.stride + v * kLanes,
            Lanes<vf>::max(t.sum[f][r][v], splat(0.0f)), s.valid - v * kLanes);
}

template <int F, int R, int V>
void tile(const Strip& s, const float* w, int64_t y) {
  Tile<F, R, V> t{};
  const std::make_integer_sequence<int, R - 1> partial{};
  const float* in = s.in + y * s.stride;
  for (int c = 0; c < s.inputs; ++c, in += s.in_plane, w += kTaps * F) {
    add_first_rows(t, in, s.stride, w, partial);
    for (int i = R - 1; i < kKernel; ++i) add_row<0, R>(t, in + i * s.stride, w + i * kKernel * F);
    add_last_rows(t, in, s.stride, w, partial);
  }
  if (s.valid == V * kLanes)
    write(t, s, y, [](float* to, vf v, int64_t) { memcpy(to, &v, sizeof v); });
  else  // what is right of the picture must stay zero
    write(t, s, y, [](float* to, vf v, int64_t left) {
      for (int64_t l = 0; l < left && l < kLanes; ++l) to[l] = v[l];
    });
}

template <int F, int R, int V>
void strip(const Strip& s, const float* w, int64_t first, int64_t last) {
  int64_t y = first;
  for (; y + R <= last; y += R) tile<F, R, V>(s, w, y);
  for (; y < last; ++y) tile<F, 1, V>(s, w, y);
}

template <int V>
void strip_of(int filters, const Strip& s, const float* w, int64_t first, int64_t last) {
  switch (filters) {
    case 1:
      return strip<1, 4, V>(s, w, first, last);
    case 2:
      return strip<2, 2, V>(s, w, first, last);
    case 3:
      return strip<3, 1, V>(s, w, first, last);
    default:
      return strip<4, 1, V>(s, w, first, last);
  }
}

template <int V>
void strips(const ConvolutionShape& n, const float* w, const float* in, float* out, int64_t first,
            int64_t last, int64_t& x) {
  const int64_t stride = plane_stride(n.width), plane = plane_floats(n.height, n.width);
  for (; V == 1 ? x < n.width : x + V * kLanes <= n.width; x += V * kLanes)
    for (int group = 0; group < filter_groups(n.filters); ++group) {
      const int begin = group_begin(n.filters, group), filters = group_begin(n.filters, group + 1) - begin;
      const Strip s = {
          in + x,   out + begin * plane + kBorder * stride + kBorder + x,     plane, plane, stride,
          n.inputs, V == 1 && n.width - x < kLanes ? n.width - x : V * kLanes};
      strip_of<V>(filters, s, w + int64_t(begin) * n.inputs * kTaps, first, last);
    }
}

void rows(const ConvolutionShape& n, const float* w, const float* in, float* out, int64_t first,
          int64_t last) {
  int64_t x = 0;
  strips<kVectors>(n, w, in, out, first, last, x);
  if (kVectors > 2) strips<2>(n, w, in, out, first, last, x);
  strips<1>(n, w, in, out, first, last, x);
}

}  // namespace

#define CPPN_JOIN2(a, b) a##b
#define CPPN_JOIN(a, b) CPPN_JOIN2(a, b)
extern const ConvolutionKernels CPPN_JOIN(convolution_, CPPN_ISA);
const ConvolutionKernels CPPN_JOIN(convolution_, CPPN_ISA) = {rows};

}  // namespace cppn::cpu
