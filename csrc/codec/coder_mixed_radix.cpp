// Mixed radix: level - low is a digit of radix high - low + 1, every level of a kind as likely as any other.
#include <algorithm>

#include "coders.h"
#include "mixed_radix.h"

namespace cppn::codec {

namespace {

struct Span {
  int low = 0, high = 0;
};
using Spans = std::array<Span, kKinds>;

bool shared(const Spans& s) {
  return std::all_of(s.begin(), s.end(), [&](Span x) { return x.low == s[0].low && x.high == s[0].high; });
}

void put_span(BitWriter& header, Span s) {
  int bits = 0;  // low and high fit -2^bits..2^bits - 1
  while (s.low < -(1 << bits) || s.high > (1 << bits) - 1) ++bits;
  header.put(uint64_t(bits), 4);
  for (int end : {s.low, s.high}) header.put(uint64_t(end + (1 << bits)), bits + 1);
}

Span take_span(BitReader& header) {
  const size_t at = header.offset();
  const int bits = int(header.take(4));
  Span s;
  for (int* end : {&s.low, &s.high}) *end = int(header.take(bits + 1)) - (1 << bits);
  if (s.low > s.high || s.low < -kMaxLevel) {
    throw FormatError(at, "levels from " + std::to_string(s.low) + " to " + std::to_string(s.high));
  }
  return s;
}

std::vector<uint32_t> radices(const Spans& spans, int inputs, int neurons) {
  std::vector<uint32_t> all;
  const auto visit = [&](size_t, int column) {
    const Span s = spans[size_t(kind_of(column, inputs))];
    all.push_back(uint32_t(s.high - s.low + 1));
  };
  walk_triangle(inputs, neurons, [] {}, visit);
  return all;
}

Spans tight_spans(const CascadeRecord& r) {
  Spans spans;
  std::array<bool, kKinds> seen{};
  walk_triangle(
      r.inputs(), r.neurons, [] {},
      [&](size_t k, int column) {
        const size_t kind = size_t(kind_of(column, r.inputs()));
        Span& s = spans[kind];
        s.low = seen[kind] ? std::min(s.low, r.levels[k]) : r.levels[k];
        s.high = seen[kind] ? std::max(s.high, r.levels[k]) : r.levels[k];
        seen[kind] = true;
      });
  return spans;
}

std::vector<uint8_t> write_mixed_radix_with(const CascadeRecord& r, const Spans& spans, BitWriter& header) {
  header.put(shared(spans) ? 0 : 1, 1);
  for (size_t kind = 0; kind < (shared(spans) ? 1 : kKinds); ++kind) put_span(header, spans[kind]);
  std::vector<uint32_t> digits(r.levels.size());
  walk_triangle(
      r.inputs(), r.neurons, [] {},
      [&](size_t k, int column) {
        digits[k] = uint32_t(r.levels[k] - spans[size_t(kind_of(column, r.inputs()))].low);
      });
  return pack_digits(digits, radices(spans, r.inputs(), r.neurons));
}

}  // namespace

std::vector<uint8_t> write_mixed_radix(const CascadeRecord& r, BitWriter& header) {
  const Spans own = tight_spans(r);
  const auto [low, high] = std::minmax_element(r.levels.begin(), r.levels.end());
  Spans common;
  common.fill({*low, *high});
  BitWriter with_own = header;
  std::vector<uint8_t> a = write_mixed_radix_with(r, common, header);
  std::vector<uint8_t> b = write_mixed_radix_with(r, own, with_own);
  if (header.bytes().size() + a.size() <= with_own.bytes().size() + b.size()) return a;
  header = with_own;
  return b;
}

size_t read_mixed_radix(BitReader& header, CascadeRecord& r) {
  Spans spans;
  if (header.take(1) == 0) {
    spans.fill(take_span(header));
  } else {
    for (Span& s : spans) s = take_span(header);
  }
  const size_t start = header.finish();
  const std::vector<uint32_t> bases = radices(spans, r.inputs(), r.neurons);
  const size_t wanted = (mixed_radix_bits(bases) + 7) / 8;
  if (header.rest_size() != wanted) {
    throw FormatError(start, "the levels take " + std::to_string(wanted) + " bytes, the file has " +
                                 std::to_string(header.rest_size()));
  }
  std::vector<uint32_t> digits;
  if (!unpack_digits(header.rest(), wanted, bases, &digits)) {
    throw FormatError(start + wanted - 1, "the number is too large for its radices");
  }
  r.levels.resize(digits.size());
  walk_triangle(
      r.inputs(), r.neurons, [] {},
      [&](size_t k, int column) {
        r.levels[k] = int32_t(digits[k]) + spans[size_t(kind_of(column, r.inputs()))].low;
      });
  return start;
}

}  // namespace cppn::codec
