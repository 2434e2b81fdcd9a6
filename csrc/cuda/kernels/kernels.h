// The door between the CUDA backend and its kernels: what they are given, and how they are started.
// Everything here returns as soon as the work is queued on the stream.
#pragma once
#include <cuda_runtime.h>

#include "../../backend.h"
#include "../layout.h"

namespace cppn::cuda {

class Stream;  // of memory.h

// How a network is cut over the multiprocessors.
struct Launch {
  int threads;          // of a block; it works on 2 * threads pixels at a time
  int parts;            // blocks that share a picture
  size_t bytes;         // of shared memory
  bool shared_weights;  // and sums; or they are too large for it, and are read through the cache
};

// Counts the steps of a burst, so that every step can be the same launch with the same arguments.
struct Clock {
  int index;  // how many gradients have been begun
  int count;
};

// What is known of a picture after a step. The best so far has two places, for even and odd steps: blocks of
// a step read one while the other is written.
struct Record {
  double loss;
  double best[2];
  int has_best[2];
  int64_t floating;
};

// B pictures; K weights, `slots` of gradient and `parts` of sums each. Pointers are to device memory.
struct GradientTask {
  CascadeShape shape;
  Layout layout;
  Pixels pixels;
  const float* target;  // (B, C, pixels.count)
  const float* packed;  // (B, layout.floats)
  float* partial;       // (B, parts, slots); null: the loss alone
  double* losses;       // (B, parts)
  Clock* clock;         // null outside of a descent
};

struct DescentTask {
  int weights, slots, parts, floats;
  float limit;
  const float *grid, *mask;                   // (K)
  float *u, *m, *v, *live, *best_u;           // (B, K)
  const int *forward_place, *backward_place;  // (K), see Places
  const int* weight_of;                       // (slots)
  float* packed;                              // (B, floats)
  const float* partial;                       // (B, parts, slots)
  const double* losses;                       // (B, parts)
  Record* record;                             // (B)
  Clock* clock;
  const StepPlan* plans;  // clock->count of them
};

struct RenderTask {
  CascadeShape shape;
  Layout layout;
  Pixels pixels;
  const float* packed;
  int64_t first, last;  // of the pixels
  // One of these; row or column 0 is pixel `first`.
  float* floats;   // (last - first, C)
  uint8_t* bytes;  // (last - first, C)
  float* nodes;    // (N, last - first)
};

// What a block of so many threads needs.
size_t gradient_bytes(const CascadeShape&, const Layout&, int threads, bool shared_weights);
size_t render_bytes(const CascadeShape&, const Layout&, int threads, bool shared_weights);

// Gradient and loss of every picture, in `parts` sums, and the clock moves on.
void launch_gradient(const GradientTask&, int64_t pictures, const Launch&, cudaStream_t);
// Draws the weights of step `clock->index`, without stochastic quantization or with it.
void launch_draw(const DescentTask&, int64_t pictures, cudaStream_t);
void launch_quantize(const DescentTask&, int64_t pictures, cudaStream_t);
// Adds up the parts of the gradient, takes Adam's step and, unless stochastic, draws the weights of the next.
void launch_advance(const DescentTask&, int64_t pictures, Draw, cudaStream_t);
void launch_render(const RenderTask&, const Launch&, cudaStream_t);
// GFLOP/s of multiply-adds from registers on all multiprocessors.
double measure_peak(double seconds, int multiprocessors, const Stream&);

// Lets kernels have that much shared memory for a block: more than 48 KB must be asked for.
void allow_gradient(size_t bytes);
void set_up_elementwise();
void allow_render(size_t bytes);
// Blocks of a launch that run on one multiprocessor at the same time.
int gradient_occupancy(const CascadeShape&, const Launch&);
int render_occupancy(const CascadeShape&, const Launch&);

}  // namespace cppn::cuda
