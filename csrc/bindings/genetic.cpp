// paint_entities: a painting at any size; GeneticSearch: how one is found.
#include "../trainers/genetic.h"
#include "../cpu/backend.h"
#include "bindings.h"

namespace cppn::bindings {

namespace {

// vertices, channels, points, colours, alphas
using Grid = std::tuple<int, int, int32_t, int32_t, int32_t>;
using Region = std::tuple<double, double, double, double>;

constexpr int64_t kMaxSide = 1 << 20, kMaxFloats = int64_t(1) << 31;
constexpr int32_t kMaxLevels = 1 << 16;

EntityGrid make_grid(const Grid& given) {
  EntityGrid g;
  std::tie(g.vertices, g.channels, g.points, g.colours, g.alphas) = given;
  expect(g.vertices >= 3 && g.vertices <= kMaxCorners, "vertices out of range");
  expect(g.channels == 1 || g.channels == 3, "channels must be 1 or 3");
  for (int32_t levels : {g.points, g.colours, g.alphas})
    expect(levels >= 1 && levels <= kMaxLevels, "levels out of range");
  return g;
}

bool corners_fit(const EntityGrid& grid, int32_t corners) {
  return corners == 0 || (corners >= 3 && corners <= grid.vertices);
}

// (n, row) of entities, or of backgrounds, which have colours alone
std::vector<int32_t> checked_entities(const EntityGrid& grid, const IntArray& entities) {
  expect(entities.ndim() == 2 && entities.shape(1) == grid.row(), "entities (n, row) expected");
  const int32_t* from = entities.data();
  for (py::ssize_t n = 0; n < entities.shape(0); ++n, from += grid.row()) {
    expect(corners_fit(grid, from[0]) && from[1] >= 0 && from[1] < grid.alphas,
           "corners or alpha out of range");
    for (int k = 2; k < grid.colour(); ++k)
      expect(from[k] >= grid.least() && from[k] <= grid.most(), "a point is out of range");
    expect(from[0] != 0 || (from[5] == from[3] && from[4] >= from[2] && from[7] >= from[3]),
           "an ellipse's points are not in their one form");
    for (int k = grid.colour(); k < grid.row(); ++k)
      expect(from[k] >= 0 && from[k] < grid.colours, "a colour is out of range");
  }
  return {entities.data(), entities.data() + entities.size()};
}

std::vector<int32_t> checked_background(const EntityGrid& grid, const IntArray& background) {
  expect(background.size() == grid.channels, "background (C) expected");
  const std::vector<int32_t> levels(background.data(), background.data() + background.size());
  for (int32_t level : levels) expect(level >= 0 && level < grid.colours, "a colour is out of range");
  return levels;
}

py::array_t<float> paint_entities(cpu::CpuBackend& cpu, const Grid& given, const IntArray& background,
                                  const IntArray& entities, int64_t width, int64_t height,
                                  const Region& region) {
  const EntityGrid grid = make_grid(given);
  const auto rows = checked_entities(grid, entities);
  const auto levels = checked_background(grid, background);
  expect(width >= 1 && height >= 1 && width <= kMaxSide && height <= kMaxSide &&
             width * height <= kMaxFloats / grid.channels,
         "width or height out of range");
  View view{0, 0, 1, 1, width, height};
  std::tie(view.left, view.top, view.right, view.bottom) = region;
  expect(view.left < view.right && view.top < view.bottom, "region must have left < right and top < bottom");
  py::array_t<float> out({height, width, int64_t(grid.channels)});
  float* to = out.mutable_data();
  const int64_t floats = out.size();
  {
    py::gil_scoped_release release;
    for (int64_t i = 0; i < floats; ++i) to[i] = float(grid.shade(levels[size_t(i % grid.channels)]));
    cpu::paint(cpu.pool(), grid, rows.data(), int64_t(rows.size()) / grid.row(), view, grid.channels, to);
  }
  return out;
}

struct Search {
  std::shared_ptr<cpu::CpuBackend> backend;
  EntityGrid grid;
  GeneticSearch search;

