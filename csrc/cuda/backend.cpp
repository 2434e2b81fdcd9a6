#include "backend.h"

#include <algorithm>

#include "descent.h"
#include "devices.h"

namespace cppn::cuda {

namespace {

constexpr int64_t kMostPixels = int64_t(1) << 31;   // kernels count the pixels of a picture in 32 bits
constexpr int64_t kMostPictures = 65535;            // rows of blocks in a launch
constexpr int64_t kChunkFloats = int64_t(1) << 24;  // a rendered piece on its way back: 64 MB

int attribute(cudaDeviceAttr what, int device) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, what, device), "describing itself");
  return value;
}

void expect_countable(const Pixels& pixels) {
  if (pixels.count >= kMostPixels) throw DeviceFailure("the GPU kernels take at most 2^31 pixels at once");
}

// y has a value per row of a grid, or per pixel of a list.
int64_t y_count(const Pixels& p) { return p.width ? p.count / p.width : p.count; }
int64_t x_count(const Pixels& p) { return p.width ? p.width : p.count; }

}  // namespace

std::vector<float> packed(const CascadeShape& shape, const Layout& layout, const Places& places,
                          const float* w, int64_t pictures) {
  const int64_t weights = shape.weights();
  std::vector<float> to(size_t(pictures * layout.floats), 0.0f);
  for (int64_t picture = 0; picture < pictures; ++picture)
    for (int64_t i = 0; i < weights; ++i) {
      float* at = &to[size_t(picture * layout.floats)];
      at[places.forward[size_t(i)]] = w[picture * weights + i];
      if (places.backward[size_t(i)] >= 0) at[places.backward[size_t(i)]] = w[picture * weights + i];
    }
  return to;
}

CudaBackend::CudaBackend(int index) : index_(index) {
  const auto entered = enter();
  stream_ = std::make_unique<Stream>();
  limits_ = {attribute(cudaDevAttrMultiProcessorCount, index),
             size_t(attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin, index))};
  name_ = "cuda/sm_" + std::to_string(attribute(cudaDevAttrComputeCapabilityMajor, index)) +
          std::to_string(attribute(cudaDevAttrComputeCapabilityMinor, index));
  allow_gradient(limits_.block_bytes);
  set_up_elementwise();
  allow_render(limits_.block_bytes);
}

std::unique_lock<std::recursive_mutex> CudaBackend::enter() const {
  std::unique_lock<std::recursive_mutex> lock(one_at_a_time_);
  check(cudaSetDevice(index_), "being chosen");
  return lock;
}

double CudaBackend::peak(double seconds) {
  const auto entered = enter();
  return measure_peak(seconds, limits_.multiprocessors, *stream_);
}

std::shared_ptr<const float> CudaBackend::upload(const float* host_from, int64_t floats) {
  const auto entered = enter();
  auto to = std::make_shared<Buffer<float>>(stream_->copy_of(host_from, size_t(floats)));
  stream_->wait();  // the caller may change its copy
  return std::shared_ptr<const float>(to, to->get());
}

Launch CudaBackend::plan_gradient(const CascadeTask& task, const Layout& layout) const {
  expect_countable(task.pixels);
  if (task.pictures > kMostPictures)
    throw DeviceFailure("the GPU kernels take at most 65535 pictures at once");
  return plan_launch(task.shape, layout, task.pixels.count, task.pictures, limits_, gradient_bytes,
                     gradient_occupancy);
}

// One value and gradient, outside of a descent: the parts are added up here.
void CudaBackend::sums(const CascadeTask& task, const float* host_w, float* host_grad, double* host_loss) {
  const auto entered = enter();
  const Layout layout = layout_of(task.shape);
  const Places places = places_of(task.shape, layout);
  const Launch how = plan_gradient(task, layout);
  const size_t blocks = size_t(task.pictures) * size_t(how.parts), slots = size_t(layout.slots());
  const Buffer<float> w = stream_->copy_of(packed(task.shape, layout, places, host_w, task.pictures));
  const Buffer<float> partial = stream_->zeros<float>(host_grad ? blocks * slots : 0);
  const Buffer<double> losses = stream_->zeros<double>(blocks);
  launch_gradient({task.shape, layout, task.pixels, task.target, w.get(), host_grad ? partial.get() : nullptr,
                   losses.get(), nullptr},
                  task.pictures, how, stream_->get());

  std::vector<double> loss(blocks);
  std::vector<float> sum(partial.count());
  stream_->download(loss.data(), losses.get(), blocks);
  if (host_grad) stream_->download(sum.data(), partial.get(), sum.size());
  for (size_t block = 0; block < blocks; ++block) {
    const size_t picture = block / size_t(how.parts);
    if (block % size_t(how.parts) == 0) host_loss[picture] = 0;
    host_loss[picture] += loss[block];
  }
  if (!host_grad) return;
  for (int64_t picture = 0; picture < task.pictures; ++picture)
    for (size_t slot = 0; slot < slots; ++slot) {
      if (places.weight_of[slot] < 0) continue;
      double total = 0;
      for (int part = 0; part < how.parts; ++part)
        total += double(sum[size_t(picture * how.parts + part) * slots + slot]);
      host_grad[picture * task.shape.weights() + places.weight_of[slot]] = float(total);
    }
}

