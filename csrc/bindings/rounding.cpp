// Rounding float weights to integers: dense solves, freezing with compensation, integer moves.
#include "../trainers/rounding.h"

#include "../cpu/backend.h"
#include "../cpu/linalg.h"
#include "bindings.h"

namespace cppn::bindings {

namespace {

void expect_square(const DoubleArray& h, py::ssize_t n) {
  expect(h.ndim() == 2 && h.shape(0) == n && h.shape(1) == n, "matrix and vector do not fit");
}

std::vector<double> copy(const DoubleArray& a) { return std::vector<double>(a.data(), a.data() + a.size()); }

DoubleArray to_array(const std::vector<double>& v) { return DoubleArray(py::ssize_t(v.size()), v.data()); }

BitTable make_bits(const DoubleArray& bits, const IntArray& kind, py::ssize_t n, double price) {
  expect(bits.ndim() == 2 && bits.shape(0) >= 1 && bits.shape(1) >= 1, "bits must be (tables, levels)");
  expect(kind.ndim() == 1 && kind.size() == n, "one kind per weight expected");
  for (py::ssize_t i = 0; i < n; ++i)
    expect(kind.data()[i] >= 0 && kind.data()[i] < bits.shape(0), "unknown kind");
  return {bits.data(), int64_t(bits.shape(1)) - 1, kind.data(), price};
}

py::object solve(cpu::CpuBackend& backend, const DoubleArray& a, const DoubleArray& b) {
  expect_square(a, b.size());
  std::vector<double> l = copy(a), x = copy(b);
  bool definite = false;
  Interrupt interrupt;
  {
    py::gil_scoped_release release;
    definite = backend.linalg().cholesky(l.data(), int64_t(x.size()), [&] { return interrupt(); });
    if (definite) cpu::Linalg::solve(l.data(), int64_t(x.size()), x.data());
  }
  interrupt.rethrow();
  return definite ? py::object(to_array(x)) : py::object(py::none());
}

py::object inverse(cpu::CpuBackend& backend, const DoubleArray& a) {
  const py::ssize_t n = a.ndim() == 2 ? a.shape(0) : 0;
  expect_square(a, n);
  std::vector<double> l = copy(a);
  DoubleArray out({n, n});
  double* to = out.mutable_data();
  bool definite = false;
  Interrupt interrupt;
  const Stop stop = [&] { return interrupt(); };
  {
    py::gil_scoped_release release;
    definite =
        backend.linalg().cholesky(l.data(), n, stop) && backend.linalg().inverse(l.data(), n, to, stop);
  }
  interrupt.rethrow();
  return definite ? py::object(out) : py::object(py::none());
}

py::tuple freeze_some(cpu::CpuBackend& backend, const DoubleArray& hinv, const DoubleArray& u, int64_t count,
                      double limit, const DoubleArray& bits, const IntArray& kind, double price) {
  const py::ssize_t n = u.size();
  expect_square(hinv, n);
  const BitTable table = make_bits(bits, kind, n, price);
  std::vector<double> work = copy(hinv), levels = copy(u);
  std::vector<int32_t> fixed(size_t(n), 0);
  Interrupt interrupt;
  {
    py::gil_scoped_release release;
    freeze(work.data(), n, levels.data(), fixed.data(), count, limit, table, backend.dense().minus_outer,
           [&] { return interrupt(); });
  }
  interrupt.rethrow();
  return py::make_tuple(to_array(levels), py::array_t<int32_t>(n, fixed.data()));
}

py::tuple moves(const DoubleArray& hessian, const DoubleArray& g, const DoubleArray& u, int64_t most,
                double limit, const DoubleArray& bits, const IntArray& kind, double price) {
  const py::ssize_t n = u.size();
  expect_square(hessian, n);
  expect(g.size() == n, "gradient and levels do not fit");
  const BitTable table = make_bits(bits, kind, n, price);
  std::vector<double> slope = copy(g), levels = copy(u);
  const double* h = hessian.data();
  double gain = 0;
  int64_t made = 0;
  Interrupt interrupt;
  {
    py::gil_scoped_release release;
    made = integer_moves(h, n, slope.data(), levels.data(), most, limit, table, &gain,
                         [&] { return interrupt(); });
  }
  interrupt.rethrow();
  return py::make_tuple(to_array(levels), made, gain);
}

}  // namespace

void bind_rounding(py::module_& m) {
  m.def("solve", &solve, py::arg("backend"), py::arg("a"), py::arg("b"),
        "x with a x = b, a symmetric positive definite (n, n) float64; None if it is not.");
  m.def("inverse", &inverse, py::arg("backend"), py::arg("a"),
        "The inverse of a symmetric positive definite (n, n) float64 matrix; None if it is not.");
  m.def("freeze", &freeze_some, py::arg("backend"), py::arg("inverse"), py::arg("u"), py::arg("count"),
        py::arg("limit"), py::arg("bits"), py::arg("kind"), py::arg("price"),
        "(u, fixed): `count` weights rounded, cheapest first, the others compensating.");
  m.def("integer_moves", &moves, py::arg("hessian"), py::arg("g"), py::arg("u"), py::arg("most"),
        py::arg("limit"), py::arg("bits"), py::arg("kind"), py::arg("price"),
        "(u, moves, gain): greedy steps of +-1 on the model.");
}

}  // namespace cppn::bindings
