#include "list.h"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "header.h"
#include "list_walk.h"
#include "prior.h"
#include "step_grid.h"

namespace cppn::codec {

namespace {

enum Mode : int { bell, flat, folded };  // folded: base + 0, 1, 2, ... as 0, -1, 1, -2, ...

struct GroupCode {
  int mode = flat;
  int32_t base = 0;
  PriorCode prior;
  int32_t span = 1;
};

int32_t fold(int32_t v) { return v % 2 ? -(v + 1) / 2 : v / 2; }
int32_t unfold(int32_t v) { return v < 0 ? -2 * v - 1 : 2 * v; }

// A number below 2^31: 5 bits say in how many it stands.
void put_number(BitWriter& out, uint32_t v) {
  int bits = 0;
  while (v >> bits) ++bits;
  out.put(uint64_t(bits), 5);
  out.put(v, bits);
}
uint32_t take_number(BitReader& in) { return uint32_t(in.take(int(in.take(5)))); }
void put_signed(BitWriter& out, int32_t v) { put_number(out, uint32_t(unfold(v))); }
int32_t take_signed(BitReader& in) {
  const uint32_t v = take_number(in);
  return v % 2 ? -int32_t(v / 2) - 1 : int32_t(v / 2);
}

void put_code(BitWriter& out, const GroupCode& code) {
  out.put(uint64_t(code.mode), 2);
  put_signed(out, code.base);
  if (code.mode == flat) return put_number(out, uint32_t(code.span - 1));
  out.put(uint64_t(code.prior.a), 7);
  out.put(uint64_t(code.prior.b), 7);
}

GroupCode take_code(BitReader& in) {
  const size_t at = in.offset();
  GroupCode code;
  code.mode = int(in.take(2));
  if (code.mode > folded) throw FormatError(at, "a group's code is not known to this version");
  code.base = take_signed(in);
  if (std::abs(code.base) > 65535) throw FormatError(at, "a group's base is out of range");
  if (code.mode == flat) {
    const uint32_t span = take_number(in);
    if (span > 65535) throw FormatError(at, "a group's span is out of range");
    code.span = int32_t(span) + 1;
  } else {
    code.prior.a = int(in.take(7));
    code.prior.b = int(in.take(7));
  }
  return code;
}

// The cheapest code of a group's residuals, bits of its own included, in 2^-16 bits.
GroupCode best_code(std::vector<int32_t> v, bool quick) {
  GroupCode best;
  if (v.empty()) return best;
  std::sort(v.begin(), v.end());
  const int32_t low = v.front(), high = v.back(), middle = v[v.size() / 2];
  const auto bits_of = [](const GroupCode& code) {
    BitWriter out;
    put_code(out, code);
    return uint64_t(out.bits()) << 16;
  };
  best = {flat, low, {}, high - low + 1};
  int log = 0;
  while ((int64_t(1) << log) < best.span) ++log;
  const double exact =
      log == 0 ? 0 : double(log) - 1 + double(best.span) / double(int64_t(1) << (log - 1)) - 1;
  uint64_t price = bits_of(best) + uint64_t(exact * 65536) * v.size();
  for (int mode : {int(bell), int(folded)}) {
    GroupCode code{mode, mode == bell ? middle : low, {}, 1};
    std::vector<int32_t> levels(v.size());
    for (size_t i = 0; i < v.size(); ++i)
      levels[i] = mode == bell ? v[i] - code.base : fold(v[i] - code.base);
    if (std::max(std::abs(levels.front()), std::abs(levels.back())) > 32767) continue;
    const Histogram magnitudes = histogram(levels.data(), levels.size());
    code.prior = quick ? near_normal(magnitudes) : fit_prior(magnitudes);
    const uint64_t cost = codec::cost(PriorTable(code.prior), magnitudes) + bits_of(code);
    if (cost < price) best = code, price = cost;
  }
  return best;
}

void put_facts(BitWriter& out, const ListRecord& r) {
  out.put(kMagic, 8);
  out.put(kListKind, 4);
  out.put(uint64_t(r.type), 4);
  out.put(uint64_t(r.channels - 1), 2);
  put_sizes(out, r.width, r.height);
  put_number(out, uint32_t(r.n));
  if (r.type == kEntities) {
    out.put(uint64_t(r.choices), 3);
    out.put(uint64_t(r.vertices - 1), 3);
    for (int levels : {r.points, r.colours, r.alphas}) put_number(out, uint32_t(levels - 1));
    for (int32_t level : r.background) put_number(out, uint32_t(level));
    return;
  }
  out.put(uint64_t(r.formula), 1);
  out.put(uint64_t(r.terms), 5);
  put_number(out, uint32_t(r.resolution));
  for (int32_t code : r.steps) out.put(uint64_t(code), 8);
}

ListRecord take_facts(BitReader& in) {
  ListRecord r;
  if (in.take(8) != kMagic) throw FormatError(0, "not a .cppn file of version 1, it begins with c1");
  const int kind = int(in.take(4));
  if (kind != kListKind)
    throw FormatError(1, "kind " + std::to_string(kind) + " is not known to this version");
  r.type = int(in.take(4));
  if (r.type > 1 + int(ShapeKind::article))
    throw FormatError(1, "type " + std::to_string(r.type) + " is not known to this version");
  r.channels = int(in.take(2)) + 1;
  take_sizes(in, &r.width, &r.height);
  const size_t at = in.offset();
  const auto number = [&] { return int32_t(std::min<uint32_t>(take_number(in), INT32_MAX - 1)); };
  r.n = number();
  if (r.type == kEntities) {
    r.choices = int(in.take(3));
    r.vertices = int(in.take(3)) + 1;
    r.points = number() + 1;
    r.colours = number() + 1;
    r.alphas = number() + 1;
    r.background.resize(size_t(r.channels));
    for (int32_t& level : r.background) level = number();
  } else {
    r.formula = int(in.take(1));
    r.terms = int(in.take(5));
    r.resolution = number();
    r.steps.resize(size_t(shape_parameters(r.shape().kind).count));
    for (int32_t& code : r.steps) code = int32_t(in.take(8));
  }
  try {
    const int n = r.n;
    if (n > kMaxRows) throw std::invalid_argument("n must be 0..65535, got " + std::to_string(n));
    r.n = 0;
    check(r);
    r.n = n;
  } catch (const std::invalid_argument& error) {
    throw FormatError(at, error.what());
  }
  return r;
}

void check_entity(const ListRecord& r, const std::vector<int32_t>& corners, const int32_t* e) {
  const EntityGrid grid = r.grid();
  expect(std::find(corners.begin(), corners.end(), e[0]) != corners.end(), "corners are none of the choices");
  expect(e[1] >= 0 && e[1] < r.alphas, "an alpha is out of range");
  for (int k = 2; k < grid.colour(); ++k)
    expect(e[k] >= grid.least() && e[k] <= grid.most(), "a point is out of range");
  expect(e[0] != 0 || (e[5] == e[3] && e[4] >= e[2] && e[7] >= e[3]),
         "an ellipse's points are not in their one form");
  for (int k = grid.colour(); k < grid.row(); ++k)
    expect(e[k] >= 0 && e[k] < r.colours, "a colour is out of range");
}

}  // namespace

EntityGrid ListRecord::grid() const {
  EntityGrid g;
  g.vertices = choices & 4 ? std::max(3, vertices) : 3;
  g.channels = channels;
  g.points = points;
  g.colours = colours;
  g.alphas = alphas;
  return g;
}

ShapesShape ListRecord::shape() const {
  return {ShapeKind(std::max(0, type - 1)), ShapeFormula(formula), n, terms, channels, 1.0f};
}

int ListRecord::row() const {
  if (type == kEntities) return grid().row();
  const ShapesShape s = shape();
  const ShapeParameters table = shape_parameters(s.kind);
  int row = 0;
  for (int p = 0; p < table.count; ++p) row += s.each(table.rows[p].field);
  return row;
}

void check(const ListRecord& r) {
  expect(r.type >= 0 && r.type <= 1 + int(ShapeKind::article), "type must be 0..5");
  expect(r.width >= 1 && r.width <= kMaxSide && r.height >= 1 && r.height <= kMaxSide,
         "a side must be 1..65535");
  expect(r.n >= 0 && r.n <= kMaxRows, "n must be 0..65535");
  if (r.type == kEntities) {
    expect(r.channels == 1 || r.channels == 3, "channels of entities must be 1 or 3");
    expect(r.choices >= 1 && r.choices <= 7, "choices must be 1..7");
    expect(r.vertices >= 3 && r.vertices <= kMaxCorners, "vertices must be 3..8");
    expect(r.points >= 2 && r.points <= kMaxPoints, "points must be 2..8192");
    expect(r.colours >= 2 && r.colours <= kMaxShades, "colours must be 2..1024");
    expect(r.alphas >= 1 && r.alphas <= kMaxShades, "alphas must be 1..1024");
    expect(r.background.size() == size_t(r.channels), "background must have a level for each channel");
    for (int32_t level : r.background)
      expect(level >= 0 && level < r.colours, "the background is out of range");
  } else {
    const ShapeKind kind = r.shape().kind;
    const bool waves = kind == ShapeKind::fourier || kind == ShapeKind::depth;
    expect(r.channels == 1 || r.channels == 3 || r.channels == 4, "channels of shapes must be 1, 3 or 4");
    expect(r.formula == 0 || (r.formula == 1 && waves), "formula must be 0, or 1 of an outline");
    expect(waves ? r.terms >= 1 && r.terms <= kMaxTerms : r.terms == 0, "terms are out of range");
    expect(r.resolution >= 1 && r.resolution <= kMaxSide, "resolution must be 1..65535");
    expect(r.steps.size() == size_t(shape_parameters(kind).count), "a step for every parameter expected");
    for (int32_t code : r.steps) expect(code >= 0 && code < kStepCodes, "steps must be 0..255");
  }
  expect(r.levels.size() == size_t(r.n) * size_t(r.row()), "levels do not fit n");
  const std::vector<int32_t> corners = corners_of(r);
  for (int n = 0; n < r.n; ++n) {
    const int32_t* e = r.levels.data() + size_t(n) * size_t(r.row());
    if (r.type == kEntities) {
      check_entity(r, corners, e);
      continue;
    }
    for (int k = 0; k < r.row(); ++k) expect(std::abs(e[k]) <= kMaxListLevel, "levels must be -8191..8191");
  }
}

std::vector<uint8_t> encode_list(const ListRecord& r, bool quick) {
  check(r);
  std::vector<std::vector<int32_t>> residuals(static_cast<size_t>(group_count(r)));
  walk(r, [&](int group, int32_t expected, int32_t value) {
    residuals[size_t(group)].push_back(value - expected);
  });
  BitWriter header;
  put_facts(header, r);
  std::vector<GroupCode> codes;
  std::vector<PriorTable> tables;
  for (auto& group : residuals) {
    codes.push_back(best_code(std::move(group), quick));
    tables.emplace_back(codes.back().prior);
    if (r.n > 0) put_code(header, codes.back());
  }
  RangeEncoder coder;
  walk(r, [&](int group, int32_t expected, int32_t value) {
    const GroupCode& code = codes[size_t(group)];
    const int32_t off = value - expected - code.base;
    if (code.mode == flat)
      coder.encode(uint64_t(off), 1, uint64_t(code.span));
    else
      tables[size_t(group)].encode(coder, code.mode == bell ? off : fold(off));
  });
  return sealed(header, coder.finish());
}

ListRecord decode_list(const uint8_t* data, size_t size, FileInfo* info) {
  uint16_t sum;
  BitReader header(data, unsealed(data, size, &sum));
  ListRecord r = take_facts(header);
  std::vector<GroupCode> codes;
  std::vector<PriorTable> tables;
  for (int g = 0; r.n > 0 && g < group_count(r); ++g) {
    codes.push_back(take_code(header));
    tables.emplace_back(codes.back().prior);
  }
  const size_t start = range_code_start(header), payload = header.rest_size();
  RangeDecoder coder(header.rest(), payload);
  const auto fail = [&](const char* why) { throw FormatError(start + coder.at(), why); };
  const std::vector<int32_t> corners = corners_of(r);
  const size_t row = size_t(r.row());
  const ShapesShape shape = r.shape();
  const auto visit = [&](int group, int32_t expected, int32_t& value) {
    const GroupCode& code = codes[size_t(group)];
    int32_t off = 0;
    if (code.mode == flat) {
      const uint64_t at = coder.peek(uint64_t(code.span));
      if (at == uint64_t(code.span)) fail("the levels are not a range code");
      coder.take(at, 1);
      off = int32_t(at);
    } else if (!tables[size_t(group)].decode(coder, &off)) {
      fail("the levels are not a range code");
    }
    value = expected + code.base + (code.mode == folded ? unfold(off) : off);
    if (std::abs(value) > 2 * kMaxPoints) fail("a level is out of range");
  };
  for (int n = 0; n < r.n; ++n) {
    r.levels.resize(size_t(n + 1) * row);
    int32_t* e = r.levels.data() + size_t(n) * row;
    if (r.type == kEntities)
      walk_entity(r, corners, e, visit);
    else
      walk_shape(shape, n > 0 ? e - row : nullptr, e, visit);
    if (coder.needed() > payload + 8) fail("the levels go on beyond the file");
  }
  if (payload > coder.needed())
    throw FormatError(start + coder.needed(),
                      std::to_string(payload - coder.needed()) + " bytes after the levels");
  try {
    check(r);
  } catch (const std::invalid_argument& error) {
    throw FormatError(start, error.what());
  }
  if (info != nullptr) *info = {kVersion, kListKind, 0, start, payload, sum};
  return r;
}

}  // namespace cppn::codec
