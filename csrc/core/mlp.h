// A multi-layer perceptron, after PyTorch's Linear, activations and BatchNorm1d:
//   z = W h + b        a = f(z)        y = gamma (a - mean) / sqrt(var + 1e-5) + beta, where a layer
//   normalizes
// Its parameters are packed layer by layer: W (outputs, inputs), b (outputs) [, gamma (outputs), beta
// (outputs)].
#pragma once
#include <cstdint>

#include "activations.h"

namespace cppn {

inline constexpr int kMaxMlpLayers = 64;
inline constexpr int kMaxMlpWidth = 1024;
inline constexpr float kNormEps = 1e-5f;

struct MlpLayer {
  int inputs, outputs;
  Activation activation;
  bool norm;  // batch normalization after the activation

  int64_t bias() const { return int64_t(inputs) * outputs; }  // offsets within the layer
  int64_t gamma() const { return bias() + outputs; }
  int64_t params() const { return gamma() + (norm ? 2 * int64_t(outputs) : 0); }
};

struct MlpShape {
  int count;
  MlpLayer layer[kMaxMlpLayers];

  int64_t at(int l) const {  // where the parameters of layer l begin
    int64_t sum = 0;
    for (int k = 0; k < l; ++k) sum += layer[k].params();
    return sum;
  }
  int64_t params() const { return at(count); }
  int inputs() const { return layer[0].inputs; }
  int outputs() const { return layer[count - 1].outputs; }
};

enum class Loss : int32_t { mse, l1 };  // means over pixels and outputs

}  // namespace cppn
