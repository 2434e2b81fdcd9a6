#include "range_coder.h"

#include <utility>

namespace cppn::codec {

void RangeEncoder::carry() {
  size_t i = bytes_.size();
  while (++bytes_[--i] == 0) {
  }
}

std::vector<uint8_t> RangeEncoder::finish() {
  // 2^64, a carry and then zeros, if the interval holds it; else its lowest multiple of 2^56.
  if (low_ > uint64_t(0) - range_) {
    carry();
  } else {
    bytes_.push_back(uint8_t((low_ + (kRangeFloor - 1)) >> 56));
  }
  while (!bytes_.empty() && bytes_.back() == 0) bytes_.pop_back();
  return std::move(bytes_);
}

}  // namespace cppn::codec
