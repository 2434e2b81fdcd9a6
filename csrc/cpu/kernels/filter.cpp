// Convolutions of 3 x 3 with many channels, compiled once for each instruction set WITHOUT contraction: a sum
// starts at the bias and takes rows, columns and inputs of the kernel in this order, so the bits agree
// everywhere. Channels of the output in lanes; a tile of P pixels x V vectors stays in registers, and what it
// loads of the weights serves all P.
#include "filter.h"

#include "../vec.h"
#include "kernels.h"

namespace cppn::cpu {
namespace {

#if defined(__AVX512F__) || defined(__ARM_NEON)
constexpr int kPixels = 8;  // 32 registers: 16 sums, 2 weights, products
#else
constexpr int kPixels = 5;
#endif
constexpr int kVectors = 2;

struct Tap {
  const float* in;  // of the tile's first pixel
  const float* w;   // (used, outputs), at the tile's first channel
};

template <int P, int V>
CPPN_FN void add_tap(vf (&sum)[P][V], const FilterLayer& n, Tap tap) {
  for (int c = 0; c < n.used; ++c, tap.w += n.outputs) {
    vf w[V];
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) w[v] = load_unaligned(tap.w + v * kLanes);
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p)
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) sum[p][v] += w[v] * tap.in[p * n.inputs + c];
  }
}

CPPN_FN vf bent(Bend bend, vf sum, const float* other) {
  const vf zero = splat(0.0f);
  switch (bend) {
    case Bend::relu:
      return Lanes<vf>::max(sum, zero);
    case Bend::add:
      return load_unaligned(other) + sum;
    case Bend::gate:
      return load_unaligned(other) > zero ? sum : zero;
    default:
      return sum;
  }
}

// P pixels of row y from x on, channels [f, f + V kLanes)
template <int P, int V>
void tile(const FilterLayer& n, const float* in, const float* other, float* out, int64_t y, int64_t x,
          int f) {
  const int64_t stride = n.width + 2;
  vf sum[P][V];
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p)
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) sum[p][v] = load_unaligned(n.bias + f + v * kLanes);
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j)
      add_tap<P, V>(sum, n,
                    {in + ((y + i) * stride + x + j) * n.inputs,
                     n.weights + int64_t(i * 3 + j) * n.used * n.outputs + f});
  for (int p = 0; p < P; ++p)
    for (int v = 0; v < V; ++v) {
      const int64_t at = ((y + 1) * stride + x + p + 1) * n.outputs + f + v * kLanes;
      const vf done = bent(n.bend, sum[p][v], other + at);
      memcpy(out + at, &done, sizeof done);
    }
}

template <int V>
void row(const FilterLayer& n, const float* in, const float* other, float* out, int64_t y, int f) {
  int64_t x = 0;
  for (; x + kPixels <= n.width; x += kPixels) tile<kPixels, V>(n, in, other, out, y, x, f);
  for (; x < n.width; ++x) tile<1, V>(n, in, other, out, y, x, f);
}

void rows(const FilterLayer& n, const float* in, const float* other, float* out, int64_t first,
          int64_t last) {
  constexpr int kWide = kVectors * kLanes;
  for (int f = 0; f < n.outputs;) {
    const bool wide = f + kWide <= n.outputs;
    for (int64_t y = first; y < last; ++y)
      wide ? row<kVectors>(n, in, other, out, y, f) : row<1>(n, in, other, out, y, f);
    f += wide ? kWide : kLanes;
  }
}

template <int V>
CPPN_FN void combine_block(const float* factors, int64_t count, const float* rows, int64_t stride,
                           float* sums) {
  vf sum[V];
#pragma GCC unroll 4
  for (int v = 0; v < V; ++v) sum[v] = load_unaligned(sums + v * kLanes);
  for (int64_t k = 0; k < count; ++k)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) sum[v] += load_unaligned(rows + k * stride + v * kLanes) * factors[k];
  memcpy(sums, sum, sizeof sum);
}

void combine(const float* factors, int64_t count, const float* rows, int64_t stride, int64_t n, float* sums) {
  constexpr int kBlock = 4;
  int64_t x = 0;
  for (; x + kBlock * kLanes <= n; x += kBlock * kLanes)
    combine_block<kBlock>(factors, count, rows + x, stride, sums + x);
  for (; x + kLanes <= n; x += kLanes) combine_block<1>(factors, count, rows + x, stride, sums + x);
  for (; x < n; ++x)
    for (int64_t k = 0; k < count; ++k) sums[x] += rows[k * stride + x] * factors[k];
}

}  // namespace

#define CPPN_JOIN2(a, b) a##b
#define CPPN_JOIN(a, b) CPPN_JOIN2(a, b)
extern const FilterKernels CPPN_JOIN(filter_, CPPN_ISA);
const FilterKernels CPPN_JOIN(filter_, CPPN_ISA) = {rows, combine};

}  // namespace cppn::cpu
