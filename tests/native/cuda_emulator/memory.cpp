// Device memory: each allocation a mapping of its own, with guards on both sides, accessible only while work
// runs. Pinned memory: ordinary memory that is known by its address.
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "emulator.h"
#if defined(CUDA_EMULATOR_ASAN)
#include <sanitizer/asan_interface.h>
#endif

namespace cuda_emulator {
namespace {

// What cudaMalloc promises, and no more: a kernel that wants 512 should not get it by luck.
constexpr size_t kAlignment = 256;

struct Allocation {
  char* mapping;  // guard, bytes, guard
  size_t mapped, bytes;
  int device;
};

std::map<char*, Allocation>& device_memory = *new std::map<char*, Allocation>;
std::map<char*, size_t>& pinned_memory = *new std::map<char*, size_t>;
int accesses = 0;

// The allocation that p points into, or end().
template <class Map>
typename Map::const_iterator find(const Map& map, const void* p) {
  char* const at = static_cast<char*>(const_cast<void*>(p));
  auto after = map.upper_bound(at);
  return after == map.begin() ? map.end() : std::prev(after);
}

// Bytes from p to the end of its allocation; 0: it is in none.
size_t device_bytes_from(const void* p) {
  const auto found = find(device_memory, p);
  if (found == device_memory.end()) return 0;
  const size_t offset = size_t(static_cast<const char*>(p) - found->first);
  return offset < found->second.bytes ? found->second.bytes - offset : 0;
}

// A NaN, so that reading it shows as well; repeated at addresses divisible by four.
constexpr unsigned kPattern = 0xfffacadeu;
constexpr size_t kPiece = 4096;
const char* pattern() {
  static const std::vector<unsigned> piece(kPiece / sizeof kPattern + 1, kPattern);
  return reinterpret_cast<const char*>(piece.data());
}
template <class Visit>  // visit(char*, pattern, bytes) piece by piece, until it returns true
bool each_piece(char* from, char* to, Visit visit) {
  for (size_t bytes; from < to; from += bytes) {
    bytes = std::min(size_t(to - from), kPiece);
    if (visit(from, pattern() + reinterpret_cast<uintptr_t>(from) % sizeof kPattern, bytes)) return true;
  }
  return false;
}

void protect(int how) {
  for (const auto& [address, a] : device_memory) mprotect(a.mapping, a.mapped, how);
}

void check(const char* address, const Allocation& a) {
  const char* at = damaged(a.mapping, address);
  if (!at) at = damaged(address + a.bytes, a.mapping + a.mapped);
  if (at)
    fail("kernel launch %lld: device memory is %zu bytes, and byte %td was written",
         static_cast<long long>(launches_run()), a.bytes, at - address);
}

size_t used(int device) {
  size_t sum = 0;
  for (const auto& [address, a] : device_memory) sum += a.device == device ? a.bytes : 0;
  return sum;
}

}  // namespace

void guard(char* from, char* to) {
  each_piece(from, to, [](char* p, const char* want, size_t bytes) {
    std::memcpy(p, want, bytes);
    return false;
  });
#if defined(CUDA_EMULATOR_ASAN)
  ASAN_POISON_MEMORY_REGION(from, size_t(to - from));
#endif
}

void unguard([[maybe_unused]] char* from, [[maybe_unused]] char* to) {
#if defined(CUDA_EMULATOR_ASAN)
  ASAN_UNPOISON_MEMORY_REGION(from, size_t(to - from));
#endif
}

const char* damaged([[maybe_unused]] const char* from, [[maybe_unused]] const char* to) {
  const char* first = nullptr;
#if !defined(CUDA_EMULATOR_ASAN)
  each_piece(const_cast<char*>(from), const_cast<char*>(to), [&](char* p, const char* want, size_t bytes) {
    if (std::memcmp(p, want, bytes) == 0) return false;
    first = std::mismatch(p, p + bytes, want).first;
    return true;
  });
#endif
  return first;
}

void check_device_guards() {
  const DeviceAccess access;
  for (const auto& [address, a] : device_memory) check(address, a);
}

bool is_device(const void* p) { return device_bytes_from(p) > 0; }
bool is_device(const void* p, size_t bytes) { return bytes == 0 || device_bytes_from(p) >= bytes; }

bool is_pinned(const void* p, size_t bytes) {
  const auto found = find(pinned_memory, p);
  return found != pinned_memory.end() &&
         size_t(static_cast<const char*>(p) - found->first) + bytes <= found->second;
}

DeviceAccess::DeviceAccess() {
  if (accesses++ == 0) protect(PROT_READ | PROT_WRITE);
}
DeviceAccess::~DeviceAccess() {
  if (--accesses == 0) protect(PROT_NONE);
}

}  // namespace cuda_emulator

