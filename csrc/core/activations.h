// THE table of activations: name, value, slope, formula. CPU, CUDA, Python and the exporters read it from
// here. docs/adding_an_activation.md says how to add one. A line's position is its number in the .cppn file:
// append only.
#pragma once
#include <type_traits>

#include "math.h"

//  X(name, formula, what it is)
#define CPPN_ACTIVATIONS(X)                                                                \
  X(sigmoid, "1 / (1 + exp(-z))", "the logistic function, as in the 1020-byte program")    \
  X(sine, "0.5 + 0.5 * sin(z)", "a wave between 0 and 1: more detail for as many weights") \
  X(tanh, "tanh(z)", "the sigmoid stretched to (-1, 1)")                                   \
  X(gaussian, "exp(-z * z)", "a bump: one where the sum is zero")                          \
  X(identity, "z", "no nonlinearity")

namespace cppn {

template <class V>
struct Activated {
  V value, slope;  // f(z), f'(z)
};

namespace activation {

struct sigmoid {
  template <class V>
  static CPPN_FN Activated<V> eval(V z) {
    using L = Lanes<V>;
    const V e = exp2_poly(z * L::splat(-1.44269504f));
    const V a = L::reciprocal(L::splat(1.0f) + e);
    return {a, a - a * a};
  }
};

struct sine {
  // With s, c of the half angle: sin z = 2sc and cos z = 1 - 2s^2, so both come from one range reduction.
  template <class V>
  static CPPN_FN Activated<V> eval(V z) {
    const HalfAngle<V> h = half_angle(z);
    const V half = Lanes<V>::splat(0.5f);
    return {h.s * h.c + half, half - h.s * h.s};
  }
};

struct tanh {
  template <class V>
  static CPPN_FN Activated<V> eval(V z) {
    using L = Lanes<V>;
    const V e = exp2_poly(z * L::splat(-2.88539008f));
    const V two = L::splat(2.0f), one = L::splat(1.0f);
    const V a = two * L::reciprocal(one + e) - one;
    return {a, one - a * a};
  }
};

struct gaussian {
  template <class V>
  static CPPN_FN Activated<V> eval(V z) {
    using L = Lanes<V>;
    const V a = exp2_poly(z * z * L::splat(-1.44269504f));
    return {a, L::splat(-2.0f) * (z * a)};  // z a first: -2 z may overflow where a is tiny
  }
};

struct identity {
  template <class V>
  static CPPN_FN Activated<V> eval(V z) {
    return {z, Lanes<V>::splat(1.0f)};
  }
};

}  // namespace activation

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
