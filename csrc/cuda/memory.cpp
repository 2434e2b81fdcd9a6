#include "memory.h"

#include <cstdio>

namespace cppn::cuda {

void* device_bytes(size_t bytes) {
  void* p = nullptr;
  const cudaError_t error = cudaMalloc(&p, bytes ? bytes : 1);
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    size_t free = 0, total = 0;
    cudaMemGetInfo(&free, &total);
    char text[160];
    std::snprintf(text, sizeof text, "the GPU is out of memory: %.1f MB wanted, %.1f MB of %.0f MB are free",
                  double(bytes) / 1e6, double(free) / 1e6, double(total) / 1e6);
    throw DeviceFailure(text);
  }
  check(error, "reserving memory");
  return p;
}

void* pinned_bytes(size_t bytes) {
  void* p = nullptr;
  check(cudaMallocHost(&p, bytes), "reserving memory of this machine for it");
  return p;
}

void release_device_bytes(void* p) noexcept { cudaFree(p); }
void release_pinned_bytes(void* p) noexcept { cudaFreeHost(p); }

Stream::Stream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "opening it"); }

Stream::~Stream() {
  cudaStreamSynchronize(stream_);
  cudaStreamDestroy(stream_);
}

Event::Event() { check(cudaEventCreate(&event_), "preparing to wait for it"); }

Event::~Event() { cudaEventDestroy(event_); }

double Event::seconds_since(const Event& begin) const {
  float milliseconds = 0;
  begin.wait();
  wait();
  check(cudaEventElapsedTime(&milliseconds, begin.event_, event_), "measuring");
  return double(milliseconds) / 1e3;
}

}  // namespace cppn::cuda
