#include "descent.h"

#include <algorithm>
#include <cstring>

namespace cppn::cuda {

namespace {

constexpr int64_t kMostSteps = 512;  // of a burst
constexpr int64_t kGraphSteps = 32;
// A burst should take some hundredths of a second at most, so that Ctrl-C is heard: this is twenty
// milliseconds at ten teraflops.
constexpr double kBurstWork = 2e11;

std::vector<float> all_of(const std::vector<Descending>& start, std::vector<float> Descending::* field,
                          size_t weights) {
  std::vector<float> all;
  for (const Descending& one : start) {
    const std::vector<float>& v = one.*field;
    all.insert(all.end(), v.begin(), v.end());
    if (v.empty()) all.resize(all.size() + weights);
  }
  return all;
}

std::vector<Record> records_of(const std::vector<Descending>& start) {
  std::vector<Record> records;
  for (const Descending& one : start)
    records.push_back({one.loss, {one.best_loss, one.best_loss}, {one.has_best, one.has_best}, one.floating});
  return records;
}

}  // namespace

Graph::~Graph() {
  if (graph_) cudaGraphExecDestroy(graph_);
}

template <class Queue>
void Graph::capture(const Stream& stream, Queue&& queue) {
  cudaGraph_t sequence = nullptr;
  check(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal), "recording its steps");
  try {
    queue();
  } catch (...) {
    cudaStreamEndCapture(stream.get(), &sequence);
    if (sequence) cudaGraphDestroy(sequence);
    throw;
  }
  check(cudaStreamEndCapture(stream.get(), &sequence), "recording its steps");
  const cudaError_t error = cudaGraphInstantiate(&graph_, sequence, 0);
  cudaGraphDestroy(sequence);
  if (error != cudaSuccess) graph_ = nullptr;
  check(error, "preparing its steps");
}

void Graph::start(const Stream& stream) const { check(cudaGraphLaunch(graph_, stream.get()), "computing"); }

CudaStepLoop::CudaStepLoop(CudaBackend& backend, const CascadeTask& task, const DescentTerms& terms,
                           const std::vector<Descending>& start)
    : backend_(backend),
      pictures_(task.pictures),
      weights_(task.shape.weights()),
      limit_(terms.limit),
      layout_(layout_of(task.shape)),
      how_(backend.plan_gradient(task, layout_)) {
  const double work = 6.0 * double(weights_) * double(task.pixels.count) * double(pictures_);
  burst_ = std::clamp<int64_t>(int64_t(kBurstWork / work), 1, kMostSteps);

  const Stream& stream = backend.stream();
  const size_t K = size_t(weights_), B = size_t(pictures_), blocks = B * size_t(how_.parts);
  const Places places = places_of(task.shape, layout_);
  grid_ = stream.copy_of(terms.host_grid, K);
  mask_ = stream.copy_of(terms.host_mask, K);
  u_ = stream.copy_of(all_of(start, &Descending::u, K));
  m_ = stream.copy_of(all_of(start, &Descending::m, K));
  v_ = stream.copy_of(all_of(start, &Descending::v, K));
  best_u_ = stream.copy_of(all_of(start, &Descending::best_u, K));
  live_ = stream.zeros<float>(B * K);
  packed_ = stream.zeros<float>(B * size_t(layout_.floats));
  partial_ = stream.zeros<float>(blocks * size_t(layout_.slots()));
  losses_ = stream.zeros<double>(blocks);
  forward_place_ = stream.copy_of(places.forward);
  backward_place_ = stream.copy_of(places.backward);
  weight_of_ = stream.copy_of(places.weight_of);
  record_ = stream.copy_of(records_of(start));
  clock_ = stream.zeros<Clock>(1);
  plans_ = Buffer<StepPlan>(size_t(burst_));
  gradient_ = {task.shape,    layout_,        task.pixels,   task.target,
               packed_.get(), partial_.get(), losses_.get(), clock_.get()};
  for (Table& table : table_) {
    table.plans = Pinned<StepPlan>(size_t(burst_));
    table.clock = Pinned<Clock>(1);
    table.read = std::make_unique<Event>();
  }
  stream.wait();
}

