// The range coder with a prior (prior.h), fixed or learning (context.h): one for all kinds, or one each.
#include <algorithm>
#include <cstdlib>

#include "coders.h"
#include "container.h"
#include "context.h"
#include "descend.h"

namespace cppn::codec {

namespace {

bool shared(const ContextPlan& plan) {
  const auto& p = plan.prior;
  return std::all_of(p.begin(), p.end(), [&](PriorCode c) { return c.a == p[0].a && c.b == p[0].b; });
}

void put_plan(BitWriter& header, const ContextPlan& plan, bool learns) {
  header.put(shared(plan) ? 0 : 1, 1);
  for (size_t kind = 0; kind < (shared(plan) ? 1 : kKinds); ++kind) {
    header.put(uint64_t(plan.prior[kind].a), 7);
    header.put(uint64_t(plan.prior[kind].b), 7);
  }
  if (!learns) return;
  header.put(uint64_t(plan.column_strength), 3);
  header.put(uint64_t(plan.row_strength), 3);
}

ContextPlan take_plan(BitReader& header, bool learns) {
  ContextPlan plan;
  const size_t priors = header.take(1) == 0 ? 1 : kKinds;
  for (size_t kind = 0; kind < priors; ++kind) {
    plan.prior[kind].a = int(header.take(7));
    plan.prior[kind].b = int(header.take(7));
  }
  if (priors == 1) plan.prior.fill(plan.prior[0]);
  if (!learns) return plan;
  plan.column_strength = int(header.take(3));
  plan.row_strength = int(header.take(3));
  return plan;
}

// Hands visit(prior of the weight, level) every weight; a decoder fills the level in.
template <class Levels, class Visit>
void with_priors(const ContextPlan& plan, PriorTables& tables, int inputs, int neurons, Levels& levels,
                 Visit&& visit) {
  Context context(plan, inputs, neurons, tables);
  walk_triangle(
      inputs, neurons, [&] { context.begin_row(); },
      [&](size_t k, int column) {
        visit(context.prior(column), levels[k]);
        context.learn(levels[k]);
      });
}

uint64_t cost(const CascadeRecord& r, const ContextPlan& plan, PriorTables& tables) {
  uint64_t sum = 0;
  with_priors(plan, tables, r.inputs(), r.neurons, r.levels,
              [&](const PriorTable& prior, int32_t level) { sum += prior.cost(std::abs(level)); });
  return sum;
}

std::array<Histogram, kKinds> histograms_by_kind(const CascadeRecord& r) {
  std::array<std::vector<int32_t>, kKinds> levels;
  walk_triangle(
      r.inputs(), r.neurons, [] {},
      [&](size_t k, int column) { levels[size_t(kind_of(column, r.inputs()))].push_back(r.levels[k]); });
  std::array<Histogram, kKinds> all;
  for (size_t kind = 0; kind < kKinds; ++kind)
    all[kind] = histogram(levels[kind].data(), levels[kind].size());
  return all;
}

using Fit = PriorCode (*)(const Histogram&);

ContextPlan fit_common(const CascadeRecord& r, Fit fit) {
  ContextPlan plan;
  plan.prior.fill(fit(histogram(r.levels.data(), r.levels.size())));
  return plan;
}

ContextPlan fit_own(const CascadeRecord& r, Fit fit) {
  ContextPlan plan;
  const auto histograms = histograms_by_kind(r);
  for (size_t kind = 0; kind < kKinds; ++kind) plan.prior[kind] = fit(histograms[kind]);
  return plan;
}

// A plan as a point of the search: both strengths, then a and b of one prior or of three. Strengths count 1,
// 2, .. 7 and then 0, which is off: the more the prior's word is worth, the less is learnt.
ContextPlan plan_at(const std::vector<int>& at) {
  ContextPlan plan;
  for (size_t kind = 0; kind < kKinds; ++kind) {
    const size_t i = at.size() == 4 ? 2 : 2 + 2 * kind;
    plan.prior[kind] = {at[i], at[i + 1]};
  }
  plan.column_strength = (at[0] + 1) % kStrengths;
  plan.row_strength = (at[1] + 1) % kStrengths;
  return plan;
}

// Downhill from each of the plans, with the best of nine pairs of strengths. There is more than one valley.
ContextPlan learn(const CascadeRecord& r, const std::vector<ContextPlan>& starts, size_t priors) {
  PriorTables tables;
  const auto price = [&](const std::vector<int>& at) { return cost(r, plan_at(at), tables); };
  std::vector<int> limits(2, kStrengths - 1);
  limits.insert(limits.end(), 2 * priors, kPriorCodes - 1);
  std::vector<std::vector<int>> moves;
  const auto add_move = [&](size_t i, int first, int second) {
    moves.emplace_back(limits.size(), 0);
    moves.back()[i] = first;
    moves.back()[i + 1] = second;
  };
  for (int d : {-1, 1}) add_move(0, d, 0), add_move(0, 0, d);
  for (size_t i = 0; i < priors; ++i) {
    for (auto [a, b] : prior_moves()) add_move(2 + 2 * i, a, b);
  }
  Choice best{{}, UINT64_MAX};
  for (const ContextPlan& start : starts) {
    Choice first{{}, UINT64_MAX};
    for (int strengths : {22, 25, 27, 52, 55, 57, 72, 75, 77}) {
      std::vector<int> at = {strengths / 10, strengths % 10};
      for (size_t i = 0; i < priors; ++i) at.insert(at.end(), {start.prior[i].a, start.prior[i].b});
      const uint64_t c = price(at);
      if (c < first.price) first = {at, c};
    }
    const Choice found = descend(first.at, limits, moves, price);
    if (found.price < best.price) best = found;
  }
  return plan_at(best.at);
}

std::vector<uint8_t> write_plan(const CascadeRecord& r, const ContextPlan& plan, bool learns,
                                BitWriter& header) {
  put_plan(header, plan, learns);
  RangeEncoder coder;
  PriorTables tables;
  with_priors(plan, tables, r.inputs(), r.neurons, r.levels,
              [&](const PriorTable& prior, int32_t level) { prior.encode(coder, level); });
  return coder.finish();
}

std::vector<uint8_t> write_prior(const CascadeRecord& r, bool learns, BitWriter& header) {
  ContextPlan common = fit_common(r, fit_prior), own = fit_own(r, fit_prior);
  if (learns) {
    common = learn(r, {common, fit_common(r, near_normal)}, 1);
    own = learn(r, {own, fit_own(r, near_normal)}, kKinds);
  }
  BitWriter with_own = header;
  std::vector<uint8_t> a = write_plan(r, common, learns, header);
  std::vector<uint8_t> b = write_plan(r, own, learns, with_own);
  if (header.bytes().size() + a.size() <= with_own.bytes().size() + b.size()) return a;
  header = with_own;
  return b;
}

size_t read_prior(BitReader& header, bool learns, CascadeRecord& r) {
  const ContextPlan plan = take_plan(header, learns);
  const size_t start = range_code_start(header), size = header.rest_size();
  r.levels.resize(size_t(r.weights()));
  RangeDecoder coder(header.rest(), size);
  PriorTables tables;
  with_priors(plan, tables, r.inputs(), r.neurons, r.levels, [&](const PriorTable& prior, int32_t& level) {
    if (!prior.decode(coder, &level))
      throw FormatError(start + coder.at(), "the levels are not a range code");
  });
  if (size > coder.needed()) {
    throw FormatError(start + coder.needed(),
                      std::to_string(size - coder.needed()) + " bytes after the levels");
  }
  return start;
}

}  // namespace

std::vector<uint8_t> write_static(const CascadeRecord& r, BitWriter& header) {
  return write_prior(r, false, header);
}
size_t read_static(BitReader& header, CascadeRecord& r) { return read_prior(header, false, r); }

std::vector<uint8_t> write_learning(const CascadeRecord& r, BitWriter& header) {
  return write_prior(r, true, header);
}
size_t read_learning(BitReader& header, CascadeRecord& r) { return read_prior(header, true, r); }

}  // namespace cppn::codec
