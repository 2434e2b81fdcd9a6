// Dense layers over the plane, one after the other: the networks of random pictures.
//   h = the inputs of a pixel        h <- f(h W + b), or h + f(h W + b), for every layer
// f is an activation of the table, or works across the features of a pixel (CPPN_ACROSS); before or after it
// the features of a pixel may be normalized to mean 0 and deviation 1.
#pragma once
#include <cstdint>

#include "activations.h"

namespace cppn {

enum class Across : uint8_t {
#define CPPN_X(name, formula, text) name,
  CPPN_ACROSS(CPPN_X)
#undef CPPN_X
};

#define CPPN_X(name, formula, text) +1
inline constexpr int kAcrossCount = 0 CPPN_ACROSS(CPPN_X);
#undef CPPN_X

enum class Normalize : uint8_t { no, before, after };

// Limits that keep the arithmetic of sizes in 32 bits.
inline constexpr int kMaxFeatures = 8192;
inline constexpr int kMaxLayers = 256;

struct LayerShape {
  int inputs, outputs;
  int function;  // below kActivationCount an Activation, from there on an Across
  Normalize normalize;
  bool residual;  // needs as many outputs as inputs

  bool across() const { return function >= kActivationCount; }
};

struct Layer {
  LayerShape shape;
  const float* w;  // (outputs, inputs)
  const float* b;  // (outputs)
};

// What the first layer sees at column i and row j: columns[:, i], rows[:, j] and, unless radius_x is null,
// sqrt(radius_x[i]^2 + radius_y[j]^2).
struct PlaneInputs {
  const float* columns;  // (from_columns, width)
  const float* rows;     // (from_rows, height)
  const float* radius_x;
  const float* radius_y;
  int from_columns, from_rows;
  int64_t width, height;

  int count() const { return from_columns + from_rows + (radius_x ? 1 : 0); }
};

}  // namespace cppn
