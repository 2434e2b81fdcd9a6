#include "container.h"

#include <cstdio>

#include "checksum.h"
#include "coders.h"
#include "header.h"

namespace cppn::codec {

namespace {

std::vector<uint8_t> encode_with(const CascadeRecord& record, int coder) {
  BitWriter header;
  put_header(header, record, coder);
  const std::vector<uint8_t> payload = kCoders[coder].write(record, header);
  return sealed(header, payload);
}

std::string hex(uint16_t value) {
  char digits[5];
  std::snprintf(digits, sizeof digits, "%04x", value);
  return digits;
}

}  // namespace

std::vector<uint8_t> sealed(BitWriter& header, const std::vector<uint8_t>& payload) {
  std::vector<uint8_t> file = std::move(header.bytes());
  file.insert(file.end(), payload.begin(), payload.end());
  const uint16_t sum = checksum(file.data(), file.size());
  file.push_back(uint8_t(sum >> 8));
  file.push_back(uint8_t(sum));
  return file;
}

size_t unsealed(const uint8_t* data, size_t size, uint16_t* sum) {
  if (size == 0) throw FormatError(0, "the file is empty");
  if (data[0] != kMagic) throw FormatError(0, "not a .cppn file of version 1, it begins with c1");
  if (size < 1 + kChecksumBytes) throw FormatError(size, "file ends before its checksum");
  const size_t end = size - kChecksumBytes;
  const uint16_t found = checksum(data, end);
  *sum = uint16_t(data[end] << 8 | data[end + 1]);
  if (*sum != found) throw FormatError(end, "checksum is " + hex(*sum) + ", the bytes give " + hex(found));
  return end;
}

size_t range_code_start(BitReader& header) {
  const size_t start = header.finish(), size = header.rest_size();
  if (size > 0 && header.rest()[size - 1] == 0)
    throw FormatError(start + size - 1, "a range coder's last byte is never 0");
  return start;
}

int kind_of(const uint8_t* data, size_t size) {
  uint16_t sum;
  BitReader reader(data, unsealed(data, size, &sum));
  reader.take(8);
  return int(reader.take(4));
}

std::vector<uint8_t> encode(const CascadeRecord& record, int coder) {
  check(record);
  if (coder < kSmallest || coder >= kCoderCount) {
    throw std::invalid_argument("coder must be -1.." + std::to_string(kCoderCount - 1) + ", got " +
                                std::to_string(coder));
  }
  if (coder != kSmallest) return encode_with(record, coder);
  std::vector<uint8_t> best = encode_with(record, 0);
  for (int other = 1; other < kCoderCount; ++other) {
    std::vector<uint8_t> file = encode_with(record, other);
    if (file.size() < best.size()) best = std::move(file);
  }
  return best;
}

size_t encoded_size(const CascadeRecord& record, int coder) { return encode(record, coder).size(); }

CascadeRecord decode(const uint8_t* data, size_t size, FileInfo* info) {
  uint16_t stored;
  const size_t end = unsealed(data, size, &stored);
  CascadeRecord record;
  BitReader reader(data, end);
  const int coder = take_header(reader, record);
  const size_t header_bytes = kCoders[coder].read(reader, record);
  if (info != nullptr) *info = {kVersion, kCascadeKind, coder, header_bytes, end - header_bytes, stored};
  return record;
}

}  // namespace cppn::codec
