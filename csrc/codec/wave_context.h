// What is known of a level of a wave before it is coded: 25 features of the levels before it.
#pragma once
#include <array>
#include <vector>

#include "wave_models.h"
#include "waves.h"

namespace cppn::codec {

// Where a neighbour lies: so many half turns lower.
struct Place {
  int v, u;
};

inline constexpr int kOwnSums = 11, kSums = 14;  // of sizes of a level's own axis; and of another's
inline constexpr int kQuick = kOwnSums, kSlow = kOwnSums + 1,
                     kOther = kOwnSums + 6;  // places among the features
inline constexpr float kLeastMean = 0.02f;
inline constexpr int kQuickMemory = 40, kSlowMemory = 300;

const std::vector<Place>& neighbourhood(int sum);

// log(sum + 0.3) of a sum of sizes, which is whole
float log_of(float sum);

class WaveContext {
 public:
  WaveContext(const Waves& waves, int64_t count);

  void begin(int axis);
  WaveFeatures features(int64_t n) const;
  // Of every level after its features, |level|.
  void learn(int64_t n, int32_t size);

  const Wave& wave(int64_t n) const { return order_[size_t(n)]; }
  float sum(int axis, int64_t n, int which) const { return cell(axis, order_[size_t(n)])[which]; }
  float quick() const { return quick_; }
  float slow() const { return slow_; }

 private:
  // What a wave knows of the sizes around it that are coded.
  using Cell = std::array<float, kSums>;
  static constexpr int kReach = 6;  // of a neighbourhood; as many cells lie around those of waves

  const Cell& cell(int axis, const Wave& wave) const {
    return cells_[axis][size_t((wave.v + kReach) * columns_ + wave.u + kReach)];
  }
  void spread(const Wave& wave, float size);

  Waves waves_;
  std::vector<Wave> order_;
  std::vector<float> frequencies_;  // log(f + 1) of each
  int64_t rows_ = 1, columns_ = 1;  // of cells
  int axis_ = 0;
  float quick_ = 1, slow_ = 1;  // running means of the sizes
  std::vector<Cell> cells_[3];
};

}  // namespace cppn::codec
