// The processor's rounding and denormal switches, set for a scope and put back: another extension built with
// -ffast-math may have left flush-to-zero on, and decoding must not depend on it.
#pragma once
#include <cstdint>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace cppn::cpu {

class FloatMode {
 public:
  enum Kind {
    exact,
    fast
  };  // IEEE to the letter; or denormals flushed to zero, which saturated neurons breed

#if defined(__SSE2__)
  explicit FloatMode(Kind kind) : saved_(_mm_getcsr()) {
    _mm_setcsr(kind == exact ? 0x1f80u : 0x1f80u | 0x8040u);
  }
  ~FloatMode() { _mm_setcsr(saved_); }

 private:
  unsigned saved_;
#elif defined(__aarch64__)
  explicit FloatMode(Kind kind) {
    asm volatile("mrs %0, fpcr" : "=r"(saved_));
    const uint64_t mode = kind == exact ? 0 : uint64_t(1) << 24;
    asm volatile("msr fpcr, %0" ::"r"(mode));
  }
  ~FloatMode() { asm volatile("msr fpcr, %0" ::"r"(saved_)); }

 private:
  uint64_t saved_ = 0;
#else
  explicit FloatMode(Kind) {}
#endif
};

}  // namespace cppn::cpu
