#include "convolution.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "float_mode.h"
#include "kernels/convolution.h"

namespace cppn::cpu {

namespace {

constexpr int64_t kBandRows = 16;  // a task: some tens of microseconds, in whole tiles

// (filters, inputs, 7, 7) to (group, inputs, 7, 7, filters of the group)
std::vector<float> packed(const Convolution& layer, int inputs) {
  std::vector<float> to(size_t(layer.filters) * size_t(inputs) * kTaps);
  float* p = to.data();
  for (int group = 0; group < filter_groups(layer.filters); ++group) {
    const int begin = group_begin(layer.filters, group), end = group_begin(layer.filters, group + 1);
    for (int64_t tap = 0; tap < int64_t(inputs) * kTaps; ++tap)
      for (int f = begin; f < end; ++f) *p++ = layer.w[int64_t(f) * inputs * kTaps + tap];
  }
  return to;
}

// Pictures of several planes each, with borders; grows, and is used again for other sizes.
struct Planes {
  AlignedFloats data;
  int64_t room = 0, count = 0, height = 0, width = 0;

  void resize(int64_t planes, int64_t h, int64_t w) {
    count = planes;
    height = h;
    width = w;
    if (const int64_t need = planes * plane_floats(h, w) + kSlack; need > room) {
      data = aligned_floats(need);
      room = need;
    }
  }
  int64_t stride() const { return plane_stride(width); }
  float* plane(int64_t p) { return data.get() + p * plane_floats(height, width); }
  float* row(int64_t p, int64_t y) { return plane(p) + (y + kBorder) * stride() + kBorder; }

  // Zeros around rows [first, last) of a plane, and above or below where they are its first or last.
  void clear_border(int64_t p, int64_t first, int64_t last) {
    const int64_t above = first == 0 ? kBorder : 0, below = last == height ? kBorder : 0;
    for (int64_t y = first - above; y < last + below; ++y) {
      float* at = row(p, y) - kBorder;
      if (y < 0 || y >= height) {
        std::fill(at, at + stride(), 0.0f);
      } else {
        std::fill(at, at + kBorder, 0.0f);
        std::fill(at + kBorder + width, at + stride(), 0.0f);
      }
    }
  }
};

class Stack {
 public:
  Stack(CpuBackend& backend, const Stop& stop) : backend_(backend), stop_(stop) {}

  bool stopped() const { return stopped_; }
  Planes& planes() { return now_; }

  void load(const float* from, int64_t planes, int64_t height, int64_t width) {
    now_.resize(planes, height, width);
    for (int64_t p = 0; p < planes; ++p) {
      now_.clear_border(p, 0, height);
      for (int64_t y = 0; y < height; ++y, from += width)
        std::memcpy(now_.row(p, y), from, size_t(width) * sizeof(float));
    }
  }

  void convolve(const Convolution& layer, int inputs) {
    const int64_t pictures = now_.count / inputs;
    const ConvolutionShape shape = {inputs, layer.filters, now_.height, now_.width};
    const std::vector<float> w = packed(layer, inputs);
    next_.resize(pictures * layer.filters, now_.height, now_.width);
    for_bands(pictures, now_.height, [&](int64_t picture, int64_t first, int64_t last) {
      for (int f = 0; f < layer.filters; ++f) next_.clear_border(picture * layer.filters + f, first, last);
      backend_.kernels().convolution->rows(shape, w.data(), now_.plane(picture * inputs),
                                           next_.plane(picture * layer.filters), first, last);
    });
    std::swap(now_, next_);
  }

  // Nearest neighbour: every pixel becomes four.
  void upsample() {
    next_.resize(now_.count, 2 * now_.height, 2 * now_.width);
    for_bands(now_.count, now_.height, [&](int64_t p, int64_t first, int64_t last) {
      next_.clear_border(p, 2 * first, 2 * last);
      for (int64_t y = first; y < last; ++y) {
        const float* from = now_.row(p, y);
        float* to = next_.row(p, 2 * y);
        for (int64_t x = 0; x < now_.width; ++x) to[2 * x] = to[2 * x + 1] = from[x];
        std::memcpy(next_.row(p, 2 * y + 1), to, size_t(2 * now_.width) * sizeof(float));
      }
    });
    std::swap(now_, next_);
  }

 private:
  template <class F>
  void for_bands(int64_t things, int64_t height, F&& f) {
    const int64_t bands = (height + kBandRows - 1) / kBandRows;
    backend_.pool().run(things * bands, [&](int64_t task, int thread) {
      if (thread == 0 && stop_ && stop_()) stopped_ = true;  // thread 0 is the caller
      if (stopped_) return;
      const FloatMode mode(FloatMode::exact);
      const int64_t first = task % bands * kBandRows;
      f(task / bands, first, std::min(height, first + kBandRows));
    });
  }

  CpuBackend& backend_;
  const Stop& stop_;
  std::atomic<bool> stopped_{false};
  Planes now_, next_;
};

}  // namespace

bool convolve(CpuBackend& backend, const std::vector<Convolution>& layers, int64_t pictures, int inputs,
              int64_t height, int64_t width, const float* in, float* out, const Stop& stop) {
  Stack stack(backend, stop);
  stack.load(in, pictures * inputs, height, width);
  for (const Convolution& layer : layers) {
    stack.convolve(layer, inputs);
    if (layer.upsample && !stack.stopped()) stack.upsample();
    if (stack.stopped()) return false;
    inputs = layer.filters;
  }
  Planes& last = stack.planes();
  for (int64_t p = 0; p < last.count; ++p)
    for (int64_t y = 0; y < last.height; ++y, out += last.width)
      std::memcpy(out, last.row(p, y), size_t(last.width) * sizeof(float));
  return true;
}

}  // namespace cppn::cpu
