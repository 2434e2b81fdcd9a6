#include "genetic.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "../core/blend.h"
#include "../cpu/float_mode.h"

namespace cppn {

using cpu::FloatMode;

struct GeneticSearch::Candidate {
  std::vector<int32_t> entity;
  double change = 0;
};

GeneticSearch::GeneticSearch(cpu::Pool& pool, const EntityGrid& grid, int64_t width, int64_t height,
                             std::vector<float> target, std::vector<int32_t> background,
                             std::vector<int32_t> entities, const GeneticTerms& terms)
    : pool_(pool),
      grid_(grid),
      view_{0, 0, 1, 1, width, height},
      terms_(terms),
      breeder_(grid, width, height, terms.corners),
      target_(std::move(target)),
      background_(std::move(background)),
      entities_(std::move(entities)),
      sums_(size_t(height * (width + 1) * moments_of(grid.channels))),
      rows_error_(size_t(height)) {
  repaint();
}

std::vector<float> GeneticSearch::canvas_of(int64_t from, int64_t to, int channels,
                                            bool on_background) const {
  std::vector<float> canvas(size_t(view_.width * view_.height * channels));
  if (on_background)
    for (size_t i = 0; i < canvas.size(); ++i)
      canvas[i] = float(grid_.shade(background_[i % size_t(grid_.channels)]));
  else  // what lies above: nothing yet, and all of what is below shows through
    for (size_t i = size_t(grid_.channels); i < canvas.size(); i += size_t(channels)) canvas[i] = 1.0f;
  cpu::paint(pool_, grid_, entities_.data() + from * grid_.row(), to - from, view_, channels, canvas.data());
  return canvas;
}

// In the order of the rows, each summed on its own.
double GeneticSearch::measure(const std::vector<float>& canvas) const {
  const size_t row = size_t(view_.width * grid_.channels);
  double sum = 0;
  for (size_t begin = 0; begin < canvas.size(); begin += row) {
    double part = 0;
    for (size_t i = begin; i < begin + row; ++i) {
      const double off = double(canvas[i]) - double(target_[i]);
      part += off * off;
    }
    sum += part;
  }
  return sum;
}

template <int C>
void GeneticSearch::sum_row(int64_t y, const float* above) {
  constexpr int M = moments_of(C);
  double* at = sums_.data() + (y * (view_.width + 1)) * M;
  std::fill(at, at + M, 0.0);
  for (int64_t x = 0; x < view_.width; ++x, at += M) {
    const int64_t i = y * view_.width + x;
    const float *below = below_.data() + i * C, *over = above ? above + i * (C + 1) : nullptr;
    const double t = over ? double(over[C]) : 1.0;
    double e[C];
    for (int c = 0; c < C; ++c) {
      const double shown = over ? t * double(below[c]) + double(over[c]) : double(below[c]);
      e[c] = double(target_[size_t(i * C + c)]) - shown;
    }
    add_moments<C>(at, at + M, t, below, e);
  }
}

void GeneticSearch::stand(int64_t n) {
  if (stands_ == n) return;
  const bool top = n == count();
  below_ = top ? canvas_ : canvas_of(0, n, grid_.channels, true);
  const std::vector<float> above =
      top ? std::vector<float>() : canvas_of(n + 1, count(), grid_.channels + 1, false);
  pool_.run(view_.height, [&](int64_t y, int) {
    const FloatMode mode(FloatMode::exact);
    const float* over = top ? nullptr : above.data();
    grid_.channels == 1 ? sum_row<1>(y, over) : sum_row<3>(y, over);
  });
  double sum = 0;
  for (int64_t y = 0; y < view_.height; ++y) rows_error_[size_t(y)] = sum += *sums(y, view_.width);
  stands_ = n;
}

template <int C>
double GeneticSearch::fitness(int32_t* entity, float* share) const {
  constexpr int M = moments_of(C);
  const Outline outline = outline_of(grid_, entity, view_);
  const double alpha = grid_.alpha(entity);
  const Rows rows = rows_of(outline, 0, view_.height);
  Blend<C> blend;
  for (int64_t y = rows.first; y < rows.last; ++y) {
    const double* row = sums(y, 0);
    for_runs(cover_row(outline, y, view_.width, share), share, alpha,
             [&](int64_t a, int64_t b, double m) { blend.add(row + a * M, row + b * M, m); });
  }
  return blend.solve(grid_, entity + grid_.colour());
}

double GeneticSearch::fitness_of(int32_t* entity, float* share) const {
  return grid_.channels == 1 ? fitness<1>(entity, share) : fitness<3>(entity, share);
}

Place GeneticSearch::place(Draws& draws) const {
  const auto at = std::upper_bound(rows_error_.begin(), rows_error_.end(), draws.unit() * rows_error_.back());
  const int64_t y = std::min(int64_t(at - rows_error_.begin()), view_.height - 1);
  const double aim = draws.unit() * *sums(y, view_.width);
  int64_t low = 0, high = view_.width - 1;  // the first pixel whose running sum, itself included, is beyond
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (*sums(y, middle + 1) > aim)
      high = middle;
    else
      low = middle + 1;
  }
  return {double(low) + draws.unit(), double(y) + draws.unit()};
}

