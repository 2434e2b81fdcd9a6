// Value and slope of every activation of the table (activations.h), from one call: they share most of the
// work. Where a slope jumps or a value has no slope, it is that of the right-hand formula at 0: sgn(0) = 0,
// step(0) = 0.
#pragma once
#include "math.h"

namespace cppn {

template <class V>
struct Activated {
  V value, slope;  // f(z), f'(z)
};

inline constexpr float kEps = 1e-8f;  // what keeps a logarithm from zero

// 1 above zero, else 0, no number included.
template <class V>
CPPN_FN V step(V z) {
  const V zero = Lanes<V>::splat(0.0f), one = Lanes<V>::splat(1.0f);
  return z > zero ? one : zero;
}

template <class V>
CPPN_FN V sign(V z) {
  return step(z) - step(-z);
}

template <class V>
CPPN_FN V magnitude(V z) {
  return Lanes<V>::max(z, -z);
}

template <class V>
CPPN_FN V rectified(V z) {
  return Lanes<V>::max(z, Lanes<V>::splat(0.0f));
}

// log(x) and x log(x) of an x > 0 with the slope dx/dz.
template <class V>
CPPN_FN Activated<V> log_of(V x, V dx) {
  return {log_poly(x), dx / x};
}

template <class V>
CPPN_FN Activated<V> xlogx_of(V x, V dx) {
  const V l = log_poly(x);
  return {x * l, dx * (l + Lanes<V>::splat(1.0f))};
}

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

struct square {
  template <class V>
  static CPPN_FN Activated<V> eval(V z) {
    return {z * z, z + z};
  }
};

struct log_abs {
  template <class V>
  static CPPN_FN Activated<V> eval(V z) {
    return log_of(magnitude(z) + Lanes<V>::splat(kEps), sign(z));
  }
};

struct cos {
  template <class V>
  static CPPN_FN Activated<V> eval(V z) {
    const HalfAngle<V> h = half_angle(z);
    const V ss = h.s * h.s, sc = h.s * h.c;
    return {Lanes<V>::splat(1.0f) - (ss + ss), -(sc + sc)};
  }
};

struct xlogx_square {
  template <class V>
  static CPPN_FN Activated<V> eval(V z) {
    return xlogx_of(z * z + Lanes<V>::splat(kEps), z + z);
  }
};

struct hard_sigmoid {
  template <class V>
  static CPPN_FN Activated<V> eval(V z) {
    using L = Lanes<V>;
    const V fifth = L::splat(0.2f), one = L::splat(1.0f);
    const V line = fifth * z + L::splat(0.5f);
    return {L::min(rectified(line), one), fifth * (step(line) * step(one - line))};
  }
};

struct sgn {
  template <class V>
  static CPPN_FN Activated<V> eval(V z) {
    return {sign(z), Lanes<V>::splat(0.0f)};
  }
};

struct abs_tanh {
  template <class V>
  static CPPN_FN Activated<V> eval(V z) {
    const Activated<V> t = tanh::eval(magnitude(z));
    return {t.value, sign(z) * t.slope};
  }
};

struct xlogx_relu_p1 {
  template <class V>
  static CPPN_FN Activated<V> eval(V z) {
    return xlogx_of(rectified(z) + Lanes<V>::splat(1.0f), step(z));
  }
};

struct xlogx_abs_p1 {
  template <class V>
  static CPPN_FN Activated<V> eval(V z) {
    return xlogx_of(magnitude(z) + Lanes<V>::splat(1.0f), sign(z));
  }
};

struct log_square {
  template <class V>
  static CPPN_FN Activated<V> eval(V z) {
    return log_of(z * z + Lanes<V>::splat(kEps), z + z);
  }
};

struct log_abs_p1 {
  template <class V>
  static CPPN_FN Activated<V> eval(V z) {
    return log_of(magnitude(z) + Lanes<V>::splat(1.0f), sign(z));
  }
};

struct relu {
  template <class V>
  static CPPN_FN Activated<V> eval(V z) {
    return {rectified(z), step(z)};
  }
};

struct xlogx_relu {
  template <class V>
  static CPPN_FN Activated<V> eval(V z) {
    return xlogx_of(rectified(z) + Lanes<V>::splat(kEps), step(z));
  }
};

struct softplus {
  // max(z, 0) + log(1 + exp(-|z|)): neither end overflows.
  template <class V>
  static CPPN_FN Activated<V> eval(V z) {
    using L = Lanes<V>;
    const V one = L::splat(1.0f);
    const V e = exp2_poly(magnitude(z) * L::splat(-1.44269504f));
    const V a = L::reciprocal(one + e);
    return {rectified(z) + log_poly(one + e), z > L::splat(0.0f) ? a : e * a};
  }
};

struct abs {
  template <class V>
  static CPPN_FN Activated<V> eval(V z) {
    return {magnitude(z), sign(z)};
  }
};

struct log_relu {
  template <class V>
  static CPPN_FN Activated<V> eval(V z) {
    return log_of(rectified(z) + Lanes<V>::splat(kEps), step(z));
  }
};

struct sin {
  template <class V>
  static CPPN_FN Activated<V> eval(V z) {
    const HalfAngle<V> h = half_angle(z);
    const V ss = h.s * h.s, sc = h.s * h.c;
    return {sc + sc, Lanes<V>::splat(1.0f) - (ss + ss)};
  }
};

struct xlogx_abs {
  template <class V>
  static CPPN_FN Activated<V> eval(V z) {
    return xlogx_of(magnitude(z) + Lanes<V>::splat(kEps), sign(z));
  }
};

struct gelu {
  // Phi(-x) = t q(t) exp(-x^2 / 2) with t = 1 / (1 + 0.28 x), x >= 0: the form of Abramowitz and
  // Stegun 7.1.26, a minimax fit of absolute error 5e-9. The exponential serves the slope too.
  template <class V>
  static CPPN_FN Activated<V> eval(V z) {
    using L = Lanes<V>;
    const V one = L::splat(1.0f);
    const V t = L::reciprocal(one + L::splat(0.28f) * magnitude(z));
    const V e = exp2_poly(z * z * L::splat(-0.72134752f));
    V q = L::splat(3.8987496551e-1f) + t * L::splat(-1.0580847784e-1f);
    q = L::splat(-2.3699500485e-1f) + t * q;
    q = L::splat(2.6891138248e-1f) + t * q;
    q = L::splat(6.7496270425e-2f) + t * q;
    q = L::splat(1.1652085500e-1f) + t * q;
    const V tail = t * q * e;
    const V phi = z > L::splat(0.0f) ? one - tail : tail;
    return {z * phi, phi + z * e * L::splat(0.39894228f)};
  }
};

}  // namespace activation

}  // namespace cppn
