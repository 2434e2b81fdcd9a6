// Layers: the dense layers of random pictures, and their pictures.
#include "../cpu/layers.h"

#include "bindings.h"

namespace cppn::bindings {

namespace {

// weights (O, I), bias (O), function, normalize, residual
using Given = std::tuple<FloatArray, FloatArray, int, int, bool>;

struct Layers {
  std::vector<std::vector<float>> numbers;
  std::vector<Layer> layers;

  explicit Layers(const std::vector<Given>& given) {
    expect(!given.empty() && given.size() <= size_t(kMaxLayers), "layers out of range");
    for (const auto& [w, b, function, normalize, residual] : given) {
      expect(w.ndim() == 2 && b.ndim() == 1 && b.shape(0) == w.shape(0),
             "weights (O, I) and bias (O) expected");
      expect(w.size() >= 1 && w.shape(0) <= kMaxFeatures && w.shape(1) <= kMaxFeatures,
             "features out of range");
      expect(function >= 0 && function < kActivationCount + kAcrossCount, "unknown function");
      expect(normalize >= 0 && normalize <= int(Normalize::after), "unknown normalization");
      expect(!residual || w.shape(0) == w.shape(1), "a residual layer has as many outputs as inputs");
      expect(layers.empty() || layers.back().shape.outputs == w.shape(1),
             "a layer takes what the last one gives");
      numbers.emplace_back(w.data(), w.data() + w.size());
      numbers.emplace_back(b.data(), b.data() + b.size());
      layers.push_back({{int(w.shape(1)), int(w.shape(0)), function, Normalize(normalize), residual},
                        numbers[numbers.size() - 2].data(),
                        numbers.back().data()});
    }
  }
  Layers(const Layers&) = delete;

  py::array_t<float> forward(cpu::CpuBackend& backend, const FloatArray& columns, const FloatArray& rows,
                             const std::optional<std::pair<FloatArray, FloatArray>>& radius) const {
    expect(columns.ndim() == 2 && rows.ndim() == 2, "columns (A, W) and rows (B, H) expected");
    PlaneInputs in{columns.data(),        rows.data(),        nullptr,          nullptr,
                   int(columns.shape(0)), int(rows.shape(0)), columns.shape(1), rows.shape(1)};
    if (radius) {
      expect(radius->first.size() == in.width && radius->second.size() == in.height,
             "a radius for every column and row");
      in.radius_x = radius->first.data();
      in.radius_y = radius->second.data();
    }
    expect(in.width >= 1 && in.height >= 1 && in.count() == layers[0].shape.inputs,
           "inputs of the first layer expected");
    py::array_t<float> out({in.height, in.width, int64_t(layers.back().shape.outputs)});
    float* to = out.mutable_data();
    py::gil_scoped_release release;
    cpu::layers_forward(backend, layers, in, to);
    return out;
  }
};

}  // namespace

void bind_layers(py::module_& m) {
  py::class_<Layers>(
      m, "Layers",
      "Dense layers, one after the other: [(weights (O, I), bias (O), function, normalize, residual)].")
      .def(py::init<const std::vector<Given>&>(), py::arg("layers"))
      .def("forward", &Layers::forward, py::arg("cpu"), py::arg("columns"), py::arg("rows"),
           py::arg("radius") = py::none(),
           "(H, W, C) float32 at columns (A, W) x rows (B, H) and, with radius (rx, ry), sqrt(rx^2 + ry^2).");
}

}  // namespace cppn::bindings
