// The filter behind the waves: a small residual network of 3 x 3 convolutions, fitted once to other pictures
// (bench/fit_filter.py) and part of every decoder. It guesses what quantizing took away.
//   q = the waves of a grid as its points see them, in steps: orthonormal cosines, (3, rows, columns)
//   shown = q + strength / 64 filter(q)
// The grid's points go in by twos in both directions: 4 x 3 channels of half as many rows and columns. Exact:
// the same bits on every instruction set and any number of threads.
#pragma once
#include <vector>

#include "../core/waves.h"
#include "backend.h"

namespace cppn::cpu {

class WavesFilter {
 public:
  WavesFilter(CpuBackend& backend, FilterGrid grid);

  // planes (3, rows, columns): levels of waves, in steps; what the filter finds is added, times strength
  // / 64.
  void apply(float* planes, int strength);
  // sum (shown - target)^2 over the waves of the first `axes`, and half its gradient by the levels; targets
  // and gradient as planes.
  double gradient(const float* planes, const float* targets, int strength, int axes, float* gradient);

  int64_t floats() const { return 3 * grid_.points(); }

 private:
  // (rows + 2, columns + 2, channels)
  using Map = std::vector<float>;
  struct Cosines {
    std::vector<float> waves, points;  // (waves, points) and (points, waves)
    explicit Cosines(int64_t count);
  };

  Map map(int channels) const;
  void points_of(const float* planes, float* points);
  void planes_of(const float* points, float* planes);
  // out (3, rows, columns) = down (rows, rows) in across (columns, columns)
  void turned(const std::vector<float>& down, const float* in, const std::vector<float>& across, float* out);
  void gather(const float* points, Map& to) const;
  void scatter(const Map& from, float* points) const;
  void run();       // input_ to output_
  void run_back();  // output_, as a gradient, to input_

  CpuBackend& backend_;
  FilterGrid grid_;
  int64_t height_, width_;  // of maps
  Cosines down_, across_;
  Map input_, output_, before_;     // before_: a gradient on its way back
  std::vector<Map> sums_, hidden_;  // sums_[0] the head's, sums_[k + 1] with block k; hidden_[k] within it
};

// One layer of the filter as its weights say: for those who compute it elsewhere.
struct FilterWeights {
  int used, inputs, outputs;   // inputs and outputs with what is filled up
  std::vector<float> weights;  // (3, 3, used, outputs)
  std::vector<float> bias;     // (outputs)
};

// The head, two for each block, the tail.
const std::vector<FilterWeights>& filter_weights();

}  // namespace cppn::cpu
