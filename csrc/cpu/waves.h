// Pictures of waves, rendered: core/waves.h has the formula.
#pragma once
#include "../core/entity.h"
#include "../core/waves.h"
#include "pool.h"

namespace cppn::cpu {

// levels: those of the first axis in the order of waves_by_frequency, then those of the second and the third.
// canvas (H, W, channels): (255 shown + 1/2) / 256, so that its byte is the nearest.
void render_waves(Pool& pool, const Waves& waves, const int32_t* counts, const int32_t* levels,
                  const View& view, float* canvas);

}  // namespace cppn::cpu
