// The one thing a decoder throws: at which byte of the file, and what was wrong there.
#pragma once
#include <cstddef>
#include <stdexcept>
#include <string>

namespace cppn::codec {

class FormatError : public std::runtime_error {
 public:
  FormatError(size_t offset, const std::string& reason)
      : std::runtime_error("byte " + std::to_string(offset) + ": " + reason), offset_(offset) {}
  size_t offset() const { return offset_; }

 private:
  size_t offset_;
};

}  // namespace cppn::codec
