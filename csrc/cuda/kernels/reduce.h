// Sums over the threads of a block, in an order that depends on their number alone.
#pragma once
#include <cuda_runtime.h>

namespace cppn::cuda {

// The sum of v over all threads, to all of them. space: blockDim.x doubles of shared memory, free before and
// after.
__device__ __forceinline__ double block_sum(double v, double* space) {
  const int thread = int(threadIdx.x);
  __syncthreads();
  space[thread] = v;
  __syncthreads();
  for (int count = int(blockDim.x); count > 1;) {
    const int half = (count + 1) / 2;
    if (thread < count / 2) space[thread] += space[thread + half];
    __syncthreads();
    count = half;
  }
  const double sum = space[0];
  __syncthreads();
  return sum;
}

}  // namespace cppn::cuda
