// Waves: their files, what a decoder expects of a level, the picture.
#include "../codec/waves.h"

#include <tuple>

#include "../codec/step_grid.h"
#include "../cpu/backend.h"
#include "../cpu/waves.h"
#include "../cpu/waves_filter.h"
#include "files.h"

namespace cppn::bindings {

namespace {

using codec::WavesRecord;
using Numbers = std::vector<int32_t>;

constexpr int64_t kMaxSide = 1 << 20, kMaxFloats = int64_t(1) << 31;

WavesRecord make_record(int width, int height, int step, int filter, int strength, const Numbers& mean,
                        const Numbers& angles, Numbers counts, const IntArray& levels) {
  expect(mean.size() == counts.size() && mean.size() <= 3 && angles.size() <= 3,
         "mean, angles or counts do not fit");
  expect(step >= 0 && step < codec::kStepCodes, "step must be 0..255");
  WavesRecord r;
  r.waves.width = width;
  r.waves.height = height;
  r.waves.channels = int(counts.size());
  r.waves.step = codec::step_grid(step);
  r.waves.filter = filter;
  r.waves.strength = strength;
  r.step = step;
  std::copy(mean.begin(), mean.end(), r.waves.mean);
  std::copy(angles.begin(), angles.end(), r.waves.angles);
  r.counts = std::move(counts);
  r.levels.assign(levels.data(), levels.data() + levels.size());
  codec::check(r);
  return r;
}

py::bytes encode(const WavesRecord& record) {
  return file_of([&] { return codec::encode_waves(record); });
}

// (levels, N) of a function of a record
template <size_t N>
py::array_t<float> of_levels(const WavesRecord& record,
                             std::vector<std::array<float, N>> (*each)(const WavesRecord&)) {
  std::vector<std::array<float, N>> found;
  {
    py::gil_scoped_release release;
    found = each(record);
  }
  py::array_t<float> out({py::ssize_t(found.size()), py::ssize_t(N)});
  for (size_t n = 0; n < found.size(); ++n)
    std::copy(found[n].begin(), found[n].end(), out.mutable_data(py::ssize_t(n)));
  return out;
}

Waves sized(int width, int height) {
  expect(width >= 1 && width < 1 << 16 && height >= 1 && height < 1 << 16, "a side must be 1..65535");
  Waves w;
  w.width = width;
  w.height = height;
  return w;
}

py::array_t<int32_t> order(int width, int height, int64_t count) {
  const Waves w = sized(width, height);
  expect(count >= 0 && count <= codec::kMaxWaves && count < int64_t(width) * height, "count out of range");
  const std::vector<Wave> found = waves_by_frequency(w, count);
  py::array_t<int32_t> out({py::ssize_t(count), py::ssize_t(2)});
  for (py::ssize_t n = 0; n < count; ++n) {
    out.mutable_at(n, 0) = found[size_t(n)].v;
    out.mutable_at(n, 1) = found[size_t(n)].u;
  }
  return out;
}

py::array_t<float> axes(const Numbers& angles) {
  expect(angles.size() == 3, "three angles expected");
  Waves w;
  std::copy(angles.begin(), angles.end(), w.angles);
  float turned[3][3];
  wave_axes(w, turned);
  py::array_t<float> out({3, 3});
  std::copy(&turned[0][0], &turned[0][0] + 9, out.mutable_data());
  return out;
}

py::array_t<float> render(cpu::CpuBackend& cpu, const WavesRecord& r, int64_t width, int64_t height,
                          const std::tuple<double, double, double, double>& region) {
  expect(width >= 1 && width <= kMaxSide && height >= 1 && height <= kMaxSide &&
             width * height <= kMaxFloats / r.waves.channels,
         "size out of range");
  View view;
  std::tie(view.left, view.top, view.right, view.bottom) = region;
  view.width = width;
  view.height = height;
  py::array_t<float> out({height, width, int64_t(r.waves.channels)});
  float* to = out.mutable_data();
  py::gil_scoped_release release;
  cpu::render_waves(cpu, r.waves, r.counts.data(), r.levels.data(), view, to);
  return out;
}

FilterGrid grid_of(int width, int height, int filter) {
  Waves w = sized(width, height);
  expect(filter >= 1 && filter < 256, "filter must be 1..255");
  w.filter = filter;
  const FilterGrid grid = filter_grid(w);
  expect(grid.points() <= codec::kMaxFilterPoints, "the filter's grid is too large");
  return grid;
}

py::tuple filter_shape(int width, int height, int filter) {
  const FilterGrid grid = grid_of(width, height, filter);
  return py::make_tuple(grid.rows, grid.columns);
}

// The filter of one grid, and the maps it needs.
class Filter {
 public:
  Filter(cpu::CpuBackend& cpu, int width, int height, int filter)
      : grid_(grid_of(width, height, filter)), filter_(cpu, grid_) {}

  py::array_t<float> apply(const FloatArray& planes, int strength) {
    check(planes);
    py::array_t<float> out(shape());
    std::copy(planes.data(), planes.data() + planes.size(), out.mutable_data());
    float* to = out.mutable_data();
    py::gil_scoped_release release;
    filter_.apply(to, strength);
    return out;
  }

  py::tuple gradient(const FloatArray& planes, const FloatArray& targets, int strength, int axes) {
    expect(axes >= 1 && axes <= 3, "axes must be 1..3");
    check(planes);
    check(targets);
    py::array_t<float> out(shape());
    const float *from = planes.data(), *target = targets.data();
    float* to = out.mutable_data();
    double sum = 0;
    {
      py::gil_scoped_release release;
      sum = filter_.gradient(from, target, strength, axes, to);
    }
    return py::make_tuple(sum, out);
  }

