// What CPPN_EMULATED_* say, failing on request, and errors.
#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <numeric>

#include "emulator.h"

namespace cuda_emulator {
namespace {

// Never destroyed, see fibers.cpp.
std::recursive_mutex& mutex = *new std::recursive_mutex;
std::map<std::string, int64_t>& calls = *new std::map<std::string, int64_t>;  // since failing last changed
std::string& failing = *new std::string;
thread_local cudaError_t last_error = cudaSuccess;

struct ErrorText {
  cudaError_t error;
  const char *name, *text;
};
#define CUDA_EMULATOR_ERROR(error, text) {error, #error, text}
constexpr ErrorText kErrors[] = {
    CUDA_EMULATOR_ERROR(cudaSuccess, "no error"),
    CUDA_EMULATOR_ERROR(cudaErrorInvalidValue, "invalid argument"),
    CUDA_EMULATOR_ERROR(cudaErrorMemoryAllocation, "out of memory"),
    CUDA_EMULATOR_ERROR(cudaErrorInitializationError, "initialization error"),
    CUDA_EMULATOR_ERROR(cudaErrorInvalidConfiguration, "invalid configuration argument"),
    CUDA_EMULATOR_ERROR(cudaErrorInvalidMemcpyDirection, "invalid copy direction for memcpy"),
    CUDA_EMULATOR_ERROR(cudaErrorInsufficientDriver,
                        "CUDA driver version is insufficient for CUDA runtime version"),
    CUDA_EMULATOR_ERROR(cudaErrorDevicesUnavailable, "CUDA-capable device(s) is/are busy or unavailable"),
    CUDA_EMULATOR_ERROR(cudaErrorInvalidDeviceFunction, "invalid device function"),
    CUDA_EMULATOR_ERROR(cudaErrorNoDevice, "no CUDA-capable device is detected"),
    CUDA_EMULATOR_ERROR(cudaErrorInvalidDevice, "invalid device ordinal"),
    CUDA_EMULATOR_ERROR(cudaErrorNoKernelImageForDevice,
                        "no kernel image is available for execution on the device"),
    CUDA_EMULATOR_ERROR(cudaErrorUnsupportedPtxVersion,
                        "the provided PTX was compiled with an unsupported toolchain."),
    CUDA_EMULATOR_ERROR(cudaErrorInvalidResourceHandle, "invalid resource handle"),
    CUDA_EMULATOR_ERROR(cudaErrorIllegalState, "the operation cannot be performed in the present state"),
    CUDA_EMULATOR_ERROR(cudaErrorNotReady, "device not ready"),
    CUDA_EMULATOR_ERROR(cudaErrorIllegalAddress, "an illegal memory access was encountered"),
    CUDA_EMULATOR_ERROR(cudaErrorLaunchOutOfResources, "too many resources requested for launch"),
    CUDA_EMULATOR_ERROR(cudaErrorLaunchFailure, "unspecified launch failure"),
    CUDA_EMULATOR_ERROR(cudaErrorNotSupported, "operation not supported"),
    CUDA_EMULATOR_ERROR(cudaErrorSystemDriverMismatch,
                        "system has unsupported display driver / cuda driver combination"),
    CUDA_EMULATOR_ERROR(cudaErrorStreamCaptureUnsupported,
                        "operation not permitted when stream is capturing"),
    CUDA_EMULATOR_ERROR(cudaErrorStreamCaptureInvalidated,
                        "operation failed due to a previous error during capture"),
    CUDA_EMULATOR_ERROR(cudaErrorCapturedEvent,
                        "operation not permitted on an event last recorded in a capturing stream"),
    CUDA_EMULATOR_ERROR(cudaErrorStreamCaptureWrongThread,
                        "attempt to terminate a thread-local capture sequence from another thread"),
    CUDA_EMULATOR_ERROR(cudaErrorUnknown, "unknown error"),
};
const ErrorText* find(cudaError_t error) {
  for (const ErrorText& e : kErrors)
    if (e.error == error) return &e;
  return nullptr;
}

}  // namespace

std::string setting(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value && *value ? value : otherwise;
}

int64_t number(const char* name, int64_t otherwise) {
  const std::string text = setting(name, "");
  if (text.empty()) return otherwise;
  char* rest = nullptr;
  const int64_t value = std::strtoll(text.c_str(), &rest, 10);
  if (*rest || value < 0) fail("%s is not a number: %s", name, text.c_str());
  return value;
}

void fail(const char* format, ...) {
  std::fputs("cuda emulator: ", stderr);
  va_list arguments;
  va_start(arguments, format);
  std::vfprintf(stderr, format, arguments);
  va_end(arguments);
  std::fputc('\n', stderr);
  std::fflush(stderr);
  std::abort();
}

Call::Call() {
  mutex.lock();
  const std::string now = setting("CPPN_EMULATED_FAIL", "");
  if (now != failing) calls.clear(), failing = now;
}
Call::~Call() { mutex.unlock(); }

cudaError_t remember(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

bool injected(const char* what) {
  const int64_t call = ++calls[what];
  const size_t colon = failing.find(':');
  if (failing.substr(0, colon) != what) return false;
  char* rest = nullptr;
  const int64_t which = colon == failing.npos ? 0 : std::strtoll(&failing[colon + 1], &rest, 10);
  const bool onwards = which > 0 && std::strcmp(rest, "+") == 0;
  if (which <= 0 || (*rest && !onwards)) fail("CPPN_EMULATED_FAIL is not <what>:<n>: %s", failing.c_str());
  return onwards ? call >= which : call == which;
}

Order::Order() {
  const std::string text = setting("CPPN_EMULATED_ORDER", "forward");
  if (text == "forward") {
    how_ = forward;
  } else if (text == "reverse") {
    how_ = reverse;
  } else if (unsigned long long seed; std::sscanf(text.c_str(), "random:%llu", &seed) == 1) {
    how_ = random;
    state_ = seed;
  } else {
    fail("CPPN_EMULATED_ORDER is not forward, reverse or random:<seed>: %s", text.c_str());
  }
}

void Order::arrange(std::vector<unsigned>& indices, unsigned count) {
  indices.resize(count);
  std::iota(indices.begin(), indices.end(), 0u);
  if (how_ == reverse) std::reverse(indices.begin(), indices.end());
  if (how_ != random) return;
  for (unsigned left = count; left > 1; --left) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    std::swap(indices[left - 1], indices[(state_ >> 33) % left]);
  }
}

}  // namespace cuda_emulator

using namespace cuda_emulator;

const char* cudaGetErrorName(cudaError_t error) {
  const ErrorText* e = find(error);
  return e ? e->name : "unrecognized error code";
}
const char* cudaGetErrorString(cudaError_t error) {
  const ErrorText* e = find(error);
  return e ? e->text : "unrecognized error code";
}
cudaError_t cudaPeekAtLastError() { return last_error; }
cudaError_t cudaGetLastError() { return std::exchange(last_error, cudaSuccess); }
