#include "wave_context.h"

#include <cmath>

namespace cppn::codec {

namespace {

std::vector<Place> square(int reach, int most) {
  std::vector<Place> places;
  for (int v = -reach; v <= reach; ++v)
    for (int u = -reach; u <= reach; ++u)
      if ((v != 0 || u != 0) && v * v + u * u <= most) places.push_back({v, u});
  return places;
}

std::vector<Place> all_of(std::initializer_list<std::vector<Place>> parts) {
  std::vector<Place> places;
  for (const std::vector<Place>& part : parts) places.insert(places.end(), part.begin(), part.end());
  return places;
}

}  // namespace

const std::vector<Place>& neighbourhood(int sum) {
  static const std::vector<Place> near = {{1, 0}, {0, 1}}, diagonal = {{1, 1}}, anti = {{1, -1}, {-1, 1}},
                                  far = {{2, 0}, {0, 2}},
                                  further = {{2, 1},  {1, 2},  {2, 2},  {3, 0}, {0, 3},
                                             {2, -1}, {-1, 2}, {2, -2}, {-2, 2}};
  static const std::vector<Place> all[kSums] = {
      near,
      diagonal,
      anti,
      far,
      further,
      all_of({near, diagonal, anti, far, further}),
      {{1, 0}},                                          // above
      {{0, 1}},                                          // to the left
      square(5, 26),                                     // wide
      {{1, 0}, {2, 0}, {3, 0}, {4, 0}, {5, 0}, {6, 0}},  // the column
      {{0, 1}, {0, 2}, {0, 3}, {0, 4}, {0, 5}, {0, 6}},  // the row
      {{0, 0}},
      square(1, 2),
      square(2, 8)};
  return all[sum];
}

// log(sum + 0.3) of a sum of sizes, which is whole
float log_of(float sum) {
  static const std::vector<float> small = [] {
    std::vector<float> logs(256);
    for (size_t k = 0; k < logs.size(); ++k) logs[k] = log_poly(float(k) + 0.3f);
    return logs;
  }();
  return sum < 256.0f ? small[size_t(sum)] : log_poly(sum + 0.3f);
}

WaveContext::WaveContext(const Waves& waves, int64_t count)
    : waves_(waves), order_(waves_by_frequency(waves, count)) {
  const float scale = 2.0f * std::sqrt(float(waves.width) * float(waves.height));
  for (const Wave& wave : order_) {
    rows_ = std::max<int64_t>(rows_, wave.v + 1);
    columns_ = std::max<int64_t>(columns_, wave.u + 1);
    frequencies_.push_back(log_poly(std::sqrt(float(frequency(waves_, wave.v, wave.u))) / scale + 1.0f));
  }
  rows_ += 2 * kReach;
  columns_ += 2 * kReach;
}

void WaveContext::begin(int axis) {
  axis_ = axis;
  quick_ = slow_ = 1.0f;
  cells_[axis].assign(size_t(rows_ * columns_), Cell{});
}

void WaveContext::learn(int64_t n, int32_t size) {
  if (size != 0) spread(order_[size_t(n)], float(size));
  quick_ += (float(size) - quick_) * (1.0f / kQuickMemory);
  slow_ += (float(size) - slow_) * (1.0f / kSlowMemory);
}

// To all that have this wave at one of the places before them.
void WaveContext::spread(const Wave& wave, float size) {
  for (int f = 0; f < kSums; ++f)
    for (const Place& place : neighbourhood(f))
      cells_[axis_][size_t((wave.v + place.v + kReach) * columns_ + wave.u + place.u + kReach)][f] += size;
}

WaveFeatures WaveContext::features(int64_t n) const {
  const Wave& wave = order_[size_t(n)];
  const Wave& soon = order_[std::min(size_t(n) + 8, order_.size() - 1)];
  for (int axis = 0; axis <= axis_; ++axis) __builtin_prefetch(&cell(axis, soon));
  static const Cell unknown{};
  WaveFeatures x;
  float* next = x.data();
  for (int f = 0; f < kOwnSums; ++f) *next++ = log_of(cell(axis_, wave)[f]);
  *next++ = log_poly(quick_ + kLeastMean);
  *next++ = log_poly(slow_ + kLeastMean);
  const float q = frequencies_[size_t(n)];
  *next++ = q;
  *next++ = q * q * 0.25f;
  *next++ = float(wave.v == 0);
  *next++ = float(wave.u == 0);
  for (int other = 0; other < 2; ++other) {
    const Cell& there = other < axis_ ? cell(other, wave) : unknown;
    for (int f = kOwnSums; f < kSums; ++f) *next++ = log_of(there[f]);
  }
  *next++ = float(axis_ == 1);
  *next = float(axis_ == 2);
  return x;
}

}  // namespace cppn::codec
