// A range coder: a symbol that takes `size` of `total` equal parts costs log2(total / size) bits.
//   state: an interval [low, low + range) of 64-bit fractions; a symbol narrows it to its part
//   while range < 2^56: write the top byte of low, shift both left by a byte
// Carry-less coders give up part of the interval so that no carry can happen; here it runs back into the
// bytes already written, and what is lost is 2^-16 of the interval per symbol and about a byte at the end:
// the encoder ends with the shortest string of bytes inside the interval, and zeros are understood after it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace cppn::codec {

inline constexpr uint64_t kRangeFloor = uint64_t(1) << 56;  // range stays at or above it
inline constexpr uint64_t kMaxTotal = uint64_t(1) << 40;    // leaves range / total 16 bits or more

class RangeEncoder {
 public:
  // The symbol that takes the parts start..start + size of `total`; size >= 1.
  void encode(uint64_t start, uint64_t size, uint64_t total) {
    const uint64_t part = range_ / total;
    low_ += start * part;
    if (low_ < start * part) carry();
    for (range_ = size * part; range_ < kRangeFloor; range_ <<= 8, low_ <<= 8) {
      bytes_.push_back(uint8_t(low_ >> 56));
    }
  }
  std::vector<uint8_t> finish();

 private:
  void carry();

  uint64_t low_ = 0, range_ = UINT64_MAX;
  std::vector<uint8_t> bytes_;
};

class RangeDecoder {
 public:
  RangeDecoder(const uint8_t* data, size_t size) : data_(data), size_(size) {
    for (int i = 0; i < 8; ++i) code_ = code_ << 8 | next();
  }
  // Which of `total` parts holds the code; `total` if none does. Then take() the symbol the part belongs to.
  uint64_t peek(uint64_t total) {
    part_ = range_ / total;
    const uint64_t at = code_ / part_;
    return at < total ? at : total;
  }
  void take(uint64_t start, uint64_t size) {
    code_ -= start * part_;
    for (range_ = size * part_; range_ < kRangeFloor; range_ <<= 8) code_ = code_ << 8 | next();
  }
  // Bytes that the symbols taken so far can have needed. An encoder writes no more, and does not end in 0.
  size_t needed() const { return at_ - 7; }
  size_t at() const { return at_ < size_ ? at_ : size_; }

 private:
  uint64_t next() {
    const size_t i = at_++;
    return i < size_ ? data_[i] : 0;
  }

  const uint8_t* data_;
  size_t size_;
  size_t at_ = 0;
  uint64_t code_ = 0, range_ = UINT64_MAX, part_ = 1;  // code_ is the string minus low
};

}  // namespace cppn::codec
