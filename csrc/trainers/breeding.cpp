#include "breeding.h"

#include <utility>

namespace cppn {

namespace {

constexpr double kSmallest = 1.5;  // pixels: nothing smaller pays

// Of the angle around the origin, increasing, without trigonometry.
double turn(double x, double y) {
  const double part = x / (std::fabs(x) + std::fabs(y) + 1e-30);
  return y < 0 ? part - 1 : 1 - part;
}

}  // namespace

Breeder::Breeder(const EntityGrid& grid, int64_t width, int64_t height, std::vector<int32_t> corners)
    : grid_(grid),
      corners_(std::move(corners)),
      per_x_(double(grid.points) / double(width)),
      per_y_(double(grid.points) / double(height)),
      most_(0.5 * double(std::max(width, height))),
      octaves_(1) {
  while (octaves_ < 20 && most_ / double(int64_t(1) << octaves_) > kSmallest) ++octaves_;
}

void Breeder::put(int32_t* point, double x, double y) const {
  const double low = double(grid_.least()), high = double(grid_.most());
  point[0] = int32_t(std::floor(std::min(std::max(x * per_x_, low), high) + 0.5));
  point[1] = int32_t(std::floor(std::min(std::max(y * per_y_, low), high) + 0.5));
}

void Breeder::shift(int32_t* point, double x, double y) const {
  put(point, point[0] / per_x_ + x, point[1] / per_y_ + y);
}

void Breeder::straighten(int32_t* p) const {
  const auto kept = [&](int32_t level) { return std::min(std::max(level, grid_.least()), grid_.most()); };
  if (p[2] < p[0]) p[2] = kept(2 * p[0] - p[2]);
  p[3] = p[1];
  if (p[5] < p[1]) {
    p[4] = kept(2 * p[0] - p[4]);
    p[5] = kept(2 * p[1] - p[5]);
  }
}

void Breeder::draw(Draws& draws, Place place, int32_t* entity) const {
  std::fill(entity, entity + grid_.row(), 0);
  entity[0] = corners_[size_t(draws.below(int64_t(corners_.size())))];
  entity[1] = int32_t(draws.below(grid_.alphas));
  const int count = point_count(entity[0]);
  const double size = draws.size(most_, octaves_);
  double x[kMaxCorners], y[kMaxCorners];
  for (int k = 0; k < count; ++k) {
    x[k] = draws.swing() * size;
    y[k] = draws.swing() * size;
  }
  if (entity[0] == 0) x[0] = y[0] = 0;
  // Around the place one after the other, so that no edge crosses another.
  for (int k = 1; k < entity[0]; ++k)
    for (int j = k; j > 0 && turn(x[j], y[j]) < turn(x[j - 1], y[j - 1]); --j) {
      std::swap(x[j], x[j - 1]);
      std::swap(y[j], y[j - 1]);
    }
  for (int k = 0; k < count; ++k) put(entity + 2 + 2 * k, place.x + x[k], place.y + y[k]);
  if (entity[0] == 0) straighten(entity + 2);
}

void Breeder::mutate(Draws& draws, const int32_t* parent, int32_t* entity) const {
  std::copy(parent, parent + grid_.row(), entity);
  const int count = point_count(entity[0]);
  const int64_t what = draws.below(8);
  if (what == 0) {
    const double by = draws.swing() * draws.size(grid_.alphas, 6);
    const double alpha = std::floor(double(entity[1]) + by + 0.5);
    entity[1] = int32_t(std::min(std::max(alpha, 0.0), double(grid_.alphas - 1)));
    return;
  }
  const double reach = draws.size(most_, octaves_ + 1);
  const double x = draws.swing() * reach, y = draws.swing() * reach;
  const int64_t one = draws.below(count);
  // An ellipse goes where its centre goes.
  const bool all = what <= 2 || (entity[0] == 0 && one == 0);
  for (int k = 0; k < count; ++k)
    if (all || k == one) shift(entity + 2 + 2 * k, x, y);
  if (entity[0] == 0) straighten(entity + 2);
}

}  // namespace cppn
