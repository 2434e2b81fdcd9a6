// Where candidates come from: drawn at random, or from those that survived. Random numbers are a function of
// (seed, step, generation, candidate), so it does not matter which thread draws them.
#pragma once
#include <vector>

#include "../core/entity.h"
#include "../core/philox.h"

namespace cppn {

class Draws {
 public:
  Draws(uint64_t seed, uint64_t step, uint32_t generation, uint32_t candidate)
      : seed_(seed), step_(step), stream_(generation << 16 | candidate) {}

  uint32_t word() {
    if (next_ % 4 == 0) now_ = philox(seed_, step_, next_ / 4, stream_);
    return now_.v[next_++ % 4];
  }
  double unit() { return double(to_unit(word())); }                 // [0, 1)
  double swing() { return unit() - unit(); }                        // (-1, 1), a triangle
  int64_t below(int64_t n) { return int64_t(unit() * double(n)); }  // {0 ... n - 1}, n < 2^24
  double size(double most, int octaves) {                           // every octave as often
    const int64_t octave = below(octaves);
    return most * (0.5 + 0.5 * unit()) / double(int64_t(1) << octave);
  }

 private:
  uint64_t seed_, step_;
  uint32_t stream_, next_ = 0;
  Philox4 now_{};
};

struct Place {  // in pixels
  double x, y;
};

class Breeder {
 public:
  Breeder(const EntityGrid& grid, int64_t width, int64_t height, std::vector<int32_t> corners);

  // A random entity about a place, of any size.
  void draw(Draws& draws, Place place, int32_t* entity) const;
  // A survivor, changed a little or much in one respect.
  void mutate(Draws& draws, const int32_t* parent, int32_t* entity) const;

 private:
  void put(int32_t* point, double x, double y) const;
  void shift(int32_t* point, double x, double y) const;
  void straighten(int32_t* points) const;  // an ellipse's, into their one form

  EntityGrid grid_;
  std::vector<int32_t> corners_;  // to choose from
  double per_x_, per_y_;          // steps of the grid to a pixel
  double most_;                   // size of an entity, in pixels
  int octaves_;
};

}  // namespace cppn
