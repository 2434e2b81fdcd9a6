#include "pool.h"

#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>
#if defined(__linux__)
#include <sched.h>
#endif

namespace cppn::cpu {

namespace {

// A step of a small picture takes 50 us and waking a sleeping thread takes as long, so workers look for new
// work this many times (some 20 us) before they sleep.
constexpr int kSpins = 4000;

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

struct Pool::State {
  std::vector<std::thread> workers;
  int threads = 1;
  pid_t owner = getpid();

  std::mutex mutex;
  std::condition_variable wake, done;
  std::atomic<uint64_t> round{0};
  std::atomic<int> busy{0};
  std::atomic<bool> stop{false};
  std::atomic<int64_t> next{0};
  int64_t tasks = 0;
  const std::function<void(int64_t, int)>* f = nullptr;
  std::exception_ptr error;

  void drain(int thread) {
    try {
      for (int64_t task; (task = next.fetch_add(1, std::memory_order_relaxed)) < tasks;) (*f)(task, thread);
    } catch (...) {
      std::lock_guard<std::mutex> lock(mutex);
      if (!error) error = std::current_exception();
      next.store(tasks);
    }
  }

  void work(int thread) {
    uint64_t seen = 0;
    for (;;) {
      for (int spin = 0; spin < kSpins && round.load(std::memory_order_acquire) == seen && !stop.load();
           ++spin)
        relax();
      if (round.load(std::memory_order_acquire) == seen) {
        std::unique_lock<std::mutex> lock(mutex);
        wake.wait(lock, [&] { return round.load() != seen || stop.load(); });
      }
      if (stop.load()) return;
      seen = round.load(std::memory_order_acquire);
      drain(thread);
      if (busy.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        std::lock_guard<std::mutex> lock(mutex);
        done.notify_one();
      }
    }
  }

  void start() {
    for (int i = 1; i < threads; ++i) workers.emplace_back([this, i] { work(i); });
  }
};

Pool::Pool(int threads) : state_(new State) {
  state_->threads = threads < 1 ? 1 : threads;
  state_->start();
}

Pool::~Pool() {
  if (state_->owner != getpid())
    return;  // a forked child never had the threads; their handles are left alone
  {
    std::lock_guard<std::mutex> lock(state_->mutex);
    state_->stop.store(true);
  }
  state_->wake.notify_all();
  for (std::thread& t : state_->workers) t.join();
  delete state_;
}

int Pool::threads() const { return state_->threads; }

void Pool::run(int64_t tasks, const std::function<void(int64_t, int)>& f) {
  if (state_->owner != getpid()) {  // forked: the old state belongs to threads that are not here
    const int threads = state_->threads;
    state_ = new State;
    state_->threads = threads;
    state_->start();
  }
  State& s = *state_;
  if (s.threads == 1 || tasks <= 1) {
    for (int64_t task = 0; task < tasks; ++task) f(task, 0);
    return;
  }
  s.f = &f;
  s.tasks = tasks;
  s.error = nullptr;
  s.next.store(0);
  s.busy.store(s.threads - 1);
  {
    std::lock_guard<std::mutex> lock(s.mutex);
    s.round.fetch_add(1, std::memory_order_release);
  }
  s.wake.notify_all();
  s.drain(0);
  for (int spin = 0; spin < kSpins && s.busy.load(std::memory_order_acquire) != 0; ++spin) relax();
  if (s.busy.load(std::memory_order_acquire) != 0) {
    std::unique_lock<std::mutex> lock(s.mutex);
    s.done.wait(lock, [&] { return s.busy.load() == 0; });
  }
  if (s.error) std::rethrow_exception(s.error);
}

int hardware_threads() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    const int n = CPU_COUNT(&set);
    if (n > 0) return n;
  }
#endif
  const int n = int(std::thread::hardware_concurrency());
  return n > 0 ? n : 1;
}

}  // namespace cppn::cpu
