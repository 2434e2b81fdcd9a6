// Dense layers over a tile of pixels that stays near the processor, features by rows, a pixel per lane:
//   P pixels in the tile, I inputs and O outputs of a layer
//   z[o] = b[o] + sum_i w[o,i] h[i]       for R outputs x V vectors at a time, as many sums as registers hold
// Functions across features are vectors of pixels too: a sorting network sorts a whole vector of them at
// once.
#include "../../core/layers.h"

#include "../vec.h"
#include "kernels.h"

namespace cppn::cpu {
namespace {

#if defined(__AVX512F__) || defined(__ARM_NEON)
constexpr int kRows = 4, kStrip = 4;
#else
constexpr int kRows = 4, kStrip = 2;
#endif
constexpr int kPixels = 64;  // of a tile: 100 features of it are 26 kB
static_assert(kPixels % (kStrip * kLanes) == 0);

using L = Lanes<vf>;

int64_t widest(const Layer* layers, int count) {
  int64_t most = layers[0].shape.inputs;
  for (int l = 0; l < count; ++l)
    if (layers[l].shape.outputs > most) most = layers[l].shape.outputs;
  return most;
}

// Sorting fills the rows up to a whole kSorted.
int64_t scratch_floats(const Layer* layers, int count) { return 2 * (widest(layers, count) + 15) * kPixels; }

void load_inputs(const PlaneInputs& in, int64_t first, int64_t last, float* h) {
  for (int p = 0; p < kPixels; ++p) {
    const int64_t pixel = first + p < last ? first + p : last - 1;  // past the end: the last one again
    const int64_t column = pixel % in.width, row = pixel / in.width;
    float* to = h + p;
    for (int k = 0; k < in.from_columns; ++k, to += kPixels) *to = in.columns[k * in.width + column];
    for (int k = 0; k < in.from_rows; ++k, to += kPixels) *to = in.rows[k * in.height + row];
    if (in.radius_x) {
      const float x = in.radius_x[column], y = in.radius_y[row];
      *to = __builtin_sqrtf(x * x + y * y);
    }
  }
}

template <int R>
CPPN_FN void sums_block(const float* w, const float* b, int inputs, const float* h, float* z) {
  for (int p = 0; p < kPixels; p += kStrip * kLanes) {
    vf sum[R][kStrip];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
      for (int v = 0; v < kStrip; ++v) sum[r][v] = splat(b[r]);
    for (int i = 0; i < inputs; ++i) {
      vf a[kStrip];
#pragma GCC unroll 8
      for (int v = 0; v < kStrip; ++v) a[v] = load(h + i * kPixels + p + v * kLanes);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        const vf wi = splat(w[int64_t(r) * inputs + i]);
#pragma GCC unroll 8
        for (int v = 0; v < kStrip; ++v) sum[r][v] += wi * a[v];
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
      for (int v = 0; v < kStrip; ++v) store(z + r * kPixels + p + v * kLanes, sum[r][v]);
  }
}

void weighted_sums(const Layer& layer, const float* h, float* z) {
  const int I = layer.shape.inputs, O = layer.shape.outputs, whole = O / kRows * kRows;
  for (int o = 0; o < whole; o += kRows)
    sums_block<kRows>(layer.w + int64_t(o) * I, layer.b + o, I, h, z + o * kPixels);
  for (int o = whole; o < O; ++o) sums_block<1>(layer.w + int64_t(o) * I, layer.b + o, I, h, z + o * kPixels);
}

void activate(Activation f, int outputs, float* z) {
  with_activation(f, [&](auto of) {
    for (int i = 0; i < outputs * kPixels;
         i += 4 * kLanes) {  // an activation is one chain: four side by side
      vf v[4];
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) v[j] = of.eval(load(z + i + j * kLanes)).value;
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) store(z + i + j * kLanes, v[j]);
    }
  });
}

// Of the n features of kLanes pixels, rows kPixels apart.

vf mean(const float* z, int n) {
  vf sum{};
  for (int o = 0; o < n; ++o) sum += load(z + o * kPixels);
  return sum / splat(float(n));
}

void normalize(float* z, int n) {
  const vf middle = mean(z, n);
  vf sum{};
  for (int o = 0; o < n; ++o) {
    const vf d = load(z + o * kPixels) - middle;
    sum += d * d;
  }
  const vf scale = splat(1.0f) / square_root(sum / splat(float(n)));
  for (int o = 0; o < n; ++o) store(z + o * kPixels, (load(z + o * kPixels) - middle) * scale);
}

CPPN_FN void exchange(vf& low, vf& high) {
  const vf a = low, b = high;
  low = L::min(a, b);
  high = L::max(a, b);
}

constexpr int kSorted = 16;  // rows that are sorted in registers

// The rest of a merge among kSorted rows: exchanges at distances kFirst, kFirst / 2, ..., 1.
template <int kFirst>
CPPN_FN void merge_down(vf (&v)[kSorted]) {
#pragma GCC unroll 8
  for (int k = kFirst; k >= 1; k /= 2)
#pragma GCC unroll 16
    for (int i = 0; i < kSorted; ++i)
      if (!(i & k)) exchange(v[i], v[i + k]);
}

template <int kHalf>
CPPN_FN void merge_mirrored(vf (&v)[kSorted]) {
#pragma GCC unroll 16
  for (int i = 0; i < kSorted; ++i)
    if (!(i & kHalf)) exchange(v[i], v[(i & -2 * kHalf) + 2 * kHalf - 1 - (i & (kHalf - 1))]);
  if constexpr (kHalf > 1) merge_down<kHalf / 2>(v);
}

template <bool kWhole>
CPPN_FN void sort_rows(float* z) {
  vf v[kSorted];
#pragma GCC unroll 16
  for (int i = 0; i < kSorted; ++i) v[i] = load(z + i * kPixels);
  if constexpr (kWhole) {
    merge_mirrored<1>(v);
    merge_mirrored<2>(v);
    merge_mirrored<4>(v);
    merge_mirrored<8>(v);
  } else {
    merge_down<kSorted / 2>(v);
  }
#pragma GCC unroll 16
  for (int i = 0; i < kSorted; ++i) store(z + i * kPixels, v[i]);
}

CPPN_FN void exchange_rows(float* low, float* high) {
  vf a = load(low), b = load(high);
  exchange(a, b);
  store(low, a);
  store(high, b);
}

// A bitonic sort (Batcher 1968) whose merges mirror their second half, so that every exchange puts the
// smaller above and what lies past n, infinite as it were, stays there. A fixed sequence of exchanges: lanes
// never part. Distances below kSorted are done in registers, the rows up to a whole kSorted filled with
// infinity.
void sort(float* z, int n) {
  const int rows = (n + kSorted - 1) / kSorted * kSorted;
  for (int i = n; i < rows; ++i) store(z + i * kPixels, splat(__builtin_inff()));
  for (int b = 0; b < rows; b += kSorted) sort_rows<true>(z + b * kPixels);
  for (int half = kSorted; half < rows; half *= 2) {
    for (int b = 0; b < rows; b += 2 * half)
      for (int i = 0; i < half; ++i)
        if (b + 2 * half - 1 - i < rows)
          exchange_rows(z + (b + i) * kPixels, z + (b + 2 * half - 1 - i) * kPixels);
    for (int k = half / 2; k >= kSorted; k /= 2)
      for (int i = 0; i < rows; ++i)
        if (!(i & k) && i + k < rows) exchange_rows(z + i * kPixels, z + (i + k) * kPixels);
    for (int b = 0; b < rows; b += kSorted) sort_rows<false>(z + b * kPixels);
  }
}

void softmax(float* z, int n, bool logarithm) {
  vf most = load(z);
  for (int o = 1; o < n; ++o) most = L::max(most, load(z + o * kPixels));
  vf sum{};
  for (int o = 0; o < n; ++o) {
    const vf less = load(z + o * kPixels) - most, e = exp_poly(less);
    sum += e;
    store(z + o * kPixels, logarithm ? less : e);
  }
  const vf log_sum = log_poly(sum), share = splat(1.0f) / sum;
  for (int o = 0; o < n; ++o) {
    const vf v = load(z + o * kPixels);
    store(z + o * kPixels, logarithm ? v - log_sum : v * share);
  }
}

void across(Across f, int outputs, float* z) {
  for (int p = 0; p < kPixels; p += kLanes) {
    if (f == Across::sort)
      sort(z + p, outputs);
    else
      softmax(z + p, outputs, f == Across::logsoftmax);
  }
}

void normalize_tile(int outputs, float* z) {
  for (int p = 0; p < kPixels; p += kLanes) normalize(z + p, outputs);
}

void layer_forward(const Layer& layer, const float* h, float* z) {
  const LayerShape& s = layer.shape;
  weighted_sums(layer, h, z);
  if (s.normalize == Normalize::before) normalize_tile(s.outputs, z);
  if (s.across())
    across(Across(s.function - kActivationCount), s.outputs, z);
  else
    activate(Activation(s.function), s.outputs, z);
  if (s.normalize == Normalize::after) normalize_tile(s.outputs, z);
  if (s.residual)
    for (int i = 0; i < s.outputs * kPixels; i += kLanes) store(z + i, load(z + i) + load(h + i));
}

void forward(const Layer* layers, int count, const PlaneInputs& in, int64_t first, int64_t last,
             float* scratch, float* out) {
  float *h = scratch, *z = scratch + (widest(layers, count) + 15) * kPixels;
  const int C = layers[count - 1].shape.outputs;
  for (int64_t p0 = first; p0 < last; p0 += kPixels) {
    load_inputs(in, p0, last, h);
    for (int l = 0; l < count; ++l) {
      layer_forward(layers[l], h, z);
      float* t = h;
      h = z;
      z = t;
    }
    const int valid = int(last - p0 < kPixels ? last - p0 : kPixels);
    for (int c = 0; c < C; ++c)
      for (int p = 0; p < valid; ++p) out[(p0 - first + p) * C + c] = h[c * kPixels + p];
  }
}

}  // namespace

#define CPPN_JOIN2(a, b) a##b
#define CPPN_JOIN(a, b) CPPN_JOIN2(a, b)
extern const LayerKernels CPPN_JOIN(layers_, CPPN_ISA);
const LayerKernels CPPN_JOIN(layers_, CPPN_ISA) = {scratch_floats, forward};

}  // namespace cppn::cpu
