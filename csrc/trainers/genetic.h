// A picture built one entity after the other by a genetic search: of a population of random candidates the
// fittest survive and mutate, generation after generation, and the best is painted. After "Evolutionary Image
// Approximation" in the source post. Later, any entity can be searched anew with all others in place.
#pragma once
#include <cstdint>
#include <vector>

#include "../core/blend.h"
#include "../cpu/painting.h"
#include "breeding.h"

namespace cppn {

struct GeneticTerms {
  int population = 96, generations = 24, survivors = 12;
  uint64_t seed = 0;
  std::vector<int32_t> corners = {0};  // what entities may be: 0 an ellipse, else a polygon
};

class GeneticSearch {
 public:
  // target (H, W, C) in units of an activation; entities (n, row) to begin with
  GeneticSearch(cpu::Pool& pool, const EntityGrid& grid, int64_t width, int64_t height,
                std::vector<float> target, std::vector<int32_t> background, std::vector<int32_t> entities,
                const GeneticTerms& terms);

  // One more entity on top; false, and none, if no candidate lessens the error. The same step, the same
  // draws.
  bool add(uint64_t step);
  // Entity n searched anew; false if it stays as it is.
  bool refine(int64_t n, uint64_t step);
  // Entity n replaced, or the last ones left out, whatever that does to the error.
  void put(int64_t n, const int32_t* entity);
  void drop(int64_t count);
  // What an entity would change of the error as n-th of n (on top), or instead of the n-th, and its best
  // colours.
  double weigh(const int32_t* entity, int64_t n, int32_t* colour);

  double error() const { return error_; }  // sum of squared differences, in units of an activation
  int64_t count() const { return int64_t(entities_.size()) / grid_.row(); }
  const std::vector<int32_t>& entities() const { return entities_; }

 private:
  struct Candidate;

  void stand(int64_t n);                            // makes the running sums those of place n
  const double* sums(int64_t y, int64_t x) const {  // before pixel x
    return sums_.data() + (y * (view_.width + 1) + x) * moments_of(grid_.channels);
  }
  template <int C>
  void sum_row(int64_t y, const float* above);
  template <int C>
  double fitness(int32_t* entity, float* share) const;
  double fitness_of(int32_t* entity, float* share) const;
  Place place(Draws& draws) const;  // a pixel, the more likely the more it is off
  void repaint();
  Candidate breed(uint64_t step, const int32_t* incumbent);
  std::vector<float> canvas_of(int64_t from, int64_t to, int channels, bool on_background) const;
  double measure(const std::vector<float>& canvas) const;

  cpu::Pool& pool_;
  EntityGrid grid_;
  View view_;
  GeneticTerms terms_;
  Breeder breeder_;
  std::vector<float> target_;        // (H, W, C)
  std::vector<int32_t> background_;  // (C)
  std::vector<int32_t> entities_;    // (n, row)
  std::vector<float> canvas_;        // (H, W, C), all entities
  std::vector<float> below_;         // (H, W, C), those below the place
  std::vector<double> sums_;         // (H, W + 1, M), core/blend.h
  std::vector<double> rows_error_;   // (H) running sum of e^2 over whole rows
  int64_t stands_ = -1;              // at this place, -1: nowhere
  double error_ = 0;
};

}  // namespace cppn