// Generation 0 is random, but for an incumbent; then the fittest survive, and the others are their children.
GeneticSearch::Candidate GeneticSearch::breed(uint64_t step, const int32_t* incumbent) {
  const int64_t row = grid_.row(), size = terms_.population, survivors = terms_.survivors;
  std::vector<int32_t> now(size_t(size * row)), next(now.size());
  std::vector<double> change(size_t(size), 0.0);
  std::vector<int64_t> order(static_cast<size_t>(size));
  std::vector<std::vector<float>> shares(size_t(pool_.threads()), std::vector<float>(size_t(view_.width)));
  for (int generation = 0; generation <= terms_.generations; ++generation) {
    const bool first = generation == 0;
    pool_.run(size, [&](int64_t i, int thread) {
      const FloatMode mode(FloatMode::exact);
      int32_t* entity = next.data() + i * row;
      Draws draws(terms_.seed, step, uint32_t(generation), uint32_t(i));
      if (first && incumbent && i == 0) {
        std::copy(incumbent, incumbent + row, entity);
      } else if (first && incumbent && i % 2 == 0) {
        breeder_.mutate(draws, incumbent, entity);
      } else if (first) {
        breeder_.draw(draws, place(draws), entity);
      } else if (i < survivors) {
        std::copy_n(now.data() + order[size_t(i)] * row, row, entity);
      } else {
        breeder_.mutate(draws, now.data() + order[size_t(draws.below(survivors))] * row, entity);
      }
      change[size_t(i)] = fitness_of(entity, shares[size_t(thread)].data());
    });
    std::swap(now, next);
    std::iota(order.begin(), order.end(), int64_t(0));
    std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      return std::make_pair(change[size_t(a)], a) < std::make_pair(change[size_t(b)], b);
    });
  }
  const int32_t* best = now.data() + order[0] * row;
  return {{best, best + row}, change[size_t(order[0])]};
}

bool GeneticSearch::add(uint64_t step) {
  const FloatMode mode(FloatMode::exact);
  stand(count());
  const Candidate best = breed(step, nullptr);
  if (!(best.change < 0)) return false;
  const size_t before = entities_.size();
  entities_.insert(entities_.end(), best.entity.begin(), best.entity.end());
  cpu::paint(pool_, grid_, entities_.data() + before, 1, view_, grid_.channels, canvas_.data());
  stands_ = -1;
  // Against the sums' rounding and the canvas's: the error is what is shown, and it never rises.
  if (const double error = measure(canvas_); error < error_) {
    error_ = error;
    return true;
  }
  entities_.resize(before);
  canvas_ = canvas_of(0, count(), grid_.channels, true);
  return false;
}

bool GeneticSearch::refine(int64_t n, uint64_t step) {
  const FloatMode mode(FloatMode::exact);
  stand(n);
  int32_t* entity = entities_.data() + n * grid_.row();
  const Candidate best = breed(step, entity);
  const std::vector<int32_t> old(entity, entity + grid_.row());
  if (old == best.entity) return false;
  std::copy(best.entity.begin(), best.entity.end(), entity);
  std::vector<float> canvas = canvas_of(0, count(), grid_.channels, true);
  if (const double error = measure(canvas); error < error_) {
    error_ = error;
    canvas_ = std::move(canvas);
    return true;
  }
  std::copy(old.begin(), old.end(), entity);
  return false;
}

void GeneticSearch::repaint() {
  const FloatMode mode(FloatMode::exact);
  canvas_ = canvas_of(0, count(), grid_.channels, true);
  error_ = measure(canvas_);
  stands_ = -1;
}

void GeneticSearch::put(int64_t n, const int32_t* entity) {
  std::copy_n(entity, grid_.row(), entities_.data() + n * grid_.row());
  repaint();
}

void GeneticSearch::drop(int64_t dropped) {
  entities_.resize(entities_.size() - size_t(dropped * grid_.row()));
  repaint();
}

double GeneticSearch::weigh(const int32_t* entity, int64_t n, int32_t* colour) {
  const FloatMode mode(FloatMode::exact);
  stand(n);
  std::vector<int32_t> row(entity, entity + grid_.row());
  std::vector<float> share(static_cast<size_t>(view_.width));
  const double change = fitness_of(row.data(), share.data());
  std::copy_n(row.data() + grid_.colour(), grid_.channels, colour);
  return change;
}

}  // namespace cppn
