// A step of shapes over tiles: forward, the loss and its slope B = dloss/dout, and back to every shape.
//   fourier         da = sum_c B_c colour_c                        a = f^2
//   depth, stroke   da = sum_c (B_c / S) (colour_c - out_c)        a = weight f,  S = sum a + 1e-5; article
//   alike point           dD = -4 sum_c B_c out_c                        D = sum exp(-2 unit R)
// On the way back a shape is computed once more: cheaper than keeping (n, H, W) of anything.
#define CPPN_FAST 1
#include "shapes_tile.h"

namespace cppn::cpu {
namespace {

// B, from which `back` follows: planes (C) to be multiplied by the colours, then one to be added.
ShapesSums seed_loss(const ShapesTask& task, int64_t tile, ShapesTile& t) {
  const int channels = task.shape->channels;
  const int64_t from = tile * channels * kTilePixels;
  ShapesSums sums;
  for (int c = 0; c < channels; ++c) {
    vf loss{}, squares{};
    for (int p = 0; p < kTilePixels; p += kLanes) {
      const vf w = load(task.weight + from + c * kTilePixels + p);
      const vf e = load(t.out + c * kTilePixels + p) - load(task.target + from + c * kTilePixels + p);
      const vf inside = step(w);
      const vf we = w * e;
      loss += task.loss == ShapeLoss::root ? we * e : w * magnitude(e);
      squares += inside * e * e;
      store(t.back + c * kTilePixels + p, task.loss == ShapeLoss::root ? we : w * sign(e));
    }
    sums.loss += double(fold(loss));
    sums.squares += double(fold(squares));
  }
  return sums;
}

template <class Case>
void turn_back(const ShapesTile& t, int channels) {
  float* rest = t.back + channels * kTilePixels;
  for (int p = 0; p < kTilePixels; p += kLanes) {
    vf sum{};
    for (int c = 0; c < channels; ++c) {
      float* b = t.back + c * kTilePixels + p;
      if constexpr (Case::kind != ShapeKind::fourier && Case::kind != ShapeKind::point)
        store(b, load(b) * load(t.below + p));
      sum += load(b) * load(t.out + c * kTilePixels + p);
    }
    if constexpr (Case::kind == ShapeKind::point) sum *= splat(4.0f);
    store(rest + p, Case::kind == ShapeKind::fourier ? vf{} : -sum);
  }
}

// Sums of one shape over a tile, a vector for each.
struct ShapeLanes {
  vf sum[kDWaves + 2 * kMaxTerms];

