// What training asks of the CPU, compiled once for each instruction set with contraction (a * b + c in one
// rounding) allowed. Everything is local to this object: wide code must not leak into baseline symbols.
#define CPPN_FAST 1
#include "../../core/quantize.h"
#include "cascade.h"

namespace cppn::cpu {
namespace {

// Seeds = dloss/da of the outputs; returns the loss. Pixels from `valid` on count nothing.
CPPN_FN double seed_loss(const CascadeShape& s, Tile& t, const float* target, int64_t plane, int64_t first,
                         int valid) {
  const int P = t.pixels;
  vf loss{};
  for (int c = 0; c < s.channels; ++c) {
    const float* a = t.a + (s.inputs + s.first_output() + c) * P;
    const float* want = target + c * plane + first;
    float* seed = t.seed + c * P;
    if (valid == P) {
      for (int p = 0; p < P; p += kLanes) {
        const vf d = load(a + p) - load_unaligned(want + p);
        loss += d * d;
        store(seed + p, d * splat(2.0f * kScoreScale));
      }
    } else {
      for (int p = 0; p < P; ++p) seed[p] = p < valid ? a[p] - want[p] : 0.0f;
      for (int p = 0; p < P; p += kLanes) {
        const vf d = load(seed + p);
        loss += d * d;
        store(seed + p, d * splat(2.0f * kScoreScale));
      }
    }
  }
  return sum_lanes(loss) * double(kScoreScale);
}

// gw (K, L) -> grad (K): halve the lanes of all weights together until one is left.
CPPN_FN void fold_lanes(float* gw, int64_t weights, float* grad) {
  int lanes = kLanes;
  for (; lanes > 4; lanes /= 2) {
    const int half = lanes / 2;
    for (int64_t k = 0; k < weights; ++k)
      for (int l = 0; l < half; ++l) gw[k * half + l] = gw[k * lanes + l] + gw[k * lanes + half + l];
  }
  for (int64_t k = 0; k < weights; ++k)
    grad[k] = (gw[4 * k] + gw[4 * k + 1]) + (gw[4 * k + 2] + gw[4 * k + 3]);
}

CPPN_FN int valid_pixels(const Tile& t, int64_t first, int64_t last) {
  return int(last - first < t.pixels ? last - first : t.pixels);
}

double gradient(const CascadeShape& s, const float* w, Pixels at, const float* target, int64_t first,
                int64_t last, float* scratch, float* grad) {
  Tile t = carve(s, scratch);
  memset(t.a + s.nodes() * t.pixels, 0, sizeof(float) * size_t(kGradColumns) * size_t(t.pixels));
  memset(t.gw, 0, sizeof(float) * size_t(s.weights()) * kLanes);
  double loss = 0;
  for (int64_t p = first; p < last; p += t.pixels) {
    load_inputs(s, at, p, last, t);
    forward_tile<true>(s, w, t);
    loss += seed_loss(s, t, target, at.count, p, valid_pixels(t, p, last));
    backward_tile(s, w, t);
    gradient_tile(s, t);
  }
  fold_lanes(t.gw, s.weights(), grad);
  return loss;
}

double loss(const CascadeShape& s, const float* w, Pixels at, const float* target, int64_t first,
            int64_t last, float* scratch) {
  Tile t = carve(s, scratch);
  double loss = 0;
  for (int64_t p = first; p < last; p += t.pixels) {
    load_inputs(s, at, p, last, t);
    forward_tile<false>(s, w, t);
    loss += seed_loss(s, t, target, at.count, p, valid_pixels(t, p, last));
  }
  return loss;
}

// The backward pass overwrites the slopes, so they are kept aside and put back for every channel.
void jacobian(const CascadeShape& s, const float* w, Pixels at, int64_t first, int64_t last, float* scratch,
              float* nodes, int64_t node_stride, float* slopes, int64_t slope_plane) {
  Tile t = carve(s, scratch);
  const size_t bytes = sizeof(float) * size_t(s.neurons) * size_t(t.pixels);
  float* kept = scratch + tile_scratch(s);
  for (int64_t p0 = first; p0 < last; p0 += t.pixels) {
    const int valid = valid_pixels(t, p0, last);
    load_inputs(s, at, p0, last, t);
    forward_tile<true>(s, w, t);
    memcpy(kept, t.g, bytes);
    for (int p = 0; p < valid; ++p)
      for (int k = 0; k < s.nodes(); ++k) nodes[(p0 - first + p) * node_stride + k] = t.a[k * t.pixels + p];
    for (int c = 0; c < s.channels; ++c) {
      if (c) memcpy(t.g, kept, bytes);
      for (int p = 0; p < s.channels * t.pixels; ++p) t.seed[p] = p / t.pixels == c ? 1.0f : 0.0f;
      backward_tile(s, w, t);
      float* out = slopes + c * slope_plane + (p0 - first) * s.neurons;
      for (int p = 0; p < valid; ++p)
        for (int n = 0; n < s.neurons; ++n) out[p * s.neurons + n] = t.g[n * t.pixels + p];
    }
  }
}

int64_t jacobian_scratch(const CascadeShape& s) {
  return tile_scratch(s) + int64_t(s.neurons) * tile_pixels(s) + 64;
}

#if defined(__AVX512F__)
constexpr int kOuterRows = 6;
#else
constexpr int kOuterRows = 4;
#endif

// out (R, strip) += sum_p nodes[p, 0..R) strip[p, ...], R rows x 4 vectors of columns in registers
template <int R>
CPPN_FN void outer_rows(const float* nodes, int64_t node_stride, const float* strip, int64_t count,
                        float* out, int64_t stride) {
  vf sum[R][kStrip];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < kStrip; ++v) sum[r][v] = load(out + r * stride + v * kLanes);
  for (int64_t p = 0; p < count; ++p) {
    vf b[kStrip];
#pragma GCC unroll 8
    for (int v = 0; v < kStrip; ++v) b[v] = load(strip + p * kStripPixels + v * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const vf a = splat(nodes[p * node_stride + r]);
#pragma GCC unroll 8
      for (int v = 0; v < kStrip; ++v) sum[r][v] += a * b[v];
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < kStrip; ++v) store(out + r * stride + v * kLanes, sum[r][v]);
}

// The columns of all neurons m <= n stand side by side in one panel, scaled by what n and m share at each
// pixel; the rows of n are then one plain matrix product.
void normal_rows(const CascadeShape& s, int n, const float* nodes, int64_t node_stride, const float* slopes,
                 int64_t slope_plane, int64_t count, float* panel, int64_t panel_stride, float* out,
                 int64_t stride) {
  const int N = s.neurons;
  const int64_t columns = s.row(n + 1);
  for (int64_t p = 0; p < count; ++p) {
    const float* a = nodes + p * node_stride;
    for (int m = 0; m <= n; ++m) {
      float shared = 0;
      for (int c = 0; c < s.channels; ++c) {
        const float* g = slopes + c * slope_plane + p * N;
        shared += g[n] * g[m];
      }
      const vf scale = splat(shared);
      float* to =
          panel + p * panel_stride + s.row(m);  // what spills over the row's end is overwritten by the next
      for (int k = 0; k < s.inputs + m; k += kLanes) {
        const vf v = load(a + k) * scale;
        memcpy(to + k, &v, sizeof v);
      }
    }
    for (int64_t k = columns; k < columns + kStripPixels; ++k) panel[p * panel_stride + k] = 0;
  }
  const int rows = s.inputs + n;
  float* strip = panel + count * panel_stride;  // a strip of the panel, packed: it stays in L1 for all rows
  for (int64_t j = 0; j < columns; j += kStripPixels) {
    for (int64_t p = 0; p < count; ++p)
      memcpy(strip + p * kStripPixels, panel + p * panel_stride + j, sizeof(float) * kStripPixels);
    int r = 0;
    for (; r + kOuterRows <= rows; r += kOuterRows)
      outer_rows<kOuterRows>(nodes + r, node_stride, strip, count, out + r * stride + j, stride);
    for (; r < rows; ++r) outer_rows<1>(nodes + r, node_stride, strip, count, out + r * stride + j, stride);
  }
}

float quantization_scale(const float* u, int64_t count, float q) {
  double s = 0;
  const double target = (1.0 - double(q)) * double(count);
  for (int step = 0; step < kNewtonSteps; ++step) {
    double kept = 0, slope = 0;
    for (int64_t i = 0; i < count; i += kLanes) {
      alignas(64) float tail[kLanes] = {};
      const int64_t n = count - i < kLanes ? count - i : kLanes;
      memcpy(tail, u + i, sizeof(float) * size_t(n));
      const vf rate = quantization_rate(load(tail));
      const vf keep = keep_probability(rate, float(s)), fall = rate * keep;
      for (int64_t l = 0; l < n; ++l) kept += double(keep[int(l)]), slope += double(fall[int(l)]);
    }
    if (!(slope > 0)) break;
    s -= (target - kept) / slope;
  }
  return float(s);
}

}  // namespace

#define CPPN_JOIN2(a, b) a##b
#define CPPN_JOIN(a, b) CPPN_JOIN2(a, b)
extern const TrainKernels CPPN_JOIN(train_, CPPN_ISA);
const TrainKernels CPPN_JOIN(train_, CPPN_ISA) = {jacobian_scratch, gradient,    loss,
                                                  jacobian,         normal_rows, quantization_scale};

}  // namespace cppn::cpu
