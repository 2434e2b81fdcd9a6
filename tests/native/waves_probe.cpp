// A .cppn file of waves, decoded and rendered: prints FNV-1a of the float bits.
// tests/test_cross.py builds it for another processor, runs it under emulation and compares with this one.
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>

#include "../../csrc/codec/waves.h"
#include "../../csrc/cpu/waves.h"

using namespace cppn;

int main(int, char** arguments) {
  std::ifstream in(arguments[1], std::ios::binary);
  const std::vector<char> data((std::istreambuf_iterator<char>(in)), {});
  const codec::WavesRecord r =
      codec::decode_waves(reinterpret_cast<const uint8_t*>(data.data()), data.size());
  int count = 0;
  cpu::CpuBackend backend(*cpu::available_kernels(&count)[0], 2);
  View view;
  view.right = view.bottom = 1;
  view.width = 75;
  view.height = 50;
  std::vector<float> canvas(size_t(view.width * view.height * r.waves.channels));
  cpu::render_waves(backend, r.waves, r.counts.data(), r.levels.data(), view, canvas.data());
  uint64_t hash = 1469598103934665603ull;
  for (float value : canvas) {
    unsigned char bytes[4];
    std::memcpy(bytes, &value, 4);
    for (unsigned char byte : bytes) hash = (hash ^ byte) * 1099511628211ull;
  }
  std::printf("%016" PRIx64 "\n", hash);
}
