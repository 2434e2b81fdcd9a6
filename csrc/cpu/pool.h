// A small thread pool of our own: libgomp hangs in a child forked after a parallel region, this one starts
// anew.
#pragma once
#include <cstdint>
#include <functional>

namespace cppn::cpu {

class Pool {
 public:
  explicit Pool(int threads);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  int threads() const;
  // Calls f(task, thread) for every task in [0, tasks), in any order, on up to threads() threads, and waits.
  // One caller at a time. What f throws, or the first of it, is thrown here.
  void run(int64_t tasks, const std::function<void(int64_t task, int thread)>& f);

 private:
  struct State;
  State* state_;
};

int hardware_threads();  // what this process may use, containers' limits included

}  // namespace cppn::cpu
