// Paintings: entities laid over each other.
//   shown <- shown + m (colour - shown), m = opacity times the covered part of the pixel, float32, in their
//   order
#pragma once
#include <cstdint>

#include "../core/entity.h"
#include "pool.h"

namespace cppn::cpu {

// Rows [from, to) of a canvas (H, W, N), 1 <= N <= 4; colours beyond the grid's channels are 0.
void paint_rows(const EntityGrid& grid, const int32_t* entities, int64_t count, const View& view,
                int64_t from, int64_t to, int channels, float* share /*(W)*/, float* canvas);

// A whole canvas, in bands on all threads: the same bits whatever their number.
void paint(Pool& pool, const EntityGrid& grid, const int32_t* entities /*(n, row)*/, int64_t count,
           const View& view, int channels, float* canvas /*(H, W, channels), painted over*/);

}  // namespace cppn::cpu