CudaStepLoop::~CudaStepLoop() {
  cudaStreamSynchronize(backend_.stream().get());  // nothing of this may go while it is being used
}

DescentTask CudaStepLoop::descent_task() const {
  DescentTask t{};
  t.weights = int(weights_);
  t.slots = layout_.slots();
  t.parts = how_.parts;
  t.floats = layout_.floats;
  t.limit = limit_;
  t.grid = grid_.get();
  t.mask = mask_.get();
  t.u = u_.get();
  t.m = m_.get();
  t.v = v_.get();
  t.live = live_.get();
  t.best_u = best_u_.get();
  t.forward_place = forward_place_.get();
  t.backward_place = backward_place_.get();
  t.weight_of = weight_of_.get();
  t.packed = packed_.get();
  t.partial = partial_.get();
  t.losses = losses_.get();
  t.record = record_.get();
  t.clock = clock_.get();
  t.plans = plans_.get();
  return t;
}

// The same launches with the same arguments for every step: the clock on the device tells them apart.
void CudaStepLoop::queue_step() const {
  const DescentTask t = descent_task();
  const cudaStream_t stream = backend_.stream().get();
  if (draw_ == Draw::stochastic) launch_quantize(t, pictures_, stream);
  launch_gradient(gradient_, pictures_, how_, stream);
  launch_advance(t, pictures_, draw_, stream);
}

void CudaStepLoop::send(const StepPlan* steps, int64_t count) {
  Table& table = table_[turn_];
  turn_ = 1 - turn_;
  table.read->wait();  // of the burst before the last
  std::memcpy(table.plans.get(), steps, size_t(count) * sizeof(StepPlan));
  *table.clock.get() = {0, int(count)};
  const Stream& stream = backend_.stream();
  stream.upload(plans_.get(), table.plans.get(), size_t(count));
  stream.upload(clock_.get(), table.clock.get(), 1);
  table.read->record(stream);
}

void CudaStepLoop::take(const StepPlan* steps, int64_t count) {
  if (count < 1) return;
  const auto entered = backend_.enter();
  const Stream& stream = backend_.stream();
  for (int64_t done = 0; done < count;) {
    const int64_t size = std::min(burst_, count - done);
    send(steps + done, size);
    draw_ = steps[0].draw.how;  // one for a whole descent
    if (draw_ != Draw::stochastic) launch_draw(descent_task(), pictures_, stream.get());
    int64_t queued = 0;
    if (size > kGraphSteps && !graph_.captured()) {
      queue_step();  // so that every kernel is loaded: nothing may be while recording
      ++queued;
      graph_.capture(stream, [&] {
        for (int64_t i = 0; i < kGraphSteps; ++i) queue_step();
      });
    }
    for (; graph_.captured() && queued + kGraphSteps <= size; queued += kGraphSteps) graph_.start(stream);
    for (; queued < size; ++queued) queue_step();
    done += size;
    stepped_ = true;
    next_step_ = steps[done - 1].draw.step + 1;
  }
}

Descending CudaStepLoop::read(int64_t picture) {
  const auto entered = backend_.enter();
  const Stream& stream = backend_.stream();
  Descending now;
  const size_t K = size_t(weights_), at = size_t(picture) * K;
  for (auto [to, from] : {std::pair(&now.u, &u_), std::pair(&now.m, &m_), std::pair(&now.v, &v_),
                          std::pair(&now.best_u, &best_u_)}) {
    to->resize(K);
    stream.download(to->data(), from->get() + at, K);
  }
  Record record{};
  stream.download(&record, record_.get() + picture, 1);
  const int parity = int(next_step_ & 1);
  now.loss = record.loss;
  now.floating = stepped_ && draw_ != Draw::stochastic ? weights_ : record.floating;
  now.best_loss = record.best[parity];
  now.has_best = record.has_best[parity] != 0;
  return now;
}

}  // namespace cppn::cuda
