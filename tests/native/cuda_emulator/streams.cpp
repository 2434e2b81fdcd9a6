// Streams are queues of operations that nobody works on until somebody synchronizes; a graph is such a queue
// kept for later. Streams that are not cudaStreamNonBlocking share one queue with the null stream, which is a
// little stricter an order than CUDA's; the others are not waited for by cudaMemcpy, as in CUDA.
#include <map>

#include "streams.h"

namespace cuda_emulator {
namespace {

// Never destroyed, see fibers.cpp.
std::set<CUstream_st*>& streams = *new std::set<CUstream_st*>;
std::map<int, CUstream_st>& null_streams = *new std::map<int, CUstream_st>;

CUstream_st& null_stream(int device) {
  auto found = null_streams.find(device);
  if (found == null_streams.end())
    found = null_streams.try_emplace(device, device, std::make_shared<Queue>()).first;
  return found->second;
}

void finish(Queue& queue) {
  run_until(queue, [] { return false; });
}

// A captured stream has no work to wait for; asking for it spoils the capture.
bool forbidden_on(CUstream_st& stream) {
  stream.spoilt |= stream.graph != nullptr;
  return stream.graph != nullptr;
}

cudaError_t copy(CUstream_st& stream, void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  if (injected("memcpy")) return cudaErrorIllegalAddress;
  if (bytes == 0) return cudaSuccess;
  const bool to_device = is_device(to), from_device = is_device(from);
  if (kind < cudaMemcpyHostToHost || kind > cudaMemcpyDefault) return cudaErrorInvalidMemcpyDirection;
  if (kind != cudaMemcpyDefault) {
    if (to_device != (kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice) ||
        from_device != (kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice))
      return cudaErrorInvalidValue;
  }
  if ((to_device && !is_device(to, bytes)) || (from_device && !is_device(from, bytes)))
    return cudaErrorInvalidValue;

  // Of pageable memory CUDA takes a copy during the call, unless a graph is to read it each time it runs.
  Operation operation = [=] { std::memcpy(to, from, bytes); };
  if (!from_device && !is_pinned(from, bytes) && !stream.graph) {
    const char* first = static_cast<const char*>(from);
    const auto staged = std::make_shared<const std::vector<char>>(first, first + bytes);
    operation = [=] { std::memcpy(to, staged->data(), bytes); };
  }
  if (const cudaError_t error = enqueue(stream, std::move(operation))) return error;
  if (!to_device && !is_pinned(to, bytes) && !stream.graph) finish(*stream.queue);  // it is there on return
  return cudaSuccess;
}

cudaError_t set(CUstream_st& stream, void* to, int value, size_t bytes) {
  if (!is_device(to, bytes)) return cudaErrorInvalidValue;
  if (bytes == 0) return cudaSuccess;
  return enqueue(stream, [=] { std::memset(to, value, bytes); });
}

}  // namespace

std::set<const void*>& handles = *new std::set<const void*>;

CUstream_st* resolve(cudaStream_t stream) {
  if (!stream) return &null_stream(current_device());
  return exists(stream) ? stream : nullptr;
}

cudaError_t enqueue(CUstream_st& stream, Operation operation) {
  if (stream.spoilt) return cudaErrorStreamCaptureInvalidated;
  Queue& graph_or_queue = stream.graph ? stream.graph->operations : *stream.queue;
  graph_or_queue.push_back(std::move(operation));
  return cudaSuccess;
}

void run_first(Queue& queue) {
  const DeviceAccess access;
  const Operation operation = std::move(queue.front());
  queue.pop_front();
  operation();
}

void finish_everything() {
  for (auto& [device, stream] : null_streams) finish(*stream.queue);
  for (CUstream_st* stream : streams) finish(*stream->queue);
}

bool forbidden_by_capture() {
  bool any = false;
  for (CUstream_st* stream : streams) {
    if (!stream->graph || stream->mode == cudaStreamCaptureModeRelaxed) continue;
    if (stream->mode == cudaStreamCaptureModeThreadLocal && stream->thread != std::this_thread::get_id())
      continue;
    any = stream->spoilt = true;
  }
  return any;
}

cudaError_t launch(const cudaLaunchConfig_t& config, const void* kernel, std::function<void()> thread) {
  const Call call;
  if (const cudaError_t why = available()) return remember(why);
  CUstream_st* const stream = resolve(config.stream);
  if (!stream || stream->device != current_device()) return remember(cudaErrorInvalidResourceHandle);
  for (unsigned i = 0; i < config.numAttrs; ++i) {
    const cudaLaunchAttributeID id = config.attrs[i].id;
    if (id != cudaLaunchAttributeIgnore && id != cudaLaunchAttributeProgrammaticStreamSerialization)
      return remember(cudaErrorNotSupported);
  }
  const dim3 b = config.gridDim, t = config.blockDim;
  const auto product = [](dim3 d) { return uint64_t(d.x) * d.y * d.z; };
  if (product(b) == 0 || b.x > 0x7fffffff || b.y > 65535 || b.z > 65535 || product(b) > 0x7fffffff)
    fail("a launch of %u x %u x %u blocks", b.x, b.y, b.z);
  if (product(t) == 0 || t.x > kMaxThreads || t.y > kMaxThreads || t.z > 64 || product(t) > kMaxThreads)
    fail("a launch of blocks of %u x %u x %u threads", t.x, t.y, t.z);
  if (config.dynamicSmemBytes > allowed_shared(kernel)) return remember(cudaErrorInvalidValue);
  if (injected("launch")) return remember(cudaErrorLaunchFailure);
  if (injected("image")) return remember(cudaErrorNoKernelImageForDevice);
  const auto grid = std::make_shared<const Grid>(Grid{b, t, config.dynamicSmemBytes, std::move(thread)});
  return remember(enqueue(*stream, [grid] { run(*grid); }));
}

}  // namespace cuda_emulator

