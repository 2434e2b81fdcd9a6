// Starting a kernel, checked.
#pragma once
#include <utility>

#include "../error.h"

namespace cppn::cuda {

template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, int threads, size_t bytes, cudaStream_t stream,
            Arguments&&... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = dim3(unsigned(threads));
  config.dynamicSmemBytes = bytes;
  config.stream = stream;
  check(cudaLaunchKernelEx(&config, kernel, std::forward<Arguments>(arguments)...), "starting a kernel");
}

// All of a multiprocessor's memory that can be shared is to be: several blocks may need it. The small kernels
// between ask for the same, because a multiprocessor has to be idle to be divided anew.
template <class Kernel>
void prefer_shared_memory(Kernel kernel) {
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributePreferredSharedMemoryCarveout, 100),
        "setting up a kernel");
}

template <class Kernel>
void allow(Kernel kernel, size_t bytes) {
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(bytes)),
        "setting up a kernel");
  prefer_shared_memory(kernel);
}

template <class Kernel>
int occupancy(Kernel kernel, int threads, size_t bytes) {
  int blocks = 0;
  check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel, threads, bytes), "planning a launch");
  return blocks;
}

inline dim3 grid_of(int64_t x, int64_t y = 1) { return dim3(unsigned(x), unsigned(y)); }

}  // namespace cppn::cuda
