// Three ways from levels to bytes. Each puts its parameters at the end of the header and makes the payload.
#pragma once
#include <vector>

#include "bits.h"
#include "record.h"

namespace cppn::codec {

struct Coder {
  const char* name;
  // Puts the parameters into `header` and returns the payload.
  std::vector<uint8_t> (*write)(const CascadeRecord& record, BitWriter& header);
  // Takes the parameters, ends the header and fills record.levels from the rest. Returns the header's bytes.
  size_t (*read)(BitReader& header, CascadeRecord& record);
};

std::vector<uint8_t> write_mixed_radix(const CascadeRecord& record, BitWriter& header);
std::vector<uint8_t> write_static(const CascadeRecord& record, BitWriter& header);
std::vector<uint8_t> write_learning(const CascadeRecord& record, BitWriter& header);
size_t read_mixed_radix(BitReader& header, CascadeRecord& record);
size_t read_static(BitReader& header, CascadeRecord& record);
size_t read_learning(BitReader& header, CascadeRecord& record);

// A coder's position is its number in the file: append only, at most 8.
inline constexpr int kCoderCount = 3;
extern const Coder kCoders[kCoderCount];

}  // namespace cppn::codec
