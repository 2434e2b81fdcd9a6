#include "header.h"

#include <algorithm>

#include "coders.h"
#include "mixed_radix.h"
#include "step_grid.h"

namespace cppn::codec {

namespace {

std::string text(int64_t value) { return std::to_string(value); }

// Activations: one for all neurons of a group, or a palette and one digit per neuron.

void put_activation(BitWriter& out, int f) {
  out.put(f < 8 ? 0 : 1, 1);
  out.put(uint64_t(f), f < 8 ? 3 : 6);
}

uint8_t take_activation(BitReader& in) {
  const size_t at = in.offset();
  const int f = int(in.take(in.take(1) == 0 ? 3 : 6));
  if (f < kActivationCount) return uint8_t(f);
  throw FormatError(
      at, "activation " + text(f) + " is not known to this version, it knows " + text(kActivationCount));
}

// The neurons before the outputs, or the outputs.
struct Group {
  size_t first, last;
  size_t size() const { return last - first; }
};

Group hidden(const CascadeRecord& r) { return {0, size_t(r.neurons - r.channels)}; }
Group outputs(const CascadeRecord& r) { return {size_t(r.neurons - r.channels), size_t(r.neurons)}; }

bool mixed(const CascadeRecord& r, Group g) {
  const auto& f = r.activations;
  for (size_t n = g.first; n < g.last; ++n) {
    if (f[n] != f[g.first]) return true;
  }
  return false;
}

void put_group(BitWriter& out, const CascadeRecord& r, Group g) {
  if (g.size() == 0) return;
  if (!mixed(r, g)) return put_activation(out, r.activations[g.first]);
  std::vector<uint8_t> palette(r.activations.begin() + int(g.first), r.activations.begin() + int(g.last));
  std::sort(palette.begin(), palette.end());
  palette.erase(std::unique(palette.begin(), palette.end()), palette.end());
  out.put(palette.size() - 1, 6);
  for (uint8_t f : palette) put_activation(out, f);
  std::vector<uint32_t> digits, radices(g.size(), uint32_t(palette.size()));
  for (size_t n = g.first; n < g.last; ++n) {
    digits.push_back(uint32_t(std::find(palette.begin(), palette.end(), r.activations[n]) - palette.begin()));
  }
  const std::vector<uint8_t> bytes = pack_digits(digits, radices);
  for (size_t bit = mixed_radix_bits(radices); bit-- > 0;) out.put((bytes[bit / 8] >> (bit % 8)) & 1, 1);
}

void take_group(BitReader& in, CascadeRecord& r, Group g, bool is_mixed) {
  if (g.size() == 0) return;
  if (!is_mixed) {
    std::fill(r.activations.begin() + int(g.first), r.activations.begin() + int(g.last), take_activation(in));
    return;
  }
  std::vector<uint8_t> palette(size_t(in.take(6)) + 1);
  for (uint8_t& f : palette) f = take_activation(in);
  const std::vector<uint32_t> radices(g.size(), uint32_t(palette.size()));
  const size_t at = in.offset(), bits = mixed_radix_bits(radices);
  std::vector<uint8_t> bytes((bits + 7) / 8);
  for (size_t bit = bits; bit-- > 0;) bytes[bit / 8] = uint8_t(bytes[bit / 8] | in.take(1) << (bit % 8));
  std::vector<uint32_t> digits;
  if (!unpack_digits(bytes.data(), bytes.size(), radices, &digits)) {
    throw FormatError(at, "the activations are too large for their palette");
  }
  for (size_t n = g.first; n < g.last; ++n) r.activations[n] = palette[digits[n - g.first]];
}

// Steps: codes of the grid or float32 bits, one for all kinds or three.

enum StepMode : int { one_code, three_codes, one_float, three_floats };

void put_steps(BitWriter& out, const CascadeRecord& r) {
  const auto on_grid = [](float s) { return step_bits(step_grid(nearest_step_code(s))) == step_bits(s); };
  const uint32_t first = step_bits(r.steps[0]);
  const bool one = first == step_bits(r.steps[1]) && first == step_bits(r.steps[2]);
  const bool grid = std::all_of(r.steps.begin(), r.steps.end(), on_grid);
  out.put(uint64_t(grid ? (one ? one_code : three_codes) : (one ? one_float : three_floats)), 2);
  for (size_t kind = 0; kind < (one ? 1 : kKinds); ++kind) {
    const float s = r.steps[kind];
    out.put(grid ? uint32_t(nearest_step_code(s)) : step_bits(s), grid ? 8 : 32);
  }
}

void take_steps(BitReader& in, CascadeRecord& r) {
  const int mode = int(in.take(2));
  const bool one = mode == one_code || mode == one_float;
  for (size_t kind = 0; kind < kKinds; ++kind) {
    if (one && kind > 0) {
      r.steps[kind] = r.steps[0];
    } else if (mode == one_code || mode == three_codes) {
      r.steps[kind] = step_grid(int(in.take(8)));
    } else {
      const size_t at = in.offset();
      const uint32_t bits = uint32_t(in.take(32));
      if (!is_step(bits)) {
        throw FormatError(at, "a step is not finite and above 0");
      }
      r.steps[kind] = step_of_bits(bits);
    }
  }
}

}  // namespace

void put_sizes(BitWriter& out, int width, int height) {
  int bits = 1;
  while (std::max(width, height) > 1 << bits) ++bits;
  out.put(uint64_t(bits - 1), 4);
  out.put(uint64_t(width - 1), bits);
  out.put(uint64_t(height - 1), bits);
}

void take_sizes(BitReader& in, int* width, int* height) {
  const size_t at = in.offset();
  const int bits = int(in.take(4)) + 1;
  *width = int(in.take(bits)) + 1;
  *height = int(in.take(bits)) + 1;
  if (*width > kMaxSide) throw FormatError(at, "width is 65536, at most 65535 is meant");
  if (*height > kMaxSide) throw FormatError(at, "height is 65536, at most 65535 is meant");
}

void put_header(BitWriter& out, const CascadeRecord& r, int coder) {
  const bool hidden_mixed = mixed(r, hidden(r)), outputs_mixed = mixed(r, outputs(r));
  const bool exceptions = r.channels != 3 || r.radius || r.octaves != 0 || hidden_mixed || outputs_mixed;
  out.put(kMagic, 8);
  out.put(kCascadeKind, 4);
  out.put(uint64_t(coder), 3);
  out.put(exceptions, 1);
  out.put(uint64_t(r.neurons - 1), 7);
  out.put(uint64_t(r.coords), 2);
  if (exceptions) {
    out.put(uint64_t(r.channels - 1), 2);
    out.put(r.radius, 1);
    out.put(uint64_t(r.octaves), 3);
    out.put(hidden_mixed, 1);
    out.put(outputs_mixed, 1);
  }
  put_sizes(out, r.width, r.height);
  put_group(out, r, hidden(r));
  put_group(out, r, outputs(r));
  put_steps(out, r);
}

int take_header(BitReader& in, CascadeRecord& r) {
  if (in.take(8) != kMagic) throw FormatError(0, "not a .cppn file of version 1, it begins with c1");
  const int kind = int(in.take(4));
  if (kind != kCascadeKind) throw FormatError(1, "kind " + text(kind) + " is not known to this version");
  const int coder = int(in.take(3));
  if (coder >= kCoderCount) throw FormatError(1, "coder " + text(coder) + " is not known to this version");
  const bool exceptions = in.take(1) != 0;
  r.neurons = int(in.take(7)) + 1;
  r.coords = int(in.take(2));
  const size_t at = in.offset();
  r.channels = exceptions ? int(in.take(2)) + 1 : 3;
  r.radius = exceptions && in.take(1) != 0;
  r.octaves = exceptions ? int(in.take(3)) : 0;
  const bool hidden_mixed = exceptions && in.take(1) != 0;
  const bool outputs_mixed = exceptions && in.take(1) != 0;
  if (r.channels > r.neurons) {
    throw FormatError(at, text(r.channels) + " channels, but neurons are " + text(r.neurons));
  }
  r.activations.assign(size_t(r.neurons), 0);
  take_sizes(in, &r.width, &r.height);
  take_group(in, r, hidden(r), hidden_mixed);
  take_group(in, r, outputs(r), outputs_mixed);
  take_steps(in, r);
  return coder;
}

}  // namespace cppn::codec
