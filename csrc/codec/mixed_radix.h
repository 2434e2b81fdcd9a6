// One big integer out of digits that each have their own radix: no bit is lost to rounding but the last.
//   value = d[0] + r[0] (d[1] + r[1] (d[2] + ...)),  0 <= d[i] < r[i] <= 65535,  so value < r[0] r[1] r[2]
//   ...
// The first digit is the least significant, as is the first byte. Schoolbook arithmetic on 32-bit limbs;
// neighbouring digits share a limb while the product of their radices fits one.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace cppn::codec {

// Bits of the largest value: ceil(log2(r[0] r[1] ...)).
size_t mixed_radix_bits(const std::vector<uint32_t>& radices);

// The value in ceil(bits / 8) bytes, the least significant first.
std::vector<uint8_t> pack_digits(const std::vector<uint32_t>& digits, const std::vector<uint32_t>& radices);

// False if the bytes hold a value that is too large for the radices.
bool unpack_digits(const uint8_t* bytes, size_t size, const std::vector<uint32_t>& radices,
                   std::vector<uint32_t>* digits);

}  // namespace cppn::codec
