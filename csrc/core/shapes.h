// Shapes that add up to a picture: their kinds, their raw parameters, and what these mean.
//   n shapes, T Fourier terms, C channels; a parameter is an array (n), (T, n) or (n, C), packed one after
//   the other in the order of the kind's table:  value = scale g(raw) + offset,  g the identity, sigmoid or
//   tanh
// After the notebooks beside "Image Approximation using Differentiable Shapes" (A. Schrein, 2022), whose maps
// these are. Formulas of a pixel are in shape_formulas.h.
#pragma once
#include <cstdint>

#include "lanes.h"

namespace cppn {

enum class ShapeKind : int32_t { fourier, depth, stroke, point, article };
enum class ShapeFormula : int32_t { notebook, prose };
enum class ShapeMap : int32_t { identity, sigmoid, tanh };
enum class ShapeLoss : int32_t { root, l1 };  // sqrt(mean w e^2), or mean w |e|
enum class ShapeField : int32_t {
  posx,
  posy,
  radius,
  w_sin,
  w_cos,
  scale_x,
  scale_y,
  rotate,
  order,
  width,
  length,
  alpha,
  colour
};  // clang-format would have a line for each

inline constexpr int kMaxShapes = 65536;
inline constexpr int kMaxTerms = 16;
inline constexpr int kMaxShapeChannels = 4;
inline constexpr float kHalfTurn = 3.141592f;  // the notebooks' pi

struct ShapeParameter {
  ShapeField field;
  const char* name;
  ShapeMap map;
  float scale, offset;
};

struct ShapeParameters {
  const ShapeParameter* rows;
  int count;
};

namespace shape_table {

using F = ShapeField;
using M = ShapeMap;

inline constexpr ShapeParameter fourier[] = {
    {F::posx, "posx", M::sigmoid, 3, -1},      {F::posy, "posy", M::sigmoid, 3, -1},
    {F::radius, "radius", M::sigmoid, 1, 0},   {F::w_sin, "w_sin", M::identity, 1, 0},
    {F::w_cos, "w_cos", M::identity, 1, 0},    {F::scale_x, "scale_x", M::sigmoid, 4, 0},
    {F::scale_y, "scale_y", M::sigmoid, 4, 0}, {F::rotate, "rotate", M::identity, kHalfTurn, 0},
    {F::colour, "colour", M::tanh, 1, 0},
};
inline constexpr ShapeParameter depth[] = {
    {F::posx, "posx", M::tanh, 1, 0},          {F::posy, "posy", M::tanh, 1, 0},
    {F::radius, "radius", M::sigmoid, 8, 0},   {F::w_sin, "w_sin", M::sigmoid, 2, 0},
    {F::w_cos, "w_cos", M::sigmoid, 2, 0},     {F::scale_x, "scale_x", M::sigmoid, 8, 0},
    {F::scale_y, "scale_y", M::sigmoid, 8, 0}, {F::rotate, "rotate", M::sigmoid, 8 * kHalfTurn, 0},
    {F::order, "order", M::sigmoid, 8, 0},     {F::colour, "colour", M::sigmoid, 1, 0},
};
inline constexpr ShapeParameter stroke[] = {
    {F::posx, "posx", M::identity, 1, 0},       {F::posy, "posy", M::identity, 1, 0},
    {F::radius, "radius", M::identity, 1, 0},   {F::scale_x, "scale_x", M::sigmoid, 16, 0},
    {F::scale_y, "scale_y", M::sigmoid, 16, 0}, {F::rotate, "rotate", M::sigmoid, 8 * kHalfTurn, 0},
    {F::width, "width", M::sigmoid, 4096, 0},   {F::length, "length", M::sigmoid, 128, 0},
    {F::alpha, "alpha", M::sigmoid, 16, 0},     {F::colour, "colour", M::identity, 1, 0},
};
inline constexpr ShapeParameter point[] = {
    {F::posx, "posx", M::identity, 1, 0},
    {F::posy, "posy", M::identity, 1, 0},
};
// The colour is no free parameter here: a step sets it to the mean of the target under the shape.
inline constexpr ShapeParameter article[] = {
    {F::posx, "posx", M::sigmoid, 3, -1},
    {F::posy, "posy", M::sigmoid, 3, -1},
    {F::scale_x, "scale_x", M::sigmoid, 4, 0},
    {F::scale_y, "scale_y", M::sigmoid, 4, 0},
    {F::rotate, "rotate", M::identity, kHalfTurn, 0},
    {F::colour, "colour", M::identity, 1, 0},
};

}  // namespace shape_table

inline ShapeParameters shape_parameters(ShapeKind kind) {
  const auto all = [](const auto& rows) { return ShapeParameters{rows, int(sizeof rows / sizeof rows[0])}; };
  switch (kind) {
    case ShapeKind::fourier:
      return all(shape_table::fourier);
    case ShapeKind::depth:
      return all(shape_table::depth);
    case ShapeKind::stroke:
      return all(shape_table::stroke);
    case ShapeKind::point:
      return all(shape_table::point);
    default:
      return all(shape_table::article);
  }
}

struct ShapesShape {
  ShapeKind kind;
  ShapeFormula formula;
  int n, terms, channels;  // terms 0 where a kind has none
  float unit;              // pixels of the fitted picture in 1 of its coordinates: how large a point is

  // Of one parameter of the table: how many floats, and where shape i's k-th of them lies.
  int each(ShapeField f) const {
    return f == ShapeField::w_sin || f == ShapeField::w_cos ? terms : f == ShapeField::colour ? channels : 1;
  }
  int64_t at(ShapeField f, int i, int k) const {
    return f == ShapeField::colour ? int64_t(i) * channels + k : int64_t(k) * n + i;
  }
  int64_t params() const {
    int64_t sum = 0;
    const ShapeParameters table = shape_parameters(kind);
    for (int p = 0; p < table.count; ++p) sum += int64_t(each(table.rows[p].field)) * n;
    return sum;
  }
};

}  // namespace cppn
