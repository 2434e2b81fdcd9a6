// THE table of activations: name, formula, what it is; value and slope are in formulas.h. CPU, CUDA, Python
// and the exporters read it from here. docs/adding_an_activation.md says how to add one. A line's position is
// its number in the .cppn file: append only.
#pragma once
#include <type_traits>

#include "formulas.h"

//  X(name, formula, what it is)      eps = 1e-8
#define CPPN_ACTIVATIONS(X)                                                                \
  X(sigmoid, "1 / (1 + exp(-z))", "the logistic function, as in the 1020-byte program")    \
  X(sine, "0.5 + 0.5 * sin(z)", "a wave between 0 and 1: more detail for as many weights") \
  X(tanh, "tanh(z)", "the sigmoid stretched to (-1, 1)")                                   \
  X(gaussian, "exp(-z * z)", "a bump: one where the sum is zero")                          \
  X(identity, "z", "no nonlinearity")                                                      \
  X(square, "z * z", "a bowl")                                                             \
  X(log_abs, "log(abs(z) + eps)", "a funnel: a deep line where the sum is zero")           \
  X(cos, "cos(z)", "a wave between -1 and 1, at its crest where the sum is zero")          \
  X(xlogx_square, "x * log(x), x = z * z + eps", "a bowl with two dips")                   \
  X(hard_sigmoid, "min(max(0.2 * z + 0.5, 0), 1)", "the sigmoid out of straight lines")    \
  X(sgn, "sign(z)", "a hard edge; its slope is zero")                                      \
  X(abs_tanh, "abs(tanh(z))", "a crease: zero where the sum is zero")                      \
  X(xlogx_relu_p1, "x * log(x), x = max(z, 0) + 1", "a ramp that steepens slowly")         \
  X(xlogx_abs_p1, "x * log(x), x = abs(z) + 1", "two ramps that steepen slowly")           \
  X(log_square, "log(z * z + eps)", "log_abs, twice as deep")                              \
  X(log_abs_p1, "log(abs(z) + 1)", "a crease that flattens")                               \
  X(relu, "max(z, 0)", "a ramp")                                                           \
  X(xlogx_relu, "x * log(x), x = max(z, 0) + eps", "a ramp behind a dip")                  \
  X(softplus, "log(1 + exp(z))", "a ramp with a round foot")                               \
  X(abs, "abs(z)", "a crease")                                                             \
  X(log_relu, "log(max(z, 0) + eps)", "a cliff: deep below zero, a slow rise above")       \
  X(sin, "sin(z)", "a wave between -1 and 1")                                              \
  X(xlogx_abs, "x * log(x), x = abs(z) + eps", "two ramps behind dips")                    \
  X(gelu, "z * Phi(z), Phi the normal distribution", "a ramp with a dip at its foot")

// Functions of all features of a pixel at once: for random pictures, whose layers may have them.
#define CPPN_ACROSS(X)                                              \
  X(sort, "sort(z)", "the features of a pixel in ascending order")  \
  X(logsoftmax, "z - log(sum(exp(z)))", "the logarithm of softmax") \
  X(softmax, "exp(z) / sum(exp(z))", "the features of a pixel as shares of one")

namespace cppn {

enum class Activation : uint8_t {
#define CPPN_X(name, formula, text) name,
  CPPN_ACTIVATIONS(CPPN_X)
#undef CPPN_X
};

// The number of activation::name.
template <class F>
CPPN_FN constexpr Activation activation_number() {
#define CPPN_X(name, formula, text) \
  if (std::is_same_v<F, activation::name>) return Activation::name;
  CPPN_ACTIVATIONS(CPPN_X)
#undef CPPN_X
}

#define CPPN_X(name, formula, text) +1
inline constexpr int kActivationCount = 0 CPPN_ACTIVATIONS(CPPN_X);
#undef CPPN_X

// Calls visit(activation::name{}) for the activation of that number: one branch per tile, none per pixel.
template <class Visit>
CPPN_FN void with_activation(Activation f, Visit&& visit) {
  switch (f) {
#define CPPN_X(name, formula, text) \
  case Activation::name:            \
    visit(activation::name{});      \
    break;
    CPPN_ACTIVATIONS(CPPN_X)
#undef CPPN_X
    default:
      __builtin_unreachable();  // shapes are checked where they are made
  }
}

}  // namespace cppn
