// Checks the emulator itself; tests/test_cuda_emulator.py builds and runs it. Without an argument: what must
// work; says which checks fail. With the name of a mistake: makes it, and must not live to tell. It is CUDA:
// nvcc compiles it too.
#include <cuda_runtime.h>

#include <cfenv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace cppn::cuda {

extern __shared__ float4 shared_memory[];

__device__ __forceinline__ float* shared() { return reinterpret_cast<float*>(shared_memory); }

// ---- Kernels

__global__ void reverse(const float* __restrict__ in, float* __restrict__ out, bool with_barrier) {
  const unsigned n = blockDim.x, i = threadIdx.x, start = blockIdx.x * n;
  shared()[i] = __ldg(in + start + i);
  if (with_barrier) __syncthreads();
  out[start + i] = shared()[n - 1 - i];
}

__global__ void last_block(float* out) { *out = float(blockIdx.x); }

__global__ void unwritten(float* out) {
  out[blockIdx.x * blockDim.x + threadIdx.x] = shared()[threadIdx.x];
  __syncthreads();
  shared()[threadIdx.x] = 1;  // the next block must not see it
}

__global__ void indices(unsigned* out) {
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  out[block * blockDim.x * blockDim.y * blockDim.z + thread] = 1000 * block + thread;
}

constexpr int kShuffles = 8;

// Row k of out: the k-th shuffle. 48 threads: a whole warp and half of one.
__global__ void shuffles(float* out) {
  const unsigned i = threadIdx.x, n = blockDim.x, all = 0xffffffffu;
  const float v = float(i);
  float sum = v;
  for (int lanes = 8; lanes > 0; lanes /= 2) sum += __shfl_xor_sync(all, sum, lanes);
  out[i] = sum;
  out[n + i] = __shfl_down_sync(all, v, 3u);
  out[2 * n + i] = __shfl_up_sync(all, v, 3u, 8);
  out[3 * n + i] = __shfl_sync(all, v, 5);
  out[4 * n + i] = __shfl_sync(all, v, 5, 4);
  out[5 * n + i] = __shfl_xor_sync(all, v, 12, 8);
  // Two halves of a warp that know nothing of each other
  const bool low = i % 32 < 16;
  const unsigned half = low ? 0x0000ffffu : 0xffff0000u;
  float other = v;
  for (int k = 0; k < (low ? 1 : 3); ++k) other = __shfl_xor_sync(half, other, 1);
  out[6 * n + i] = other;
  __syncwarp();
  out[7 * n + i] = float(__shfl_down_sync(all, double(i) + 0.5, 1u, 2));
}

// The second warp has 16 lanes: lane 31 of it is nobody.
__global__ void shuffle_from_nobody(float* out) {
  out[threadIdx.x] = __shfl_sync(0xffffffffu, float(threadIdx.x), 31);
}

// Each thread adds its left neighbour's number to its own, `rounds` times.
__global__ void rotate(float* out, int rounds) {
  float* const here = shared();
  const unsigned n = blockDim.x, i = threadIdx.x;
  float mine = float(i);
  for (int r = 0; r < rounds; ++r) {
    here[i] = mine;
    __syncthreads();
    mine += here[(i + n - 1) % n];
    __syncthreads();
  }
  out[blockIdx.x * n + i] = mine;
}

// As reverse, but one warp is late, by barriers of its own.
__global__ void reverse_with_a_late_warp(float* out) {
  const unsigned n = blockDim.x, i = threadIdx.x;
  if (i / 32 == 1)
    for (int k = 0; k < 5; ++k) __syncwarp();
  shared()[i] = float(i);
  __syncthreads();
  out[i] = shared()[n - 1 - i];
}

struct Arguments {
  float add[8];
  float* out;
};
__global__ void add(const __grid_constant__ Arguments a) { a.out[threadIdx.x] += a.add[threadIdx.x]; }

__global__ void third(float* out, float one, float three) { *out = one / three; }

