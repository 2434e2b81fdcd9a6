#include "devices.h"

#include "error.h"

namespace cppn::cuda {

namespace {

constexpr int kOldest = 75;  // compute capability that the kernels are compiled for

std::string version(int number) {
  return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
}

// Why CUDA sees no device at all.
std::string why_none(cudaError_t error) {
  int driver = 0, runtime = 0;
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&runtime);
  cudaGetLastError();
  if (error == cudaErrorInsufficientDriver && driver == 0) return "no NVIDIA driver is installed";
  if (error == cudaErrorInsufficientDriver)
    return "the NVIDIA driver is too old: it is good for CUDA " + version(driver) + ", and " +
           version(runtime) + " is needed";
  if (error == cudaErrorNoDevice || error == cudaSuccess)
    return "no NVIDIA GPU was found (or CUDA_VISIBLE_DEVICES hides it)";
  return std::string("CUDA cannot start: ") + cudaGetErrorString(error);
}

DeviceInfo describe(int index) {
  DeviceInfo info;
  cudaDeviceProp properties{};
  const cudaError_t error = cudaGetDeviceProperties(&properties, index);
  if (error != cudaSuccess) {
    cudaGetLastError();
    info.why = std::string("CUDA cannot describe it: ") + cudaGetErrorString(error);
    return info;
  }
  info.name = properties.name;
  info.architecture = "sm_" + std::to_string(properties.major) + std::to_string(properties.minor);
  info.multiprocessors = properties.multiProcessorCount;
  if (10 * properties.major + properties.minor < kOldest)
    info.why = "its compute capability " + std::to_string(properties.major) + "." +
               std::to_string(properties.minor) + " is older than 7.5, the oldest that the kernels run on";
  return info;
}

}  // namespace

std::vector<DeviceInfo> devices() {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  std::vector<DeviceInfo> all;
  if (error != cudaSuccess || count == 0) {
    all.emplace_back();
    all.back().why = why_none(error);
    return all;
  }
  for (int i = 0; i < count; ++i) all.push_back(describe(i));
  return all;
}

}  // namespace cppn::cuda
