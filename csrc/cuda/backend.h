// The cascade on one GPU: one stream that all work goes through.
#pragma once
#include <mutex>

#include "memory.h"
#include "plan.h"

namespace cppn::cuda {

class CudaBackend final : public Backend {
 public:
  explicit CudaBackend(int index);

  std::string name() const override { return name_; }
  double peak(double seconds) override;
  std::shared_ptr<const float> upload(const float* host_from, int64_t floats) override;
  void cascade_gradient(const CascadeTask& task, const float* host_w, float* host_grad,
                        double* host_loss) override;
  void cascade_loss(const CascadeTask& task, const float* host_w, double* host_loss) override;
  std::unique_ptr<StepLoop> descend(const CascadeTask& task, const DescentTerms& terms,
                                    const std::vector<Descending>& start) override;
  void cascade_render(const CascadeShape& shape, const Pixels& host_pixels, const float* host_w,
                      float* host_out) override;
  void cascade_render_bytes(const CascadeShape& shape, const Pixels& host_pixels, const float* host_w,
                            uint8_t* host_out) override;
  void cascade_activations(const CascadeShape& shape, const Pixels& host_pixels, const float* host_w,
                           float* host_out) override;

  // For the step loop
  const Stream& stream() const { return *stream_; }
  Launch plan_gradient(const CascadeTask& task, const Layout& layout) const;
  // A thread of the host works on the device it chose last, and what two threads queue must not mix: every
  // entrance holds this.
  [[nodiscard]] std::unique_lock<std::recursive_mutex> enter() const;

 private:
  void sums(const CascadeTask& task, const float* host_w, float* host_grad, double* host_loss);
  // get(task, first, count) is called when pixels [first, first + count) are on their way.
  template <class Out, class Aim, class Get>
  void render_chunks(const CascadeShape& shape, const Pixels& host_pixels, const float* host_w, int64_t width,
                     Aim&& aim, Get&& get);
  template <class Out>
  void render_outputs(const CascadeShape& shape, const Pixels& host_pixels, const float* host_w,
                      Out* RenderTask::* goal, Out* host_out);

  int index_;
  std::string name_;
  Limits limits_;
  std::unique_ptr<Stream> stream_;
  mutable std::recursive_mutex one_at_a_time_;
};

// (B, layout.floats) packed weights from (B, K) rows.
std::vector<float> packed(const CascadeShape& shape, const Layout& layout, const Places& places,
                          const float* w, int64_t pictures);

}  // namespace cppn::cuda
