// The header is a string of bits, most significant bit of the first byte first.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "format_error.h"

namespace cppn::codec {

class BitWriter {
 public:
  void put(uint64_t value, int bits) {
    for (int i = bits - 1; i >= 0; --i) {
      if (filled_ % 8 == 0) bytes_.push_back(0);
      bytes_.back() = uint8_t(bytes_.back() | ((value >> i) & 1) << (7 - filled_ % 8));
      ++filled_;
    }
  }
  size_t bits() const { return filled_; }
  // The bits are complete: what is left of the last byte stays zero.
  std::vector<uint8_t>& bytes() { return bytes_; }

 private:
  std::vector<uint8_t> bytes_;
  size_t filled_ = 0;
};

class BitReader {
 public:
  // The bits are those of data[0..size); whatever comes after them in the file is not the reader's.
  BitReader(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  uint64_t take(int bits) {
    if (size_ * 8 - taken_ < size_t(bits)) throw FormatError(size_, "file ends in the middle of the header");
    uint64_t value = 0;
    for (int i = 0; i < bits; ++i, ++taken_) {
      value = value << 1 | ((data_[taken_ / 8] >> (7 - taken_ % 8)) & 1);
    }
    return value;
  }
  // The byte the next bit stands in.
  size_t offset() const { return taken_ / 8; }
  // Ends the header at a byte boundary and returns its size in bytes.
  size_t finish() {
    const size_t at = offset();
    if (taken_ % 8 != 0 && take(int(8 - taken_ % 8)) != 0) {
      throw FormatError(at, "the bits after the header are not zero");
    }
    return offset();
  }
  const uint8_t* rest() const { return data_ + offset(); }
  size_t rest_size() const { return size_ - offset(); }

 private:
  const uint8_t* data_;
  size_t size_;
  size_t taken_ = 0;
};

}  // namespace cppn::codec