 private:
  std::vector<py::ssize_t> shape() const { return {3, grid_.rows, grid_.columns}; }
  void check(const FloatArray& planes) const {
    expect(planes.ndim() == 3 && planes.shape(0) == 3 && planes.shape(1) == grid_.rows &&
               planes.shape(2) == grid_.columns,
           "planes must be (3, rows, columns) of the grid");
  }

  FilterGrid grid_;
  cpu::WavesFilter filter_;
};

py::list filter_layers() {
  py::list layers;
  for (const cpu::FilterWeights& w : cpu::filter_weights()) {
    py::array_t<float> weights({3, 3, w.used, w.outputs});
    std::copy(w.weights.begin(), w.weights.end(), weights.mutable_data());
    layers.append(py::make_tuple(weights, py::array_t<float>(py::ssize_t(w.bias.size()), w.bias.data())));
  }
  return layers;
}

}  // namespace

void bind_waves(py::module_& m) {
  m.attr("MAX_WAVES") = codec::kMaxWaves;
  m.attr("MAX_WAVE_LEVEL") = codec::kMaxWaveLevel;
  py::class_<WavesRecord>(m, "WavesRecord", "A picture of waves: docs/format.md, kind 3.")
      .def(py::init(&make_record), py::arg("width"), py::arg("height"), py::arg("step"), py::arg("filter"),
           py::arg("strength"), py::arg("mean"), py::arg("angles"), py::arg("counts"), py::arg("levels"))
      .def_property_readonly(
          "size", [](const WavesRecord& r) { return py::make_tuple(r.waves.width, r.waves.height); })
      .def_readonly("step", &WavesRecord::step)
      .def_property_readonly("filter", [](const WavesRecord& r) { return r.waves.filter; })
      .def_property_readonly("strength", [](const WavesRecord& r) { return r.waves.strength; })
      .def_property_readonly(
          "mean", [](const WavesRecord& r) { return Numbers(r.waves.mean, r.waves.mean + r.waves.channels); })
      .def_property_readonly("angles",
                             [](const WavesRecord& r) { return Numbers(r.waves.angles, r.waves.angles + 3); })
      .def_readonly("counts", &WavesRecord::counts)
      .def_property_readonly("levels", [](const WavesRecord& r) {
        return py::array_t<int32_t>(py::ssize_t(r.levels.size()), r.levels.data());
      });
  py::class_<Filter>(m, "WavesFilter", "What is made of the waves within a grid: docs/format.md, kind 3.")
      .def(py::init<cpu::CpuBackend&, int, int, int>(), py::arg("cpu"), py::arg("width"), py::arg("height"),
           py::arg("filter"), py::keep_alive<1, 2>())
      .def("apply", &Filter::apply, py::arg("planes"), py::arg("strength"),
           "(3, rows, columns) of levels, filtered.")
      .def("gradient", &Filter::gradient, py::arg("planes"), py::arg("targets"), py::arg("strength"),
           py::arg("axes"),
           "Sum of squares of what the first axes of filtered planes lack to targets, and half its gradient "
           "by planes.");
  m.def("filter_shape", &filter_shape, py::arg("width"), py::arg("height"), py::arg("filter"),
        "(rows, columns) of a filter's grid.");
  m.def(
      "filter_layers", &filter_layers,
      "The filter's layers, each weights (3, 3, inputs, outputs) and a bias, outputs filled up with zeros.");
  m.def("encode_waves", &encode, py::arg("record"), "The bytes of a .cppn file.");
  m.def(
      "decode_waves",
      [](const py::bytes& data) {
        const std::string_view view = data;
        return codec::decode_waves(begin_of(view), view.size());
      },
      py::arg("data"), "The record of a file. Raises FormatError for anything else.");
  m.def(
      "waves_info",
      [](const py::bytes& data) {
        const std::string_view view = data;
        codec::FileInfo found;
        const WavesRecord r = codec::decode_waves(begin_of(view), view.size(), &found);
        py::dict d = frame_of(found, view.size());
        d["width"] = r.waves.width;
        d["height"] = r.waves.height;
        d["channels"] = r.waves.channels;
        d["step"] = r.step;
        d["filter"] = r.waves.filter;
        d["strength"] = r.waves.strength;
        return d;
      },
      py::arg("data"), "How a file is made up.");
  m.def(
      "wave_influence", [](const WavesRecord& r) { return of_levels(r, &codec::wave_influence); },
      py::arg("record"),
      "(n, 2): the bits that the levels after it would cost more were a level's size one more, and that they "
      "cost "
      "more because it is not one less; to first order.");
  m.def(
      "wave_odds", [](const WavesRecord& r) { return of_levels(r, &codec::wave_odds); }, py::arg("record"),
      "(n, 3): of every level, as a decoder expects it, the logarithms of the odds that it is not zero, "
      "then more "
      "than one, then one more.");
  m.def("wave_order", &order, py::arg("width"), py::arg("height"), py::arg("count"),
        "(count, 2): half turns down and across of the waves of a picture, in the order of the file.");
  m.def("wave_axes", &axes, py::arg("angles"), "(3, 3): RGB of the axes, a column each.");
  m.def("render_waves", &render, py::arg("cpu"), py::arg("record"), py::arg("width"), py::arg("height"),
        py::arg("region"), "(H, W, C): (255 shown + 1/2) / 256; bit-exact everywhere.");
}

}  // namespace cppn::bindings
