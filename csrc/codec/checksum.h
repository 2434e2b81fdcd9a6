// CRC-16/GENIBUS: polynomial x^16 + x^12 + x^5 + 1, start and final xor ffff; "123456789" gives d64e.
// It finds every error of up to 3 bits in a file of up to 4093 bytes, and every burst of up to 16 bits in
// any. The final xor is there for bytes added at the end: without it a file followed by zeros would pass.
#pragma once
#include <cstddef>
#include <cstdint>

namespace cppn::codec {

inline constexpr size_t kChecksumBytes = 2;

inline uint16_t checksum(const uint8_t* data, size_t size) {
  uint32_t crc = 0xffff;
  for (size_t i = 0; i < size; ++i) {
    crc ^= uint32_t(data[i]) << 8;
    for (int bit = 0; bit < 8; ++bit) crc = (crc << 1) ^ (crc & 0x8000 ? 0x11021 : 0);
  }
  return uint16_t(crc ^ 0xffff);
}

}  // namespace cppn::codec
