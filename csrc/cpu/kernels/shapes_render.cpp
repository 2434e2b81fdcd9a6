// Shapes to pixels, compiled without contraction: a pixel is one fixed sequence of IEEE operations, from the
// raw parameters on, so a picture has the same bits on every instruction set.
#include "shapes_tile.h"

namespace cppn::cpu {
namespace {

float mapped(const ShapeParameter& row, float raw) {
  if (row.map == ShapeMap::sigmoid) raw = activation::sigmoid::eval(raw).value;
  if (row.map == ShapeMap::tanh) raw = activation::tanh::eval(raw).value;
  return row.scale * raw + row.offset;
}

// The slots of one shape that are values of its parameters.
void place(const ShapesShape& s, const float* params, int i, float* row) {
  const ShapeParameters table = shape_parameters(s.kind);
  row[kCos] = row[kSx] = row[kSy] = 1.0f;
  for (int p = 0; p < table.count; ++p) {
    const ShapeParameter& parameter = table.rows[p];
    const auto value = [&](int k) { return mapped(parameter, params[s.at(parameter.field, i, k)]); };
    switch (parameter.field) {
      case ShapeField::posx:
        row[kPx] = value(0);
        break;
      case ShapeField::posy:
        row[kPy] = value(0);
        break;
      case ShapeField::radius:
        row[kRadius] = value(0);
        break;
      case ShapeField::scale_x:
        row[kSx] = value(0);
        break;
      case ShapeField::scale_y:
        row[kSy] = value(0);
        break;
      case ShapeField::rotate: {
        const HalfAngle<float> h = half_angle(value(0));
        row[kCos] = 1.0f - 2.0f * h.s * h.s;
        row[kSin] = 2.0f * h.s * h.c;
        break;
      }
      case ShapeField::order:
        row[kWeight] = exp_poly(-value(0));
        break;
      case ShapeField::width:
        row[kWidth] = value(0);
        break;
      case ShapeField::length:
        row[kLength] = value(0);
        break;
      case ShapeField::alpha:
        row[kWeight] = value(0) * -1.44269504f;
        break;
      case ShapeField::w_sin:
        for (int m = 0; m < s.terms; ++m) row[kWaves + m] = value(m);
        break;
      case ShapeField::w_cos:
        for (int m = 0; m < s.terms; ++m) row[kWaves + s.terms + m] = value(m);
        break;
      case ShapeField::colour:
        for (int c = 0; c < s.channels; ++c) row[kColour + c] = value(c);
        break;
    }
    params += int64_t(s.each(parameter.field)) * s.n;
  }
}

constexpr float kLeastRadius = 1e-12f;  // so that its square divides without overflow

// Where R must lie for the shape to be there. An outline ends where F is largest; strokes and points are left
// out where an amount is below 2^-64 or 2^-40: a sum of 65536 of them is 1e-8 of the 1e-5 that stands below
// the stroke's fraction, and 6e-8 in the exponent of the point's picture, which is a rounding.
void bound(const ShapesShape& s, float* row) {
  row[kInner] = 0.0f;
  if (s.kind == ShapeKind::point) {
    row[kWidth] = -2.0f * s.unit * 1.44269504f;
    row[kOuter] = 40.0f / -row[kWidth];
  } else if (s.kind == ShapeKind::article) {
    row[kOuter] = kDisc;
  } else if (s.kind == ShapeKind::stroke) {
    const float reach = sqrtf(64.0f / 1.44269504f / (row[kWidth] > 1e-30f ? row[kWidth] : 1e-30f));
    row[kInner] = row[kRadius] - reach;
    row[kOuter] = row[kRadius] + reach;
  } else {
    row[kRadius] = row[kRadius] > kLeastRadius ? row[kRadius] : kLeastRadius;
    row[kPerRadius] = 1.0f / row[kRadius];
    float most = 0;
    for (int m = 0; m < s.terms; ++m) {
      const float a = row[kWaves + m], b = row[kWaves + s.terms + m];
      most += sqrtf(a * a + b * b);
    }
    const bool notebook = s.formula == ShapeFormula::notebook;
    row[kOuter] = row[kRadius] * (notebook ? 1.0f + 0.1f * most : most) * 1.0001f + 1e-6f;
  }
  row[kStretch] = row[kSx] > row[kSy] ? row[kSx] : row[kSy];
}

// The box around the ellipse R <= outer, a little larger; nothing where there is none.
void enclose(const float* row, float* boxes, int64_t padded, int64_t i) {
  const float a = row[kCos] / row[kSx], b = row[kSin] / row[kSy];
  const float c = row[kSin] / row[kSx], d = row[kCos] / row[kSy];
  const bool empty = row[kOuter] < 0.0f;
  const float wide = 1.0001f * row[kOuter] * sqrtf(a * a + b * b) + 1e-5f;
  const float high = 1.0001f * row[kOuter] * sqrtf(c * c + d * d) + 1e-5f;
  boxes[i] = empty ? 1e30f : row[kPx] - wide;
  boxes[padded + i] = empty ? -1e30f : row[kPx] + wide;
  boxes[2 * padded + i] = empty ? 1e30f : row[kPy] - high;
  boxes[3 * padded + i] = empty ? -1e30f : row[kPy] + high;
}

void nearness(const ShapesShape& s, const float* params, float* keys) {
  float row[kWaves + 2 * kMaxTerms] = {};
  for (int i = 0; i < s.n; ++i) {
    place(s, params, i, row);
    keys[i] = row[kSx] * row[kSy];
  }
}

void prepare(const ShapesShape& s, const float* params, const int32_t* shapes, float* rows, int64_t stride,
             float* boxes, int64_t padded) {
  for (int64_t i = 0; i < s.n; ++i) {
    float* row = rows + i * stride;
    memset(row, 0, sizeof(float) * size_t(stride));
    place(s, params, shapes[i], row);
    bound(s, row);
    enclose(row, boxes, padded, i);
  }
  for (int64_t i = s.n; i < padded; ++i) {
    boxes[i] = boxes[2 * padded + i] = 1e30f;
    boxes[padded + i] = boxes[3 * padded + i] = -1e30f;
  }
}

void render(const ShapesTask& task, int64_t tile, int64_t end, float* scratch, float* out) {
  const int channels = task.shape->channels;
  for (; tile < end; ++tile) {
    ShapesTile t = carve(task, tile, scratch);
    with_case(*task.shape, [&](auto of) { draw_tile<decltype(of)>(task, t); });
    const int64_t right = task.width - t.first_x, columns = right < kTileWidth ? right : kTileWidth;
    for (int r = 0; r < t.rows; ++r) {
      float* to = out + ((t.first_y + r) * task.width + t.first_x) * channels;
      for (int64_t p = 0; p < columns; ++p)
        for (int c = 0; c < channels; ++c) *to++ = t.out[c * kTilePixels + r * kTileWidth + p];
    }
  }
}

}  // namespace

#define CPPN_JOIN2(a, b) a##b
#define CPPN_JOIN(a, b) CPPN_JOIN2(a, b)
extern const ShapesRenderKernels CPPN_JOIN(shapes_render_, CPPN_ISA);
const ShapesRenderKernels CPPN_JOIN(shapes_render_, CPPN_ISA) = {shapes_scratch, nearness, prepare, render};

}  // namespace cppn::cpu