void CudaBackend::cascade_gradient(const CascadeTask& task, const float* host_w, float* host_grad,
                                   double* host_loss) {
  sums(task, host_w, host_grad, host_loss);
}

void CudaBackend::cascade_loss(const CascadeTask& task, const float* host_w, double* host_loss) {
  sums(task, host_w, nullptr, host_loss);
}

std::unique_ptr<StepLoop> CudaBackend::descend(const CascadeTask& task, const DescentTerms& terms,
                                               const std::vector<Descending>& start) {
  const auto entered = enter();
  return std::make_unique<CudaStepLoop>(*this, task, terms, start);
}

// Pixels in pieces, so that the device holds no more than a piece of what is rendered. `width` values a
// pixel; aim(task, buffer) says where they go.
template <class Out, class Aim, class Get>
void CudaBackend::render_chunks(const CascadeShape& shape, const Pixels& host_pixels, const float* host_w,
                                int64_t width, Aim&& aim, Get&& get) {
  const auto entered = enter();
  expect_countable(host_pixels);
  const Layout layout = layout_of(shape);
  const Buffer<float> w = stream_->copy_of(packed(shape, layout, places_of(shape, layout), host_w, 1));
  const Buffer<float> x = stream_->copy_of(host_pixels.x, size_t(x_count(host_pixels)));
  const Buffer<float> y = stream_->copy_of(host_pixels.y, size_t(y_count(host_pixels)));
  const int64_t piece = std::min(host_pixels.count, std::max<int64_t>(1, kChunkFloats / width));
  const Buffer<Out> out(size_t(piece * width));
  const Launch how = plan_launch(shape, layout, piece, 1, limits_, render_bytes, render_occupancy);
  for (int64_t first = 0; first < host_pixels.count; first += piece) {
    RenderTask task{};
    task.shape = shape;
    task.layout = layout;
    task.pixels = {x.get(), y.get(), host_pixels.width, host_pixels.count};
    task.packed = w.get();
    task.first = first;
    task.last = std::min(host_pixels.count, first + piece);
    aim(task, out.get());
    launch_render(task, how, stream_->get());
    get(out.get(), first, task.last - first);
  }
}

// Floats or bytes: the outputs of a pixel lie side by side.
template <class Out>
void CudaBackend::render_outputs(const CascadeShape& shape, const Pixels& host_pixels, const float* host_w,
                                 Out* RenderTask::* goal, Out* host_out) {
  const int64_t C = shape.channels;
  render_chunks<Out>(
      shape, host_pixels, host_w, C, [&](RenderTask& task, Out* out) { task.*goal = out; },
      [&](const Out* out, int64_t first, int64_t count) {
        stream_->download(host_out + first * C, out, size_t(count * C));
      });
}

void CudaBackend::cascade_render(const CascadeShape& shape, const Pixels& host_pixels, const float* host_w,
                                 float* host_out) {
  render_outputs(shape, host_pixels, host_w, &RenderTask::floats, host_out);
}

void CudaBackend::cascade_render_bytes(const CascadeShape& shape, const Pixels& host_pixels,
                                       const float* host_w, uint8_t* host_out) {
  render_outputs(shape, host_pixels, host_w, &RenderTask::bytes, host_out);
}

void CudaBackend::cascade_activations(const CascadeShape& shape, const Pixels& host_pixels,
                                      const float* host_w, float* host_out) {
  render_chunks<float>(
      shape, host_pixels, host_w, shape.neurons, [](RenderTask& task, float* out) { task.nodes = out; },
      [&](const float* out, int64_t first, int64_t count) {
        for (int n = 0; n < shape.neurons; ++n)
          stream_->download(host_out + n * host_pixels.count + first, out + n * count, size_t(count));
      });
}

std::shared_ptr<Backend> open(int index) {
  const std::vector<DeviceInfo> all = devices();
  if (index < 0 || index >= int(all.size()))
    throw DeviceFailure("there is no GPU number " + std::to_string(index) + "; CUDA sees " +
                        std::to_string(all.size()));
  if (!all[size_t(index)].why.empty()) throw DeviceFailure(all[size_t(index)].why);
  return std::make_shared<CudaBackend>(index);
}

}  // namespace cppn::cuda
