// A stack to run on, and switching from one to another.
#pragma once
#include <cstddef>

#include "emulator.h"
#if defined(CUDA_EMULATOR_ASAN)
#include <sanitizer/common_interface_defs.h>
#endif

#if defined(__x86_64__) && !defined(CUDA_EMULATOR_UCONTEXT)
// swapcontext() makes a system call each time for the signal mask, which no fiber has of its own; this is
// some fifty times faster. It keeps the registers that the System V ABI lets a caller rely on.
extern "C" void cuda_emulator_switch(void** save_stack, void* load_stack);
asm(R"(
  .pushsection .text
  .globl cuda_emulator_switch
  .hidden cuda_emulator_switch
  .type cuda_emulator_switch, @function
cuda_emulator_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
  .size cuda_emulator_switch, .-cuda_emulator_switch
  .popsection
)");
namespace cuda_emulator {
using Registers = void*;  // where the stack ends that holds them
inline void switch_registers(Registers& from, Registers& to) { cuda_emulator_switch(&from, to); }
inline void prepare_registers(Registers& registers, char* stack, size_t size, void (*entry)()) {
  void** top = reinterpret_cast<void**>(stack + size);
  *--top = nullptr;  // the return address of entry, which does not return
  *--top = reinterpret_cast<void*>(entry);
  for (int i = 0; i < 6; ++i) *--top = nullptr;
  registers = top;
}
}  // namespace cuda_emulator
#else
#include <ucontext.h>
namespace cuda_emulator {
using Registers = ucontext_t;
inline void switch_registers(Registers& from, Registers& to) { swapcontext(&from, &to); }
inline void prepare_registers(Registers& registers, char* stack, size_t size, void (*entry)()) {
  getcontext(&registers);
  registers.uc_stack.ss_sp = stack;
  registers.uc_stack.ss_size = size;
  registers.uc_link = nullptr;
  makecontext(&registers, entry, 0);
}
}  // namespace cuda_emulator
#endif

namespace cuda_emulator {

// AddressSanitizer has to be told of each change of stack; arrived() is what the new one begins with.
struct Context {
  Registers registers;
  const void* stack = nullptr;
  size_t size = 0;

  void prepare(char* memory, size_t bytes, void (*entry)()) {
    stack = memory;
    size = bytes;
    prepare_registers(registers, memory, bytes, entry);
  }

  void switch_to(Context& to) {
#if defined(CUDA_EMULATOR_ASAN)
    void* fake_stack;
    __sanitizer_start_switch_fiber(&fake_stack, to.stack, to.size);
    switch_registers(registers, to.registers);
    arrived(fake_stack, to);
#else
    switch_registers(registers, to.registers);
#endif
  }

  // `from` is where we came from: the stack of a host thread is not known before it was left once.
  static void arrived([[maybe_unused]] void* fake_stack, [[maybe_unused]] Context& from) {
#if defined(CUDA_EMULATOR_ASAN)
    __sanitizer_finish_switch_fiber(fake_stack, &from.stack, &from.size);
#endif
  }
};

}  // namespace cuda_emulator