  void clear(int count) { memset(sum, 0, sizeof(vf) * size_t(count)); }
  void add_to(double* sums, int count) const {
    for (int k = 0; k < count; ++k) sums[k] += double(fold(sum[k]));
  }
  CPPN_FN void geometry(const ShapeFrame<vf>& f, const ShapeSlope<vf>& d) {
    sum[kDX] += d.x;
    sum[kDY] += d.y;
    sum[kDXX] += d.x * f.xr;
    sum[kDYY] += d.y * f.yr;
    sum[kDXY] += d.x * f.yr;
    sum[kDYX] += d.y * f.xr;
  }
};

// Through an outline: dv = da by v, then to F, R and the radius.
template <class Case>
CPPN_FN void back_outline(const float* s, int terms, const ShapeFrame<vf>& frame, const ShapeAngle<vf>& angle,
                          vf da, vf* amount, ShapeLanes& lanes) {
  ShapeWaves<vf> waves;
  if (Case::terms) terms = Case::terms;
  shape_waves<Case::terms, true>(s + kWaves, terms, angle, waves);
  const ShapeSoft<vf> outline = shape_outline(s, Case::formula, waves.value, angle.r);
  vf dv;
  if constexpr (Case::kind == ShapeKind::fourier) {
    *amount = outline.f * outline.f;
    dv = da * (outline.f + outline.f) * outline.slope;
  } else {
    *amount = outline.f * splat(s[kWeight]);
    lanes.sum[kDWeight] += da * *amount;
    dv = da * splat(s[kWeight]) * outline.slope;
  }
  const bool notebook = Case::formula == ShapeFormula::notebook;
  const vf per = splat(s[kPerRadius]);
  const vf df = dv * (notebook ? splat(0.1f) : splat(s[kRadius]));
  lanes.sum[kDRadius] += dv * (notebook ? angle.r * per * per : waves.value);
#pragma GCC unroll 8
  for (int m = 0; m < terms; ++m) {
    lanes.sum[kDWaves + m] += df * waves.s[m];
    lanes.sum[kDWaves + terms + m] += df * waves.c[m];
  }
  const vf du = shape_turn(waves, angle, df);
  lanes.geometry(frame, shape_slope(frame, angle, -dv * (notebook ? per : splat(1.0f)), du));
}

CPPN_FN void back_stroke(const float* s, const ShapeFrame<vf>& frame, const ShapeAngle<vf>& angle, vf da,
                         vf* amount, ShapeLanes& lanes) {
  const ShapeStroke<vf> stroke = shape_stroke(s, frame, angle);
  *amount = stroke.amount;
  const vf d = da * stroke.amount;  // by the logarithm of the amount
  const vf dr = d * splat(2.0f * s[kWidth]) * stroke.off;
  lanes.sum[kDRadius] -= dr;
  lanes.sum[kDWeight] += d;
  lanes.sum[kDWidth] -= d * stroke.off * stroke.off;
  lanes.sum[kDLength] += d * stroke.log_b;
  lanes.geometry(frame, shape_slope(frame, angle, dr, d * splat(s[kLength]) * stroke.slope));
}

CPPN_FN ShapeSlope<vf> back_radial(const ShapeFrame<vf>& f, vf r, vf dr) {
  const vf along = dr * L::reciprocal(L::max(r, splat(1e-30f)));
  return {along * f.x, along * f.y};
}

// The derivatives of shape i over the tile.
template <class Case>
void back_shape(const ShapesTask& task, const ShapesTile& t, int i, double* sums) {
  const int channels = task.shape->channels, terms = task.shape->terms, count = shape_sums(*task.shape);
  const float* s = task.rows + i * task.stride;
  const float* rest = t.back + channels * kTilePixels;
  const vf outer = splat(s[kOuter] * s[kOuter]);
  ShapeLanes lanes;
  lanes.clear(count);
  for_vectors(task, t, i, [&](int at, vf x, vf y) {
    const ShapeFrame<vf> frame = shape_frame(s, x, y);
    if (!any(frame.rr <= outer)) return;
    vf da = load(rest + at);
    if constexpr (Case::kind == ShapeKind::point) {
      const vf r = L::root(frame.rr), per = splat(s[kWidth] * 0.69314718f);
      const ShapeSlope<vf> d = back_radial(frame, r, da * exp2_poly(r * splat(s[kWidth])) * per);
      lanes.sum[kDX] += d.x;
      lanes.sum[kDY] += d.y;
    } else {
      for (int c = 0; c < channels; ++c) da += load(t.back + c * kTilePixels + at) * splat(s[kColour + c]);
      vf amount;
      if constexpr (Case::kind == ShapeKind::article) {
        const vf r = L::root(frame.rr), rank = load(t.rank + at);
        const ShapeSoft<vf> disc = shape_disc(r);
        amount = rank * disc.f;
        store(t.rank + at, disc.f > splat(0.0f) ? rank * splat(kNextRank) : rank);
        lanes.geometry(frame, back_radial(frame, r, da * rank * disc.slope));
      } else {
        const ShapeAngle<vf> angle = shape_angle(frame);
        if constexpr (Case::kind == ShapeKind::stroke)
          back_stroke(s, frame, angle, da, &amount, lanes);
        else
          back_outline<Case>(s, terms, frame, angle, da, &amount, lanes);
      }
      for (int c = 0; c < channels; ++c)
        lanes.sum[kDColour + c] += load(t.back + c * kTilePixels + at) * amount;
    }
  });
  lanes.add_to(sums + int64_t(i) * count, count);
}

template <class Case>
ShapesSums gradient_tile(const ShapesTask& task, int64_t tile, float* scratch, double* sums) {
  ShapesTile t = carve(task, tile, scratch);
  draw_tile<Case>(task, t);
  const ShapesSums found = seed_loss(task, tile, t);
  turn_back<Case>(t, task.shape->channels);
  for (int p = 0; p < kTilePixels; p += kLanes) store(t.rank + p, splat(1.0f - kNextRank));
  for (int k = 0; k < t.count; ++k) back_shape<Case>(task, t, t.found[k], sums);
  return found;
}

ShapesSums gradient(const ShapesTask& task, int64_t tile, int64_t end, float* scratch, double* sums) {
  ShapesSums all;
  for (; tile < end; ++tile)
    with_case(*task.shape, [&](auto of) {
      const ShapesSums one = gradient_tile<decltype(of)>(task, tile, scratch, sums);
      all.loss += one.loss;
      all.squares += one.squares;
    });
  return all;
}

using Article = ShapeCase<ShapeKind::article, ShapeFormula::notebook>;

void means(const ShapesTask& task, int64_t tile, int64_t end, float* scratch, double* means) {
  const int channels = task.shape->channels;
  for (; tile < end; ++tile) {
    ShapesTile t = carve(task, tile, scratch);
    find_shapes(task, t);
    const int64_t from = tile * channels * kTilePixels;
    for (int k = 0; k < t.count; ++k) {
      vf sum[1 + kMaxShapeChannels] = {};
      draw_shape<Article>(task, t, t.found[k], [&](int at, vf f) {
        f *= step(load(task.weight + from + at));
        sum[0] += f;
        for (int c = 0; c < channels; ++c) sum[1 + c] += f * load(task.target + from + c * kTilePixels + at);
      });
      for (int c = 0; c <= channels; ++c) means[t.found[k] * (1 + channels) + c] += double(fold(sum[c]));
    }
  }
}

void through_means(const ShapesTask& task, int64_t tile, int64_t end, float* scratch, const float* pull,
                   double* sums) {
  const int channels = task.shape->channels, count = shape_sums(*task.shape);
  ShapeLanes lanes;
  for (; tile < end; ++tile) {
    ShapesTile t = carve(task, tile, scratch);
    find_shapes(task, t);
    const int64_t from = tile * channels * kTilePixels;
    for (int k = 0; k < t.count; ++k) {
      const int i = t.found[k];
      const float *s = task.rows + i * task.stride, *p = pull + i * (1 + channels);
      lanes.clear(count);
      for_vectors(task, t, i, [&](int at, vf x, vf y) {
        const ShapeFrame<vf> frame = shape_frame(s, x, y);
        vf df = splat(p[0]);
        for (int c = 0; c < channels; ++c)
          df += splat(p[1 + c]) * load(task.target + from + c * kTilePixels + at);
        df *= step(load(task.weight + from + at));
        const vf r = L::root(frame.rr);
        lanes.geometry(frame, back_radial(frame, r, df * shape_disc(r).slope));
      });
      lanes.add_to(sums + int64_t(i) * count, count);
    }
  }
}

}  // namespace

#define CPPN_JOIN2(a, b) a##b
#define CPPN_JOIN(a, b) CPPN_JOIN2(a, b)
extern const ShapesTrainKernels CPPN_JOIN(shapes_, CPPN_ISA);
const ShapesTrainKernels CPPN_JOIN(shapes_, CPPN_ISA) = {shapes_scratch, gradient, means, through_means};

}  // namespace cppn::cpu
