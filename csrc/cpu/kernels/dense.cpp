// The inner loop of the dense linear algebra in float64 (cpu/linalg.cpp), compiled once for each instruction
// set.
#define CPPN_FAST 1
#include "../vec.h"
#include "kernels.h"

namespace cppn::cpu {
namespace {

typedef double vd __attribute__((vector_size(CPPN_VECTOR_BYTES)));
constexpr int kDoubles = CPPN_VECTOR_BYTES / 8;
#if defined(__AVX512F__)
constexpr int kVectors = 4;
#else
constexpr int kVectors = 2;
#endif

CPPN_FN vd get(const double* p) {
  vd v;
  memcpy(&v, p, sizeof v);
  return v;
}

template <int R>
CPPN_FN void rows_minus_product(double* c, int64_t ldc, const double* a, int64_t lda, const double* b,
                                int64_t ldb, int64_t n, int64_t k) {
  constexpr int kWide = kVectors * kDoubles;
  int64_t j = 0;
  for (; j + kWide <= n; j += kWide) {
    vd sum[R][kVectors];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) sum[r][v] = get(c + r * ldc + j + v * kDoubles);
    for (int64_t q = 0; q < k; ++q) {
      vd row[kVectors];
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) row[v] = get(b + q * ldb + j + v * kDoubles);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        const vd x = vd{} + a[r * lda + q];
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) sum[r][v] -= x * row[v];
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) memcpy(c + r * ldc + j + v * kDoubles, &sum[r][v], sizeof(vd));
  }
  for (; j < n; ++j)
    for (int r = 0; r < R; ++r) {
      double sum = c[r * ldc + j];
      for (int64_t q = 0; q < k; ++q) sum -= a[r * lda + q] * b[q * ldb + j];
      c[r * ldc + j] = sum;
    }
}

// c (m, n) -= a (m, k) b (k, n), all row-major
void minus_product(double* c, int64_t ldc, const double* a, int64_t lda, const double* b, int64_t ldb,
                   int64_t m, int64_t n, int64_t k) {
  int64_t i = 0;
  for (; i + 4 <= m; i += 4) rows_minus_product<4>(c + i * ldc, ldc, a + i * lda, lda, b, ldb, n, k);
  for (; i < m; ++i) rows_minus_product<1>(c + i * ldc, ldc, a + i * lda, lda, b, ldb, n, k);
}

// c (n, n) -= scale h h^T
void minus_outer(double* c, int64_t ldc, const double* h, double scale, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const double x = h[i] * scale;
    double* row = c + i * ldc;
    for (int64_t j = 0; j < n; ++j) row[j] -= x * h[j];
  }
}

}  // namespace

#define CPPN_JOIN2(a, b) a##b
#define CPPN_JOIN(a, b) CPPN_JOIN2(a, b)
extern const DenseKernels CPPN_JOIN(dense_, CPPN_ISA);
const DenseKernels CPPN_JOIN(dense_, CPPN_ISA) = {minus_product, minus_outer};

}  // namespace cppn::cpu
