#pragma once
#include <memory>
#include <vector>

#include "../backend.h"
#include "kernels/kernels.h"
#include "linalg.h"
#include "pool.h"

namespace cppn::cpu {

struct FreeAligned {
  void operator()(float* p) const;
};
using AlignedFloats = std::unique_ptr<float[], FreeAligned>;
AlignedFloats aligned_floats(int64_t count);  // 64-byte aligned, zeroed; throws std::bad_alloc

class CpuBackend final : public Backend {
 public:
  CpuBackend(const Kernels& kernels, int threads);

  std::string name() const override;
  int threads() const { return pool_.threads(); }
  double peak(double seconds);  // GFLOP/s of all threads together
  const DenseKernels& dense() const { return *kernels_.dense; }
  Linalg linalg() { return Linalg(*kernels_.dense, pool_); }

  float* allocate(int64_t floats) override;
  void release(float* p) override;
  void upload(float* to, const float* host_from, int64_t floats) override;
  void download(float* host_to, const float* from, int64_t floats) override;
  void wait() override {}

  void draw(const float* u, const float* grid, int64_t count, const DrawStep& how, float* w, float* live,
            StepRecord* record) override;
  void cascade_gradient(const CascadeTask& task, const float* w, float* grad, StepRecord* record) override;
  void adam(float* u, float* m, float* v, const float* grad, const float* grid, const float* live,
            const float* mask, int64_t count, const AdamStep& step, float limit) override;
  double cascade_loss(const CascadeTask& task, const float* w) override;
  bool cascade_normal(const CascadeTask& task, const float* w, double* host_hessian,
                      const Stop& stop) override;
  void cascade_render(const CascadeShape& shape, const Pixels& pixels, const float* w, float* out) override;
  void cascade_render_bytes(const CascadeShape& shape, const Pixels& pixels, const float* w,
                            uint8_t* out) override;
  void cascade_activations(const CascadeShape& shape, const Pixels& pixels, const float* w,
                           float* out) override;

 private:
  float* scratch(int thread, int64_t floats);
  const float* unpack(const CascadeShape& shape, const float* w);  // (N, stride) rows of the triangle
  // f(task, first, last, thread) over groups of pixels whose bounds do not depend on the number of threads
  template <class F>
  int for_groups(int64_t pixels, F&& f);
  template <class Visit>
  void decode_groups(const CascadeShape& shape, const Pixels& pixels, const float* w, Visit&& visit);

  const Kernels& kernels_;
  Pool pool_;
  std::vector<AlignedFloats> scratch_;
  std::vector<int64_t> scratch_size_;
  AlignedFloats rows_;
  int64_t rows_size_ = 0;
  std::vector<float> partial_;
};

}  // namespace cppn::cpu
