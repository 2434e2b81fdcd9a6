// The door of the perceptron's kernels. Features lie side by side, padded to whole sixteens, one pixel after
// the other, kMlpTile pixels to a tile: all three products of a layer are then one kind of matrix product,
// and the sums of a weight's gradient lie in one place.
#pragma once
#include "../../core/mlp.h"

namespace cppn::cpu {

inline constexpr int kMlpTile = 128;

CPPN_FN int padded16(int n) { return (n + 15) / 16 * 16; }

// Of the inputs and all outputs, padded.
CPPN_FN int widest(const MlpShape& s) {
  int most = padded16(s.inputs());
  for (int l = 0; l < s.count; ++l) {
    const int outputs = padded16(s.layer[l].outputs);
    if (outputs > most) most = outputs;
  }
  return most;
}

// Offsets of a layer's padded parameters (MlpPass::packed) and of its gradient: floats.
struct MlpPlace {
  int64_t forward;   // (inputs, padded outputs): W transposed
  int64_t bias;      // (padded outputs)
  int64_t backward;  // (outputs, padded inputs): W
  int64_t gradient;  // (padded outputs, padded inputs), then (padded outputs) of the bias
};

struct MlpLayout {
  MlpPlace place[kMaxMlpLayers];
  int64_t packed, gradient;  // floats in all

  explicit MlpLayout(const MlpShape& s);
};

// The layers from `first` up to `last`, between two normalizations, over some tiles of pixels.
struct MlpPass {
  const MlpShape* shape;
  const MlpLayout* layout;
  int first, last;
  const float* packed;
  const float* in;        // (tiles, kMlpTile, padded inputs)
  const float* in_scale;  // (padded inputs) the normalization before: y = scale h + shift; null: none
  const float* in_shift;
  const float* in_mean;  // (padded inputs) of h
  int64_t pixels;        // all there are: the last tile may be ragged

  int inputs() const { return shape->layer[first].inputs; }
  int outputs() const { return shape->layer[last - 1].outputs; }
};

// Count, mean and sum of squared deviations of every feature over some pixels.
struct MlpMoments {
  int64_t count;
  double* mean;  // (padded outputs)
  double* m2;
};

// Where the derivative of the pass's outputs comes from: their loss, or the layers after a normalization.
struct MlpSeed {
  const float* target;  // (tiles, kMlpTile, padded outputs); null: through the normalization
  Loss loss;
  float scale;                    // of one pixel's and output's share
  const float* dy;                // (tiles, kMlpTile, padded outputs)
  const float *mean, *a, *b, *c;  // (padded outputs): d = a dy + b (h - mean) + c, h the pass's output
};

struct MlpKernels {
  int64_t (*scratch_floats)(const MlpShape&);
  // out (tiles, kMlpTile, padded outputs)
  void (*forward)(const MlpPass&, int64_t tile, int64_t end, float* scratch, float* out, MlpMoments* moments);
  // Adds to grad (MlpLayout::gradient). Unless null, din (as in) = d/dy of the inputs, normalized if they
  // are, with sums (2, padded inputs) += sum din, sum din (h - in_mean). Returns the loss with
  // MlpSeed::target.
  double (*backward)(const MlpPass&, const MlpSeed&, int64_t tile, int64_t end, float* scratch, float* grad,
                     float* din, double* sums);
};

}  // namespace cppn::cpu
