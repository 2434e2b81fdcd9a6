// What a .cppn file holds: a quantized cascade (core/cascade.h) and the picture size it was fitted to.
//   D inputs, N neurons, K = sum_n (D + n) weights        w[k] = levels[k] * steps[kind of its column]
// docs/format.md is the specification of the bytes.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "../core/cascade.h"

namespace cppn::codec {

inline constexpr int kMaxLevel = 32767;  // of |level|
inline constexpr int kMaxSide = 65535;   // of width and height
inline constexpr int kMaxCoords = 3;
inline constexpr int kMaxActivations =
    64;  // what six bits can number; the table of core/activations.h is shorter
static_assert(kActivationCount <= kMaxActivations, "the header numbers activations with six bits");

// Weights come in three kinds, by the column of the triangle they stand in. Each kind has its own step.
enum Kind : int { from_constant, from_inputs, from_neurons };
inline constexpr int kKinds = 3;

struct CascadeRecord {
  int width = 1, height = 1;
  int neurons = 1;
  int channels = 1;  // the last neurons are the outputs
  int coords = 0;    // number of the coordinate convention
  bool radius = false;
  int octaves = 0;
  std::vector<uint8_t> activations = {0};       // (N)
  std::array<float, kKinds> steps = {1, 1, 1};  // by Kind
  std::vector<int32_t> levels = {0, 0, 0};      // (K) packed rows of the triangle

  int inputs() const { return input_count(radius, octaves); }
  int64_t weights() const { return int64_t(neurons) * inputs() + int64_t(neurons) * (neurons - 1) / 2; }
};

// Calls row() before each row of the triangle and visit(k, column) for its weights, in the order of the file.
template <class Row, class Visit>
void walk_triangle(int inputs, int neurons, Row&& row, Visit&& visit) {
  size_t k = 0;
  for (int n = 0; n < neurons; ++n) {
    row();
    for (int column = 0; column < inputs + n; ++column) visit(k++, column);
  }
}

inline Kind kind_of(int column, int inputs) {
  return column == 0 ? from_constant : column < inputs ? from_inputs : from_neurons;
}

bool operator==(const CascadeRecord& a, const CascadeRecord& b);

// Throws std::invalid_argument naming the field that no file can hold.
void check(const CascadeRecord& record);

}  // namespace cppn::codec
