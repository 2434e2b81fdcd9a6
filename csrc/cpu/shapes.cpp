#include "shapes.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "float_mode.h"

namespace cppn::cpu {

namespace {

// Groups of tiles are the unit of work and of the reduction: any number of threads adds the same sums in
// order. Fewer of them where their sums would take more than 64 MB.
constexpr int64_t kMaxGroups = 32, kMostSums = int64_t(1) << 23;

int64_t padded_shapes(int n) { return (n + kTilePad - 1) / kTilePad * kTilePad; }
int64_t stride_of(const ShapesShape& s) { return (shape_row(s) + 15) / 16 * 16; }

// Beyond the picture lies its last column.
std::vector<float> padded(const float* x, int64_t width) {
  const int64_t room = (width + kTileWidth - 1) / kTileWidth * kTileWidth;
  std::vector<float> out(size_t(room), x[width - 1]);
  std::copy(x, x + width, out.begin());
  return out;
}

// From front to back where that matters: ties by number.
std::vector<int32_t> drawing_order(const Kernels& kernels, const ShapesShape& s, const float* params) {
  std::vector<int32_t> shapes(static_cast<size_t>(s.n));
  std::iota(shapes.begin(), shapes.end(), 0);
  if (s.kind != ShapeKind::article) return shapes;
  std::vector<float> keys(static_cast<size_t>(s.n));
  kernels.shapes_render->nearness(s, params, keys.data());
  std::stable_sort(shapes.begin(), shapes.end(),
                   [&](int32_t a, int32_t b) { return keys[size_t(a)] > keys[size_t(b)]; });
  return shapes;
}

// (H, W, C) to (tiles, C, kTilePixels), 0 beyond the picture.
AlignedFloats tiled(const ShapesTask& task, int channels, const float* from) {
  AlignedFloats out = aligned_floats(task.tiles() * channels * kTilePixels);
  for (int64_t y = 0; y < task.height; ++y)
    for (int64_t x = 0; x < task.width; ++x)
      for (int c = 0; c < channels; ++c) {
        const int64_t tile = y / kTileHeight * task.across() + x / kTileWidth;
        const int64_t at = y % kTileHeight * kTileWidth + x % kTileWidth;
        out[size_t((tile * channels + c) * kTilePixels + at)] = *from++;
      }
  return out;
}

double slope_of(const ShapeParameter& row, double raw) {
  if (row.map == ShapeMap::identity) return double(row.scale);
  const double t = row.map == ShapeMap::tanh ? std::tanh(raw) : 1 / (1 + std::exp(-raw));
  return double(row.scale) * (row.map == ShapeMap::tanh ? 1 - t * t : t * (1 - t));
}

}  // namespace

void shapes_render(CpuBackend& backend, const ShapesShape& shape, const float* params, const float* x,
                   int64_t width, const float* y, int64_t height, float* out) {
  const ShapesRenderKernels& kernels = *backend.kernels().shapes_render;
  const int64_t stride = stride_of(shape), room = padded_shapes(shape.n);
  const AlignedFloats rows = aligned_floats(stride * shape.n), boxes = aligned_floats(4 * room);
  {
    const FloatMode mode(FloatMode::exact);
    const std::vector<int32_t> shapes = drawing_order(backend.kernels(), shape, params);
    kernels.prepare(shape, params, shapes.data(), rows.get(), stride, boxes.get(), room);
  }
  const std::vector<float> columns = padded(x, width);
  const ShapesTask task{&shape, rows.get(), boxes.get(), stride, room, columns.data(), y, width, height};
  const int64_t floats = kernels.scratch_floats(shape);
  backend.pool().run(task.tiles(), [&](int64_t tile, int thread) {
    const FloatMode mode(FloatMode::exact);
    kernels.render(task, tile, tile + 1, backend.scratch(thread, floats), out);
  });
}

Shapes::Shapes(CpuBackend& backend, const ShapesShape& shape, const float* x, int64_t width, const float* y,
               int64_t height, const float* target, const float* weight, ShapeLoss loss)
    : backend_(backend),
      shape_(shape),
      width_(width),
      height_(height),
      x_(padded(x, width)),
      y_(y, y + height) {
  const int64_t stride = stride_of(shape), room = padded_shapes(shape.n);
  rows_ = aligned_floats(stride * shape.n);
  boxes_ = aligned_floats(4 * room);
  task_ = {&shape_, rows_.get(), boxes_.get(), stride, room, x_.data(), y_.data(), width, height};
  target_ = tiled(task_, shape.channels, target);
  weight_ = tiled(task_, shape.channels, weight);
  task_.target = target_.get();
  task_.weight = weight_.get();
  task_.loss = loss;
  tiles_ = task_.tiles();
  const int64_t sums = int64_t(shape.n) * shape_sums(shape);
  groups_ = std::min({kMaxGroups, tiles_, std::max<int64_t>(2, kMostSums / sums)});
  partial_.resize(size_t(groups_ * sums));
  total_.resize(size_t(sums));
  if (shape.kind == ShapeKind::article) {
    means_.resize(size_t(groups_ * shape.n * (1 + shape.channels)));
    pull_.resize(size_t(shape.n * (1 + shape.channels)));
  }
}

// f(first tile, end, scratch, group)
template <class F>
void Shapes::run(F&& f) {
  const int64_t floats = backend_.kernels().shapes->scratch_floats(shape_);
  backend_.pool().run(groups_, [&](int64_t group, int thread) {
    const FloatMode mode(FloatMode::fast);
    f(group * tiles_ / groups_, (group + 1) * tiles_ / groups_, backend_.scratch(thread, floats), group);
  });
}

void Shapes::set_colours(float* params) {
  const int C = shape_.channels;
  const int64_t each = int64_t(shape_.n) * (1 + C);
  std::fill(means_.begin(), means_.end(), 0.0);
  run([&](int64_t tile, int64_t end, float* scratch, int64_t group) {
    backend_.kernels().shapes->means(task_, tile, end, scratch, &means_[size_t(group * each)]);
  });
  for (int64_t k = 0; k < each; ++k)
    for (int64_t g = 1; g < groups_; ++g) means_[size_t(k)] += means_[size_t(g * each + k)];
  float* colours = params + shape_.params() - int64_t(shape_.n) * C;
  for (int64_t i = 0; i < shape_.n; ++i)
    for (int c = 0; c < C; ++c) {
      const double* mean = &means_[size_t(i * (1 + C))];
      const float colour = float(mean[1 + c] / (mean[0] + double(kMeanEps)));
      rows_[size_t(i * task_.stride + kColour + c)] = colour;
      colours[shape_.at(ShapeField::colour, shapes_[size_t(i)], c)] = colour;
    }
}

// colour_c = sum m target_c / (sum m + eps): dm = sum_c dcolour_c (target_c - colour_c) / (sum m + eps)
void Shapes::pull_means() {
  const int C = shape_.channels;
  add_groups();
  for (int64_t i = 0; i < shape_.n; ++i) {
    const double per = 1 / (means_[size_t(i * (1 + C))] + double(kMeanEps));
    double rest = 0;
    for (int c = 0; c < C; ++c) {
      const double d = total_[size_t(i * shape_sums(shape_) + kDColour + c)] * per;
      rest -= d * double(rows_[size_t(i * task_.stride + kColour + c)]);
      pull_[size_t(i * (1 + C) + 1 + c)] = float(d);
    }
    pull_[size_t(i * (1 + C))] = float(rest);
  }
  const int64_t sums = int64_t(shape_.n) * shape_sums(shape_);
  run([&](int64_t tile, int64_t end, float* scratch, int64_t group) {
    backend_.kernels().shapes->through_means(task_, tile, end, scratch, pull_.data(),
                                             &partial_[size_t(group * sums)]);
  });
}

void Shapes::add_groups() {
  const int64_t sums = int64_t(total_.size());
  std::copy(partial_.begin(), partial_.begin() + sums, total_.begin());
  for (int64_t g = 1; g < groups_; ++g)
    for (int64_t k = 0; k < sums; ++k) total_[size_t(k)] += partial_[size_t(g * sums + k)];
}

ShapesLoss Shapes::gradient(float* params, float* grad) {
  const Kernels& kernels = backend_.kernels();
  {
    const FloatMode mode(FloatMode::exact);
    shapes_ = drawing_order(kernels, shape_, params);
    kernels.shapes_render->prepare(shape_, params, shapes_.data(), rows_.get(), task_.stride, boxes_.get(),
                                   task_.padded);
  }
  if (shape_.kind == ShapeKind::article) set_colours(params);
  std::fill(partial_.begin(), partial_.end(), 0.0);
  std::vector<ShapesSums> found(static_cast<size_t>(groups_));
  const int64_t sums = int64_t(shape_.n) * shape_sums(shape_);
  run([&](int64_t tile, int64_t end, float* scratch, int64_t group) {
    found[size_t(group)] =
        kernels.shapes->gradient(task_, tile, end, scratch, &partial_[size_t(group * sums)]);
  });
  ShapesSums all;
  for (const ShapesSums& one : found) all.loss += one.loss, all.squares += one.squares;
  const double count = double(width_) * double(height_) * shape_.channels;
  const bool root = task_.loss == ShapeLoss::root;
  const double loss = root ? std::sqrt(all.loss / count) : all.loss / count;
  if (grad) {
    if (shape_.kind == ShapeKind::article) pull_means();
    add_groups();
    // d sqrt(S / N) = dS / (2 N loss); a perfect picture has no slope
    gather(params, root ? (loss > 0 ? 1 / (count * loss) : 0) : 1 / count, grad);
  }
  return {loss, all.squares};
}

// From the sums in a shape's frame to its raw parameters: the chain rule through shape_frame() and the maps.
void Shapes::gather(const float* params, double factor, float* grad) const {
  const ShapeParameters table = shape_parameters(shape_.kind);
  int64_t first = 0;
  for (int p = 0; p < table.count; ++p) {
    const ShapeParameter& parameter = table.rows[p];
    const int each = shape_.each(parameter.field);
    for (int64_t row = 0; row < shape_.n; ++row) {
      const float* s = &rows_[size_t(row * task_.stride)];
      const double* sum = &total_[size_t(row * shape_sums(shape_))];
      const auto turn = [&](double cos, double sin) {  // of d(X, Y) by the place
        return -(cos * double(s[kSx]) * sum[kDX] + sin * double(s[kSy]) * sum[kDY]);
      };
      for (int k = 0; k < each; ++k) {
        double d = 0;
        switch (parameter.field) {
          case ShapeField::posx:
            d = turn(double(s[kCos]), double(s[kSin]));
            break;
          case ShapeField::posy:
            d = turn(-double(s[kSin]), double(s[kCos]));
            break;
          case ShapeField::radius:
            d = sum[kDRadius];
            break;
          case ShapeField::scale_x:
            d = sum[kDXX];
            break;
          case ShapeField::scale_y:
            d = sum[kDYY];
            break;
          case ShapeField::rotate:
            d = double(s[kSy]) * sum[kDYX] - double(s[kSx]) * sum[kDXY];
            break;
          case ShapeField::order:
          case ShapeField::alpha:
            d = -sum[kDWeight];
            break;
          case ShapeField::width:
            d = sum[kDWidth];
            break;
          case ShapeField::length:
            d = sum[kDLength];
            break;
          case ShapeField::w_sin:
            d = sum[kDWaves + k];
            break;
          case ShapeField::w_cos:
            d = sum[kDWaves + shape_.terms + k];
            break;
          case ShapeField::colour:
            d = shape_.kind == ShapeKind::article ? 0 : sum[kDColour + k];
            break;
        }
        const int64_t at = first + shape_.at(parameter.field, shapes_[size_t(row)], k);
        grad[at] = float(d * factor * slope_of(parameter, double(params[at])));
      }
    }
    first += int64_t(each) * shape_.n;
  }
}

}  // namespace cppn::cpu
