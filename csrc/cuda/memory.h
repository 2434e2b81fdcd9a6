// Memory of a device, and host memory that a device can read by itself; both go with their owner.
#pragma once
#include <vector>

#include "error.h"

namespace cppn::cuda {

// Bytes of device memory, or DeviceFailure saying how many were wanted and how many there are.
void* device_bytes(size_t bytes);
void* pinned_bytes(size_t bytes);
// In destructors: what fails there fails because the device is lost, which the next call will say.
void release_device_bytes(void* p) noexcept;
void release_pinned_bytes(void* p) noexcept;

template <class T, void* (*kTake)(size_t), void (*kRelease)(void*) noexcept>
class Memory {
 public:
  Memory() = default;
  explicit Memory(size_t count) : data_(static_cast<T*>(kTake(count * sizeof(T)))), count_(count) {}
  Memory(Memory&& other) noexcept { swap(other); }
  Memory& operator=(Memory&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Memory() {
    if (data_) kRelease(data_);
  }

  T* get() const { return data_; }
  size_t count() const { return count_; }
  size_t bytes() const { return count_ * sizeof(T); }

 private:
  void swap(Memory& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
  }
  T* data_ = nullptr;
  size_t count_ = 0;
};

template <class T>
using Buffer = Memory<T, device_bytes, release_device_bytes>;
template <class T>
using Pinned = Memory<T, pinned_bytes, release_pinned_bytes>;

// The one stream that all work of a backend goes through, in the order it was asked for.
class Stream {
 public:
  Stream();
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  cudaStream_t get() const { return stream_; }
  void wait() const { check(cudaStreamSynchronize(stream_), "computing"); }

  template <class T>
  void zero(const Buffer<T>& to) const {
    check(cudaMemsetAsync(to.get(), 0, to.bytes(), stream_), "clearing memory");
  }
  template <class T>
  void upload(T* to, const T* from, size_t count) const {
    check(cudaMemcpyAsync(to, from, count * sizeof(T), cudaMemcpyHostToDevice, stream_),
          "sending data to it");
  }
  // Waits: `to` is filled on return.
  template <class T>
  void download(T* to, const T* from, size_t count) const {
    check(cudaMemcpyAsync(to, from, count * sizeof(T), cudaMemcpyDeviceToHost, stream_), "sending data back");
    wait();
  }

  template <class T>
  Buffer<T> copy_of(const T* host_from, size_t count) const {
    Buffer<T> to(count);
    upload(to.get(), host_from, count);
    return to;
  }
  template <class T>
  Buffer<T> copy_of(const std::vector<T>& host_from) const {
    return copy_of(host_from.data(), host_from.size());
  }
  template <class T>
  Buffer<T> zeros(size_t count) const {
    Buffer<T> to(count);
    zero(to);
    return to;
  }

 private:
  cudaStream_t stream_ = nullptr;
};

// A mark in the stream.
class Event {
 public:
  Event();
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void record(const Stream& stream) const { check(cudaEventRecord(event_, stream.get()), "computing"); }
  void wait() const { check(cudaEventSynchronize(event_), "computing"); }
  double seconds_since(const Event& begin) const;  // waits for both

 private:
  cudaEvent_t event_ = nullptr;
};

}  // namespace cppn::cuda
