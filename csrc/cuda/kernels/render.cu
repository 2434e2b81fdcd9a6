// Decoding: the forward sweep alone, compiled without contraction and with IEEE division and square root, so
// that a pixel has the bits that every other machine gives it.
#include "kernels.h"
#include "launch.h"
#include "sweep.h"

namespace cppn::cuda {

namespace {

constexpr int kMostThreads = 256;

// Nodes, then weights (perhaps).
__host__ __device__ int node_floats(const CascadeShape& s, int threads) { return s.nodes() * 2 * threads; }

__device__ __forceinline__ uint8_t to_byte(float a) {
  using L = Lanes<float>;
  return uint8_t(int(L::min(L::max(a, 0.0f) * 256.0f, 255.0f)));
}

// value(row) is the thread's pixel's; column counts from the first pixel of the task.
template <class Value>
__device__ __forceinline__ void store(const RenderTask& t, int64_t column, Value&& value) {
  const int C = t.shape.channels, outputs = t.shape.nodes() - C;
  for (int c = 0; c < C && t.floats; ++c) t.floats[column * C + c] = value(outputs + c);
  for (int c = 0; c < C && t.bytes; ++c) t.bytes[column * C + c] = to_byte(value(outputs + c));
  for (int n = 0; n < t.shape.neurons && t.nodes; ++n)
    t.nodes[n * (t.last - t.first) + column] = value(t.shape.inputs + n);
}

template <bool kSharedWeights>
__global__ void __launch_bounds__(kMostThreads) render_kernel(const RenderTask t) {
  const int thread = int(threadIdx.x), pixels = 2 * int(blockDim.x);
  float* shared = reinterpret_cast<float*>(shared_memory);
  const Rows a{shared, pixels};
  const float* w = t.packed;
  if (kSharedWeights) {
    float* copy = shared + node_floats(t.shape, int(blockDim.x));
    for (int i = thread; i < t.layout.floats; i += int(blockDim.x)) copy[i] = t.packed[i];
    w = copy;
  }
  __syncthreads();
  for (int64_t first = t.first + int64_t(blockIdx.x) * pixels; first < t.last;
       first += int64_t(gridDim.x) * pixels) {
    load_inputs(t.shape, t.pixels, first, a);
    forward<void, false>(t.shape, t.layout, w, a, 0);
    const int64_t p = first + 2 * thread;
    if (p < t.last) store(t, p - t.first, [&](int row) { return a.pair(row, thread)->x; });
    if (p + 1 < t.last) store(t, p + 1 - t.first, [&](int row) { return a.pair(row, thread)->y; });
  }
}

}  // namespace

size_t render_bytes(const CascadeShape& s, const Layout& layout, int threads, bool shared_weights) {
  return sizeof(float) * size_t(node_floats(s, threads) + (shared_weights ? layout.floats : 0));
}

void allow_render(size_t bytes) {
  allow(render_kernel<true>, bytes);
  allow(render_kernel<false>, bytes);
}

int render_occupancy(const CascadeShape&, const Launch& how) {
  return occupancy(how.shared_weights ? render_kernel<true> : render_kernel<false>, how.threads, how.bytes);
}

void launch_render(const RenderTask& task, const Launch& how, cudaStream_t stream) {
  launch(how.shared_weights ? render_kernel<true> : render_kernel<false>, grid_of(how.parts), how.threads,
         how.bytes, stream, task);
}

}  // namespace cppn::cuda
