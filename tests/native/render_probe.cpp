// A fixed network rendered by every instruction set this program was built for: prints, for each,
//   isa  FNV-1a of the float bits  loss of the training kernels against a grey picture
// tests/test_cross.py builds it for another processor, runs it under emulation and compares with this one.
#include <cstdio>
#include <cstring>
#include <vector>

#include "../../csrc/cpu/backend.h"

using namespace cppn;

int main() {
  CascadeShape s{};
  s.radius = true;
  s.octaves = 2;
  s.inputs = input_count(s.radius, s.octaves);
  s.neurons = 13;
  s.channels = 3;
  for (int n = 0; n < s.neurons; ++n) s.activation[n] = Activation(n % kActivationCount);

  std::vector<float> w(size_t(s.weights()));
  uint32_t random = 1;
  for (float& x : w) {
    random = random * 1664525u + 1013904223u;
    x = float(int(random >> 24) - 128) / 256.0f;
  }
  const int width = 65, height = 43;
  std::vector<float> x(width), y(height), out(size_t(width * height * s.channels)), target(out.size(), 0.5f);
  for (int i = 0; i < width; ++i) x[size_t(i)] = float(2 * i + 1 - width) / 64.0f;
  for (int j = 0; j < height; ++j) y[size_t(j)] = float(2 * j + 1 - height) / 64.0f;
  const Pixels at{x.data(), y.data(), width, int64_t(width) * height};

  int count = 0;
  const cpu::Kernels* const* all = cpu::available_kernels(&count);
  for (int i = 0; i < count; ++i) {
    cpu::CpuBackend backend(*all[i], 2);
    backend.cascade_render(s, at, w.data(), out.data());
    uint64_t hash = 1469598103934665603ull;
    for (float v : out) {
      unsigned char bytes[4];
      std::memcpy(bytes, &v, 4);
      for (unsigned char b : bytes) hash = (hash ^ b) * 1099511628211ull;
    }
    double loss = 0;
    backend.cascade_loss({s, at, target.data()}, w.data(), &loss);
    std::printf("%s %016llx %.6f\n", all[i]->isa, static_cast<unsigned long long>(hash), loss);
  }
}
