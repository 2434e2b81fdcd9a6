// Every CUDA call is checked, and its failure said in words for the owner of the device.
#pragma once
#include <cuda_runtime.h>

#include <string>

#include "../backend.h"

namespace cppn::cuda {

// Throws DeviceFailure unless the call succeeded; `doing` completes "the GPU failed while ...".
inline void check(cudaError_t error, const char* doing) {
  if (error == cudaSuccess) return;
  cudaGetLastError();  // or the next call would report it again
  throw DeviceFailure(std::string("the GPU failed while ") + doing + ": " + cudaGetErrorString(error));
}

}  // namespace cppn::cuda
