// The dense cascade: every neuron sees the inputs and all neurons before it.
//   D inputs, N neurons, C channels (the last C neurons), K = sum_n (D + n) weights
//   z[n] = sum_{k < D+n} w[row(n) + k] * a[k]        a[D + n] = f_n(z[n])        a[0..D) = the inputs
// The weights are the rows of a triangle, packed one after the other; row n has D + n entries.
// Plain data, so that kernels compiled for wide machines can hold it without emitting shared inline code.
#pragma once
#include <cstdint>

#include "activations.h"

namespace cppn {

inline constexpr int kMaxNeurons = 128;
inline constexpr int kMaxChannels = 4;
inline constexpr int kMaxOctaves = 7;
inline constexpr int kMaxInputs = 3 + 1 + 4 * kMaxOctaves;

// kappa = (256 / 255)^2 turns squared differences in units of one activation into the score's units.
inline constexpr float kScoreScale = float(256.0 * 256.0 / (255.0 * 255.0));

struct CascadeShape {
  int inputs;    // D
  int neurons;   // N
  int channels;  // C
  bool radius;   // an input sqrt(x^2 + y^2)
  int octaves;   // inputs sin, cos of 2^k pi x and 2^k pi y for k < octaves
  Activation activation[kMaxNeurons];

  CPPN_FN int64_t row(int n) const { return int64_t(n) * inputs + int64_t(n) * (n - 1) / 2; }
  CPPN_FN int64_t weights() const { return row(neurons); }
  CPPN_FN int nodes() const { return inputs + neurons; }
  CPPN_FN int first_output() const { return neurons - channels; }
};

CPPN_FN int input_count(bool radius, int octaves) { return 3 + (radius ? 1 : 0) + 4 * octaves; }

// Where the pixels are. A grid: pixel p at (x[p % width], y[p / width]). A list (width 0): pixel p at (x[p],
// y[p]).
struct Pixels {
  const float* x;
  const float* y;
  int64_t width;
  int64_t count;
};

}  // namespace cppn
