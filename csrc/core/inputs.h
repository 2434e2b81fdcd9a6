// The inputs of a network at one pixel, from its coordinates:
//   1, x, y [, sqrt(x^2 + y^2)] [, sin pi x, cos pi x, sin pi y, cos pi y, sin 2 pi x, ...]
#pragma once
#include "math.h"

namespace cppn {

// put(i, v) stores input i; root(v) is the square root, correctly rounded.
template <class V, class Root, class Put>
CPPN_FN void cascade_inputs(V x, V y, bool radius, int octaves, Root&& root, Put&& put) {
  using L = Lanes<V>;
  int i = 0;
  put(i++, L::splat(1.0f));
  put(i++, x);
  put(i++, y);
  if (radius) put(i++, root(x * x + y * y));
  float frequency = 0.5f;  // in turns: exact, where a float pi would drift with every octave
  for (int k = 0; k < octaves; ++k, frequency *= 2.0f) {
    const V both[2] = {x, y};
    for (const V& coordinate : both) {
      const HalfAngle<V> h = half_angle_of_turns(coordinate * L::splat(frequency));
      const V sc = h.s * h.c, ss = h.s * h.s;
      put(i++, sc + sc);
      put(i++, L::splat(1.0f) - (ss + ss));
    }
  }
}

}  // namespace cppn
