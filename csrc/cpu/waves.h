// Pictures of waves, rendered: core/waves.h has the formula.
#pragma once
#include "../core/entity.h"
#include "../core/waves.h"
#include "backend.h"

namespace cppn::cpu {

// levels: those of the first axis in the order of waves_by_frequency, then those of the second and the third.
// canvas (H, W, channels): (255 shown + 1/2) / 256, so that its byte is the nearest.
void render_waves(CpuBackend& backend, const Waves& waves, const int32_t* counts, const int32_t* levels,
                  const View& view, float* canvas);

// 1 or sqrt 2, by which a cosine is multiplied to be as strong as any other
float wave_weight(int32_t frequency);

// cos(pi n x), of pixel `at` of `count` between two edges
float cosine(int64_t n, double from, double to, int64_t at, int64_t count);

}  // namespace cppn::cpu
