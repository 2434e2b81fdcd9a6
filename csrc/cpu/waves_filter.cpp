#include "waves_filter.h"

#include <cmath>
#include <cstring>

#include "float_mode.h"
#include "kernels/filter.h"
#include "waves.h"

namespace cppn::cpu {

namespace {

#include "waves_filter.inc"

constexpr int kAxes = 3, kHalves = 2, kPoints = kAxes * kHalves * kHalves;  // channels of the first map
constexpr int64_t kBandRows = 4;
static_assert(kFilterBlocks > 0 && kFilterChannels % kChannelsMultiple == 0);

float factor(int strength) { return float(strength) * 0x1p-6f; }

int filled_up(int channels) {
  return (channels + kChannelsMultiple - 1) / kChannelsMultiple * kChannelsMultiple;
}

// A weight is a letter: -31 ... 31 times its output's scale.
int weight_of(char letter) {
  static const char* const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return int(std::strchr(letters, letter) - letters) - 32;
}

std::vector<FilterWeights> unpacked() {
  std::vector<FilterWeights> layers;
  const char* letter = kFilterLetters;
  const float *scale = kFilterScales, *bias = kFilterBiases;
  for (int n = 0; n < 2 * kFilterBlocks + 2; ++n) {
    const int used = n == 0 ? kPoints : kFilterChannels,
              real = n == 2 * kFilterBlocks + 1 ? kPoints : kFilterChannels;
    FilterWeights layer{used, filled_up(used), filled_up(real), {}, {}};
    layer.weights.assign(size_t(9 * used * layer.outputs), 0.0f);
    layer.bias.assign(size_t(layer.outputs), 0.0f);
    for (int row = 0; row < 9 * used; ++row)
      for (int f = 0; f < real; ++f)
        layer.weights[size_t(row * layer.outputs + f)] = float(weight_of(*letter++)) * scale[f];
    std::copy(bias, bias + real, layer.bias.begin());
    scale += real;
    bias += real;
    layers.push_back(std::move(layer));
  }
  return layers;
}

// The layer whose output is the gradient of this one's input.
FilterWeights reversed(const FilterWeights& layer, int real) {
  FilterWeights back{real, layer.outputs, layer.inputs, {}, {}};
  back.weights.assign(size_t(9 * real * back.outputs), 0.0f);
  back.bias.assign(size_t(back.outputs), 0.0f);
  for (int tap = 0; tap < 9; ++tap)
    for (int f = 0; f < real; ++f)
      for (int c = 0; c < layer.used; ++c)
        back.weights[size_t((tap * real + f) * back.outputs + c)] =
            layer.weights[size_t(((8 - tap) * layer.used + c) * layer.outputs + f)];
  return back;
}

const std::vector<FilterWeights>& reversed_weights() {
  static const std::vector<FilterWeights> layers = [] {
    std::vector<FilterWeights> back;
    for (const FilterWeights& layer : filter_weights())
      back.push_back(reversed(layer, &layer == &filter_weights().back() ? kPoints : kFilterChannels));
    return back;
  }();
  return layers;
}

// What a layer computes of one map for another.
struct Pass {
  CpuBackend& backend;
  int64_t height, width;

