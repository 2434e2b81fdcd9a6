#include "record.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "step_grid.h"

namespace cppn::codec {

namespace {

void expect_range(const char* field, int64_t value, int64_t low, int64_t high) {
  if (value >= low && value <= high) return;
  throw std::invalid_argument(std::string(field) + " must be " + std::to_string(low) + ".." +
                              std::to_string(high) + ", got " + std::to_string(value));
}

void expect_count(const char* field, size_t count, int64_t wanted) {
  if (int64_t(count) == wanted) return;
  throw std::invalid_argument(std::string(field) + " must hold " + std::to_string(wanted) + " numbers, got " +
                              std::to_string(count));
}

}  // namespace

bool operator==(const CascadeRecord& a, const CascadeRecord& b) {
  const auto same_bits = [](float x, float y) { return step_bits(x) == step_bits(y); };
  return a.width == b.width && a.height == b.height && a.neurons == b.neurons && a.channels == b.channels &&
         a.coords == b.coords && a.radius == b.radius && a.octaves == b.octaves &&
         a.activations == b.activations &&
         std::equal(a.steps.begin(), a.steps.end(), b.steps.begin(), same_bits) && a.levels == b.levels;
}

void check(const CascadeRecord& r) {
  expect_range("width", r.width, 1, kMaxSide);
  expect_range("height", r.height, 1, kMaxSide);
  expect_range("neurons", r.neurons, 1, kMaxNeurons);
  expect_range("channels", r.channels, 1, kMaxChannels < r.neurons ? kMaxChannels : r.neurons);
  expect_range("coords", r.coords, 0, kMaxCoords);
  expect_range("octaves", r.octaves, 0, kMaxOctaves);
  expect_count("activations", r.activations.size(), r.neurons);
  for (uint8_t f : r.activations) expect_range("activations", f, 0, kActivationCount - 1);
  for (float step : r.steps) {
    if (is_step(step_bits(step))) continue;
    throw std::invalid_argument("steps must be finite and above 0, got " + std::to_string(step));
  }
  expect_count("levels", r.levels.size(), r.weights());
  for (int32_t level : r.levels) expect_range("levels", level, -kMaxLevel, kMaxLevel);
}

}  // namespace cppn::codec
