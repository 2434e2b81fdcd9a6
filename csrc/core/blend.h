// What an entity does to the squared error, and the colour that does best, in closed form.
//   p pixels, b what lies below the entity, T the part of it that what lies above lets through
//   e = target - shown without the entity; m its opacity times the covered part
//   shown with the colour v minus target = m T (v - b) - e, so over all pixels the error changes by
//     v^2 A - 2 v B + D     A = sum m^2 T^2    B = sum m^2 T^2 b + m T e    D = sum m^2 T^2 b^2 + 2 m T e b
// and least at v = B / A. With running sums of T^2, T^2 b, T e, T^2 b^2, T e b along each row, a run of
// pixels of the same m costs as much as one pixel.
#pragma once
#include "entity.h"

namespace cppn {

// Running sums of a pixel: e^2 of all channels, T^2, then four for every channel.
constexpr int moments_of(int channels) { return 2 + 4 * channels; }

template <int C>
struct Blend {
  double a = 0, b[C] = {}, d[C] = {};

  // A run of coverage m, between two running sums.
  void add(const double* from, const double* to, double m) {
    const double m2 = m * m;
    a += m2 * (to[1] - from[1]);
    for (int c = 0; c < C; ++c) {
      const int k = 2 + 4 * c;
      b[c] += m2 * (to[k] - from[k]) + m * (to[k + 1] - from[k + 1]);
      d[c] += m2 * (to[k + 2] - from[k + 2]) + 2 * m * (to[k + 3] - from[k + 3]);
    }
  }

  // The best colours on the grid; returns the change of the error with them.
  double solve(const EntityGrid& grid, int32_t* colour) const {
    double change = 0;
    for (int c = 0; c < C; ++c) {
      colour[c] = a > 0 ? grid.level(b[c] / a) : 0;
      const double v = grid.shade(colour[c]);
      change += v * (v * a - 2 * b[c]) + d[c];
    }
    return a > 0 ? change : 0;
  }
};

template <int C>
inline void add_moments(const double* before, double* after, double t, const float* below, const double* e) {
  after[0] = before[0];
  after[1] = before[1] + t * t;
  for (int c = 0; c < C; ++c) {
    const int k = 2 + 4 * c;
    const double b = double(below[c]), ttb = t * t * b, te = t * e[c];
    after[0] += e[c] * e[c];
    after[k] = before[k] + ttb;
    after[k + 1] = before[k + 1] + te;
    after[k + 2] = before[k + 2] + ttb * b;
    after[k + 3] = before[k + 3] + te * b;
  }
}

}  // namespace cppn