  void operator()(const FilterWeights& w, Bend bend, const float* in, const float* other, float* out) const {
    const FilterLayer layer = {height,           width,         w.inputs, w.outputs, w.used,
                               w.weights.data(), w.bias.data(), bend};
    backend.pool().run((height + kBandRows - 1) / kBandRows, [&](int64_t band, int) {
      const FloatMode mode(FloatMode::exact);
      backend.kernels().filter->rows(layer, in, other, out, band * kBandRows,
                                     std::min(height, (band + 1) * kBandRows));
    });
  }
};

}  // namespace

const std::vector<FilterWeights>& filter_weights() {
  static const std::vector<FilterWeights> layers = unpacked();
  return layers;
}

WavesFilter::Cosines::Cosines(int64_t count) {
  const FloatMode mode(FloatMode::exact);
  waves.resize(size_t(count * count));
  points.resize(waves.size());
  const float share = 1.0f / std::sqrt(float(count));
  for (int64_t n = 0; n < count; ++n)
    for (int64_t at = 0; at < count; ++at)
      waves[size_t(n * count + at)] = points[size_t(at * count + n)] =
          cosine(n, 0, 1, at, count) * (wave_weight(int32_t(n)) * share);
}

WavesFilter::WavesFilter(CpuBackend& backend, FilterGrid grid)
    : backend_(backend),
      grid_(grid),
      height_((grid.rows + kHalves - 1) / kHalves),
      width_((grid.columns + kHalves - 1) / kHalves),
      down_(grid.rows),
      across_(grid.columns),
      input_(map(filled_up(kPoints))),
      output_(input_),
      sums_(kFilterBlocks + 1, map(kFilterChannels)),
      hidden_(kFilterBlocks, sums_[0]) {}

WavesFilter::Map WavesFilter::map(int channels) const {
  return Map(size_t((height_ + 2) * (width_ + 2) * channels), 0.0f);
}

void WavesFilter::turned(const std::vector<float>& down, const float* in, const std::vector<float>& across,
                         float* out) {
  const auto [rows, columns] = grid_;
  backend_.pool().run(kAxes * rows, [&, rows = rows, columns = columns](int64_t task, int) {
    const FloatMode mode(FloatMode::exact);
    const float* plane = in + task / rows * rows * columns;
    std::vector<float> row(size_t(columns), 0.0f);
    backend_.kernels().filter->combine(&down[size_t(task % rows * rows)], rows, plane, columns, columns,
                                       row.data());
    float* to = out + task * columns;
    std::fill(to, to + columns, 0.0f);
    backend_.kernels().filter->combine(row.data(), columns, across.data(), columns, columns, to);
  });
}

void WavesFilter::points_of(const float* planes, float* points) {
  turned(down_.points, planes, across_.waves, points);
}

void WavesFilter::planes_of(const float* points, float* planes) {
  turned(down_.waves, points, across_.points, planes);
}

// f(point, its place in a map of `channels`)
template <class F>
void for_points(FilterGrid grid, int64_t width, int channels, F&& f) {
  for (int64_t c = 0, point = 0; c < kAxes; ++c)
    for (int64_t y = 0; y < grid.rows; ++y)
      for (int64_t x = 0; x < grid.columns; ++x, ++point)
        f(point, ((y / kHalves + 1) * (width + 2) + x / kHalves + 1) * channels + c * kHalves * kHalves +
                     y % kHalves * kHalves + x % kHalves);
}

void WavesFilter::gather(const float* points, Map& to) const {
  std::fill(to.begin(), to.end(), 0.0f);  // a grid of an odd size leaves points that are none
  for_points(grid_, width_, filled_up(kPoints),
             [&](int64_t point, int64_t at) { to[size_t(at)] = points[point]; });
}

void WavesFilter::scatter(const Map& from, float* points) const {
  for_points(grid_, width_, filled_up(kPoints),
             [&](int64_t point, int64_t at) { points[point] = from[size_t(at)]; });
}

void WavesFilter::run() {
  const Pass pass{backend_, height_, width_};
  const std::vector<FilterWeights>& w = filter_weights();
  pass(w.front(), Bend::relu, input_.data(), nullptr, sums_[0].data());
  for (size_t k = 0; k < size_t(kFilterBlocks); ++k) {
    pass(w[2 * k + 1], Bend::relu, sums_[k].data(), nullptr, hidden_[k].data());
    pass(w[2 * k + 2], Bend::add, hidden_[k].data(), sums_[k].data(), sums_[k + 1].data());
  }
  pass(w.back(), Bend::none, sums_.back().data(), nullptr, output_.data());
}

void WavesFilter::run_back() {
  const Pass pass{backend_, height_, width_};
  const std::vector<FilterWeights>& w = reversed_weights();
  if (before_.empty()) before_ = map(kFilterChannels);
  Map& sum = sums_.back();  // no longer asked for: no gate stands behind it
  pass(w.back(), Bend::none, output_.data(), nullptr, sum.data());
  for (size_t k = size_t(kFilterBlocks); k-- > 0;) {
    pass(w[2 * k + 2], Bend::gate, sum.data(), hidden_[k].data(), before_.data());
    pass(w[2 * k + 1], Bend::add, before_.data(), sum.data(), sum.data());
  }
  for (size_t n = 0; n < sum.size(); ++n) sum[n] = sums_[0][n] > 0.0f ? sum[n] : 0.0f;
  pass(w.front(), Bend::none, sum.data(), nullptr, input_.data());
}

void WavesFilter::apply(float* planes, int strength) {
  std::vector<float> points(static_cast<size_t>(floats())), found(points.size());
  points_of(planes, points.data());
  gather(points.data(), input_);
  run();
  scatter(output_, points.data());
  planes_of(points.data(), found.data());
  for (size_t n = 0; n < found.size(); ++n) planes[n] += factor(strength) * found[n];
}

double WavesFilter::gradient(const float* planes, const float* targets, int strength, int axes,
                             float* gradient) {
  std::vector<float> points(static_cast<size_t>(floats())), error(points.size()), found(points.size());
  points_of(planes, points.data());
  points_of(targets, error.data());
  gather(points.data(), input_);
  run();
  scatter(output_, found.data());
  double sum = 0;
  for (size_t n = 0; n < error.size(); ++n) {
    const bool counts = int64_t(n) < axes * grid_.points();
    error[n] = counts ? points[n] + factor(strength) * found[n] - error[n] : 0.0f;
    sum += double(error[n]) * double(error[n]);
  }
  gather(error.data(), output_);
  run_back();
  scatter(input_, found.data());
  for (size_t n = 0; n < error.size(); ++n) error[n] += factor(strength) * found[n];
  planes_of(error.data(), gradient);
  return sum;
}

}  // namespace cppn::cpu
