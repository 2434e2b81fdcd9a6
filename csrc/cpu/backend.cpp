#include "backend.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

#include "../core/philox.h"
#include "../core/quantize.h"
#include "float_mode.h"

namespace cppn::cpu {

namespace {

// Groups are the unit of work and of the reduction: their bounds depend on the picture alone, so any number
// of threads adds the same numbers in the same order. 2048 pixels keep the cost of opening a group under 3 %.
constexpr int64_t kGroupPixels = 2048;
constexpr int64_t kMaxGroups = 64;

// The normal equations keep this many pixels' nodes at a time: some 10 MB at 57 neurons.
constexpr int64_t kNormalPixels = 8192;
constexpr int64_t kNormalPanel = 96;  // pixels whose scaled nodes stay in L2 during one matrix product

int64_t padded(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

}  // namespace

void FreeAligned::operator()(float* p) const { std::free(p); }

AlignedFloats aligned_floats(int64_t count) {
  const size_t bytes = size_t(padded(std::max<int64_t>(count, 16), 16)) * sizeof(float);
  void* p = std::aligned_alloc(64, bytes);
  if (!p) throw std::bad_alloc();
  std::memset(p, 0, bytes);
  return AlignedFloats(static_cast<float*>(p));
}

CpuBackend::CpuBackend(const Kernels& kernels, int threads)
    : kernels_(kernels),
      pool_(threads),
      scratch_(size_t(pool_.threads())),
      scratch_size_(size_t(pool_.threads())) {}

std::string CpuBackend::name() const { return std::string("cpu/") + kernels_.isa; }

float* CpuBackend::allocate(int64_t floats) { return aligned_floats(floats).release(); }
void CpuBackend::release(float* p) { std::free(p); }

void CpuBackend::upload(float* to, const float* host_from, int64_t floats) {
  std::memcpy(to, host_from, size_t(floats) * sizeof(float));
}

void CpuBackend::download(float* host_to, const float* from, int64_t floats) {
  std::memcpy(host_to, from, size_t(floats) * sizeof(float));
}

float* CpuBackend::scratch(int thread, int64_t floats) {
  const size_t t = size_t(thread);
  if (scratch_size_[t] < floats) {
    scratch_[t] = aligned_floats(floats);
    scratch_size_[t] = floats;
  }
  return scratch_[t].get();
}

const float* CpuBackend::unpack(const CascadeShape& shape, const float* w) {
  const int64_t stride = weight_stride(shape), size = stride * shape.neurons;
  if (rows_size_ != size) {
    rows_ = aligned_floats(size);
    rows_size_ = size;
  }
  for (int n = 0; n < shape.neurons; ++n)
    std::memcpy(&rows_[size_t(n * stride)], w + shape.row(n), sizeof(float) * size_t(shape.inputs + n));
  return rows_.get();
}

template <class F>
int CpuBackend::for_groups(int64_t pixels, F&& f) {
  const int64_t groups = std::clamp<int64_t>(pixels / kGroupPixels, 1, kMaxGroups);
  const int64_t size = padded((pixels + groups - 1) / groups, 512);  // whole tiles but for the last
  const int64_t used = (pixels + size - 1) / size;
  pool_.run(used, [&](int64_t group, int thread) {
    f(group, group * size, std::min(pixels, (group + 1) * size), thread);
  });
  return int(used);
}

void CpuBackend::draw(const float* u, const float* grid, int64_t count, const DrawStep& how, float* w,
                      float* live, StepRecord* record) {
  const FloatMode mode(FloatMode::fast);
  int64_t floating = count;
  if (how.how == Draw::plain) {
    for (int64_t i = 0; i < count; ++i) w[i] = u[i] * grid[i], live[i] = 1.0f;
  } else if (how.how == Draw::noise) {
    for (int64_t i = 0; i < count; ++i) {
      const float r = philox_uniform(how.seed, uint64_t(how.step), uint32_t(i), 0);
      w[i] = (u[i] + how.amplitude * (r - 0.5f)) * grid[i];
      live[i] = 1.0f;
    }
  } else {
    const float s = kernels_.train->quantization_scale(u, count, how.fraction);
    floating = 0;
    for (int64_t i = 0; i < count; ++i) {
      const float r = philox_uniform(how.seed, uint64_t(how.step), uint32_t(i), 0);
      const bool keep = r < keep_probability(quantization_rate(u[i]), s);
      w[i] = (keep ? u[i] : round_small(u[i])) * grid[i];
      live[i] = keep ? 1.0f : 0.0f;
      floating += keep;
    }
  }
  record->floating = floating;
}

void CpuBackend::cascade_gradient(const CascadeTask& task, const float* w, float* grad, StepRecord* record) {
  const CascadeShape& s = task.shape;
  const int64_t weights = s.weights(), floats = kernels_.train->scratch_floats(s);
  const float* rows = unpack(s, w);
  partial_.resize(size_t(kMaxGroups * weights));
  double losses[kMaxGroups];
  const int groups =
      for_groups(task.pixels.count, [&](int64_t group, int64_t first, int64_t last, int thread) {
        const FloatMode mode(FloatMode::fast);
        losses[group] = kernels_.train->gradient(s, rows, task.pixels, task.target, first, last,
                                                 scratch(thread, floats), &partial_[size_t(group * weights)]);
      });
  std::fill(grad, grad + weights, 0.0f);
  record->loss = 0;
  for (int group = 0; group < groups; ++group) {
    record->loss += losses[group];
    const float* part = &partial_[size_t(group * weights)];
    for (int64_t k = 0; k < weights; ++k) grad[k] += part[k];
  }
}

void CpuBackend::adam(float* u, float* m, float* v, const float* grad, const float* grid, const float* live,
                      const float* mask, int64_t count, const AdamStep& step, float limit) {
  const FloatMode mode(FloatMode::fast);
  for (int64_t i = 0; i < count; ++i)
    if (mask[i] != 0.0f) adam_update(u[i], m[i], v[i], grad[i] * grid[i] * live[i], step, limit);
}

double CpuBackend::cascade_loss(const CascadeTask& task, const float* w) {
  const int64_t floats = kernels_.train->scratch_floats(task.shape);
  const float* rows = unpack(task.shape, w);
  double losses[kMaxGroups];
  const int groups =
      for_groups(task.pixels.count, [&](int64_t group, int64_t first, int64_t last, int thread) {
        const FloatMode mode(FloatMode::fast);
        losses[group] = kernels_.train->loss(task.shape, rows, task.pixels, task.target, first, last,
                                             scratch(thread, floats));
      });
  double loss = 0;
  for (int group = 0; group < groups; ++group) loss += losses[group];
  return loss;
}

// A block (n, m) of the matrix is sum_p (sum_c g_c[n] g_c[m]) a a^T: the channels are summed before the outer
// product, which therefore costs K^2 / 2 multiply-adds a pixel whatever C is.
bool CpuBackend::cascade_normal(const CascadeTask& task, const float* w, double* host_hessian,
                                const Stop& stop) {
  const CascadeShape& s = task.shape;
  const int64_t K = s.weights(), stride = padded(K + 64, 16), node_stride = padded(s.nodes(), 16) + 16;
  const int64_t N = s.neurons, block = std::min<int64_t>(kNormalPixels, task.pixels.count);
  const float* rows = unpack(s, w);
  const int64_t floats = kernels_.train->scratch_floats(s);
  AlignedFloats hessian = aligned_floats(K * stride), nodes = aligned_floats((block + 1) * node_stride),
                slopes = aligned_floats(s.channels * block * N);
  std::fill(host_hessian, host_hessian + K * K, 0.0);
  std::atomic<bool> stopped{false};
  for (int64_t p0 = 0; p0 < task.pixels.count && !stopped; p0 += block) {
    const int64_t count = std::min(block, task.pixels.count - p0), pieces = (count + 511) / 512;
    pool_.run(pieces, [&](int64_t piece, int thread) {
      const FloatMode mode(FloatMode::fast);
      const int64_t first = piece * 512, last = std::min(count, first + 512);
      kernels_.train->jacobian(s, rows, task.pixels, p0 + first, p0 + last, scratch(thread, floats),
                               &nodes[size_t(first * node_stride)], node_stride, &slopes[size_t(first * N)],
                               block * N);
    });
    std::memset(hessian.get(), 0, size_t(K * stride) * sizeof(float));
    pool_.run(N, [&](int64_t task_index, int thread) {
      if (thread == 0 && stop && stop()) stopped = true;  // thread 0 is the caller
      if (stopped) return;
      const FloatMode mode(FloatMode::fast);
      const int64_t n = N - 1 - task_index;  // the long rows first
      float* panel = scratch(thread, kNormalPanel * (stride + 64));
      for (int64_t q = 0; q < count; q += kNormalPanel)
        kernels_.train->normal_rows(s, int(n), &nodes[size_t(q * node_stride)], node_stride,
                                    &slopes[size_t(q * N)], block * N, std::min(kNormalPanel, count - q),
                                    panel, stride, &hessian[size_t(s.row(int(n)) * stride)], stride);
      const int64_t first = s.row(int(n)), last = s.row(int(n) + 1);
      for (int64_t i = first; i < last; ++i)
        for (int64_t j = 0; j < last; ++j)
          host_hessian[i * K + j] += double(kScoreScale) * double(hessian[size_t(i * stride + j)]);
    });
  }
  for (int64_t i = 0; i < K; ++i)
    for (int64_t j = 0; j < i; ++j) host_hessian[j * K + i] = host_hessian[i * K + j];
  return !stopped;
}

// visit(rows, first, last, scratch) for every group of pixels, in IEEE arithmetic to the letter
template <class Visit>
void CpuBackend::decode_groups(const CascadeShape& shape, const Pixels& pixels, const float* w,
                               Visit&& visit) {
  const int64_t floats = kernels_.render->scratch_floats(shape);
  const float* rows = unpack(shape, w);
  for_groups(pixels.count, [&](int64_t, int64_t first, int64_t last, int thread) {
    const FloatMode mode(FloatMode::exact);
    visit(rows, first, last, scratch(thread, floats));
  });
}

void CpuBackend::cascade_render(const CascadeShape& shape, const Pixels& pixels, const float* w, float* out) {
  decode_groups(shape, pixels, w, [&](const float* rows, int64_t first, int64_t last, float* scratch) {
    kernels_.render->render(shape, rows, pixels, first, last, scratch, out + first * shape.channels);
  });
}

void CpuBackend::cascade_render_bytes(const CascadeShape& shape, const Pixels& pixels, const float* w,
                                      uint8_t* out) {
  decode_groups(shape, pixels, w, [&](const float* rows, int64_t first, int64_t last, float* scratch) {
    kernels_.render->render_bytes(shape, rows, pixels, first, last, scratch, out + first * shape.channels);
  });
}

void CpuBackend::cascade_activations(const CascadeShape& shape, const Pixels& pixels, const float* w,
                                     float* out) {
  decode_groups(shape, pixels, w, [&](const float* rows, int64_t first, int64_t last, float* scratch) {
    kernels_.render->activations(shape, rows, pixels, first, last, scratch, out + first, pixels.count);
  });
}

double CpuBackend::peak(double seconds) {
  std::vector<double> rates(size_t(pool_.threads()));
  pool_.run(pool_.threads(), [&](int64_t task, int) { rates[size_t(task)] = kernels_.peak(seconds); });
  double sum = 0;
  for (double r : rates) sum += r;
  return sum;
}

}  // namespace cppn::cpu
