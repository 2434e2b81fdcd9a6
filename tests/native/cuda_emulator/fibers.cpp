// Runs a grid: its blocks one after the other, the threads of a block as fibers, each until its next barrier.
// A fiber, once made, is kept: between two blocks it waits where it would return.
#include <fenv.h>
#include <sys/mman.h>

#include <cstdio>

#include "context.h"
#include "emulator.h"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace {
constexpr size_t kSharedGuard = 4096;
}
namespace cppn::cuda {
float4 shared_memory[(cuda_emulator::kMaxShared + kSharedGuard) / sizeof(float4)];
}

namespace cuda_emulator {
namespace {

// ---- Fibers

#if defined(CUDA_EMULATOR_ASAN)
constexpr size_t kStack = 256 << 10;  // it puts red zones around every local array
#else
constexpr size_t kStack = 64 << 10;
#endif

enum class State { ready, syncthreads, syncwarp, shuffle, returned };

struct Fiber {
  Context context;  // without a stack: not made yet
  uint3 index;
  State state;
  // of the warp's barriers
  unsigned mask;
  int source;
  uint64_t value;  // sent, and then received
};

// Never destroyed: Python may free device memory after the destructors of this library.
std::vector<Fiber>& fibers = *new std::vector<Fiber>(kMaxThreads);
std::vector<unsigned>& indices = *new std::vector<unsigned>;
Context scheduler;
Fiber* current = nullptr;
const Grid* grid_now = nullptr;
int64_t launches = 0;  // so far

void enter(Fiber& fiber) {
  current = &fiber;
  threadIdx = fiber.index;
  scheduler.switch_to(fiber.context);
  current = nullptr;
}

void leave(State state) {
  current->state = state;
  current->context.switch_to(scheduler);
}

void live() {
  Context::arrived(nullptr, scheduler);
  for (;;) {
    grid_now->thread();
    leave(State::returned);
  }
}

void make(unsigned count) {
  static char* memory = nullptr;
  const size_t each = 2 * kStack;  // the lower half stays closed: an overflow is a segmentation fault
  if (!memory) {
    void* mapped =
        mmap(nullptr, kMaxThreads * each, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) fail("no memory for the stacks of %u threads", kMaxThreads);
    memory = static_cast<char*>(mapped);
  }
  for (unsigned i = 0; i < count; ++i) {
    if (fibers[i].context.stack) continue;
    char* const stack = memory + i * each + kStack;
    if (mprotect(stack, kStack, PROT_READ | PROT_WRITE) != 0) fail("no memory for a stack");
    fibers[i].context.prepare(stack, kStack, live);
  }
}

// ---- Barriers

unsigned number_of(const Fiber& fiber) { return unsigned(&fiber - fibers.data()); }

bool met(const Fiber& one, const Fiber& other) {
  return one.state == other.state && (one.state == State::syncthreads || one.mask == other.mask);
}

// Lets the threads go on that wait in a barrier which all have reached. False: there are none.
bool release(unsigned threads) {
  unsigned waiting = 0;
  for (unsigned i = 0; i < threads; ++i) waiting += fibers[i].state == State::syncthreads;
  if (waiting == threads) {
    for (unsigned i = 0; i < threads; ++i) fibers[i].state = State::ready;
    return true;
  }
  bool any = false;
  for (unsigned first = 0; first < threads; first += warpSize) {
    Fiber* warp = &fibers[first];
    const unsigned lanes = min(threads - first, unsigned(warpSize));
    for (unsigned i = 0; i < lanes; ++i) {
      if (warp[i].state != State::syncwarp && warp[i].state != State::shuffle) continue;
      const auto takes_part = [mask = warp[i].mask](unsigned lane) { return mask >> lane & 1; };
      bool complete = true;
      uint64_t sent[warpSize];
      for (unsigned lane = 0; lane < lanes; ++lane) {
        sent[lane] = warp[lane].value;
        if (takes_part(lane)) complete &= met(warp[i], warp[lane]);
      }
      if (!complete) continue;
      for (unsigned lane = 0; lane < lanes; ++lane) {
        if (!takes_part(lane)) continue;
        const unsigned source = unsigned(warp[lane].source);
        warp[lane].value = source < lanes && takes_part(source) ? sent[source] : ~uint64_t(0);
        warp[lane].state = State::ready;
      }
      any = true;
    }
  }
  return any;
}

std::string place() {
  const auto text = [](uint3 v) {
    return "(" + std::to_string(v.x) + "," + std::to_string(v.y) + "," + std::to_string(v.z) + ")";
  };
  return "kernel launch " + std::to_string(launches) + ", " + text(gridDim) + " blocks of " + text(blockDim) +
         ", block " + text(blockIdx) + (current ? ", thread " + text(current->index) : "");
}

std::string describe(const Fiber& fiber) {
  static const char* const kWhat[] = {"can run", "waits in __syncthreads", "waits in __syncwarp",
                                      "waits in a shuffle", "has returned"};
  char text[120];
  std::snprintf(text, sizeof text, "thread (%u,%u,%u) %s", fiber.index.x, fiber.index.y, fiber.index.z,
                kWhat[int(fiber.state)]);
  if (fiber.state == State::syncwarp || fiber.state == State::shuffle) {
    const size_t end = std::strlen(text);
    std::snprintf(text + end, sizeof text - end, " of mask 0x%08x", fiber.mask);
  }
  return text;
}

[[noreturn]] void report_divergence(unsigned threads) {
  const auto waits = [](const Fiber& f) { return f.state != State::returned; };
  unsigned one = 0;
  while (!waits(fibers[one])) ++one;
  const Fiber& waiting = fibers[one];
  const unsigned first = waiting.state == State::syncthreads ? 0 : one / warpSize * warpSize;
  for (unsigned other = first; other < threads; ++other) {
    const bool needed = waiting.state == State::syncthreads || waiting.mask >> (other - first) & 1;
    if (needed && !met(waiting, fibers[other]))
      fail("%s: a barrier not reached by all: %s, and %s", place().c_str(), describe(waiting).c_str(),
           describe(fibers[other]).c_str());
  }
  fail("%s: a barrier not reached by all: %s", place().c_str(), describe(waiting).c_str());
}

void wait_in_warp(State state, unsigned mask) {
  if (!(mask >> lane() & 1)) fail("%s: not in the mask 0x%08x that it waits for", place().c_str(), mask);
  current->mask = mask;
  leave(state);
}

// ---- Blocks

void run_block(const Grid& grid, unsigned threads, Order& order) {
  char* const shared = reinterpret_cast<char*>(cppn::cuda::shared_memory);
  std::memset(shared, 0xff, grid.shared);
  for (unsigned i = 0; i < threads; ++i) fibers[i].state = State::ready;
  do {
    order.arrange(indices, threads);
    for (unsigned i : indices)
      if (fibers[i].state == State::ready) enter(fibers[i]);
  } while (release(threads));
  for (unsigned i = 0; i < threads; ++i)
    if (fibers[i].state != State::returned) report_divergence(threads);
  if (const char* at = damaged(shared + grid.shared, shared + sizeof cppn::cuda::shared_memory))
    fail("%s: dynamic shared memory is %zu bytes, and byte %zu was written", place().c_str(), grid.shared,
         size_t(at - shared));
}

}  // namespace

void run(const Grid& grid) {
  ++launches;
  grid_now = &grid;
  gridDim = grid.blocks;
  blockDim = grid.threads;
  const unsigned threads = blockDim.x * blockDim.y * blockDim.z;
  make(threads);
  for (unsigned i = 0; i < threads; ++i)
    fibers[i].index = {i % blockDim.x, i / blockDim.x % blockDim.y, i / (blockDim.x * blockDim.y)};

  fenv_t host;  // a device knows nothing of the host's rounding
  fegetenv(&host);
  fesetenv(FE_DFL_ENV);
  char* const shared = reinterpret_cast<char*>(cppn::cuda::shared_memory);
  static bool guarded = false;  // between two launches all of it is
  if (!guarded) guard(shared, shared + sizeof cppn::cuda::shared_memory);
  guarded = true;
  unguard(shared, shared + grid.shared);
  Order order;
  std::vector<unsigned> blocks;
  order.arrange(blocks, gridDim.x * gridDim.y * gridDim.z);
  for (unsigned block : blocks) {
    blockIdx = {block % gridDim.x, block / gridDim.x % gridDim.y, block / (gridDim.x * gridDim.y)};
    run_block(grid, threads, order);
  }
  guard(shared, shared + grid.shared);
  fesetenv(&host);
  grid_now = nullptr;
  check_device_guards();
}

int64_t launches_run() { return launches; }

int lane() { return int(number_of(*current) % warpSize); }

uint64_t exchange(unsigned mask, uint64_t sent, int source) {
  current->value = sent;
  current->source = source;
  wait_in_warp(State::shuffle, mask);
  return current->value;
}

}  // namespace cuda_emulator

void __syncthreads() { cuda_emulator::leave(cuda_emulator::State::syncthreads); }
void __syncwarp(unsigned mask) { cuda_emulator::wait_in_warp(cuda_emulator::State::syncwarp, mask); }