__global__ void write_shared(int at) {
  if (threadIdx.x == 0) reinterpret_cast<char*>(shared_memory)[at] = 1;
}
__global__ void write(char* p) { *p = 1; }
__global__ void some_return() {
  if (threadIdx.x == 5) return;
  __syncthreads();
}
__global__ void two_barriers() {
  if (threadIdx.x < 32) {
    __syncthreads();
  } else {
    __syncwarp();
    if (threadIdx.x == 40) __syncwarp(0x300);
    __syncthreads();
  }
}
__global__ void half_a_warp_returns(float* out) {
  if (threadIdx.x >= 16) return;
  *out = __shfl_xor_sync(0xffffffffu, 1.0f, 1);
}
__global__ void two_masks() { __syncwarp(threadIdx.x < 16 ? 0xffffffffu : 0xffff8000u); }
__global__ void not_in_mask() { __syncwarp(0xfffffffeu); }
__global__ void deep(volatile char* out) {
  if (threadIdx.x < 5) return;
  volatile char local[300000];  // more than a stack, less than six
  for (int i = 0; i < 300000; i += 1000) local[299999 - i] = char(i);
  *out = local[5];
}

// ---- Host

int failures = 0;
void expect(bool good, const char* what, int line) {
  if (good) return;
  ++failures;
  std::printf("selftest.cpp:%d: %s\n", line, what);
}
#define EXPECT(condition) expect(condition, #condition, __LINE__)
#define OK(call) expect((call) == cudaSuccess, #call, __LINE__)

struct Setting {
  const char* name;
  Setting(const char* n, const char* value) : name(n) { setenv(name, value, 1); }
  ~Setting() { unsetenv(name); }
};

struct Stream {
  cudaStream_t handle = nullptr;
  explicit Stream(unsigned flags = cudaStreamNonBlocking) { OK(cudaStreamCreateWithFlags(&handle, flags)); }
  ~Stream() { OK(cudaStreamDestroy(handle)); }
  operator cudaStream_t() const { return handle; }
};

struct Device {  // floats
  float* p = nullptr;
  explicit Device(size_t floats) { OK(cudaMalloc(&p, floats * sizeof(float))); }
  explicit Device(const std::vector<float>& v) : Device(v.size()) {
    OK(cudaMemcpy(p, v.data(), v.size() * sizeof(float), cudaMemcpyHostToDevice));
  }
  ~Device() { OK(cudaFree(p)); }
  std::vector<float> get(size_t floats) const {
    std::vector<float> v(floats);
    OK(cudaMemcpy(v.data(), p, floats * sizeof(float), cudaMemcpyDeviceToHost));
    return v;
  }
};

struct Pinned {
  float* p = nullptr;
  explicit Pinned(size_t floats) { OK(cudaMallocHost(&p, floats * sizeof(float))); }
  ~Pinned() { OK(cudaFreeHost(p)); }
};

template <class... Expected, class... Actual>
cudaError_t start(cudaStream_t stream, dim3 blocks, dim3 threads, size_t shared, void (*kernel)(Expected...),
                  Actual... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = blocks;
  config.blockDim = threads;
  config.dynamicSmemBytes = shared;
  config.stream = stream;
  return cudaLaunchKernelEx(&config, kernel, arguments...);
}

