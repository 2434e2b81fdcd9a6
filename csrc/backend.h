// THE interface between what is computed and where. Training loops (trainers/) are written over it, once;
// cpu/ and cuda/ implement it and never see each other. Pointers are the backend's own memory unless called
// `host_`.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/adam.h"
#include "core/cascade.h"

namespace cppn {

// B networks of one shape, each with a picture of its own, on the same pixels of one device.
//   x, y (see Pixels)    target (B, C, pixels.count) in units of an activation: (level + 1/2) / 256
struct CascadeTask {
  CascadeShape shape;
  Pixels pixels;
  const float* target;
  int64_t pictures = 1;
};

// How a step turns the weights u, counted in levels, into the ones the network uses: w = grid * draw(u).
enum class Draw : int32_t { plain, noise, stochastic };

struct DrawStep {
  Draw how = Draw::plain;
  float amplitude = 0;  // noise: u + amplitude * (uniform[0, 1) - 1/2)
  float fraction = 0;   // stochastic: q of core/quantize.h
  uint64_t seed = 0;
  int64_t step = 0;
};

// All that one step of descent needs to know: draw w, take the gradient there, then Adam on u.
struct StepPlan {
  DrawStep draw;
  AdamStep adam;
};

// What is to be descended from: weight = level * grid; where mask is 0 nothing moves. Host memory, (K) each.
struct DescentTerms {
  const float* host_grid;
  const float* host_mask;
  float limit;  // |u| <= limit
};

// One network in the middle of its descent.
struct Descending {
  std::vector<float> u, m, v;  // (K) levels, and Adam's moments; m or v empty: zero
  double loss = 0;             // of the last step, at the weights it drew
  int64_t floating = 0;        // how many of them were left float
  std::vector<float> best_u;   // only with Draw::stochastic: the best with none left float
  double best_loss = 0;
  bool has_best = false;
};

// B networks on their way down, in the memory of a device.
class StepLoop {
 public:
  virtual ~StepLoop() = default;
  // Takes steps[0 .. count); may return before they are done.
  virtual void take(const StepPlan* steps, int64_t count) = 0;
  // How many steps to ask for at once: a few hundredths of a second of them, or what keeps the device busy.
  virtual int64_t burst() const = 0;
  // Where network `picture` is after all steps asked for; waits for them.
  virtual Descending read(int64_t picture) = 0;
};

// Asked by long operations, on the caller's thread only: true ends them early.
using Stop = std::function<bool()>;

// Memory or machine of a device failed; what() is in words for its owner.
struct DeviceFailure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string name() const = 0;
  virtual double peak(double seconds) = 0;  // GFLOP/s of multiply-adds from registers

  // A copy in the backend's memory, which goes with its last owner.
  virtual std::shared_ptr<const float> upload(const float* host_from, int64_t floats) = 0;

  // host_grad (B, K) = dloss/dw at host_w (B, K), host_loss (B)
  virtual void cascade_gradient(const CascadeTask& task, const float* host_w, float* host_grad,
                                double* host_loss) = 0;
  virtual void cascade_loss(const CascadeTask& task, const float* host_w, double* host_loss) = 0;
  virtual std::unique_ptr<StepLoop> descend(const CascadeTask& task, const DescentTerms& terms,
                                            const std::vector<Descending>& start) = 0;
  // hessian (K, K) = kappa sum_p,c J J^T of one picture, both triangles, row-major. Takes a second or more:
  // asks stop() every few milliseconds and returns false, with the matrix unfinished, once that is true.
  // Only a CPU does this: what follows on it, dense algebra, wants the matrix there.
  virtual bool cascade_normal(const CascadeTask&, const float*, double*, const Stop&) {
    throw std::logic_error("the normal matrix is computed on the CPU");
  }

  // Decoding; everything is host memory here, coordinates too. Bit-exact on every backend.
  // host_out (count, C) floats
  virtual void cascade_render(const CascadeShape& shape, const Pixels& host_pixels, const float* host_w,
                              float* host_out) = 0;
  // host_out (count, C) bytes, floor(256 a) clipped: what a decoded picture is
  virtual void cascade_render_bytes(const CascadeShape& shape, const Pixels& host_pixels, const float* host_w,
                                    uint8_t* host_out) = 0;
  // host_out (N, count)
  virtual void cascade_activations(const CascadeShape& shape, const Pixels& host_pixels, const float* host_w,
                                   float* host_out) = 0;
};

}  // namespace cppn
