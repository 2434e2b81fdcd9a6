// The .cppn file: header, payload, checksum. docs/format.md is the specification.
#pragma once
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "bits.h"
#include "record.h"

namespace cppn::codec {

// The frame of every kind of file: header, payload, checksum. unsealed: where the checksum begins, which is
// right.
std::vector<uint8_t> sealed(BitWriter& header, const std::vector<uint8_t>& payload);
size_t unsealed(const uint8_t* data, size_t size, uint16_t* sum);
// Where the range code behind a header begins, after the bits that fill up its last byte. Throws FormatError
// for one that ends in 0, as none does.
size_t range_code_start(BitReader& header);

// For what no file can hold: throws std::invalid_argument.
inline void expect(bool holds, const char* what) {
  if (!holds) throw std::invalid_argument(what);
}

// What is in a file: kCascadeKind, kListKind or what this version does not know. FormatError for what is
// none.
int kind_of(const uint8_t* data, size_t size);

inline constexpr int kSmallest = -1;

// The shortest file of all coders, or that of one. Throws std::invalid_argument if the record is not valid.
std::vector<uint8_t> encode(const CascadeRecord& record, int coder = kSmallest);
size_t encoded_size(const CascadeRecord& record, int coder = kSmallest);

struct FileInfo {
  int version, kind, coder;
  size_t header_bytes, payload_bytes;  // the coder's parameters are in the header
  uint16_t checksum;
};

// Throws FormatError, and nothing else, for bytes that are not such a file. kMaxNeurons and kMaxOctaves bound
// what a header can make it allocate: 12224 levels, and 75 tables of 4096 numbers for the learning coder.
CascadeRecord decode(const uint8_t* data, size_t size, FileInfo* info = nullptr);

}  // namespace cppn::codec