bool same(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

const char* const kOrders[] = {"forward", "reverse", "random:1", "random:2"};

std::vector<float> reversed(bool with_barrier, const char* order) {
  const Setting setting("CPPN_EMULATED_ORDER", order);
  std::vector<float> in(3 * 70);
  for (size_t i = 0; i < in.size(); ++i) in[i] = float(i);
  const Device from(in), to(in.size());
  OK(start(nullptr, 3, 70, 70 * sizeof(float), reverse, from.p, to.p, with_barrier));
  return to.get(in.size());
}

void check_orders() {
  std::vector<float> want(3 * 70);
  for (size_t i = 0; i < want.size(); ++i) want[i] = float(i / 70 * 70 + 69 - i % 70);
  for (const char* order : kOrders) EXPECT(same(reversed(true, order), want));
  for (const char* order : kOrders) EXPECT(!same(reversed(false, order), want));
  EXPECT(!same(reversed(false, "forward"), reversed(false, "reverse")));
  EXPECT(!same(reversed(false, "forward"), reversed(false, "random:1")));
  EXPECT(!same(reversed(false, "random:1"), reversed(false, "random:2")));
  EXPECT(same(reversed(false, "random:1"), reversed(false, "random:1")));

  for (const auto& [order, last] : {std::pair{"forward", 6.0f}, std::pair{"reverse", 0.0f}}) {
    const Setting setting("CPPN_EMULATED_ORDER", order);
    const Device out(1);
    OK(start(nullptr, 7, 1, 0, last_block, out.p));
    EXPECT(out.get(1)[0] == last);
  }
}

void check_barriers() {
  const int n = 100, rounds = 6;
  std::vector<float> mine(n), want;
  for (int i = 0; i < n; ++i) mine[size_t(i)] = float(i);
  for (int r = 0; r < rounds; ++r) {
    want = mine;
    for (int i = 0; i < n; ++i) want[size_t(i)] += mine[size_t((i + n - 1) % n)];
    mine = want;
  }
  want.insert(want.end(), mine.begin(), mine.end());  // two blocks
  for (const char* order : kOrders) {
    const Setting setting("CPPN_EMULATED_ORDER", order);
    const Device out(2 * n);
    OK(start(nullptr, 2, n, n * sizeof(float), rotate, out.p, rounds));
    EXPECT(same(out.get(2 * n), want));
  }

  for (const char* order : kOrders) {
    const Setting setting("CPPN_EMULATED_ORDER", order);
    const Device late(96);
    OK(start(nullptr, 1, 96, 96 * sizeof(float), reverse_with_a_late_warp, late.p));
    const std::vector<float> got = late.get(96);
    for (int i = 0; i < 96; ++i) EXPECT(got[size_t(i)] == float(95 - i));
  }

  const Device out(8 * 24);
  OK(start(nullptr, dim3(2, 2, 2), dim3(2, 3, 4), 0, indices, reinterpret_cast<unsigned*>(out.p)));
  const std::vector<float> got = out.get(8 * 24);
  for (unsigned i = 0; i < 8 * 24; ++i) {
    unsigned value;
    std::memcpy(&value, &got[i], sizeof value);
    EXPECT(value == 1000 * (i / 24) + i % 24);
  }
}

void check_shuffles() {
  const int n = 48;
  for (const char* order : kOrders) {
    const Setting setting("CPPN_EMULATED_ORDER", order);
    const Device out(kShuffles * n), nobody(n);
    OK(start(nullptr, 1, n, 0, shuffles, out.p));
    OK(start(nullptr, 1, n, 0, shuffle_from_nobody, nobody.p));
    const std::vector<float> got = out.get(kShuffles * n);
    const auto at = [&](int row, int i) { return got[size_t(row * n + i)]; };
    for (int i = 0; i < n; ++i) {
      const int warp = i / 32 * 32, lane = i % 32, segment = i / 8 * 8;
      EXPECT(at(0, i) == float(16 * (i / 16 * 16) + 120));
      // Lanes 16 to 31 of the second warp do not exist.
      if (i + 3 < n) EXPECT(at(1, i) == float(lane + 3 < 32 ? i + 3 : i));
      if (i + 3 >= n) EXPECT(std::isnan(at(1, i)));
      EXPECT(at(2, i) == float(i - 3 >= segment ? i - 3 : i));
      EXPECT(at(3, i) == float(warp + 5));
      EXPECT(at(4, i) == float(i / 4 * 4 + 1));
      const int other = lane ^ 12;
      EXPECT(at(5, i) == float(other > (lane | 7) ? i : warp + other));
      EXPECT(at(6, i) == float(i ^ 1));
      EXPECT(at(7, i) == float(i | 1) + 0.5f);
    }
    const std::vector<float> from = nobody.get(n);
    for (int i = 0; i < n; ++i) EXPECT(i < 32 ? from[size_t(i)] == 31 : std::isnan(from[size_t(i)]));
  }
}

void check_memory_starts_as_nan() {
  const Device out(3 * 32), fresh(10);
  const Pinned pinned(3);
  OK(start(nullptr, 3, 32, 32 * sizeof(float), unwritten, out.p));
  for (float v : out.get(3 * 32)) EXPECT(std::isnan(v));
  for (float v : fresh.get(10)) EXPECT(std::isnan(v));
  EXPECT(std::isnan(pinned.p[0]) && std::isnan(pinned.p[2]));
}

void check_work_is_deferred() {
  const Stream stream, other, blocking(cudaStreamDefault);
  const Device sum(8);
  const Pinned early(8), late(8);
  Arguments a{{1, 2, 3, 4, 5, 6, 7, 8}, sum.p};
  cudaEvent_t between, end, none;
  OK(cudaEventCreate(&between));
  OK(cudaEventCreateWithFlags(&end, cudaEventDefault));
  OK(cudaEventCreateWithFlags(&none, cudaEventDisableTiming));

  OK(cudaMemsetAsync(sum.p, 0, 32, stream));
  OK(start(stream, 1, 8, 0, add, a));
  a.add[0] = 100;  // too late: arguments are copied
  OK(cudaMemcpyAsync(early.p, sum.p, 32, cudaMemcpyDeviceToHost, stream));
  OK(cudaEventRecord(between, stream));
  OK(start(stream, 1, 8, 0, add, a));
  OK(cudaMemcpyAsync(late.p, sum.p, 32, cudaMemcpyDeviceToHost, stream));
  OK(cudaEventRecord(end, stream));
  EXPECT(std::isnan(early.p[0]));
  OK(cudaStreamSynchronize(other));
  OK(cudaMemset(sum.p, 0, 0));
  float milliseconds = -1;
  EXPECT(cudaEventElapsedTime(&milliseconds, between, end) == cudaErrorNotReady);
  EXPECT(std::isnan(early.p[0]));
  OK(cudaEventSynchronize(between));
  EXPECT(early.p[0] == 1 && early.p[7] == 8);
  EXPECT(std::isnan(late.p[0]));
  EXPECT(cudaEventQuery(end) == cudaErrorNotReady);
  int questions = 1;
  for (; cudaStreamQuery(stream) == cudaErrorNotReady && questions < 10;) ++questions;
  EXPECT(questions == 3);
  EXPECT(late.p[0] == 101 && late.p[7] == 16);
  OK(cudaEventQuery(end));
  OK(cudaEventElapsedTime(&milliseconds, between, end));
  EXPECT(milliseconds >= 0 && milliseconds < 60000);
  OK(cudaEventSynchronize(none));  // never recorded
  EXPECT(cudaEventElapsedTime(&milliseconds, between, none) == cudaErrorInvalidResourceHandle);

  // cudaMemcpy waits for streams that block, and for no others.
  const float nine = 9;
  OK(cudaMemsetAsync(sum.p, 0, 32, stream));
  OK(cudaMemcpy(sum.p + 1, &nine, 4, cudaMemcpyHostToDevice));
  EXPECT(sum.get(1)[0] == 101);
  OK(cudaMemsetAsync(sum.p, 0, 4, blocking));
  EXPECT(sum.get(1)[0] == 0);
  OK(cudaDeviceSynchronize());
  EXPECT(sum.get(2)[1] == 0);
  for (cudaEvent_t event : {between, end, none}) OK(cudaEventDestroy(event));
  EXPECT(cudaEventDestroy(end) == cudaErrorInvalidResourceHandle);
}

void check_copies() {
  const Stream stream;
  const Device d(4);
  const Pinned pinned(4);
  std::vector<float> pageable{1, 2, 3, 4};
  std::memcpy(pinned.p, pageable.data(), 16);
  OK(cudaMemcpyAsync(d.p, pageable.data(), 16, cudaMemcpyHostToDevice, stream));
  pageable[0] = 50;  // CUDA has its copy
  OK(cudaStreamSynchronize(stream));
  EXPECT(d.get(4)[0] == 1);
  OK(cudaMemcpyAsync(d.p, pinned.p, 16, cudaMemcpyHostToDevice, stream));
  pinned.p[0] = 50;  // too early: it has not been read
  OK(cudaStreamSynchronize(stream));
  EXPECT(d.get(4)[0] == 50);
  OK(cudaMemcpyAsync(pageable.data(), d.p, 16, cudaMemcpyDefault, stream));
  EXPECT(pageable[0] == 50 && pageable[3] == 4);

  EXPECT(cudaMemcpy(d.p, pageable.data(), 20, cudaMemcpyHostToDevice) == cudaErrorInvalidValue);
  EXPECT(cudaMemcpy(pageable.data(), d.p + 3, 8, cudaMemcpyDeviceToHost) == cudaErrorInvalidValue);
  EXPECT(cudaMemcpy(d.p, pageable.data(), 4, cudaMemcpyDeviceToHost) == cudaErrorInvalidValue);
  EXPECT(cudaMemcpy(pageable.data(), pageable.data(), 4, cudaMemcpyHostToDevice) == cudaErrorInvalidValue);
  EXPECT(cudaMemset(d.p + 1, 0, 16) == cudaErrorInvalidValue);
  EXPECT(cudaFree(d.p + 1) == cudaErrorInvalidValue);
  EXPECT(cudaFreeHost(pageable.data()) == cudaErrorInvalidValue);
  EXPECT(cudaPeekAtLastError() == cudaErrorInvalidValue && cudaGetLastError() == cudaErrorInvalidValue &&
         cudaGetLastError() == cudaSuccess);
}

void check_graphs() {
  const Stream stream;
  const Device sum(std::vector<float>(8, 0.0f));
  const Pinned seen(8);
  Arguments a{{1, 2, 3, 4, 5, 6, 7, 8}, sum.p};
  cudaGraph_t graph;
  cudaGraphExec_t exec;
  OK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
  OK(start(stream, 1, 8, 0, add, a));
  OK(start(stream, 1, 8, 0, add, a));
  OK(cudaMemcpyAsync(seen.p, sum.p, 32, cudaMemcpyDeviceToHost, stream));
  OK(cudaStreamEndCapture(stream, &graph));
  OK(cudaGraphInstantiate(&exec, graph, 0));
  OK(cudaGraphDestroy(graph));
  OK(cudaStreamSynchronize(stream));
  EXPECT(sum.get(1)[0] == 0);
  for (int k = 0; k < 3; ++k) OK(cudaGraphLaunch(exec, stream));
  EXPECT(std::isnan(seen.p[0]));
  OK(cudaStreamSynchronize(stream));
  EXPECT(seen.p[0] == 6 && seen.p[7] == 48);
  OK(cudaGraphLaunch(exec, stream));
  OK(cudaGraphExecDestroy(exec));  // what was launched runs all the same
  OK(cudaStreamSynchronize(stream));
  EXPECT(seen.p[0] == 8);

  // A capture that is asked for results comes to nothing.
  const auto spoilt_by = [&](cudaStreamCaptureMode mode, std::function<cudaError_t()> act) {
    OK(cudaStreamBeginCapture(stream, mode));
    const cudaError_t error = act();
    const cudaError_t ended = cudaStreamEndCapture(stream, &graph);
    EXPECT((ended == cudaErrorStreamCaptureInvalidated) == (graph == nullptr));
    if (graph) OK(cudaGraphDestroy(graph));
    return error == cudaErrorStreamCaptureUnsupported && ended == cudaErrorStreamCaptureInvalidated;
  };
  float* p = nullptr;
  const auto global = cudaStreamCaptureModeGlobal, relaxed = cudaStreamCaptureModeRelaxed;
  EXPECT(spoilt_by(relaxed, [&] { return cudaStreamSynchronize(stream); }));
  EXPECT(spoilt_by(relaxed, [&] { return cudaDeviceSynchronize(); }));
  EXPECT(spoilt_by(global, [&] { return cudaMalloc(&p, 4); }));
  EXPECT(!spoilt_by(relaxed, [&] { return cudaMalloc(&p, 4); }));
  EXPECT(spoilt_by(global, [&] { return cudaFree(p); }));
  EXPECT(spoilt_by(global, [&] { return cudaMemcpy(seen.p, sum.p, 4, cudaMemcpyDeviceToHost); }));
  OK(cudaFree(p));
  EXPECT(cudaStreamEndCapture(stream, &graph) == cudaErrorIllegalState);
  EXPECT(cudaStreamBeginCapture(nullptr, global) == cudaErrorStreamCaptureUnsupported);
  cudaEvent_t event;
  OK(cudaEventCreate(&event));
  EXPECT(!spoilt_by(global, [&] { return cudaEventRecord(event, stream); }));
  EXPECT(cudaEventSynchronize(event) == cudaErrorCapturedEvent);
  OK(cudaEventDestroy(event));
}

void check_failures() {
  const Stream stream;
  const Device d(4);
  float* p;
  const auto malloc_fails = [&] {
    const cudaError_t error = cudaMalloc(&p, 4);
    if (error == cudaSuccess) OK(cudaFree(p));
    EXPECT(error == cudaSuccess || p == nullptr);
    return error == cudaErrorMemoryAllocation;
  };
  {
    const Setting setting("CPPN_EMULATED_FAIL", "malloc:3");
    EXPECT(!malloc_fails() && !malloc_fails() && malloc_fails() && !malloc_fails());
  }
  {
    const Setting setting("CPPN_EMULATED_FAIL", "malloc:2+");
    EXPECT(!malloc_fails() && malloc_fails() && malloc_fails());
  }
  EXPECT(!malloc_fails());
  const auto fails = [](const char* how, cudaError_t with, std::function<cudaError_t()> act) {
    const Setting setting("CPPN_EMULATED_FAIL", how);
    const cudaError_t first = act(), second = act();
    EXPECT(first == cudaSuccess);
    EXPECT(second == with);
    EXPECT(act() == cudaSuccess);
  };
  fails("mallochost:2", cudaErrorMemoryAllocation, [] {
    void* host;
    const cudaError_t error = cudaMallocHost(&host, 4);
    if (error == cudaSuccess) OK(cudaFreeHost(host));
    return error;
  });
  fails("launch:2", cudaErrorLaunchFailure, [&] { return start(stream, 1, 1, 0, last_block, d.p); });
  fails("image:2", cudaErrorNoKernelImageForDevice, [&] { return start(stream, 1, 1, 0, last_block, d.p); });
  fails("memcpy:2", cudaErrorIllegalAddress,
        [&] { return cudaMemcpyAsync(d.p, d.p + 2, 4, cudaMemcpyDeviceToDevice, stream); });
  fails("sync:2", cudaErrorLaunchFailure, [&] { return cudaStreamSynchronize(stream); });
  cudaGraph_t graph;
  OK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
  OK(cudaStreamEndCapture(stream, &graph));
  fails("graph:2", cudaErrorUnknown, [&] {
    cudaGraphExec_t exec;
    const cudaError_t error = cudaGraphInstantiate(&exec, graph, 0);
    if (error == cudaSuccess) OK(cudaGraphExecDestroy(exec));
    return error;
  });
  OK(cudaGraphDestroy(graph));
}

int blocks_for(int threads, size_t shared) {
  int blocks = -1;
  OK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, reverse, threads, shared));
  return blocks;
}

