// What the bindings of all kinds of .cppn files have in common.
#pragma once
#include <string_view>
#include <vector>

#include "../codec/container.h"
#include "bindings.h"

namespace cppn::bindings {

inline const uint8_t* begin_of(const std::string_view& view) {
  return reinterpret_cast<const uint8_t*>(view.data());
}

// The bytes that encode() returns; it runs without the GIL.
template <class Encode>
py::bytes file_of(Encode&& encode) {
  std::vector<uint8_t> file;
  {
    py::gil_scoped_release release;
    file = encode();
  }
  return py::bytes(reinterpret_cast<const char*>(file.data()), file.size());
}

// How a file is framed: the beginning of every kind's info.
inline py::dict frame_of(const codec::FileInfo& info, size_t bytes) {
  py::dict d;
  d["version"] = info.version;
  d["file_bytes"] = bytes;
  d["header_bytes"] = info.header_bytes;
  d["payload_bytes"] = info.payload_bytes;
  d["checksum"] = int(info.checksum);
  return d;
}

}  // namespace cppn::bindings
