// Damaged .cppn files, each with its checksum put right so that the damage reaches the inner decoders.
// Whatever the bytes are, decode() must return a valid record or throw FormatError. Run it under
// AddressSanitizer and UndefinedBehaviorSanitizer; tests/test_codec.py does. Prints "N inputs, M decoded".
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "codec/checksum.h"
#include "codec/coders.h"
#include "codec/container.h"
#include "codec/header.h"
#include "codec/list.h"

using namespace cppn::codec;
using Bytes = std::vector<uint8_t>;

namespace {

std::mt19937 rng(
    20);  // its sequence is fixed by the C++ standard; the distributions are not, so % does their work
uint32_t below(uint32_t n) { return uint32_t(rng()) % n; }

long inputs = 0, decoded = 0;

void put_checksum_right(Bytes& file) {
  if (file.size() < kChecksumBytes) return;
  const size_t end = file.size() - kChecksumBytes;
  const uint16_t sum = checksum(file.data(), end);
  file[end] = uint8_t(sum >> 8);
  file[end + 1] = uint8_t(sum);
}

void attempt(Bytes file) {
  put_checksum_right(file);
  file.shrink_to_fit();  // so that a read past the end is one past the allocation
  ++inputs;
  CascadeRecord record;
  try {
    record = decode(file.data(), file.size());
  } catch (const FormatError& e) {
    if (e.offset() > file.size()) std::printf("offset %zu of %zu\n", e.offset(), file.size()), std::abort();
    return;
  }
  ++decoded;
  check(record);
  if (decoded % 16 != 0) return;
  const Bytes again = encode(record, 0);
  if (!(decode(again.data(), again.size()) == record)) std::puts("no round trip"), std::abort();
}

// The same of a list: damage may turn one kind into the other.
void attempt_list(Bytes file) {
  put_checksum_right(file);
  file.shrink_to_fit();
  ++inputs;
  ListRecord record;
  try {
    record = decode_list(file.data(), file.size());
  } catch (const FormatError& e) {
    if (e.offset() > file.size()) std::printf("offset %zu of %zu\n", e.offset(), file.size()), std::abort();
    return;
  }
  ++decoded;
  check(record);
  if (decoded % 16 != 0) return;
  const Bytes again = encode_list(record, true);
  if (decode_list(again.data(), again.size()).levels != record.levels)
    std::puts("no round trip"), std::abort();
}

ListRecord list_of(int type, int n, uint32_t spread) {
  ListRecord r;
  r.type = type;
  r.width = 386;
  r.height = 320;
  r.n = n;
  r.points = 128;
  r.choices = 7;
  if (type == 1 || type == 2) r.terms = 3;
  if (type > 0) r.steps.assign(size_t(cppn::shape_parameters(r.shape().kind).count), 150);
  r.levels.assign(size_t(n * r.row()), 0);
  for (int i = 0; i < n; ++i) {
    int32_t* e = r.levels.data() + i * r.row();
    for (int k = 0; k < r.row(); ++k) e[k] = int32_t(below(type == 0 ? 100 : spread));
    if (type > 0) continue;
    e[0] = i % 3 == 0 ? 0 : i % 3 == 1 ? 3 : 5;
    if (e[0] == 0) e[4] = e[2] + int32_t(below(20)), e[5] = e[3], e[7] = e[3] + int32_t(below(9));
    for (int k = 2 + 2 * cppn::point_count(e[0]); k < 12; ++k) e[k] = 0;
  }
  return r;
}

CascadeRecord record_of(int neurons, int channels, int octaves, bool mixed, uint32_t spread) {
  CascadeRecord r;
  r.width = 386;
  r.height = 320;
  r.neurons = neurons;
  r.channels = channels;
  r.octaves = octaves;
  r.radius = octaves > 0;
  r.activations.assign(size_t(neurons), 1);
  if (mixed) {
    for (uint8_t& f : r.activations) f = uint8_t(below(cppn::kActivationCount));
  }
  r.steps = {0.25f, mixed ? 0.3f : 0.25f, 0.25f};
  r.levels.assign(size_t(r.weights()), 0);
  for (int32_t& level : r.levels) level = int32_t(below(spread) + below(spread)) - int32_t(spread) + 1;
  return r;
}

Bytes mutated(Bytes file) {
  for (uint32_t left = 1 + below(4); left > 0 && !file.empty(); --left) {
    const size_t at = below(uint32_t(below(2) ? file.size() : std::min<size_t>(file.size(), 16)));
    switch (below(6)) {
      case 0:
        file[at] = uint8_t(below(256));
        break;
      case 1:
        file.insert(file.begin() + long(at), uint8_t(below(256)));
        break;
      case 2:
        file.erase(file.begin() + long(at));
        break;
      case 3:
        file.resize(at);
        break;
      case 4:
        file.resize(file.size() + below(20), uint8_t(below(256)));
        break;
      default:
        file[at] = uint8_t(file[at] ^ (1u << below(8)));
    }
  }
  return file;
}

}  // namespace

int main() {
  std::vector<Bytes> files;
  for (int coder = 0; coder < kCoderCount; ++coder) {
    for (const CascadeRecord& r :
         {record_of(1, 1, 0, false, 1), record_of(4, 3, 0, false, 20), record_of(12, 3, 0, true, 9),
          record_of(6, 4, 2, true, 300), record_of(9, 2, 0, false, 16000)}) {
      files.push_back(encode(r, coder));
    }
  }
  std::vector<Bytes> whole = files;
  for (int coder = 0; coder < kCoderCount; ++coder)
    whole.push_back(encode(record_of(30, 3, 0, false, 24), coder));
  for (const Bytes& file : whole) {
    for (size_t bit = 0; bit < file.size() * 8; ++bit) {
      Bytes flipped = file;
      flipped[bit / 8] = uint8_t(flipped[bit / 8] ^ (1u << (bit % 8)));
      attempt(flipped);
    }
    for (size_t size = 0; size <= file.size(); ++size)
      attempt(Bytes(file.begin(), file.begin() + long(size)));
  }
  for (int i = 0; i < 200000; ++i) attempt(mutated(files[below(uint32_t(files.size()))]));
  std::vector<Bytes> lists;
  for (int type = 0; type < 6; ++type)
    for (int n : {0, 1, 7}) lists.push_back(encode_list(list_of(type, n, n == 7 ? 300 : 20)));
  for (int i = 0; i < 60000; ++i) {
    const Bytes file = mutated(lists[below(uint32_t(lists.size()))]);
    attempt_list(file);
    if (i % 100 == 0) attempt(file), attempt_list(mutated(files[0]));
  }
  std::printf("%ld inputs, %ld decoded\n", inputs, decoded);
  return 0;
}
