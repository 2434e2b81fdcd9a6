#include "step_grid.h"

#include <cmath>
#include <cstring>
#include <stdexcept>

namespace cppn::codec {

namespace {

// Hexadecimal, so that no compiler has to round.
constexpr float kRoots[16] = {
    0x1.000000p0f, 0x1.0b5586p0f, 0x1.172b84p0f, 0x1.2387a6p0f, 0x1.306fe0p0f, 0x1.3dea64p0f,
    0x1.4bfdaep0f, 0x1.5ab07ep0f, 0x1.6a09e6p0f, 0x1.7a1148p0f, 0x1.8ace54p0f, 0x1.9c4918p0f,
    0x1.ae89fap0f, 0x1.c199bep0f, 0x1.d5818ep0f, 0x1.ea4afap0f,
};

}  // namespace

uint32_t step_bits(float step) {
  uint32_t bits = 0;
  std::memcpy(&bits, &step, sizeof bits);
  return bits;
}

float step_of_bits(uint32_t bits) {
  float step = 0;
  std::memcpy(&step, &bits, sizeof step);
  return step;
}

float step_grid(int code) {
  if (code < 0 || code >= kStepCodes) throw std::invalid_argument("code must be 0..255");
  return std::ldexp(kRoots[code & 15], (code >> 4) - 12);
}

int nearest_step_code(float step) {
  if (!is_step(step_bits(step))) throw std::invalid_argument("step must be finite and above 0");
  // Past the middle: step^2 > g[c] g[c + 1]. The product of two floats is exact in a double.
  int code = 0;
  while (code + 1 < kStepCodes &&
         double(step) * double(step) > double(step_grid(code)) * double(step_grid(code + 1))) {
    ++code;
  }
  return code;
}

}  // namespace cppn::codec