  Search(std::shared_ptr<cpu::CpuBackend> cpu, const EntityGrid& entity_grid, const FloatArray& target,
         std::vector<int32_t> background, std::vector<int32_t> entities, const GeneticTerms& terms)
      : backend(std::move(cpu)),
        grid(entity_grid),
        search(backend->pool(), grid, target.shape(1), target.shape(0),
               std::vector<float>(target.data(), target.data() + target.size()), std::move(background),
               std::move(entities), terms) {}

  bool add(uint64_t step) {
    py::gil_scoped_release release;
    return search.add(step);
  }
  bool refine(int64_t n, uint64_t step) {
    expect(n >= 0 && n < search.count(), "no such entity");
    py::gil_scoped_release release;
    return search.refine(n, step);
  }
  void put(int64_t n, const IntArray& entity) {
    expect(n >= 0 && n < search.count() && entity.ndim() == 2 && entity.shape(0) == 1,
           "an entity and its place expected");
    search.put(n, checked_entities(grid, entity).data());
  }
  void drop(int64_t count) {
    expect(count >= 0 && count <= search.count(), "at most as many as there are");
    search.drop(count);
  }
  py::tuple weigh(const IntArray& entity, int64_t n) {
    const auto row = checked_entities(grid, entity);
    expect(n >= 0 && n <= search.count() && entity.shape(0) == 1, "one entity and its place expected");
    py::array_t<int32_t> colour(grid.channels);
    const double change = search.weigh(row.data(), n, colour.mutable_data());
    return py::make_tuple(change, colour);
  }
  py::array_t<int32_t> entities() const {
    return py::array_t<int32_t>({search.count(), int64_t(grid.row())}, search.entities().data());
  }
};

std::unique_ptr<Search> make_search(std::shared_ptr<cpu::CpuBackend> cpu, const Grid& given,
                                    const FloatArray& target, const IntArray& background,
                                    const IntArray& entities, std::vector<int32_t> corners, int population,
                                    int generations, int survivors, uint64_t seed) {
  const EntityGrid grid = make_grid(given);
  expect(target.ndim() == 3 && target.shape(2) == grid.channels && target.size() >= 1,
         "target (H, W, C) expected");
  expect(target.shape(0) < kMaxSide && target.shape(1) < kMaxSide && target.size() <= kMaxFloats / 14,
         "target too large");
  expect(population >= 1 && population < 1 << 16 && generations >= 0 && generations < 1 << 15 &&
             survivors >= 1 && survivors <= population,
         "population, generations or survivors out of range");
  expect(!corners.empty(), "corners expected");
  for (int32_t c : corners) expect(corners_fit(grid, c), "corners out of range");
  GeneticTerms terms{population, generations, survivors, seed, std::move(corners)};
  return std::make_unique<Search>(std::move(cpu), grid, target, checked_background(grid, background),
                                  checked_entities(grid, entities), terms);
}

}  // namespace

void bind_genetic(py::module_& m) {
  m.attr("MAX_CORNERS") = kMaxCorners;
  m.def(
      "paint_entities", &paint_entities, py::arg("cpu"), py::arg("grid"), py::arg("background"),
      py::arg("entities"), py::arg("width"), py::arg("height"), py::arg("region"),
      "(H, W, C): entities (n, row) over a background (C), in levels of a grid (vertices, channels, points, "
      "colours, alphas); bit-exact everywhere.");
  py::class_<Search>(m, "GeneticSearch", "A painting in search of its entities; target (H, W, C).")
      .def(py::init(&make_search), py::arg("cpu"), py::arg("grid"), py::arg("target"), py::arg("background"),
           py::arg("entities"), py::arg("corners"), py::arg("population"), py::arg("generations"),
           py::arg("survivors"), py::arg("seed"))
      .def("add", &Search::add, py::arg("step"), "One more entity; false if none lessens the error.")
      .def("refine", &Search::refine, py::arg("n"), py::arg("step"),
           "Entity n searched anew; false if it stays.")
      .def("put", &Search::put, py::arg("n"), py::arg("entity"), "Entity n (1, row) replaced.")
      .def("drop", &Search::drop, py::arg("count"), "Leaves out the last ones.")
      .def("weigh", &Search::weigh, py::arg("entity"), py::arg("n"),
           "(change of the error, best colours) of an entity (1, row) at place n.")
      .def("entities", &Search::entities, "(n, row)")
      .def_property_readonly("error", [](const Search& s) { return s.search.error(); });
}

}  // namespace cppn::bindings