void check_shared_limits() {
  const auto dynamic = cudaFuncAttributeMaxDynamicSharedMemorySize;
  const auto launch = [](size_t shared) { return start(nullptr, 1, 1, shared, write_shared, 0); };
  OK(launch(48 << 10));
  EXPECT(launch((48 << 10) + 1) == cudaErrorInvalidValue);
  OK(cudaFuncSetAttribute(write_shared, dynamic, 100000));
  OK(launch(100000));
  EXPECT(launch(100001) == cudaErrorInvalidValue);
  EXPECT(cudaFuncSetAttribute(write_shared, dynamic, 232449) == cudaErrorInvalidValue);
  OK(cudaFuncSetAttribute(write_shared, dynamic, 232448));
  OK(start(nullptr, 1, 1, 232448, write_shared, 232447));
  OK(cudaDeviceSynchronize());
  cudaFuncAttributes attributes{};
  OK(cudaFuncGetAttributes(&attributes, write_shared));
  EXPECT(attributes.maxDynamicSharedSizeBytes == 232448);

  EXPECT(blocks_for(64, 0) == 32 && blocks_for(65, 0) == 21 && blocks_for(1000, 0) == 2);
  EXPECT(blocks_for(64, 48 << 10) == 4);
  EXPECT(blocks_for(64, 100000) == 0);
  OK(cudaFuncSetAttribute(reverse, dynamic, 232448));
  EXPECT(blocks_for(64, 100000) == 2 && blocks_for(64, 115712) == 2 && blocks_for(64, 115713) == 1);
  EXPECT(blocks_for(64, 232448) == 1);

  const Setting setting("CPPN_EMULATED_SHARED", "101376");
  EXPECT(cudaFuncSetAttribute(write_shared, dynamic, 101377) == cudaErrorInvalidValue);
  EXPECT(launch(101377) == cudaErrorInvalidValue);
  OK(launch(101376));
  EXPECT(blocks_for(64, 50176) == 2 && blocks_for(64, 50177) == 1);
}

