// How a network and its pictures are cut over the multiprocessors of a device.
#pragma once
#include "kernels/kernels.h"

namespace cppn::cuda {

// What a device offers, as far as the cut depends on it.
struct Limits {
  int multiprocessors;
  size_t block_bytes;  // of shared memory, at most, for one block
};

// Blocks of a launch that run on one multiprocessor at the same time.
using Occupancy = int (*)(const CascadeShape&, const Launch&);
// Bytes of shared memory that a block needs.
using Bytes = size_t (*)(const CascadeShape&, const Layout&, int threads, bool shared_weights);

// The cut that should take the least time. Throws DeviceFailure where no block fits.
Launch plan_launch(const CascadeShape&, const Layout&, int64_t pixels, int64_t pictures, const Limits&, Bytes,
                   Occupancy);

}  // namespace cppn::cuda
