// THE interface between what is computed and where. Training loops (trainers/) are written over it, once;
// cpu/ implements it, and any other device would. Pointers are the backend's own memory unless called
// `host_`. Operations may return before they are done; wait() and download() see all that was asked before.
#pragma once
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>

#include "core/adam.h"
#include "core/cascade.h"

namespace cppn {

// One network and one picture, on one device.
//   x, y (see Pixels)    target (C, pixels.count) in units of an activation: (level + 1/2) / 256
struct CascadeTask {
  CascadeShape shape;
  Pixels pixels;
  const float* target;
};

// How a step turns the weights u, counted in levels, into the ones the network uses.
enum class Draw { plain, noise, stochastic };

struct DrawStep {
  Draw how = Draw::plain;
  float amplitude = 0;  // noise: u + amplitude * (uniform[0, 1) - 1/2)
  float fraction = 0;   // stochastic: q of core/quantize.h
  uint64_t seed = 0;
  int64_t step = 0;
};

struct StepRecord {
  double loss = 0;
  int64_t floating = 0;  // stochastic: how many weights were left float
};

// Asked by long operations, on the caller's thread only: true ends them early.
using Stop = std::function<bool()>;

class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string name() const = 0;

  // Memory
  virtual float* allocate(int64_t floats) = 0;  // zeroed
  virtual void release(float* p) = 0;
  virtual void upload(float* to, const float* host_from, int64_t floats) = 0;
  virtual void download(float* host_to, const float* from, int64_t floats) = 0;
  virtual void wait() = 0;

  // w = grid * draw(u) (K each); live (K) = 1 where the gradient flows and 0 where a weight was quantized
  virtual void draw(const float* u, const float* grid, int64_t count, const DrawStep& how, float* w,
                    float* live, StepRecord* record) = 0;
  // grad (K) = dloss/dw at w (K)
  virtual void cascade_gradient(const CascadeTask& task, const float* w, float* grad, StepRecord* record) = 0;
  // One Adam step on u with the gradient grad * grid * live; where mask (K) is 0, nothing moves.
  virtual void adam(float* u, float* m, float* v, const float* grad, const float* grid, const float* live,
                    const float* mask, int64_t count, const AdamStep& step, float limit) = 0;

  virtual double cascade_loss(const CascadeTask& task, const float* w) = 0;
  // hessian (K, K) = kappa sum_p,c J J^T, both triangles; host memory, row-major. Takes a second or more:
  // asks stop() every few milliseconds and returns false, with the matrix unfinished, once that is true.
  virtual bool cascade_normal(const CascadeTask& task, const float* w, double* host_hessian,
                              const Stop& stop) = 0;

  // out (count, C) floats; bit-exact on every backend and instruction set
  virtual void cascade_render(const CascadeShape& shape, const Pixels& pixels, const float* w,
                              float* out) = 0;
  // out (count, C) bytes, floor(256 a) clipped: what a decoded picture is
  virtual void cascade_render_bytes(const CascadeShape& shape, const Pixels& pixels, const float* w,
                                    uint8_t* out) = 0;
  // out (N, count)
  virtual void cascade_activations(const CascadeShape& shape, const Pixels& pixels, const float* w,
                                   float* out) = 0;
};

}  // namespace cppn
