#include "painting.h"

#include <vector>

#include "float_mode.h"

namespace cppn::cpu {

namespace {

constexpr int64_t kBandRows = 16;

template <int N>
void lay(float* p, int64_t pixels, const float* colour, float m) {
  for (int64_t x = 0; x < pixels; ++x, p += N)
    for (int c = 0; c < N; ++c) p[c] += m * (colour[c] - p[c]);
}

template <int N>
void paint_entity(const EntityGrid& grid, const int32_t* entity, const View& view, int64_t from, int64_t to,
                  float* share, float* canvas) {
  const Outline outline = outline_of(grid, entity, view);
  const double alpha = grid.alpha(entity);
  float colour[N] = {};
  for (int c = 0; c < N && c < grid.channels; ++c) colour[c] = float(grid.shade(entity[grid.colour() + c]));
  const Rows rows = rows_of(outline, from, to);
  for (int64_t y = rows.first; y < rows.last; ++y) {
    float* row = canvas + y * view.width * N;
    for_runs(cover_row(outline, y, view.width, share), share, alpha,
             [&](int64_t a, int64_t b, double m) { lay<N>(row + a * N, b - a, colour, float(m)); });
  }
}

}  // namespace

void paint_rows(const EntityGrid& grid, const int32_t* entities, int64_t count, const View& view,
                int64_t from, int64_t to, int channels, float* share, float* canvas) {
  const auto one = channels == 1   ? paint_entity<1>
                   : channels == 2 ? paint_entity<2>
                   : channels == 3 ? paint_entity<3>
                                   : paint_entity<4>;
  for (int64_t n = 0; n < count; ++n) one(grid, entities + n * grid.row(), view, from, to, share, canvas);
}

void paint(Pool& pool, const EntityGrid& grid, const int32_t* entities, int64_t count, const View& view,
           int channels, float* canvas) {
  pool.run((view.height + kBandRows - 1) / kBandRows, [&](int64_t band, int) {
    const FloatMode mode(FloatMode::exact);
    std::vector<float> share(static_cast<size_t>(view.width));
    const int64_t from = band * kBandRows, to = std::min(view.height, from + kBandRows);
    paint_rows(grid, entities, count, view, from, to, channels, share.data(), canvas);
  });
}

}  // namespace cppn::cpu
