#include "mixed_radix.h"

namespace cppn::codec {

namespace {

using Limbs = std::vector<uint32_t>;  // least significant first, no zero on top

// x = x * factor + addend
void multiply_add(Limbs& x, uint32_t factor, uint32_t addend) {
  uint64_t carry = addend;
  for (uint32_t& limb : x) {
    carry += uint64_t(limb) * factor;
    limb = uint32_t(carry);
    carry >>= 32;
  }
  if (carry != 0) x.push_back(uint32_t(carry));
}

// Divides x by kLanes divisors, one after the other, in one sweep: lane l takes the quotient of lane l - 1
// limb by limb, so that the long waits for a division overlap. rest[l] is the remainder of lane l.
constexpr size_t kLanes = 4;

void divide(Limbs& x, const uint32_t (&divisor)[kLanes], uint64_t (&rest)[kLanes]) {
  for (uint64_t& r : rest) r = 0;
  for (size_t i = x.size(); i-- > 0;) {
    uint32_t quotient = x[i];
    for (size_t l = 0; l < kLanes; ++l) {
      const uint64_t dividend = rest[l] << 32 | quotient;
      quotient = uint32_t(dividend / divisor[l]);
      rest[l] = dividend - uint64_t(quotient) * divisor[l];
    }
    x[i] = quotient;
  }
  while (!x.empty() && x.back() == 0) x.pop_back();
}

// Digits first..last, whose radices multiply to one factor below 2^32.
struct Group {
  size_t first, last;
  uint32_t factor;
};

std::vector<Group> groups(const std::vector<uint32_t>& radices) {
  std::vector<Group> all;
  for (size_t i = 0; i < radices.size(); ++i) {
    const uint64_t product = all.empty() ? UINT64_MAX : uint64_t(all.back().factor) * radices[i];
    if (product <= UINT32_MAX) {
      all.back().last = i;
      all.back().factor = uint32_t(product);
    } else {
      all.push_back({i, i, radices[i]});
    }
  }
  return all;
}

size_t bit_length(const Limbs& x) {
  if (x.empty()) return 0;
  size_t bits = (x.size() - 1) * 32;
  for (uint32_t top = x.back(); top != 0; top >>= 1) ++bits;
  return bits;
}

}  // namespace

size_t mixed_radix_bits(const std::vector<uint32_t>& radices) {
  Limbs largest;  // the value whose digits are all r - 1
  const std::vector<Group> all = groups(radices);
  for (size_t g = all.size(); g-- > 0;) multiply_add(largest, all[g].factor, all[g].factor - 1);
  return bit_length(largest);
}

std::vector<uint8_t> pack_digits(const std::vector<uint32_t>& digits, const std::vector<uint32_t>& radices) {
  Limbs value;
  const std::vector<Group> all = groups(radices);
  for (size_t g = all.size(); g-- > 0;) {
    uint32_t digit = 0;
    for (size_t i = all[g].last + 1; i-- > all[g].first;) digit = digit * radices[i] + digits[i];
    multiply_add(value, all[g].factor, digit);
  }
  std::vector<uint8_t> bytes((mixed_radix_bits(radices) + 7) / 8);
  for (size_t i = 0; i < bytes.size() && i / 4 < value.size(); ++i) {
    bytes[i] = uint8_t(value[i / 4] >> (8 * (i % 4)));
  }
  return bytes;
}

bool unpack_digits(const uint8_t* bytes, size_t size, const std::vector<uint32_t>& radices,
                   std::vector<uint32_t>* digits) {
  Limbs value((size + 3) / 4);
  for (size_t i = 0; i < size; ++i) value[i / 4] |= uint32_t(bytes[i]) << (8 * (i % 4));
  digits->resize(radices.size());
  const std::vector<Group> all = groups(radices);
  for (size_t g = 0; g < all.size(); g += kLanes) {
    uint32_t divisor[kLanes];
    uint64_t rest[kLanes];
    for (size_t l = 0; l < kLanes; ++l) divisor[l] = g + l < all.size() ? all[g + l].factor : 1;
    divide(value, divisor, rest);
    for (size_t l = 0; l < kLanes && g + l < all.size(); ++l) {
      for (size_t i = all[g + l].first; i <= all[g + l].last; ++i) {
        (*digits)[i] = uint32_t(rest[l] % radices[i]);
        rest[l] /= radices[i];
      }
    }
  }
  return value.empty();
}

}  // namespace cppn::codec
