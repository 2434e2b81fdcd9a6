// Graphs: what a stream was asked for while it was captured, to be asked for again.
#include "streams.h"

using namespace cuda_emulator;

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  const Call call;
  if (!stream) return remember(cudaErrorStreamCaptureUnsupported);  // not the null stream
  if (!exists(stream)) return remember(cudaErrorInvalidResourceHandle);
  if (stream->graph) return remember(cudaErrorIllegalState);
  stream->graph = std::make_unique<CUgraph_st>();
  stream->mode = mode;
  stream->thread = std::this_thread::get_id();
  stream->spoilt = false;
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const Call call;
  *graph = nullptr;
  if (!exists(stream)) return remember(cudaErrorInvalidResourceHandle);
  if (!stream->graph) return remember(cudaErrorIllegalState);
  if (stream->mode != cudaStreamCaptureModeRelaxed && stream->thread != std::this_thread::get_id())
    return remember(cudaErrorStreamCaptureWrongThread);
  const std::unique_ptr<CUgraph_st> captured = std::move(stream->graph);
  if (std::exchange(stream->spoilt, false)) return remember(cudaErrorStreamCaptureInvalidated);
  return give(graph, new CUgraph_st{captured->operations});
}
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  const Call call;
  CUstream_st* const s = resolve(stream);
  if (!s) return remember(cudaErrorInvalidResourceHandle);
  *status = s->spoilt  ? cudaStreamCaptureStatusInvalidated
            : s->graph ? cudaStreamCaptureStatusActive
                       : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  const Call call;
  if (!exists(graph)) return remember(cudaErrorInvalidValue);
  if (injected("graph")) return remember(cudaErrorUnknown);
  return give(exec, new CUgraphExec_st{graph->operations});
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  const Call call;
  CUstream_st* const s = resolve(stream);
  if (!s || !exists(exec)) return remember(cudaErrorInvalidResourceHandle);
  if (injected("graph")) return remember(cudaErrorUnknown);
  for (const Operation& operation : exec->operations)
    if (const cudaError_t error = enqueue(*s, operation)) return remember(error);
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  const Call call;
  return destroy(graph);
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  const Call call;
  return destroy(exec);
}
