// 256 steps from 2^-12 to 2^3.94, sixteen to the octave: step(c) = T[c & 15] * 2^((c >> 4) - 12),
// T[k] = 2^(k/16) rounded to float32. Scaling by a power of two is exact: the same 256 floats everywhere.
#pragma once
#include <cstdint>

namespace cppn::codec {

// Steps are compared and checked by their bits: under flush-to-zero, which another extension may have
// switched on, a denormal would compare equal to 0.
uint32_t step_bits(float step);
float step_of_bits(uint32_t bits);
inline bool is_step(uint32_t bits) { return bits > 0 && bits < 0x7f800000; }  // positive and finite

inline constexpr int kStepCodes = 256;

float step_grid(int code);

// The code whose step has the smallest ratio to `step`, the lower of two; throws std::invalid_argument unless
// step is finite and above 0.
int nearest_step_code(float step);

}  // namespace cppn::codec
