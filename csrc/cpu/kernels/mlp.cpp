// The perceptron over tiles of pixels: P pixels, features of I inputs and O outputs padded to sixteens.
//   forward    z (P, O) = h (P, I) Wt (I, O) + b        a = f(z)
//   backward   dz = da f'(z)        dh (P, I) = dz (P, O) W (O, I)        gW (O, I) += dz^T (O, P) h (P, I)
// What lies between two normalizations is computed forward once more on the way back, tile by tile near the
// processor: cheaper than memory. Of a ragged tile, R rows are visited: those with pixels, up to a whole
// register block. A step on one sample takes a tenth of the time of a full tile, and the sums stay the same
// to the bit: what would be added is zero.
#include "mlp_kernels.h"

#include "../vec.h"

namespace cppn::cpu {
namespace {

#if defined(__AVX512F__) || defined(__ARM_NEON)
constexpr int kM = 8;  // rows of a register block, two vectors wide
#else
constexpr int kM = 4;
#endif
constexpr int P = kMlpTile;
static_assert(P % kM == 0 && 16 % kM == 0 && 16 % kLanes == 0);

using L = Lanes<vf>;

// c (m, n) (+)= a b, or bias + a b: b (k, n) and c with rows n apart; a (m, k) with rows am apart, or, where
// am is 1, (k, m) with rows ak apart.
struct Product {
  const float* a;
  int64_t am, ak;
  const float* b;
  const float* bias;
  float* c;
  int m, n, k;
  bool add;
};

template <int V>
using Block = vf[kM][V];

// k rows of b. Unrolled, so that a block has no loop longer than the processor can foresee the end of: one
// block's last additions then overlap with the next one's first.
template <int V, bool kTransposed>
CPPN_FN void add_rows(Block<V>& sum, const float* a, int64_t am, int64_t ak, const float* b, int64_t n,
                      int rows) {
  const int64_t m_stride = kTransposed ? 1 : am, k_stride = kTransposed ? ak : 1;
#pragma GCC unroll 8
  for (int k = 0; k < rows; ++k) {
    vf bk[V];
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) bk[v] = load(b + k * n + v * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kM; ++r) {
      const vf ar = splat(a[r * m_stride + k * k_stride]);
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) sum[r][v] += ar * bk[v];
    }
  }
}

template <int V, bool kTransposed>
CPPN_FN void product_block(const Product& t, int m, int n) {
  constexpr int kRows = 8;
  Block<V> sum;
#pragma GCC unroll 8
  for (int r = 0; r < kM; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) sum[r][v] = t.bias ? load(t.bias + n + v * kLanes) : vf{};
  const float* a = t.a + m * (kTransposed ? 1 : t.am);
  const float* b = t.b + n;
  int k = 0;
  for (; k + kRows <= t.k; k += kRows) {
    add_rows<V, kTransposed>(sum, a, t.am, t.ak, b, t.n, kRows);
    a += kRows * (kTransposed ? t.ak : 1);
    b += kRows * int64_t(t.n);
  }
  for (; k < t.k; ++k) {
    add_rows<V, kTransposed>(sum, a, t.am, t.ak, b, t.n, 1);
    a += kTransposed ? t.ak : 1;
    b += t.n;
  }
#pragma GCC unroll 8
  for (int r = 0; r < kM; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) {
      float* c = t.c + int64_t(m + r) * t.n + n + v * kLanes;
      store(c, t.add ? load(c) + sum[r][v] : sum[r][v]);  // a tile's sum first: its roundings are its own
    }
}

template <bool kTransposed>
void product_of(const Product& t) {
  int n = 0;
  for (; n + 2 * kLanes <= t.n; n += 2 * kLanes)
    for (int m = 0; m < t.m; m += kM) product_block<2, kTransposed>(t, m, n);
  if (n < t.n)
    for (int m = 0; m < t.m; m += kM) product_block<1, kTransposed>(t, m, n);
}

// n is a multiple of 16, m of kM.
void product(const Product& t) { t.am == 1 ? product_of<true>(t) : product_of<false>(t); }

// The sum of f(row), in four chains: in one every addition waits for the one before. Rows of zeros after the
// last change nothing.
template <class F>
CPPN_FN vf sum_rows(int rows, const F& f) {
  vf sum[4] = {};
  int p = 0;
  for (; p + 4 <= rows; p += 4) {
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) sum[j] += f(p + j);
  }
  for (; p < rows; ++p) sum[p & 3] += f(p);
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

