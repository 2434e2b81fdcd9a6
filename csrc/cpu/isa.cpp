// Which kernels this machine can run, best first. CPPN_ISA=name in the environment forces one (tests do).
#include <cstdlib>
#include <cstring>

#include "kernels/kernels.h"

namespace cppn::cpu {

#define CPPN_DECLARE(isa)                               \
  extern const TrainKernels train_##isa;                \
  extern const RenderKernels render_##isa;              \
  extern const DenseKernels dense_##isa;                \
  extern const LayerKernels layers_##isa;               \
  extern const MlpKernels mlp_##isa;                    \
  extern const ConvolutionKernels convolution_##isa;    \
  extern const FilterKernels filter_##isa;              \
  extern const ShapesTrainKernels shapes_##isa;         \
  extern const ShapesRenderKernels shapes_render_##isa; \
  extern double (*const peak_##isa)(double);

CPPN_DECLARE(baseline)
#if defined(__x86_64__) || defined(__i386__)
constexpr const char* kBaseline = "sse2";
#ifndef CPPN_BASELINE_ONLY
#define CPPN_AVX
CPPN_DECLARE(avx2)
CPPN_DECLARE(avx512)
#endif
#elif defined(__ARM_NEON)
constexpr const char* kBaseline = "neon";
#else
constexpr const char* kBaseline = "generic";
#endif

namespace {

struct Available {
  Kernels all[3];
  const Kernels* list[3];
  int count = 0;

  void add(const char* isa, int lanes, const TrainKernels& train, const RenderKernels& render,
           const DenseKernels& dense, const LayerKernels& layers, const MlpKernels& mlp,
           const ConvolutionKernels& convolution, const FilterKernels& filter,
           const ShapesTrainKernels& shapes, const ShapesRenderKernels& shapes_render,
           double (*peak)(double)) {
    all[count] = {isa,  lanes,        &train,  &render, &dense,         &layers,
                  &mlp, &convolution, &filter, &shapes, &shapes_render, peak};
    list[count] = &all[count];
    ++count;
  }

  Available() {
#ifdef CPPN_AVX
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
      add("avx512", 16, train_avx512, render_avx512, dense_avx512, layers_avx512, mlp_avx512,
          convolution_avx512, filter_avx512, shapes_avx512, shapes_render_avx512, peak_avx512);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
      add("avx2", 8, train_avx2, render_avx2, dense_avx2, layers_avx2, mlp_avx2, convolution_avx2,
          filter_avx2, shapes_avx2, shapes_render_avx2, peak_avx2);
#endif
    add(kBaseline, 4, train_baseline, render_baseline, dense_baseline, layers_baseline, mlp_baseline,
        convolution_baseline, filter_baseline, shapes_baseline, shapes_render_baseline, peak_baseline);
  }
};

const Available& available() {
  static const Available once;
  return once;
}

}  // namespace

const Kernels* const* available_kernels(int* count) {
  *count = available().count;
  return available().list;
}

const Kernels* kernels_named(const char* isa) {
  for (int i = 0; i < available().count; ++i)
    if (!strcmp(available().list[i]->isa, isa)) return available().list[i];
  return nullptr;
}

}  // namespace cppn::cpu
