// 256 steps from 2^-12 to 2^3.94, sixteen to the octave: step(c) = T[c & 15] * 2^((c >> 4) - 12),
// T[k] = 2^(k/16) rounded to float32. Scaling by a power of two is exact, so every machine has the same 256 floats.
#pragma once

namespace cppn::codec {

inline constexpr int kStepCodes = 256;

float step_grid(int code);

// The code whose step has the smallest ratio to `step`, the lower of two; throws std::invalid_argument unless
// step is finite and above 0.
int nearest_step_code(float step);

}  // namespace cppn::codec