// Of one tile: y the inputs, then a and f' of every layer of the pass, d and its successor on the way back.
int64_t scratch_floats(const MlpShape& s) {
  int64_t floats = 3 * int64_t(P) * widest(s);
  for (int l = 0; l < s.count; ++l) floats += 2 * int64_t(P) * padded16(s.layer[l].outputs);
  return floats;
}

struct Tile {
  float* y;
  float* a[kMaxMlpLayers];
  float* slope[kMaxMlpLayers];
  float* d[2];
};

Tile carve(const MlpPass& pass, float* scratch) {
  Tile t;
  const int64_t most = int64_t(P) * widest(*pass.shape);
  t.y = scratch;
  t.d[0] = scratch + most;
  t.d[1] = scratch + 2 * most;
  float* next = scratch + 3 * most;
  for (int l = pass.first; l < pass.last; ++l) {
    const int64_t floats = int64_t(P) * padded16(pass.shape->layer[l].outputs);
    t.a[l] = next;
    t.slope[l] = next + floats;
    next += 2 * floats;
  }
  return t;
}

template <bool kSlopes>
void activate(Activation f, int floats, float* a, float* slope) {
  with_activation(f, [&](auto of) {
    for (int i = 0; i < floats; i += 4 * kLanes) {  // an activation is one chain: four side by side
      Activated<vf> r[4];
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) r[j] = of.eval(load(a + i + j * kLanes));
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) {
        store(a + i + j * kLanes, r[j].value);
        if (kSlopes) store(slope + i + j * kLanes, r[j].slope);
      }
    }
  });
}

int valid_pixels(const MlpPass& pass, int64_t tile) {
  const int64_t left = pass.pixels - tile * P;
  return int(left < P ? left : P);
}

int visited_rows(int valid) { return (valid + kM - 1) / kM * kM; }

const float* load_inputs(const MlpPass& pass, int64_t tile, int R, Tile& t) {
  const int n = padded16(pass.inputs());
  const float* in = pass.in + tile * P * n;
  if (!pass.in_scale) return in;
  for (int p = 0; p < R; ++p)
    for (int i = 0; i < n; i += kLanes)
      store(t.y + p * n + i, load(pass.in_scale + i) * load(in + p * n + i) + load(pass.in_shift + i));
  return t.y;
}

template <bool kSlopes>
const float* forward_tile(const MlpPass& pass, int64_t tile, int R, Tile& t) {
  const float* y = load_inputs(pass, tile, R, t);
  const float* h = y;
  for (int l = pass.first; l < pass.last; ++l) {
    const MlpLayer& layer = pass.shape->layer[l];
    const MlpPlace& at = pass.layout->place[l];
    const int I = padded16(layer.inputs), O = padded16(layer.outputs);
    product({h, I, 1, pass.packed + at.forward, pass.packed + at.bias, t.a[l], R, O, layer.inputs, false});
    activate<kSlopes>(layer.activation, R * O, t.a[l], t.slope[l]);
    h = t.a[l];
  }
  return y;
}

// Chan, Golub & LeVeque 1979: the moments of two sets together.
void add_moments(const float* h, int n, int valid, MlpMoments& m) {
  const double before = double(m.count), here = double(valid), all = before + here;
  for (int i = 0; i < n; i += kLanes) {
    const vf mean = sum_rows(valid, [&](int p) { return load(h + p * n + i); }) / splat(float(valid));
    const vf m2 = sum_rows(valid, [&](int p) {
      const vf d = load(h + p * n + i) - mean;
      return d * d;
    });
    for (int l = 0; l < kLanes; ++l) {
      const double delta = double(mean[l]) - m.mean[i + l];
      m.mean[i + l] += delta * here / all;
      m.m2[i + l] += double(m2[l]) + delta * delta * before * here / all;
    }
  }
  m.count += valid;
}

void forward(const MlpPass& pass, int64_t tile, int64_t end, float* scratch, float* out,
             MlpMoments* moments) {
  Tile t = carve(pass, scratch);
  const int O = padded16(pass.outputs());
  for (; tile < end; ++tile) {
    const int valid = valid_pixels(pass, tile), R = visited_rows(valid);
    t.a[pass.last - 1] = out + tile * P * O;
    forward_tile<false>(pass, tile, R, t);
    if (moments) add_moments(t.a[pass.last - 1], O, valid, *moments);
  }
}

