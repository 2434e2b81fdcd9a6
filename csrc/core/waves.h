// A picture as a sum of cosines over its whole width and height:
//   shown(x, y, k) = mean_k + sum_c axes_kc sum_vu level_cvu step w_v w_u cos(pi v y) cos(pi u x),  w_0 = 1,
//   w_n = sqrt 2
// x, y in 0 ... 1; the axes c are RGB turned by three angles. Compiled without contraction: same bits
// everywhere.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "math.h"

namespace cppn {

inline constexpr int kAngles = 256;  // levels of an angle: a whole turn

struct Waves {
  int width = 1, height = 1, channels = 3;
  float step = 1;
  int32_t filter = 0;             // the grid of the filter: FilterGrid
  int32_t strength = 0;           // of the filter, in 1/64
  int32_t mean[3] = {0, 0, 0};    // bytes
  int32_t angles[3] = {0, 0, 0};  // in 1/256 turns
};

// The grid of points on which the filter (cpu/waves_filter.h) mends a picture: filter / 256 of its sides. It
// takes the waves that the grid can show, v < rows and u < columns; none for 0.
struct FilterGrid {
  int64_t rows = 0, columns = 0;
  int64_t points() const { return rows * columns; }
};

inline FilterGrid filter_grid(const Waves& w) {
  if (w.filter == 0) return {};
  const auto points = [&](int side) { return std::max<int64_t>(1, (int64_t(side) * w.filter + 128) / 256); };
  return {points(w.height), points(w.width)};
}

// One cosine: how many half turns over the height and over the width.
struct Wave {
  int32_t v, u;
};

// The square of a wave's frequency, in units that are whole for every picture: what waves are ordered by.
inline uint64_t frequency(const Waves& w, int64_t v, int64_t u) {
  return uint64_t(v * v) * uint64_t(w.width) * uint64_t(w.width) +
         uint64_t(u * u) * uint64_t(w.height) * uint64_t(w.height);
}

// The first `count` waves but the constant one, by frequency, then by v; at most width * height - 1 there
// are.
inline std::vector<Wave> waves_by_frequency(const Waves& w, int64_t count) {
  const double area = double(w.width) * double(w.height);
  std::vector<Wave> found;
  // A quarter of an ellipse holds as many; what the sides cut off has to be found further out.
  for (double limit = 1.3 * double(count + 8) * area; int64_t(found.size()) < count; limit *= 1.5) {
    found.clear();
    for (int64_t v = 0; v < w.height && double(frequency(w, v, 0)) <= limit; ++v)
      for (int64_t u = v == 0; u < w.width && double(frequency(w, v, u)) <= limit; ++u)
        found.push_back({int32_t(v), int32_t(u)});
  }
  std::stable_sort(found.begin(), found.end(), [&](const Wave& a, const Wave& b) {
    return frequency(w, a.v, a.u) < frequency(w, b.v, b.u);
  });
  found.resize(size_t(count));
  return found;
}

struct Turn {
  float cosine, sine;
};

// of 2 pi turns
inline Turn turn(float turns) {
  const HalfAngle<float> half = half_angle_of_turns(turns);
  return {half.c * half.c - half.s * half.s, 2.0f * half.s * half.c};
}

// axes[k][c]: RGB axes turned about the third, the second and the first; a grey picture has the one.
inline void wave_axes(const Waves& w, float axes[3][3]) {
  Turn t[3];
  for (int k = 0; k < 3; ++k) t[k] = turn(float(w.angles[k]) / float(kAngles));
  const auto [ca, sa] = t[0];
  const auto [cb, sb] = t[1];
  const auto [cc, sc] = t[2];
  const float turned[3][3] = {{ca * cb, ca * sb * sc - sa * cc, ca * sb * cc + sa * sc},
                              {sa * cb, sa * sb * sc + ca * cc, sa * sb * cc - ca * sc},
                              {-sb, cb * sc, cb * cc}};
  for (int k = 0; k < 3; ++k)
    for (int c = 0; c < 3; ++c) axes[k][c] = w.channels == 1 ? float(k == c) : turned[k][c];
}

}  // namespace cppn
