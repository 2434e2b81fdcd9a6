// What the parts of the emulator know of each other.
//   fibers.cpp   threads, barriers, shared memory: runs one grid
//   memory.cpp   device and pinned memory, their guards, cudaMalloc ...
//   streams.cpp  streams, copies, launches; events.cpp and graphs.cpp over it
//   device.cpp   questions about the device
//   settings.cpp what CPPN_EMULATED_* say; errors
#pragma once
#include <unistd.h>

#include <string>
#include <vector>

#include "cuda_runtime.h"

#if defined(__SANITIZE_ADDRESS__)
#define CUDA_EMULATOR_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CUDA_EMULATOR_ASAN 1
#endif
#endif

namespace cuda_emulator {

inline constexpr size_t kMaxShared = 232448;  // of an H100's block
inline constexpr size_t kDefaultShared = 48 << 10;
inline constexpr size_t kReservedShared = 1 << 10;
inline constexpr unsigned kMaxThreads = 1024;

inline const size_t kPage = size_t(sysconf(_SC_PAGESIZE));

// The program is wrong in a way that a device would answer with undefined behaviour: says so and aborts.
// pytest keeps stderr to itself and loses it then; run it with -s.
[[noreturn]] __attribute__((format(printf, 1, 2))) void fail(const char* format, ...);

// ---- settings.cpp

// Every function of the API begins with one: the calls may come from several host threads.
class Call {
 public:
  Call();
  ~Call();
  Call(const Call&) = delete;
};
cudaError_t remember(cudaError_t error);  // for cudaGetLastError; returns it
bool injected(const char* what);          // counts the call for CPPN_EMULATED_FAIL: must it fail?
std::string setting(const char* name, const char* otherwise);
int64_t number(const char* name, int64_t otherwise);

// The order of threads, or of blocks: all of 0..count-1.
class Order {
 public:
  Order();
  void arrange(std::vector<unsigned>& indices, unsigned count);

 private:
  enum { forward, reverse, random } how_;
  uint64_t state_ = 0;
};

// ---- device.cpp

cudaError_t available();  // cudaSuccess, or why there is no device
int current_device();     // of this host thread
size_t device_bytes();
size_t opt_in_shared();
size_t allowed_shared(const void* kernel);  // bytes of dynamic shared memory that it may be launched with

// ---- memory.cpp

// Under AddressSanitizer a guard is poisoned; otherwise it holds a pattern, to be looked at later.
void guard(char* from, char* to);
void unguard(char* from, char* to);
const char* damaged(const char* from, const char* to);  // the first byte written, or nullptr
void check_device_guards();                             // after each launch: nobody else can write there
bool is_device(const void* p);
bool is_device(const void* p, size_t bytes);  // all of it in one allocation
bool is_pinned(const void* p, size_t bytes);

// While one lives, device memory can be accessed.
class DeviceAccess {
 public:
  DeviceAccess();
  ~DeviceAccess();
  DeviceAccess(const DeviceAccess&) = delete;
};

// ---- streams.cpp

void finish_everything();
// Some calls may not be made while a stream is captured; making one spoils the capture.
bool forbidden_by_capture();

// ---- fibers.cpp

struct Grid {
  dim3 blocks, threads;
  size_t shared;
  std::function<void()> thread;  // the kernel with its arguments
};
void run(const Grid& grid);
int64_t launches_run();  // by which messages name a launch

}  // namespace cuda_emulator
