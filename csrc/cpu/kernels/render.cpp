// Decoding: the forward pass alone, compiled once for each instruction set WITHOUT contraction. Every pixel
// is the same sequence of IEEE operations whatever the width of the vectors, so the bits agree on every
// machine.
#include "cascade.h"

#include <chrono>

namespace cppn::cpu {
namespace {

int64_t scratch_floats(const CascadeShape& s) { return tile_scratch(s); }

template <class Emit>
CPPN_FN void for_tiles(const CascadeShape& s, const float* w, const Pixels& at, int64_t first, int64_t last,
                       float* scratch, Emit&& emit) {
  Tile t = carve(s, scratch);
  for (int64_t p = first; p < last; p += t.pixels) {
    load_inputs(s, at, p, last, t);
    forward_tile<false>(s, w, t);
    emit(t, p - first, int(last - p < t.pixels ? last - p : t.pixels));
  }
}

void render(const CascadeShape& s, const float* w, Pixels at, int64_t first, int64_t last, float* scratch,
            float* out) {
  for_tiles(s, w, at, first, last, scratch, [&](const Tile& t, int64_t p0, int valid) {
    const float* a = t.a + (s.inputs + s.first_output()) * t.pixels;
    for (int c = 0; c < s.channels; ++c)
      for (int p = 0; p < valid; ++p) out[(p0 + p) * s.channels + c] = a[c * t.pixels + p];
  });
}

void render_bytes(const CascadeShape& s, const float* w, Pixels at, int64_t first, int64_t last,
                  float* scratch, uint8_t* out) {
  for_tiles(s, w, at, first, last, scratch, [&](const Tile& t, int64_t p0, int valid) {
    const float* a = t.a + (s.inputs + s.first_output()) * t.pixels;
    alignas(64) int32_t bytes[kMaxTile];
    for (int c = 0; c < s.channels; ++c) {
      for (int p = 0; p < t.pixels; p += kLanes) {
        using L = Lanes<vf>;
        const vf v = L::min(L::max(load(a + c * t.pixels + p), splat(0.0f)) * splat(256.0f), splat(255.0f));
        const vi b = __builtin_convertvector(v, vi);
        memcpy(bytes + p, &b, sizeof b);
      }
      for (int p = 0; p < valid; ++p) out[(p0 + p) * s.channels + c] = uint8_t(bytes[p]);
    }
  });
}

void activations(const CascadeShape& s, const float* w, Pixels at, int64_t first, int64_t last,
                 float* scratch, float* out, int64_t out_stride) {
  for_tiles(s, w, at, first, last, scratch, [&](const Tile& t, int64_t p0, int valid) {
    for (int n = 0; n < s.neurons; ++n)
      memcpy(out + n * out_stride + p0, t.a + (s.inputs + n) * t.pixels, sizeof(float) * size_t(valid));
  });
}

}  // namespace

#define CPPN_JOIN2(a, b) a##b
#define CPPN_JOIN(a, b) CPPN_JOIN2(a, b)
extern const RenderKernels CPPN_JOIN(render_, CPPN_ISA);
const RenderKernels CPPN_JOIN(render_, CPPN_ISA) = {scratch_floats, render, render_bytes, activations};

}  // namespace cppn::cpu
