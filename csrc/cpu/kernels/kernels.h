// The door between the CPU backend and its kernels: one table of functions for each instruction set.
//   first, last   the pixels to visit, last exclusive
//   w             (N, stride) rows of the weight triangle, unpacked and padded: weight_stride(shape)
//   scratch       scratch_floats(shape) floats, aligned to 64 bytes, one per thread
#pragma once
#include <cstddef>
#include <cstdint>

#include "../../core/adam.h"
#include "../../core/cascade.h"
#include "../../core/layers.h"

namespace cppn::cpu {

CPPN_FN int weight_stride(const CascadeShape& s) { return (s.nodes() + 15) / 16 * 16; }

struct TrainKernels {
  int64_t (*scratch_floats)(const CascadeShape&);
  // loss = kappa sum (a - target)^2 over the visited pixels, target (C, pixels.count); grad (K) = dloss/dw
  double (*gradient)(const CascadeShape&, const float* w, Pixels, const float* target, int64_t first,
                     int64_t last, float* scratch, float* grad);
  // The loss alone.
  double (*loss)(const CascadeShape&, const float* w, Pixels, const float* target, int64_t first,
                 int64_t last, float* scratch);
  // nodes (count, row) = inputs and activations, slopes (C, count, N) = d a[output c] / d z[n]; pixel-major,
  // for the normal equations.
  void (*jacobian)(const CascadeShape&, const float* w, Pixels, int64_t first, int64_t last, float* scratch,
                   float* nodes, int64_t node_stride, float* slopes, int64_t slope_plane);
  // The rows of neuron n: out (D+n, stride) += sum_p a[p, i] (sum_c g_c[p, n] g_c[p, m]) a[p, j] for all m <=
  // n; panel (count * (panel_stride + 64)) is scratch, panel_stride and stride at least row(n+1) + 64,
  // multiples of 16
  void (*normal_rows)(const CascadeShape&, int n, const float* nodes, int64_t node_stride,
                      const float* slopes, int64_t slope_plane, int64_t count, float* panel,
                      int64_t panel_stride, float* out, int64_t stride);
  // Fraction q to be quantized: the s of core/quantize.h
  float (*quantization_scale)(const float* u, int64_t count, float q);
};

struct RenderKernels {
  int64_t (*scratch_floats)(const CascadeShape&);
  // out (last - first, C), float activations of the output neurons, bit-exact on every instruction set
  void (*render)(const CascadeShape&, const float* w, Pixels, int64_t first, int64_t last, float* scratch,
                 float* out);
  // out (last - first, C) bytes: floor(256 a), 0 where a is below 0 or no number, 255 where it is 1 or above
  void (*render_bytes)(const CascadeShape&, const float* w, Pixels, int64_t first, int64_t last,
                       float* scratch, uint8_t* out);
  // out (N, out_stride): the activation of every neuron; column 0 is pixel `first`
  void (*activations)(const CascadeShape&, const float* w, Pixels, int64_t first, int64_t last,
                      float* scratch, float* out, int64_t out_stride);
};

struct DenseKernels {
  // c (m, n) -= a (m, k) b (k, n)
  void (*minus_product)(double* c, int64_t ldc, const double* a, int64_t lda, const double* b, int64_t ldb,
                        int64_t m, int64_t n, int64_t k);
  // c (n, n) -= scale h h^T
  void (*minus_outer)(double* c, int64_t ldc, const double* h, double scale, int64_t n);
};

struct LayerKernels {
  int64_t (*scratch_floats)(const Layer* layers, int count);
  // out (last - first, outputs of the last layer), pixels row by row
  void (*forward)(const Layer* layers, int count, const PlaneInputs&, int64_t first, int64_t last,
                  float* scratch, float* out);
};

struct MlpKernels;          // mlp_kernels.h
struct ConvolutionKernels;  // convolution.h
struct FilterKernels;       // filter.h
struct ShapesTrainKernels;  // shapes_kernels.h
struct ShapesRenderKernels;

struct Kernels {
  const char* isa;
  int lanes;
  const TrainKernels* train;
  const RenderKernels* render;
  const DenseKernels* dense;
  const LayerKernels* layers;
  const MlpKernels* mlp;
  const ConvolutionKernels* convolution;
  const FilterKernels* filter;
  const ShapesTrainKernels* shapes;
  const ShapesRenderKernels* shapes_render;
  double (*peak)(double seconds);  // GFLOP/s of multiply-adds from registers, one thread
};

// Best first; only those this machine can run.
const Kernels* const* available_kernels(int* count);
const Kernels* kernels_named(const char* isa);  // nullptr: not here

}  // namespace cppn::cpu
