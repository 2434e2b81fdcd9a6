// Ellipses and polygons by their points, and how much of a pixel they cover.
//   polygon of 3 and more corners: inside by the even-odd rule, as SVG's fill-rule says it
//   ellipse, corners = 0: its centre c, the end p of its half-diameter to the right, at the height of c, and
//   the end q
//     of the half-diameter conjugate to that, downward; the points c + cos t (p - c) + sin t (q - c). Every
//     ellipse has one such form, and an affine map that keeps level lines level is the map of its points
// A pixel's share is taken on kSubrows lines through it, exactly along each: a number between 0 and 1 that is
// the covered area but for how an edge runs between two lines. Nothing but IEEE +, -, x, / and square roots
// in double: the same bits on every machine, compiled without contraction.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>

namespace cppn {

inline constexpr int kMaxCorners = 8;
// 4 leave steps along flat edges that 8 do not, for a fifth of the time.
inline constexpr int kSubrows = 8;

struct Outline {  // in pixels
  int corners = 0;
  double x[kMaxCorners], y[kMaxCorners];
  double top, bottom;
  // of an ellipse: half its width and its height, and how far its middle moves in a line's height
  double half, reach, slant;

  void finish() {
    if (corners == 0) {
      half = std::fabs(x[1] - x[0]);
      reach = std::fabs(y[2] - y[0]);
      slant = reach > 0 ? (x[2] - x[0]) / (y[2] - y[0]) : 0;
      top = y[0] - reach;
      bottom = y[0] + reach;
    } else {
      top = *std::min_element(y, y + corners);
      bottom = *std::max_element(y, y + corners);
    }
  }
};

// Where the line at height y goes in and out, ascending; an even number.
inline int crossings(const Outline& o, double y, double* at) {
  if (o.corners == 0) {
    const double dy = y - o.y[0], part = dy / o.reach, rest = 1 - part * part;
    if (!(rest > 0)) return 0;  // nor of a flat one
    const double middle = o.x[0] + o.slant * dy, reach = o.half * std::sqrt(rest);
    at[0] = middle - reach;
    at[1] = middle + reach;
    return 2;
  }
  int count = 0;
  for (int k = 0, j = o.corners - 1; k < o.corners; j = k++) {
    if ((o.y[j] <= y) == (o.y[k] <= y)) continue;
    const double x = o.x[j] + (y - o.y[j]) * ((o.x[k] - o.x[j]) / (o.y[k] - o.y[j]));
    int i = count++;
    for (; i > 0 && at[i - 1] > x; --i) at[i] = at[i - 1];
    at[i] = x;
  }
  return count;
}

// Of a row: pixels [begin, end) are touched, [run_begin, run_end) of them covered whole. Of the others,
// `share` has the covered part times kSubrows.
struct RowCover {
  int64_t begin = 0, run_begin = 0, run_end = 0, end = 0;
};

inline void add_span(float* share, double from, double to) {
  if (!(from < to)) return;
  const int64_t first = int64_t(from), last = int64_t(to);
  if (first == last) {
    share[first] += float(to - from);
    return;
  }
  share[first] += float(double(first + 1) - from);
  for (int64_t x = first + 1; x < last; ++x) share[x] += 1.0f;
  if (to > double(last)) share[last] += float(to - double(last));
}

inline RowCover cover_row(const Outline& o, int64_t row, int64_t width, float* share) {
  double at[kSubrows][kMaxCorners];
  int count[kSubrows];
  double least = double(width), most = 0, inner_from = 0, inner_to = double(width);
  bool single = true;
  for (int s = 0; s < kSubrows; ++s) {
    count[s] = crossings(o, double(row) + (s + 0.5) / kSubrows, at[s]);
    for (int k = 0; k < count[s]; ++k) at[s][k] = std::min(std::max(at[s][k], 0.0), double(width));
    single = single && count[s] == 2;
    if (count[s] == 0) continue;
    least = std::min(least, at[s][0]);
    most = std::max(most, at[s][count[s] - 1]);
    inner_from = std::max(inner_from, at[s][0]);
    inner_to = std::min(inner_to, at[s][count[s] - 1]);
  }
  RowCover r;
  if (!(least < most)) return r;
  r.begin = int64_t(least);
  r.run_begin = r.run_end = r.end = int64_t(std::ceil(most));
  const int64_t run_begin = int64_t(std::ceil(inner_from)), run_end = int64_t(inner_to);
  if (single && run_begin < run_end) {
    r.run_begin = run_begin;
    r.run_end = run_end;
  }
  std::fill(share + r.begin, share + r.run_begin, 0.0f);
  std::fill(share + r.run_end, share + r.end, 0.0f);
  for (int s = 0; s < kSubrows; ++s)
    for (int k = 0; k < count[s]; k += 2) {
      add_span(share, at[s][k], std::min(at[s][k + 1], double(r.run_begin)));
      add_span(share, std::max(at[s][k], double(r.run_end)), at[s][k + 1]);
    }
  return r;
}

// Calls f(from, to, m) for runs of pixels of equal coverage m = alpha times the covered part.
template <class F>
inline void for_runs(const RowCover& r, const float* share, double alpha, F&& f) {
  const double each = alpha / kSubrows;
  for (int64_t x = r.begin; x < r.run_begin; ++x) f(x, x + 1, each * double(share[x]));
  if (r.run_begin < r.run_end) f(r.run_begin, r.run_end, alpha);
  for (int64_t x = r.run_end; x < r.end; ++x) f(x, x + 1, each * double(share[x]));
}

}  // namespace cppn
