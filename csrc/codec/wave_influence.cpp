// What a level does to those after it, for which it is a neighbour and a part of their running means.
#include <cmath>
#include <cstdlib>
#include <utility>

#include "wave_context.h"
#include "waves.h"

namespace cppn::codec {

namespace {

constexpr float kBitsPerNat = 1.44269504f;

float share_of(float odds) { return 1.0f / (1.0f + std::exp(-odds)); }

// How the bits of a level change with its odds.
WaveOdds bits_by_odds(const WaveOdds& odds, int32_t size) {
  WaveOdds slopes{};
  slopes[0] = share_of(odds[0]) - float(size > 0);
  if (size > 0) slopes[1] = share_of(odds[1]) - float(size > 1);
  if (size > 1) slopes[2] = float(size - 1) * share_of(odds[2]) - float(size - 2);
  for (float& slope : slopes) slope *= kBitsPerNat;
  return slopes;
}

class Influence {
 public:
  explicit Influence(const WavesRecord& r)
      : record_(r),
        most_(*std::max_element(r.counts.begin(), r.counts.end())),
        context_(r.waves, most_),
        found_(r.levels.size()) {
    for (int64_t n = 0; n < most_; ++n) {
      rows_ = std::max<int64_t>(rows_, context_.wave(n).v + 1);
      columns_ = std::max<int64_t>(columns_, context_.wave(n).u + 1);
    }
    rank_.assign(size_t(rows_ * columns_), most_);
    for (int64_t n = 0; n < most_; ++n) rank_[size_t(context_.wave(n).v * columns_ + context_.wave(n).u)] = n;
  }

  std::vector<WaveInfluence> run() {
    int64_t start = 0;
    for (int axis = 0; axis < int(record_.counts.size()); ++axis) {
      starts_[axis] = start;
      count_ = record_.counts[size_t(axis)];
      along(axis, start);
      start += count_;
    }
    return std::move(found_);
  }

 private:
  void along(int axis, int64_t start) {
    context_.begin(axis);
    std::vector<float> quick(static_cast<size_t>(count_)), slow(quick);  // by the running means
    for (int64_t n = 0; n < count_; ++n) {
      const int32_t size = std::abs(record_.levels[size_t(start + n)]);
      const WaveFeatures x = context_.features(n);
      const WaveFeatures slopes = slopes_of(x, bits_by_odds(odds_of(x), size));
      quick[size_t(n)] = slopes[kQuick] / (context_.quick() + kLeastMean);
      slow[size_t(n)] = slopes[kSlow] / (context_.slow() + kLeastMean);
      for (int f = 0; f < kOwnSums; ++f) give(axis, n, n, f, slopes[size_t(f)]);
      for (int other = 0; other < std::min(axis, 2); ++other)
        for (int f = kOwnSums; f < kSums; ++f)
          give(other, n, record_.counts[size_t(other)], f,
               slopes[size_t(kOther + other * (kSums - kOwnSums) + f - kOwnSums)]);
      context_.learn(n, size);
    }
    give_means(start, quick, kQuickMemory);
    give_means(start, slow, kSlowMemory);
  }

  // To all neighbours of wave n that are coded, those of a rank below `known` of an axis.
  void give(int axis, int64_t n, int64_t known, int sum, float slope) {
    const float now = context_.sum(axis, n, sum);
    const float up = slope * (log_of(now + 1) - log_of(now)),
                down = now >= 1 ? slope * (log_of(now) - log_of(now - 1)) : 0.0f;
    const Wave& wave = context_.wave(n);
    for (const Place& place : neighbourhood(sum)) {
      const int64_t v = wave.v - place.v, u = wave.u - place.u;
      if (v < 0 || u < 0 || v >= rows_ || u >= columns_) continue;
      const int64_t rank = rank_[size_t(v * columns_ + u)];
      if (rank >= known) continue;
      found_[size_t(starts_[axis] + rank)][0] += up;
      found_[size_t(starts_[axis] + rank)][1] += down;
    }
  }

  // A running mean carries a size to all later levels, weaker and weaker.
  void give_means(int64_t start, const std::vector<float>& slopes, int memory) {
    float later = 0;
    for (size_t n = slopes.size(); n-- > 0;) {
      for (float& influence : found_[size_t(start) + n]) influence += later;
      later = later * (1.0f - 1.0f / float(memory)) + slopes[n] / float(memory);
    }
  }

  const WavesRecord& record_;
  int64_t most_, count_ = 0, rows_ = 1, columns_ = 1;
  WaveContext context_;
  std::vector<int64_t> rank_;  // (rows, columns): most_ for none
  int64_t starts_[3] = {0, 0, 0};
  std::vector<WaveInfluence> found_;
};

}  // namespace

std::vector<WaveInfluence> wave_influence(const WavesRecord& record) {
  check(record);
  return Influence(record).run();
}

}  // namespace cppn::codec
