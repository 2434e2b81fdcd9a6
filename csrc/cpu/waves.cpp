#include "waves.h"

#include "float_mode.h"
#include "kernels/filter.h"
#include "waves_filter.h"

namespace cppn::cpu {

float wave_weight(int32_t frequency) { return frequency == 0 ? 1.0f : 0x1.6a09e6p0f; }

float cosine(int64_t n, double from, double to, int64_t at, int64_t count) {
  const float x = float(from + (to - from) * ((double(at) + 0.5) / double(count)));
  return turn(float(n) * x * 0.5f).cosine;
}

namespace {

constexpr int64_t kBandRows = 16, kTileColumns = 1024;

// (rows, columns) of amplitudes of an axis, as far as there are any.
struct Plane {
  int64_t rows = 1, columns = 1;
  std::vector<float> amplitudes;

  float& at(const Wave& wave) { return amplitudes[size_t(wave.v * columns + wave.u)]; }
};

// Levels in steps, with room for what a filter finds.
Plane plane_of(FilterGrid grid, const Wave* order, const int32_t* levels, int64_t count) {
  Plane p;
  p.rows = std::max(p.rows, grid.rows);
  p.columns = std::max(p.columns, grid.columns);
  for (int64_t n = 0; n < count; ++n) {
    p.rows = std::max<int64_t>(p.rows, order[n].v + 1);
    p.columns = std::max<int64_t>(p.columns, order[n].u + 1);
  }
  p.amplitudes.assign(size_t(p.rows * p.columns), 0.0f);
  for (int64_t n = 0; n < count; ++n) p.at(order[n]) = float(levels[n]);
  return p;
}

// What the filter makes of the waves within its grid.
void filter_planes(CpuBackend& backend, FilterGrid grid, int strength, Plane (&planes)[3]) {
  WavesFilter filter(backend, grid);
  std::vector<float> inside(static_cast<size_t>(filter.floats()), 0.0f);
  const auto each_row = [&](auto&& copy) {
    for (int64_t c = 0, at = 0; c < 3; ++c)
      for (int64_t v = 0; v < grid.rows; ++v, at += grid.columns)
        if (!planes[c].amplitudes.empty())
          copy(&planes[c].amplitudes[size_t(v * planes[c].columns)], &inside[size_t(at)]);
  };
  each_row([&](const float* row, float* to) { std::copy(row, row + grid.columns, to); });
  filter.apply(inside.data(), strength);
  each_row([&](float* row, const float* from) { std::copy(from, from + grid.columns, row); });
}

// From steps to what a cosine is multiplied by.
void scale(Plane& p, float step) {
  for (int64_t v = 0; v < p.rows; ++v)
    for (int64_t u = 0; u < p.columns; ++u)
      p.at({int32_t(v), int32_t(u)}) *= step * (wave_weight(int32_t(v)) * wave_weight(int32_t(u)));
}

struct Picture {
  const FilterKernels& kernels;
  const Waves& waves;
  const View& view;
  Plane planes[3];
  float axes[3][3];
  int64_t rows = 1, columns = 1;
  std::vector<float> down, across;  // cosines: (H, rows), and (columns, kTileColumns) of one tile

  void prepare_down(Pool& pool);
  void prepare_across(Pool& pool, int64_t left, int64_t pixels);
  void band(int64_t band, int64_t left, int64_t pixels, float* canvas) const;
};

void Picture::prepare_down(Pool& pool) {
  down.resize(size_t(view.height * rows));
  pool.run(view.height, [&](int64_t y, int) {
    const FloatMode exact(FloatMode::exact);
    for (int64_t v = 0; v < rows; ++v)
      down[size_t(y * rows + v)] = cosine(v, view.top, view.bottom, y, view.height);
  });
}

void Picture::prepare_across(Pool& pool, int64_t left, int64_t pixels) {
  across.resize(size_t(columns * kTileColumns));
  pool.run(columns, [&](int64_t u, int) {
    const FloatMode exact(FloatMode::exact);
    for (int64_t x = 0; x < pixels; ++x)
      across[size_t(u * kTileColumns + x)] = cosine(u, view.left, view.right, left + x, view.width);
  });
}

void Picture::band(int64_t band, int64_t left, int64_t pixels, float* canvas) const {
  const int64_t top = band * kBandRows, bottom = std::min(view.height, top + kBandRows);
  std::vector<float> row(static_cast<size_t>(columns));
  std::vector<float> shares(size_t(3 * kTileColumns));
  for (int64_t y = top; y < bottom; ++y) {
    std::fill(shares.begin(), shares.end(), 0.0f);
    for (int c = 0; c < waves.channels; ++c) {
      const Plane& p = planes[c];
      std::fill(row.begin(), row.end(), 0.0f);
      kernels.combine(down.data() + y * rows, p.rows, p.amplitudes.data(), p.columns, p.columns, row.data());
      kernels.combine(row.data(), p.columns, across.data(), kTileColumns, pixels,
                      &shares[size_t(c) * kTileColumns]);
    }
    float* to = canvas + (y * view.width + left) * waves.channels;
    for (int64_t x = 0; x < pixels; ++x) {
      for (int k = 0; k < waves.channels; ++k, ++to) {
        float shown = 0.0f;
        for (int c = 0; c < waves.channels; ++c) shown += axes[k][c] * shares[size_t(c * kTileColumns + x)];
        *to = (255.0f * shown + (float(waves.mean[k]) + 0.5f)) * 0x1p-8f;
      }
    }
  }
}

}  // namespace

void render_waves(CpuBackend& backend, const Waves& waves, const int32_t* counts, const int32_t* levels,
                  const View& view, float* canvas) {
  const FloatMode mode(FloatMode::exact);
  Picture p{*backend.kernels().filter, waves, view, {}, {}, 1, 1, {}, {}};
  wave_axes(waves, p.axes);
  const FilterGrid grid = filter_grid(waves);
  const std::vector<Wave> order =
      waves_by_frequency(waves, *std::max_element(counts, counts + waves.channels));
  for (int c = 0; c < waves.channels; levels += counts[c++]) {
    p.planes[c] = plane_of(grid, order.data(), levels, counts[c]);
    p.rows = std::max(p.rows, p.planes[c].rows);
    p.columns = std::max(p.columns, p.planes[c].columns);
  }
  if (waves.filter != 0) filter_planes(backend, grid, waves.strength, p.planes);
  for (int c = 0; c < waves.channels; ++c) scale(p.planes[c], waves.step);
  p.prepare_down(backend.pool());
  const int64_t bands = (view.height + kBandRows - 1) / kBandRows;
  for (int64_t left = 0; left < view.width; left += kTileColumns) {
    const int64_t pixels = std::min(kTileColumns, view.width - left);
    p.prepare_across(backend.pool(), left, pixels);
    backend.pool().run(bands, [&](int64_t band, int) {
      const FloatMode exact(FloatMode::exact);
      p.band(band, left, pixels, canvas);
    });
  }
}

}  // namespace cppn::cpu