int attribute(cudaDeviceAttr which) {
  int value = -1;
  OK(cudaDeviceGetAttribute(&value, which, 0));
  return value;
}

void check_devices() {
  int count = -1;
  OK(cudaGetDeviceCount(&count));
  EXPECT(count == 1);
  EXPECT(cudaSetDevice(1) == cudaErrorInvalidDevice);
  float* p = nullptr;
  {
    const Setting setting("CPPN_EMULATED_DEVICES", "0");
    EXPECT(cudaGetDeviceCount(&count) == cudaErrorNoDevice && count == 0);
    EXPECT(cudaMalloc(&p, 4) == cudaErrorNoDevice);
  }
  {
    const Setting setting("CPPN_EMULATED_DEVICES", "nodriver");
    EXPECT(cudaGetDeviceCount(&count) == cudaErrorInsufficientDriver);
    EXPECT(cudaFree(nullptr) == cudaErrorInsufficientDriver);
    int version = -1;
    OK(cudaDriverGetVersion(&version));
    EXPECT(version == 0);
  }
  {
    const Setting two("CPPN_EMULATED_DEVICES", "2");
    const Stream first;
    OK(cudaSetDevice(1));
    const Device d(1);
    EXPECT(start(first, 1, 1, 0, last_block, d.p) == cudaErrorInvalidResourceHandle);
    OK(start(nullptr, 1, 1, 0, last_block, d.p));
    EXPECT(d.get(1)[0] == 0);
    std::thread([&] {  // each host thread has its own, 0 at first
      OK(cudaGetDevice(&count));
      EXPECT(count == 0);
      OK(start(first, 1, 1, 0, last_block, d.p));
      OK(cudaStreamSynchronize(first));
    })
        .join();
    OK(cudaSetDevice(0));
  }
  {
    const Setting memory("CPPN_EMULATED_MEMORY", "1000"), capability("CPPN_EMULATED_CAPABILITY", "8.6"),
        sms("CPPN_EMULATED_SMS", "132"), shared("CPPN_EMULATED_SHARED", "101376");
    const Device d(100);
    size_t available = 0, total = 0;
    OK(cudaMemGetInfo(&available, &total));
    EXPECT(total == 1000 && available == 600);
    EXPECT(cudaMalloc(&p, 601) == cudaErrorMemoryAllocation && p == nullptr);
    OK(cudaMalloc(&p, 600));
    OK(cudaFree(p));
    cudaDeviceProp properties;
    OK(cudaGetDeviceProperties(&properties, 0));
    EXPECT(properties.major == 8 && properties.minor == 6 && properties.totalGlobalMem == 1000);
    EXPECT(attribute(cudaDevAttrMultiProcessorCount) == 132);
    EXPECT(attribute(cudaDevAttrComputeCapabilityMinor) == 6);
    EXPECT(attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin) == 101376);
    EXPECT(attribute(cudaDevAttrMaxSharedMemoryPerMultiprocessor) == 102400);
    EXPECT(attribute(cudaDevAttrReservedSharedMemoryPerBlock) == 1024);
  }
  EXPECT(std::string(cudaGetErrorName(cudaErrorIllegalAddress)) == "cudaErrorIllegalAddress");
  EXPECT(std::string(cudaGetErrorString(cudaErrorMemoryAllocation)) == "out of memory");
}