using namespace cuda_emulator;

cudaError_t cudaMalloc(void** p, size_t bytes) {
  const Call call;
  if (const cudaError_t why = available()) return remember(why);
  if (forbidden_by_capture()) return remember(cudaErrorStreamCaptureUnsupported);
  if (!p) return remember(cudaErrorInvalidValue);
  *p = nullptr;
  const int device = current_device();
  if (injected("malloc") || bytes > device_bytes() || used(device) > device_bytes() - bytes)
    return remember(cudaErrorMemoryAllocation);
  if (bytes == 0) return cudaSuccess;
  const size_t mapped = (kAlignment + bytes + kAlignment + kPage - 1) / kPage * kPage;
  void* const mapping = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) return remember(cudaErrorMemoryAllocation);
  const Allocation a{static_cast<char*>(mapping), mapped, bytes, device};
  char* const address = a.mapping + kAlignment;
  unguard(a.mapping, a.mapping + mapped);
  std::memset(address, 0xff, bytes);
  guard(a.mapping, address);
  guard(address + bytes, a.mapping + mapped);
  mprotect(mapping, mapped, PROT_NONE);
  device_memory[address] = a;
  *p = address;
  return cudaSuccess;
}

cudaError_t cudaFree(void* p) {
  const Call call;
  if (!p) return remember(available());
  if (forbidden_by_capture()) return remember(cudaErrorStreamCaptureUnsupported);
  const auto found = device_memory.find(static_cast<char*>(p));
  if (found == device_memory.end()) return remember(cudaErrorInvalidValue);
  finish_everything();
  const Allocation a = found->second;
  device_memory.erase(found);
  unguard(a.mapping, a.mapping + a.mapped);
  munmap(a.mapping, a.mapped);
  return cudaSuccess;
}

cudaError_t cudaMallocHost(void** p, size_t bytes) {
  const Call call;
  if (const cudaError_t why = available()) return remember(why);
  if (forbidden_by_capture()) return remember(cudaErrorStreamCaptureUnsupported);
  if (!p) return remember(cudaErrorInvalidValue);
  *p = nullptr;
  if (injected("mallochost")) return remember(cudaErrorMemoryAllocation);
  if (bytes == 0) return cudaSuccess;
  if (posix_memalign(p, kAlignment, bytes) != 0) return remember(cudaErrorMemoryAllocation);
  std::memset(*p, 0xff, bytes);
  pinned_memory[static_cast<char*>(*p)] = bytes;
  return cudaSuccess;
}

cudaError_t cudaFreeHost(void* p) {
  const Call call;
  if (!p) return cudaSuccess;
  if (forbidden_by_capture()) return remember(cudaErrorStreamCaptureUnsupported);
  if (pinned_memory.count(static_cast<char*>(p)) == 0) return remember(cudaErrorInvalidValue);
  finish_everything();  // copies from and to it among them
  pinned_memory.erase(static_cast<char*>(p));
  std::free(p);
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t* available_bytes, size_t* total_bytes) {
  const Call call;
  if (const cudaError_t why = available()) return remember(why);
  const size_t taken = used(current_device());
  *total_bytes = device_bytes();
  *available_bytes = *total_bytes - std::min(taken, *total_bytes);
  return cudaSuccess;
}
