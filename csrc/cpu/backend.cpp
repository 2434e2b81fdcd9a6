#include "backend.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

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
      scratch_size_(size_t(pool_.threads())),
      thread_space_(size_t(pool_.threads())) {}

std::string CpuBackend::name() const { return std::string("cpu/") + kernels_.isa; }

std::shared_ptr<const float> CpuBackend::upload(const float* host_from, int64_t floats) {
  std::shared_ptr<float> to(aligned_floats(floats).release(), FreeAligned());
  std::memcpy(to.get(), host_from, size_t(floats) * sizeof(float));
  return to;
}

float* CpuBackend::scratch(int thread, int64_t floats) {
  const size_t t = size_t(thread);
  if (scratch_size_[t] < floats) {
    scratch_[t] = aligned_floats(floats);
    scratch_size_[t] = floats;
  }
  return scratch_[t].get();
}

const float* CpuBackend::Workspace::unpack(const CascadeShape& shape, const float* w) {
  const int64_t stride = weight_stride(shape), size = stride * shape.neurons;
  if (rows_size != size) {
    rows = aligned_floats(size);
    rows_size = size;
  }
  for (int n = 0; n < shape.neurons; ++n)
    std::memcpy(&rows[size_t(n * stride)], w + shape.row(n), sizeof(float) * size_t(shape.inputs + n));
  return rows.get();
}

namespace {

struct Groups {
  int64_t count, size;
  explicit Groups(int64_t pixels) {
    const int64_t most = std::clamp<int64_t>(pixels / kGroupPixels, 1, kMaxGroups);
    size = padded((pixels + most - 1) / most, 512);  // whole tiles but for the last
    count = (pixels + size - 1) / size;
  }
};

}  // namespace

template <class F>
int CpuBackend::for_groups(int64_t pixels, F&& f) {
  const Groups groups(pixels);
  pool_.run(groups.count, [&](int64_t group, int thread) {
    f(group, group * groups.size, std::min(pixels, (group + 1) * groups.size), thread);
  });
  return int(groups.count);
}

template <class F>
int CpuBackend::for_groups_on(int thread, int64_t pixels, F&& f) {
  const Groups groups(pixels);
  for (int64_t group = 0; group < groups.count; ++group)
    f(group, group * groups.size, std::min(pixels, (group + 1) * groups.size), thread);
  return int(groups.count);
}

template <class ForGroups>
double CpuBackend::gradient_of(Workspace& space, const CascadeTask& task, int64_t picture, const float* w,
                               float* grad, ForGroups&& for_groups) {
  const CascadeShape& s = task.shape;
  const int64_t weights = s.weights(), floats = kernels_.train->scratch_floats(s);
  const float* rows = space.unpack(s, w);
  const float* target = task.target + picture * s.channels * task.pixels.count;
  if (grad) space.partial.resize(size_t(kMaxGroups * weights));
  double losses[kMaxGroups];
  const int groups =
      for_groups(task.pixels.count, [&](int64_t group, int64_t first, int64_t last, int thread) {
        const FloatMode mode(FloatMode::fast);
        losses[group] =
            grad ? kernels_.train->gradient(s, rows, task.pixels, target, first, last,
                                            scratch(thread, floats), &space.partial[size_t(group * weights)])
                 : kernels_.train->loss(s, rows, task.pixels, target, first, last, scratch(thread, floats));
      });
  double loss = 0;
  if (grad) std::fill(grad, grad + weights, 0.0f);
  for (int group = 0; group < groups; ++group) {
    loss += losses[group];
    const float* part = grad ? &space.partial[size_t(group * weights)] : nullptr;
    for (int64_t k = 0; grad && k < weights; ++k) grad[k] += part[k];
  }
  return loss;
}

double CpuBackend::picture_gradient(const CascadeTask& task, int64_t picture, const float* w, float* grad) {
  return gradient_of(space_, task, picture, w, grad,
                     [&](int64_t pixels, auto&& f) { return for_groups(pixels, f); });
}

double CpuBackend::picture_gradient_on(int thread, const CascadeTask& task, int64_t picture, const float* w,
                                       float* grad) {
  return gradient_of(thread_space_[size_t(thread)], task, picture, w, grad,
                     [&](int64_t pixels, auto&& f) { return for_groups_on(thread, pixels, f); });
}

void CpuBackend::cascade_gradient(const CascadeTask& task, const float* w, float* grad, double* loss) {
  const int64_t weights = task.shape.weights();
  for (int64_t i = 0; i < task.pictures; ++i)
    loss[i] = picture_gradient(task, i, w + i * weights, grad + i * weights);
}

void CpuBackend::cascade_loss(const CascadeTask& task, const float* w, double* loss) {
  for (int64_t i = 0; i < task.pictures; ++i)
    loss[i] = picture_gradient(task, i, w + i * task.shape.weights(), nullptr);
}

// A block (n, m) of the matrix is sum_p (sum_c g_c[n] g_c[m]) a a^T: the channels are summed before the outer
// product, which therefore costs K^2 / 2 multiply-adds a pixel whatever C is.
bool CpuBackend::cascade_normal(const CascadeTask& task, const float* w, double* host_hessian,
                                const Stop& stop) {
  const CascadeShape& s = task.shape;
  const int64_t K = s.weights(), stride = padded(K + 64, 16), node_stride = padded(s.nodes(), 16) + 16;
  const int64_t N = s.neurons, block = std::min<int64_t>(kNormalPixels, task.pixels.count);
  const float* rows = space_.unpack(s, w);
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
  const float* rows = space_.unpack(shape, w);
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
