// What streams, events and graphs are made of.
#pragma once
#include <chrono>
#include <deque>
#include <memory>
#include <set>
#include <thread>

#include "emulator.h"

namespace cuda_emulator {
using Operation = std::function<void()>;
using Queue = std::deque<Operation>;
using Clock = std::chrono::steady_clock;
}  // namespace cuda_emulator

struct CUgraph_st {
  cuda_emulator::Queue operations;
};
struct CUgraphExec_st {
  cuda_emulator::Queue operations;
};

struct CUstream_st {
  const int device;
  const std::shared_ptr<cuda_emulator::Queue> queue;  // an event recorded there may outlive the stream
  // While it is captured:
  std::unique_ptr<CUgraph_st> graph;
  cudaStreamCaptureMode mode{};
  std::thread::id thread{};
  bool spoilt = false;

  CUstream_st(int on, std::shared_ptr<cuda_emulator::Queue> q) : device(on), queue(std::move(q)) {}
};

struct CUevent_st {
  struct Mark {
    bool reached = false;
    cuda_emulator::Clock::time_point when;
  };
  int device;
  bool timed;
  bool captured = false;
  std::shared_ptr<Mark> mark{};  // of the last record, or none
  std::shared_ptr<cuda_emulator::Queue> queue{};
};

namespace cuda_emulator {

extern std::set<const void*>& handles;  // of the streams, events and graphs that exist
template <class T>
cudaError_t give(T** to, T* made) {
  handles.insert(made);
  *to = made;
  return cudaSuccess;
}
template <class T>
bool exists(T* handle) {
  return handles.count(handle) > 0;
}
template <class T>
cudaError_t destroy(T* handle) {
  if (handles.erase(handle) == 0) return remember(cudaErrorInvalidResourceHandle);
  delete handle;
  return cudaSuccess;
}

CUstream_st* resolve(cudaStream_t stream);  // nullptr: it does not exist
cudaError_t enqueue(CUstream_st& stream, Operation operation);
void run_first(Queue& queue);
template <class Done>
void run_until(Queue& queue, Done done) {
  if (queue.empty()) return;
  const DeviceAccess access;
  while (!queue.empty() && !done()) run_first(queue);
}

}  // namespace cuda_emulator