void check_rounding() {
  const Device d(1);
  volatile float one = 1, three = 3;
  const float want = one / three;
  std::fesetround(FE_DOWNWARD);
  OK(start(nullptr, 1, 1, 0, third, d.p, float(one), float(three)));
  const float got = d.get(1)[0];
  EXPECT(std::fegetround() == FE_DOWNWARD);
  std::fesetround(FE_TONEAREST);
  EXPECT(got == want);
}

void print_time() {
  const Device out(256 * 128);
  const auto begin = std::chrono::steady_clock::now();
  OK(start(nullptr, 256, 128, 128 * sizeof(float), rotate, out.p, 5));
  OK(cudaDeviceSynchronize());
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  std::printf("256 blocks of 128 threads, 10 barriers: %.1f ms\n", took.count());
}

int check_everything() {
  check_orders();
  check_barriers();
  check_shuffles();
  check_memory_starts_as_nan();
  check_work_is_deferred();
  check_copies();
  check_graphs();
  check_failures();
  check_shared_limits();
  check_devices();
  check_rounding();
  std::thread(check_barriers).join();  // the fibers of one host thread serve another
  check_barriers();
  print_time();
  return failures == 0 ? 0 : 1;
}

// ---- Mistakes

struct Mistake {
  const char* name;
  void (*make)();
};
char* device_bytes(size_t bytes) {
  char* p;
  OK(cudaMalloc(&p, bytes));
  return p;
}
const Mistake kMistakes[] = {
    {"write behind shared memory", [] { start(nullptr, 3, 32, 400, write_shared, 400); }},
    {"write behind device memory", [] { start(nullptr, 1, 1, 0, write, device_bytes(101) + 101); }},
    {"write before device memory", [] { start(nullptr, 1, 1, 0, write, device_bytes(101) - 1); }},
    {"write far away", [] { start(nullptr, 1, 1, 0, write, static_cast<char*>(nullptr)); }},
    {"some threads return", [] { start(nullptr, dim3(2, 3), 64, 0, some_return); }},
    {"two kinds of barrier", [] { start(nullptr, 1, 64, 0, two_barriers); }},
    {"half a warp returns",
     [] { start(nullptr, 1, 32, 0, half_a_warp_returns, reinterpret_cast<float*>(device_bytes(4))); }},
    {"two masks", [] { start(nullptr, 1, 32, 0, two_masks); }},
    {"not in its own mask", [] { start(nullptr, 1, 32, 0, not_in_mask); }},
    {"too many threads", [] { start(nullptr, 1, dim3(32, 33), 0, not_in_mask); }},
    {"no blocks", [] { start(nullptr, 0, 1, 0, not_in_mask); }},
    {"deep stack", [] { start(nullptr, 1, 6, 0, deep, device_bytes(1)); }},
    {"host reads device memory", [] { std::printf("%d\n", *static_cast<volatile char*>(device_bytes(1))); }},
    {"misspelt setting",
     [] {
       setenv("CPPN_EMULATED_ORDER", "sideways", 1);
       start(nullptr, 1, 1, 0, some_return);
     }},
};

}  // namespace cppn::cuda

int main(int count, char** arguments) {
  using namespace cppn::cuda;
  if (count == 1) return check_everything();
  for (const Mistake& mistake : kMistakes) {
    if (std::strcmp(mistake.name, arguments[1]) != 0) continue;
    mistake.make();
    std::printf("not found out yet: %s\n", mistake.name);
    cudaDeviceSynchronize();
    std::printf("not found out: %s\n", mistake.name);
    return 0;
  }
  std::printf("no such mistake: %s\n", arguments[1]);
  return 2;
}
