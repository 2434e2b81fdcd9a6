// Lists of entities and shapes in .cppn files.
#include "../codec/list.h"

#include "files.h"

namespace cppn::bindings {

namespace {

using codec::ListRecord;

py::bytes encode(const ListRecord& record, bool quick) {
  return file_of([&] { return codec::encode_list(record, quick); });
}

ListRecord decode(const py::bytes& data) {
  const std::string_view view = data;
  return codec::decode_list(begin_of(view), view.size());
}

py::dict info(const py::bytes& data) {
  const std::string_view view = data;
  codec::FileInfo found;
  const ListRecord r = codec::decode_list(begin_of(view), view.size(), &found);
  py::dict d = frame_of(found, view.size());
  d["width"] = r.width;
  d["height"] = r.height;
  d["channels"] = r.channels;
  d["n"] = r.n;
  return d;
}

}  // namespace

void bind_list(py::module_& m) {
  py::class_<ListRecord>(m, "ListRecord",
                         "What a .cppn file of entities or shapes holds: docs/format.md, kind 2.")
      .def(py::init<>())
      .def_readwrite("type", &ListRecord::type)
      .def_readwrite("width", &ListRecord::width)
      .def_readwrite("height", &ListRecord::height)
      .def_readwrite("channels", &ListRecord::channels)
      .def_readwrite("choices", &ListRecord::choices)
      .def_readwrite("vertices", &ListRecord::vertices)
      .def_readwrite("points", &ListRecord::points)
      .def_readwrite("colours", &ListRecord::colours)
      .def_readwrite("alphas", &ListRecord::alphas)
      .def_readwrite("background", &ListRecord::background)
      .def_readwrite("formula", &ListRecord::formula)
      .def_readwrite("terms", &ListRecord::terms)
      .def_readwrite("resolution", &ListRecord::resolution)
      .def_readwrite("steps", &ListRecord::steps)
      .def_property(
          "levels",
          [](const ListRecord& r) {
            return py::array_t<int32_t>({py::ssize_t(r.n), py::ssize_t(r.row())}, r.levels.data());
          },
          [](ListRecord& r, const IntArray& levels) {
            expect(levels.ndim() == 2, "levels (n, row) expected");
            r.n = int(levels.shape(0));
            r.levels.assign(levels.data(), levels.data() + levels.size());
          });
  m.def("encode_list", &encode, py::arg("record"), py::arg("quick") = false, "The bytes of a .cppn file.");
  m.def("decode_list", &decode, py::arg("data"),
        "The record of a file. Raises FormatError for anything else.");
  m.def("list_info", &info, py::arg("data"), "How a file is made up.");
  m.def(
      "file_kind",
      [](const py::bytes& data) {
        const std::string_view view = data;
        return codec::kind_of(begin_of(view), view.size());
      },
      py::arg("data"), "1: a cascade, 2: a list, 3: waves. Raises FormatError for what is no .cppn file.");
}

}  // namespace cppn::bindings
