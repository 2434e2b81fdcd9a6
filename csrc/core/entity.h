// Entities of a painting: an outline, an opacity and a colour, in whole numbers.
//   V points at most, C channels; a row of 2 + 2 V + C integers:
//     corners (0: an ellipse, of 3 points), alpha, x and y of every point (unused ones 0), colour
//   an ellipse's second point is right of the first at its height, its third not above it
//   a point is k / points of the picture's width or height, an opacity (k + 1) / alphas, a colour (k + 1/2) /
//   colours
#pragma once
#include "outline.h"

namespace cppn {

struct EntityGrid {
  int vertices = 3, channels = 3;
  int32_t points = 4096, colours = 256, alphas = 256;

  int row() const { return 2 + 2 * vertices + channels; }
  int colour() const { return 2 + 2 * vertices; }  // where it begins
  // Points may lie outside, by half a picture.
  int32_t least() const { return -(points / 2); }
  int32_t most() const { return points + points / 2; }

  double alpha(const int32_t* entity) const { return double(entity[1] + 1) / alphas; }
  double shade(int32_t level) const { return (level + 0.5) / colours; }
  int32_t level(double shade) const {
    return int32_t(std::min(std::max(std::floor(shade * colours), 0.0), double(colours - 1)));
  }
};

// How many points an entity of so many corners has.
inline int point_count(int32_t corners) { return corners == 0 ? 3 : int(corners); }

// The part of the picture that is looked at, and its pixels.
struct View {
  double left = 0, top = 0, right = 1, bottom = 1;
  int64_t width = 1, height = 1;
};

inline Outline outline_of(const EntityGrid& grid, const int32_t* entity, const View& view) {
  const double across = double(view.width) / (view.right - view.left);
  const double down = double(view.height) / (view.bottom - view.top);
  Outline o;
  o.corners = entity[0];
  for (int k = 0; k < point_count(entity[0]); ++k) {
    o.x[k] = (double(entity[2 + 2 * k]) / grid.points - view.left) * across;
    o.y[k] = (double(entity[3 + 2 * k]) / grid.points - view.top) * down;
  }
  o.finish();
  return o;
}

// Rows [first, last) that an outline touches, of those of [from, to).
struct Rows {
  int64_t first, last;
};
inline Rows rows_of(const Outline& o, int64_t from, int64_t to) {
  const double first = std::max(double(from), std::floor(o.top)),
               last = std::min(double(to), std::ceil(o.bottom));
  return first < last ? Rows{int64_t(first), int64_t(last)} : Rows{from, from};
}

}  // namespace cppn
