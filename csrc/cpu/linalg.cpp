#include "linalg.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <vector>

namespace cppn::cpu {

namespace {
constexpr int64_t kPanel = 64;
}

bool Linalg::cholesky(double* a, int64_t n, const Stop& stop) {
  std::vector<double> panel(size_t(kPanel * n));  // the panel transposed: (width, rows below)
  for (int64_t k = 0; k < n; k += kPanel) {
    if (stop && stop()) return false;
    const int64_t width = std::min(kPanel, n - k), below = k + width, rows = n - below;
    for (int64_t j = k; j < below; ++j) {  // the diagonal block, column by column
      double d = a[j * n + j];
      for (int64_t q = k; q < j; ++q) d -= a[j * n + q] * a[j * n + q];
      if (!(d > 0)) return false;
      a[j * n + j] = d = std::sqrt(d);
      for (int64_t i = j + 1; i < below; ++i) {
        double sum = a[i * n + j];
        for (int64_t q = k; q < j; ++q) sum -= a[i * n + q] * a[j * n + q];
        a[i * n + j] = sum / d;
      }
    }
    const int64_t tiles = (rows + kPanel - 1) / kPanel;
    pool_.run(tiles, [&](int64_t tile, int) {
      for (int64_t i = below + tile * kPanel; i < std::min(n, below + (tile + 1) * kPanel); ++i)
        for (int64_t j = k; j < below; ++j) {
          double sum = a[i * n + j];
          for (int64_t q = k; q < j; ++q) sum -= a[i * n + q] * a[j * n + q];
          a[i * n + j] = sum / a[j * n + j];
          panel[size_t((j - k) * rows + i - below)] = a[i * n + j];
        }
    });
    pool_.run(tiles, [&](int64_t task, int) {
      const int64_t tile = tiles - 1 - task, i = tile * kPanel, m = std::min(kPanel, rows - i);
      kernels_.minus_product(a + (below + i) * n + below, n, a + (below + i) * n + k, n, panel.data(), rows,
                             m, i + m, width);
    });
  }
  return true;
}

void Linalg::solve(const double* l, int64_t n, double* x) {
  for (int64_t i = 0; i < n; ++i) {
    double sum = x[i];
    for (int64_t k = 0; k < i; ++k) sum -= l[i * n + k] * x[k];
    x[i] = sum / l[i * n + i];
  }
  for (int64_t i = n - 1; i >= 0; --i) {
    x[i] /= l[i * n + i];
    for (int64_t k = 0; k < i; ++k) x[k] -= l[i * n + k] * x[i];
  }
}

// First X = L^-1 row block by row block, then X^T X.
bool Linalg::inverse(const double* l, int64_t n, double* out, const Stop& stop) {
  std::vector<double> x(size_t(n * n)), minus_xt(size_t(n * n));
  for (int64_t i0 = 0; i0 < n; i0 += kPanel) {
    if (stop && stop()) return false;
    const int64_t i1 = std::min(n, i0 + kPanel), tiles = (i1 + kPanel - 1) / kPanel;
    pool_.run(tiles, [&](int64_t tile, int) {
      const int64_t j0 = tile * kPanel, j1 = std::min(i1, j0 + kPanel);
      for (int64_t i = i0; i < i1; ++i)
        if (i >= j0 && i < j1) x[size_t(i * n + i)] = 1;
      if (i0 > j0)  // rows above column block j0 are zero
        kernels_.minus_product(&x[size_t(i0 * n + j0)], n, l + i0 * n + j0, n, &x[size_t(j0 * n + j0)], n,
                               i1 - i0, j1 - j0, i0 - j0);
      for (int64_t i = i0; i < i1; ++i)
        for (int64_t j = j0; j < j1; ++j) {
          double sum = x[size_t(i * n + j)];
          for (int64_t k = i0; k < i; ++k) sum -= l[i * n + k] * x[size_t(k * n + j)];
          x[size_t(i * n + j)] = sum / l[i * n + i];
        }
    });
  }
  const int64_t tiles = (n + kPanel - 1) / kPanel;
  pool_.run(tiles, [&](int64_t tile, int) {
    for (int64_t i = tile * kPanel; i < std::min(n, (tile + 1) * kPanel); ++i)
      for (int64_t k = 0; k < n; ++k) minus_xt[size_t(i * n + k)] = k < i ? 0.0 : -x[size_t(k * n + i)];
  });
  std::fill(out, out + n * n, 0.0);
  std::atomic<bool> stopped{false};
  pool_.run(tiles, [&](int64_t tile, int thread) {
    if (thread == 0 && stop && stop()) stopped = true;  // thread 0 is the caller
    if (stopped) return;
    const int64_t i = tile * kPanel, m = std::min(kPanel, n - i);
    kernels_.minus_product(out + i * n, n, &minus_xt[size_t(i * n + i)], n, &x[size_t(i * n)], n, m, i + m,
                           n - i);
  });
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < i; ++j) out[j * n + i] = out[i * n + j];
  return !stopped;
}

}  // namespace cppn::cpu
