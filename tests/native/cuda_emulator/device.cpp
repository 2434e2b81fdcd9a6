// Questions about the device, and what a kernel may ask of it.
#include <algorithm>
#include <cstdio>
#include <map>

#include "emulator.h"

namespace cuda_emulator {
namespace {

// Never destroyed, see fibers.cpp.
std::map<std::pair<int, const void*>, size_t>& allowed = *new std::map<std::pair<int, const void*>, size_t>;
thread_local int chosen_device = 0;

constexpr int kThreadsPerMultiprocessor = 2048, kBlocksPerMultiprocessor = 32;

bool no_driver() { return setting("CPPN_EMULATED_DEVICES", "1") == "nodriver"; }
int devices() { return no_driver() ? 0 : int(number("CPPN_EMULATED_DEVICES", 1)); }

struct Capability {
  int major = 0, minor = 0;
  Capability() {
    const std::string text = setting("CPPN_EMULATED_CAPABILITY", "9.0");
    if (std::sscanf(text.c_str(), "%d.%d", &major, &minor) != 2)
      fail("CPPN_EMULATED_CAPABILITY is not <major>.<minor>: %s", text.c_str());
  }
};

}  // namespace

cudaError_t available() {
  if (no_driver()) return cudaErrorInsufficientDriver;
  return devices() > 0 ? cudaSuccess : cudaErrorNoDevice;
}

int current_device() { return chosen_device; }

size_t device_bytes() { return size_t(number("CPPN_EMULATED_MEMORY", int64_t(1) << 30)); }
size_t opt_in_shared() { return std::min(size_t(number("CPPN_EMULATED_SHARED", kMaxShared)), kMaxShared); }

size_t allowed_shared(const void* kernel) {
  const auto found = allowed.find({chosen_device, kernel});
  return std::min(found == allowed.end() ? kDefaultShared : found->second, opt_in_shared());
}

}  // namespace cuda_emulator

using namespace cuda_emulator;

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = available() == cudaErrorInsufficientDriver ? 0 : CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int* count) {
  const Call call;
  const cudaError_t why = available();
  if (why != cudaErrorInsufficientDriver) *count = devices();
  return remember(why);
}
cudaError_t cudaGetDevice(int* device) {
  const Call call;
  if (const cudaError_t why = available()) return remember(why);
  *device = chosen_device;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  const Call call;
  if (const cudaError_t why = available()) return remember(why);
  if (device < 0 || device >= devices()) return remember(cudaErrorInvalidDevice);
  chosen_device = device;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int device) {
  const Call call;
  if (const cudaError_t why = available()) return remember(why);
  if (device < 0 || device >= devices()) return remember(cudaErrorInvalidDevice);
  *p = {};
  std::snprintf(p->name, sizeof p->name, "Emulated device %d", device);
  p->major = Capability().major;
  p->minor = Capability().minor;
  p->totalGlobalMem = device_bytes();
  p->multiProcessorCount = int(number("CPPN_EMULATED_SMS", 2));
  p->sharedMemPerBlock = std::min(kDefaultShared, opt_in_shared());
  p->sharedMemPerBlockOptin = opt_in_shared();
  p->sharedMemPerMultiprocessor = opt_in_shared() + kReservedShared;
  p->reservedSharedMemPerBlock = kReservedShared;
  p->regsPerBlock = p->regsPerMultiprocessor = 65536;
  p->warpSize = warpSize;
  p->maxThreadsPerBlock = kMaxThreads;
  p->maxThreadsDim[0] = p->maxThreadsDim[1] = kMaxThreads;
  p->maxThreadsDim[2] = 64;
  p->maxGridSize[0] = 0x7fffffff;
  p->maxGridSize[1] = p->maxGridSize[2] = 65535;
  p->maxThreadsPerMultiProcessor = kThreadsPerMultiprocessor;
  p->maxBlocksPerMultiProcessor = kBlocksPerMultiprocessor;
  p->concurrentKernels = p->asyncEngineCount = p->unifiedAddressing = 1;
  p->l2CacheSize = 50 << 20;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  cudaDeviceProp p;
  if (const cudaError_t why = cudaGetDeviceProperties(&p, device)) return why;
  const std::map<cudaDeviceAttr, size_t> values = {
      {cudaDevAttrMaxThreadsPerBlock, p.maxThreadsPerBlock},
      {cudaDevAttrMaxSharedMemoryPerBlock, p.sharedMemPerBlock},
      {cudaDevAttrWarpSize, p.warpSize},
      {cudaDevAttrMultiProcessorCount, p.multiProcessorCount},
      {cudaDevAttrMaxThreadsPerMultiProcessor, p.maxThreadsPerMultiProcessor},
      {cudaDevAttrComputeCapabilityMajor, p.major},
      {cudaDevAttrComputeCapabilityMinor, p.minor},
      {cudaDevAttrMaxSharedMemoryPerMultiprocessor, p.sharedMemPerMultiprocessor},
      {cudaDevAttrMaxSharedMemoryPerBlockOptin, p.sharedMemPerBlockOptin},
      {cudaDevAttrMaxBlocksPerMultiprocessor, p.maxBlocksPerMultiProcessor},
      {cudaDevAttrReservedSharedMemoryPerBlock, p.reservedSharedMemPerBlock},
  };
  const auto found = values.find(attribute);
  if (found == values.end()) return remember(cudaErrorInvalidValue);
  *value = int(found->second);
  return cudaSuccess;
}

cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value) {
  const Call call;
  if (const cudaError_t why = available()) return remember(why);
  if (injected("image")) return remember(cudaErrorNoKernelImageForDevice);
  if (attribute == cudaFuncAttributePreferredSharedMemoryCarveout)  // percent, a hint
    return remember(value < -1 || value > 100 ? cudaErrorInvalidValue : cudaSuccess);
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize || value < 0 ||
      size_t(value) > opt_in_shared())
    return remember(cudaErrorInvalidValue);
  allowed[{chosen_device, kernel}] = size_t(value);
  return cudaSuccess;
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* a, const void* kernel) {
  const Call call;
  if (const cudaError_t why = available()) return remember(why);
  if (injected("image")) return remember(cudaErrorNoKernelImageForDevice);
  *a = {};
  a->maxThreadsPerBlock = kMaxThreads;
  a->numRegs = 32;
  a->ptxVersion = a->binaryVersion = 10 * Capability().major + Capability().minor;
  a->maxDynamicSharedSizeBytes = int(allowed_shared(kernel));
  return cudaSuccess;
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void* kernel, int threads,
                                                          size_t shared) {
  const Call call;
  if (const cudaError_t why = available()) return remember(why);
  if (!blocks || threads <= 0) return remember(cudaErrorInvalidValue);
  const int rounded = (threads + warpSize - 1) / warpSize * warpSize;
  const size_t by_shared = (opt_in_shared() + kReservedShared) / (shared + kReservedShared);
  *blocks = min(kBlocksPerMultiprocessor, kThreadsPerMultiprocessor / rounded);
  *blocks = int(std::min(size_t(*blocks), by_shared));
  if (unsigned(threads) > kMaxThreads || shared > allowed_shared(kernel)) *blocks = 0;
  return cudaSuccess;
}