using namespace cuda_emulator;

// ---- Copies

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  const Call call;
  CUstream_st* const s = resolve(stream);
  return remember(s ? copy(*s, to, from, bytes, kind) : cudaErrorInvalidResourceHandle);
}
cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  const Call call;
  if (forbidden_by_capture()) return remember(cudaErrorStreamCaptureUnsupported);
  CUstream_st& stream = null_stream(current_device());
  const cudaError_t error = copy(stream, to, from, bytes, kind);
  finish(*stream.queue);
  return remember(error);
}
cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
  const Call call;
  CUstream_st* const s = resolve(stream);
  return remember(s ? set(*s, to, value, bytes) : cudaErrorInvalidResourceHandle);
}
cudaError_t cudaMemset(void* to, int value, size_t bytes) {
  const Call call;
  if (forbidden_by_capture()) return remember(cudaErrorStreamCaptureUnsupported);
  return remember(set(null_stream(current_device()), to, value, bytes));
}

// ---- Streams

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  const Call call;
  if (const cudaError_t why = available()) return remember(why);
  if (flags > cudaStreamNonBlocking) return remember(cudaErrorInvalidValue);
  const int device = current_device();
  const auto queue = flags == cudaStreamNonBlocking ? std::make_shared<Queue>() : null_stream(device).queue;
  give(stream, new CUstream_st(device, queue));
  streams.insert(*stream);
  return cudaSuccess;
}
cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const Call call;
  if (!exists(stream)) return remember(cudaErrorInvalidResourceHandle);
  finish(*stream->queue);
  streams.erase(stream);
  return destroy(stream);
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const Call call;
  CUstream_st* const s = resolve(stream);
  if (!s) return remember(cudaErrorInvalidResourceHandle);
  if (forbidden_on(*s)) return remember(cudaErrorStreamCaptureUnsupported);
  finish(*s->queue);
  return remember(injected("sync") ? cudaErrorLaunchFailure : cudaSuccess);
}
cudaError_t cudaDeviceSynchronize() {
  const Call call;
  if (const cudaError_t why = available()) return remember(why);
  const int device = current_device();
  bool captured = false;
  for (CUstream_st* stream : streams) captured |= stream->device == device && forbidden_on(*stream);
  if (captured) return remember(cudaErrorStreamCaptureUnsupported);
  finish(*null_stream(device).queue);
  for (CUstream_st* stream : streams)
    if (stream->device == device) finish(*stream->queue);
  return remember(injected("sync") ? cudaErrorLaunchFailure : cudaSuccess);
}
// Who polls must not wait for ever: each question brings the work one operation on.
cudaError_t cudaStreamQuery(cudaStream_t stream) {
  const Call call;
  CUstream_st* const s = resolve(stream);
  if (!s) return remember(cudaErrorInvalidResourceHandle);
  if (forbidden_on(*s)) return remember(cudaErrorStreamCaptureUnsupported);
  if (s->queue->empty()) return cudaSuccess;
  run_first(*s->queue);
  return remember(cudaErrorNotReady);
}