// d (P, O) = dloss/da of the pass's outputs a; returns their loss.
double seed_loss(const MlpPass& pass, const MlpSeed& seed, int64_t tile, int valid, const float* a,
                 float* d) {
  const int O = padded16(pass.outputs()), real = pass.outputs();
  const float* target = seed.target + tile * P * O;
  const vf twice = splat(2.0f * seed.scale), once = splat(seed.scale);
  double loss = 0;
  for (int o = 0; o < O; o += kLanes) {
    vf inside;
    for (int l = 0; l < kLanes; ++l) inside[l] = o + l < real ? 1.0f : 0.0f;
    loss += sum_lanes(sum_rows(valid, [&](int p) {
      const vf e = load(a + p * O + o) - load(target + p * O + o);
      const bool squared = seed.loss == Loss::mse;
      store(d + p * O + o, (squared ? twice * e : once * sign(e)) * inside);
      return (squared ? e * e : magnitude(e)) * inside;
    }));
  }
  return loss * double(seed.scale);
}

void seed_through_norm(const MlpPass& pass, const MlpSeed& seed, int64_t tile, int valid, const float* h,
                       float* d) {
  const int O = padded16(pass.outputs());
  const float* dy = seed.dy + tile * P * O;
  for (int p = 0; p < valid; ++p)
    for (int o = 0; o < O; o += kLanes)
      store(d + p * O + o, load(seed.a + o) * load(dy + p * O + o) +
                               load(seed.b + o) * (load(h + p * O + o) - load(seed.mean + o)) +
                               load(seed.c + o));
}

// d becomes dz; gb += its sum over the pixels.
void through_activation(const float* slope, int R, int O, float* d, float* gb) {
  for (int o = 0; o < O; o += kLanes) {
    const vf sum = sum_rows(R, [&](int p) {
      const vf dz = load(d + p * O + o) * load(slope + p * O + o);
      store(d + p * O + o, dz);
      return dz;
    });
    store(gb + o, load(gb + o) + sum);
  }
}

// din may be the place of h.
void store_inputs_share(const MlpPass& pass, int64_t tile, int valid, int R, const float* d, float* din,
                        double* sums) {
  const int n = padded16(pass.inputs());
  const float* h = pass.in + tile * P * n;
  float* out = din + tile * P * n;
  for (int i = 0; i < n; i += kLanes) {
    const vf mean = load(pass.in_mean + i);
    const vf sum = sum_rows(valid, [&](int p) { return load(d + p * n + i); });
    const vf product = sum_rows(valid, [&](int p) {
      const vf v = load(d + p * n + i), centred = load(h + p * n + i) - mean;
      store(out + p * n + i, v);
      return v * centred;
    });
    for (int p = valid; p < R; ++p) store(out + p * n + i, load(d + p * n + i));
    for (int l = 0; l < kLanes; ++l) sums[i + l] += double(sum[l]), sums[n + i + l] += double(product[l]);
  }
}

double backward(const MlpPass& pass, const MlpSeed& seed, int64_t tile, int64_t end, float* scratch,
                float* grad, float* din, double* sums) {
  Tile t = carve(pass, scratch);
  double loss = 0;
  for (; tile < end; ++tile) {
    const int valid = valid_pixels(pass, tile), R = visited_rows(valid), out = padded16(pass.outputs());
    const float* y = forward_tile<true>(pass, tile, R, t);
    float *d = t.d[0], *next = t.d[1];
    if (seed.target)
      loss += seed_loss(pass, seed, tile, valid, t.a[pass.last - 1], d);
    else
      seed_through_norm(pass, seed, tile, valid, t.a[pass.last - 1], d);
    memset(d + valid * out, 0, sizeof(float) * size_t(R - valid) * size_t(out));
    for (int l = pass.last - 1; l >= pass.first; --l) {
      const MlpLayer& layer = pass.shape->layer[l];
      const MlpPlace& at = pass.layout->place[l];
      const int I = padded16(layer.inputs), O = padded16(layer.outputs);
      float* gw = grad + at.gradient;
      through_activation(t.slope[l], R, O, d, gw + int64_t(O) * I);
      product({d, 1, O, l > pass.first ? t.a[l - 1] : y, nullptr, gw, O, I, R, true});
      if (l == pass.first && !din) break;
      product({d, O, 1, pass.packed + at.backward, nullptr, next, R, I, layer.outputs, false});
      float* swap = d;
      d = next;
      next = swap;
    }
    if (din) store_inputs_share(pass, tile, valid, R, d, din, sums);
  }
  return loss;
}

}  // namespace

#define CPPN_JOIN2(a, b) a##b
#define CPPN_JOIN(a, b) CPPN_JOIN2(a, b)
extern const MlpKernels CPPN_JOIN(mlp_, CPPN_ISA);
const MlpKernels CPPN_JOIN(mlp_, CPPN_ISA) = {scratch_floats, forward, backward};

}  // namespace cppn::cpu
