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
  double peak(double seconds) override;  // of all threads together
  int threads() const { return pool_.threads(); }
  const DenseKernels& dense() const { return *kernels_.dense; }
  const Kernels& kernels() const { return kernels_; }
  const TrainKernels& train() const { return *kernels_.train; }
  Linalg linalg() { return Linalg(*kernels_.dense, pool_); }
  Pool& pool() { return pool_; }

  std::shared_ptr<const float> upload(const float* host_from, int64_t floats) override;

  void cascade_gradient(const CascadeTask& task, const float* w, float* grad, double* loss) override;
  void cascade_loss(const CascadeTask& task, const float* w, double* loss) override;
  std::unique_ptr<StepLoop> descend(const CascadeTask& task, const DescentTerms& terms,
                                    const std::vector<Descending>& start) override;
  bool cascade_normal(const CascadeTask& task, const float* w, double* hessian, const Stop& stop) override;
  void cascade_render(const CascadeShape& shape, const Pixels& pixels, const float* w, float* out) override;
  void cascade_render_bytes(const CascadeShape& shape, const Pixels& pixels, const float* w,
                            uint8_t* out) override;
  void cascade_activations(const CascadeShape& shape, const Pixels& pixels, const float* w,
                           float* out) override;

  // Loss and, unless null, gradient (K) of one picture, on all threads or on this one: the same bits.
  double picture_gradient(const CascadeTask& task, int64_t picture, const float* w, float* grad);
  double picture_gradient_on(int thread, const CascadeTask& task, int64_t picture, const float* w,
                             float* grad);

  float* scratch(int thread, int64_t floats);  // 64-byte aligned, the thread's own until it asks again

 private:
  // What one picture's work needs besides a thread's tile.
  struct Workspace {
    AlignedFloats rows;  // (N, stride) of the weight triangle
    int64_t rows_size = 0;
    std::vector<float> partial;  // a gradient per group
    const float* unpack(const CascadeShape& shape, const float* w);
  };

  // f(group, first, last, thread) over groups of pixels whose bounds do not depend on the number of threads
  template <class F>
  int for_groups(int64_t pixels, F&& f);
  template <class F>
  static int for_groups_on(int thread, int64_t pixels, F&& f);
  template <class ForGroups>
  double gradient_of(Workspace& space, const CascadeTask& task, int64_t picture, const float* w, float* grad,
                     ForGroups&& for_groups);
  template <class Visit>
  void decode_groups(const CascadeShape& shape, const Pixels& pixels, const float* w, Visit&& visit);

  const Kernels& kernels_;
  Pool pool_;
  std::vector<AlignedFloats> scratch_;
  std::vector<int64_t> scratch_size_;
  Workspace space_;                      // of work that all threads share
  std::vector<Workspace> thread_space_;  // of work that a thread does alone
};

}  // namespace cppn::cpu
