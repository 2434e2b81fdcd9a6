// Events: marks in a queue.
#include "streams.h"

using namespace cuda_emulator;

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  const Call call;
  if (const cudaError_t why = available()) return remember(why);
  return give(event, new CUevent_st{current_device(), (flags & cudaEventDisableTiming) == 0});
}
cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, cudaEventDefault); }
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const Call call;
  return destroy(event);
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const Call call;
  CUstream_st* const s = resolve(stream);
  if (!s || !exists(event) || event->device != s->device) return remember(cudaErrorInvalidResourceHandle);
  event->captured = s->graph != nullptr;  // then it orders the nodes of the graph, and nobody can wait for it
  if (event->captured) return remember(s->spoilt ? cudaErrorStreamCaptureInvalidated : cudaSuccess);
  event->queue = s->queue;
  event->mark = std::make_shared<CUevent_st::Mark>();
  return remember(enqueue(*s, [mark = event->mark] { *mark = {true, Clock::now()}; }));
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const Call call;
  if (!exists(event)) return remember(cudaErrorInvalidResourceHandle);
  if (event->captured) return remember(cudaErrorCapturedEvent);
  if (event->mark) run_until(*event->queue, [event] { return event->mark->reached; });
  return remember(injected("sync") ? cudaErrorLaunchFailure : cudaSuccess);
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  const Call call;
  if (!exists(event)) return remember(cudaErrorInvalidResourceHandle);
  if (event->captured) return remember(cudaErrorCapturedEvent);
  if (!event->mark || event->mark->reached) return cudaSuccess;
  run_first(*event->queue);
  return remember(cudaErrorNotReady);
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  const Call call;
  for (cudaEvent_t event : {start, end})
    if (!exists(event) || !event->timed || !event->mark) return remember(cudaErrorInvalidResourceHandle);
  if (!start->mark->reached || !end->mark->reached) return remember(cudaErrorNotReady);
  *milliseconds = std::chrono::duration<float, std::milli>(end->mark->when - start->mark->when).count();
  return cudaSuccess;
}
