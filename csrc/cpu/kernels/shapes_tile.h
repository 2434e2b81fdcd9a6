// A tile of a picture of shapes, forward: for training, with fused multiply-adds, and for rendering, without.
//   fourier          out_c = sum_i colour_ic f_i^2
//   depth, stroke    out_c = sum_i colour_ic a_i / (sum_i a_i + 1e-5),  a = weight f
//   article          the same with + 1e-4 and a = (1 - t) t^rank f, rank the number of shapes in front of it
//   here point            out_c = exp(-4 sum_i exp(-2 unit R))
#pragma once
#include "../vec.h"
#include "shapes_kernels.h"

namespace cppn::cpu {
namespace {

using L = Lanes<vf>;

constexpr int kAcross = kTileWidth / kLanes;

// Of one tile, in scratch: planes of kTilePixels, and the shapes that meet it.
struct ShapesTile {
  int64_t first_x, first_y;
  int rows, vectors;  // that hold pixels
  float* out;         // (C): sums of colour a, then the picture
  float* below;       // 1 / (sum of a + eps); of point the sum itself
  float* rank;        // of article: (1 - t) t^rank of the shape at hand
  float* back;        // (C + 1): what a's derivative is made of
  int32_t* found;     // (n)
  int count;
};

int64_t shapes_scratch(const ShapesShape& s) {
  return int64_t(2 * kMaxShapeChannels + 4) * kTilePixels + (s.n + kTilePad) / kTilePad * kTilePad;
}

ShapesTile carve(const ShapesTask& task, int64_t tile, float* scratch) {
  ShapesTile t;
  t.first_x = tile % task.across() * kTileWidth;
  t.first_y = tile / task.across() * kTileHeight;
  const int64_t down = task.height - t.first_y, right = task.width - t.first_x;
  t.rows = int(down < kTileHeight ? down : kTileHeight);
  t.vectors = int(((right < kTileWidth ? right : kTileWidth) + kLanes - 1) / kLanes);
  t.out = scratch;
  t.below = t.out + kMaxShapeChannels * kTilePixels;
  t.rank = t.below + kTilePixels;
  t.back = t.rank + kTilePixels;
  t.found = reinterpret_cast<int32_t*>(t.back + (kMaxShapeChannels + 1) * kTilePixels);
  t.count = 0;
  return t;
}

// Whether R can be in [inner, outer] within `reach` of the tile's middle: it changes by no more than
// `stretch` times the way.
bool meets(const float* s, float x, float y, float reach) {
  const ShapeFrame<float> f = shape_frame(s, x, y);
  const float r = sqrtf(f.rr), slack = s[kStretch] * reach * 1.0001f + 1e-4f;
  return r - slack <= s[kOuter] && r + slack >= s[kInner];
}

void find_shapes(const ShapesTask& task, ShapesTile& t) {
  const float left = task.x[t.first_x], right = task.x[t.first_x + t.vectors * kLanes - 1];
  const float top = task.y[t.first_y], bottom = task.y[t.first_y + t.rows - 1];
  const float x = 0.5f * (left + right), y = 0.5f * (top + bottom);
  const float reach = sqrtf((right - x) * (right - x) + (bottom - y) * (bottom - y));
  const float* box = task.boxes;
  for (int64_t i = 0; i < task.padded; i += kLanes) {
    const vi meet = (load(box + i) <= splat(right)) & (load(box + task.padded + i) >= splat(left)) &
                    (load(box + 2 * task.padded + i) <= splat(bottom)) &
                    (load(box + 3 * task.padded + i) >= splat(top));
    if (!any(meet)) continue;
    for (int l = 0; l < kLanes; ++l)
      if (meet[l] && meets(task.rows + (i + l) * task.stride, x, y, reach))
        t.found[t.count++] = int32_t(i + l);
  }
}

// f(offset, x, y) for every vector of the tile that the box of shape i meets.
template <class F>
CPPN_FN void for_vectors(const ShapesTask& task, const ShapesTile& t, int i, F&& f) {
  const float* box = task.boxes + i;
  const float left = box[0], right = box[task.padded], top = box[2 * task.padded],
              bottom = box[3 * task.padded];
  const float* x = task.x + t.first_x;
  int first = 0, end = t.vectors;
  while (first < end && x[first * kLanes + kLanes - 1] < left) ++first;
  while (end > first && x[(end - 1) * kLanes] > right) --end;
  for (int r = 0; r < t.rows; ++r) {
    const float y = task.y[t.first_y + r];
    if (y < top || y > bottom) continue;
    for (int v = first; v < end; ++v)
      f(r * kTileWidth + v * kLanes, load_unaligned(x + v * kLanes), splat(y));
  }
}

CPPN_FN void add(float* p, vf v) { store(p, load(p) + v); }

// Calls f(kind, formula, terms) with all of them as constants; 0 terms: any other number of them.
template <ShapeKind K, ShapeFormula Q, int T = 0>
struct ShapeCase {
  static constexpr ShapeKind kind = K;
  static constexpr ShapeFormula formula = Q;
  static constexpr int terms = T;
};

template <ShapeKind K, class F>
void with_outline(const ShapesShape& s, F&& f) {
  using Q = ShapeFormula;
  if (s.formula == Q::prose) return f(ShapeCase<K, Q::prose>());
  return s.terms == 8 ? f(ShapeCase<K, Q::notebook, 8>()) : f(ShapeCase<K, Q::notebook>());
}

template <class F>
void with_case(const ShapesShape& s, F&& f) {
  using K = ShapeKind;
  using Q = ShapeFormula;
  switch (s.kind) {
    case K::fourier:
      return with_outline<K::fourier>(s, f);
    case K::depth:
      return with_outline<K::depth>(s, f);
    case K::stroke:
      return f(ShapeCase<K::stroke, Q::notebook>());
    case K::point:
      return f(ShapeCase<K::point, Q::notebook>());
    case K::article:
      return f(ShapeCase<K::article, Q::notebook>());
  }
}

// What shape i adds to its pixels, `weigh(offset, f)` called with f where there may be some.
template <class Case, class Weigh>
CPPN_FN void draw_shape(const ShapesTask& task, const ShapesTile& t, int i, Weigh&& weigh) {
  const float* s = task.rows + i * task.stride;
  const int terms = task.shape->terms;
  const vf outer = splat(s[kOuter] * s[kOuter]);
  for_vectors(task, t, i, [&](int at, vf x, vf y) {
    const ShapeFrame<vf> frame = shape_frame(s, x, y);
    if (!any(frame.rr <= outer)) return;
    if constexpr (Case::kind == ShapeKind::point) {
      weigh(at, exp2_poly(L::root(frame.rr) * splat(s[kWidth])));
    } else if constexpr (Case::kind == ShapeKind::article) {
      weigh(at, shape_disc(L::root(frame.rr)).f);
    } else {
      const ShapeAngle<vf> angle = shape_angle(frame);
      if constexpr (Case::kind == ShapeKind::stroke) {
        weigh(at, shape_stroke(s, frame, angle).amount);
      } else {
        ShapeWaves<vf> waves;
        shape_waves<Case::terms, false>(s + kWaves, terms, angle, waves);
        const vf f = shape_outline(s, Case::formula, waves.value, angle.r).f;
        weigh(at, Case::kind == ShapeKind::fourier ? f * f : f * splat(s[kWeight]));
      }
    }
  });
}

CPPN_FN float mean_eps(ShapeKind kind) { return kind == ShapeKind::article ? kRankEps : kMeanEps; }

void clear_planes(const ShapesTile& t, int channels) {
  memset(t.out, 0, sizeof(float) * size_t(channels * kTilePixels));
  memset(t.below, 0, sizeof(float) * kTilePixels);
  for (int p = 0; p < kTilePixels; p += kLanes) store(t.rank + p, splat(1.0f - kNextRank));
}

// Sums into pictures; the pixels of `below` into what the way back needs.
template <class Case>
void finish_planes(const ShapesTile& t, int channels) {
  for (int p = 0; p < kTilePixels; p += kLanes) {
    if constexpr (Case::kind == ShapeKind::point) {
      const vf out = exp_poly(load(t.below + p) * splat(-4.0f));
      for (int c = 0; c < channels; ++c) store(t.out + c * kTilePixels + p, out);
    } else if constexpr (Case::kind != ShapeKind::fourier) {
      const vf per = splat(1.0f) / (load(t.below + p) + splat(mean_eps(Case::kind)));
      store(t.below + p, per);
      for (int c = 0; c < channels; ++c) {
        float* out = t.out + c * kTilePixels + p;
        store(out, load(out) * per);
      }
    }
  }
}

template <class Case>
void draw_tile(const ShapesTask& task, ShapesTile& t) {
  const int channels = task.shape->channels;
  find_shapes(task, t);
  clear_planes(t, channels);
  for (int k = 0; k < t.count; ++k) {
    const int i = t.found[k];
    const float* colour = task.rows + i * task.stride + kColour;
    draw_shape<Case>(task, t, i, [&](int at, vf f) {
      if constexpr (Case::kind == ShapeKind::article) {
        const vf rank = load(t.rank + at);
        store(t.rank + at, f > splat(0.0f) ? rank * splat(kNextRank) : rank);
        f *= rank;
      }
      if constexpr (Case::kind != ShapeKind::fourier) add(t.below + at, f);
      if constexpr (Case::kind != ShapeKind::point)
        for (int c = 0; c < channels; ++c) add(t.out + c * kTilePixels + at, splat(colour[c]) * f);
    });
  }
  finish_planes<Case>(t, channels);
}

}  // namespace
}  // namespace cppn::cpu
