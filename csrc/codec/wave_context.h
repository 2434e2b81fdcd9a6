// What a level of a wave is expected to be, from those before it: models of 17 features, fitted by
// bench/fit_waves.py.
#pragma once
#include <vector>

#include "waves.h"

namespace cppn::codec {

class WaveContext {
 public:
  WaveContext(const Waves& waves, int64_t count);

  void begin(int axis);
  WaveOdds odds(int64_t n) const;
  // Of every level after its odds, |level|.
  void learn(int64_t n, int32_t size);

 private:
  struct Place {
    int v, u;
  };
  float size(int axis, const Wave& wave, Place back) const;
  template <size_t N>
  float sum(int axis, const Wave& wave, const Place (&places)[N]) const;

  Waves waves_;
  std::vector<Wave> order_;
  int64_t rows_ = 1, columns_ = 1;
  int axis_ = 0;
  float quick_ = 1, slow_ = 1;    // running means of the sizes
  std::vector<float> planes_[3];  // (rows, columns): sizes of the levels so far
};

}  // namespace cppn::codec
