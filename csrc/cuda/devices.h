// The door to the CUDA backend, for code that is compiled without CUDA's headers.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "../backend.h"

namespace cppn::cuda {

struct DeviceInfo {
  std::string name;          // "NVIDIA H200"
  std::string architecture;  // "sm_90"
  int multiprocessors = 0;
  std::string why;  // why it cannot be used, in words for its owner; empty: it can
};

// Every device that CUDA sees; where it sees none, one entry that says why. Never throws.
std::vector<DeviceInfo> devices();

// Throws DeviceFailure.
std::shared_ptr<Backend> open(int index);

}  // namespace cppn::cuda
