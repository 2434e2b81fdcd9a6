// The .cppn file and the coders' priors.
#include "../codec/coders.h"
#include "../codec/container.h"
#include "../codec/header.h"
#include "../codec/prior.h"
#include "../codec/step_grid.h"
#include "files.h"

namespace cppn::bindings {

namespace {

using codec::CascadeRecord;

CascadeRecord decode(const py::bytes& data, codec::FileInfo* info = nullptr) {
  const std::string_view view = data;
  return codec::decode(begin_of(view), view.size(), info);
}

py::bytes encode(const CascadeRecord& record, int coder) {
  return file_of([&] { return codec::encode(record, coder); });
}

py::dict decode_info(const py::bytes& data) {
  codec::FileInfo info;
  const CascadeRecord r = decode(data, &info);
  py::dict d = frame_of(info, py::len(data));
  d["kind"] = "cascade";
  d["coder"] = codec::kCoders[info.coder].name;
  d["width"] = r.width;
  d["height"] = r.height;
  d["neurons"] = r.neurons;
  d["channels"] = r.channels;
  d["weights"] = r.weights();
  return d;
}

std::pair<int, int> fit_prior(const IntArray& levels) {
  const codec::PriorCode c = codec::fit_prior(codec::histogram(levels.data(), size_t(levels.size())));
  return {c.a, c.b};
}

DoubleArray prior_bits(int a, int b, int max_level) {
  if (a < 0 || a >= codec::kPriorCodes) throw py::value_error("a_code must be 0..127");
  if (b < 0 || b >= codec::kPriorCodes) throw py::value_error("b_code must be 0..127");
  if (max_level < 0 || max_level > codec::kMaxLevel) throw py::value_error("max_level must be 0..32767");
  const codec::PriorTable table({a, b});
  DoubleArray bits(max_level + 1);
  for (int k = 0; k <= max_level; ++k) bits.mutable_at(k) = table.bits(k);
  return bits;
}

py::tuple coder_names() {
  py::tuple names(codec::kCoderCount);
  for (int i = 0; i < codec::kCoderCount; ++i) names[size_t(i)] = py::str(codec::kCoders[i].name);
  return names;
}

}  // namespace

void bind_codec(py::module_& m) {
  py::register_exception<codec::FormatError>(m, "FormatError", PyExc_ValueError).attr("__module__") =
      "cppn_native";

  py::class_<CascadeRecord>(m, "CascadeRecord", "What a .cppn file holds: the fields of docs/format.md.")
      .def(py::init<>())
      .def_readwrite("width", &CascadeRecord::width)
      .def_readwrite("height", &CascadeRecord::height)
      .def_readwrite("neurons", &CascadeRecord::neurons)
      .def_readwrite("channels", &CascadeRecord::channels)
      .def_readwrite("coords", &CascadeRecord::coords)
      .def_readwrite("radius", &CascadeRecord::radius)
      .def_readwrite("octaves", &CascadeRecord::octaves)
      .def_readwrite("activations", &CascadeRecord::activations)
      .def_readwrite("steps", &CascadeRecord::steps)
      .def_property(
          "levels",
          [](const CascadeRecord& r) { return IntArray(py::ssize_t(r.levels.size()), r.levels.data()); },
          [](CascadeRecord& r, const IntArray& levels) {
            r.levels.assign(levels.data(), levels.data() + levels.size());
          })
      .def(
          "__eq__", [](const CascadeRecord& a, const CascadeRecord& b) { return a == b; }, py::is_operator());

  m.def("encode", &encode, py::arg("record"), py::arg("coder") = codec::kSmallest,
        "The bytes of a .cppn file: the shortest of all coders, or that of coder number `coder`.");
  m.def("encoded_size", &codec::encoded_size, py::arg("record"), py::arg("coder") = codec::kSmallest,
        py::call_guard<py::gil_scoped_release>(), "len(encode(record, coder)).");
  m.def(
      "decode", [](const py::bytes& data) { return decode(data); }, py::arg("data"),
      "The record of a file. Raises FormatError, naming the byte, for anything else.");
  m.def("decode_info", &decode_info, py::arg("data"),
        "How a file is made up: coder, bytes of each part, sizes.");
  m.def("fit_prior", &fit_prior, py::arg("levels"),
        "(a_code, b_code) of the prior that makes the levels shortest.");
  m.def("prior_bits", &prior_bits, py::arg("a_code"), py::arg("b_code"), py::arg("max_level"),
        "(max_level + 1,) ideal code length of a level of magnitude 0, 1, ... in bits, sign and escape "
        "included.");
  m.def("step_grid", &codec::step_grid, py::arg("code"),
        "The step of a code 0..255: 2^((code & 15)/16 + (code >> 4) - 12).");
  m.def("nearest_step_code", &codec::nearest_step_code, py::arg("step"),
        "The code whose step is nearest in ratio.");
  m.attr("CODERS") = coder_names();
}

}  // namespace cppn::bindings
