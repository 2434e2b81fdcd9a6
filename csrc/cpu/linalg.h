// Symmetric positive definite systems of some thousand unknowns, float64, row-major. Our own because the
// result must not depend on the number of threads, which no BLAS promises. Every element is one fixed
// sequence of operations; threads only share out the elements.
#pragma once
#include <cstdint>

#include "../backend.h"
#include "kernels/kernels.h"
#include "pool.h"

namespace cppn::cpu {

class Linalg {
 public:
  Linalg(const DenseKernels& kernels, Pool& pool) : kernels_(kernels), pool_(pool) {}

  // a (n, n) = L L^T; L replaces the lower triangle. False if a is not positive definite, or if stop() was
  // true.
  bool cholesky(double* a, int64_t n, const Stop& stop);
  // x (n) <- (L L^T)^-1 x
  static void solve(const double* l, int64_t n, double* x);
  // out (n, n) = (L L^T)^-1, both triangles; false if stop() was true
  bool inverse(const double* l, int64_t n, double* out, const Stop& stop);

 private:
  const DenseKernels& kernels_;
  Pool& pool_;
};

}  // namespace cppn::cpu
