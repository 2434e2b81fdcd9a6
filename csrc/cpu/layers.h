// Dense layers over the plane, on all threads of the CPU.
#pragma once
#include "../core/layers.h"
#include "backend.h"

namespace cppn::cpu {

// out (height, width, outputs of the last layer). The same numbers whatever the number of threads.
void layers_forward(CpuBackend& backend, const std::vector<Layer>& layers, const PlaneInputs& inputs,
                    float* out);

}  // namespace cppn::cpu
