# One object per instruction set and kind of arithmetic. train: contraction allowed (fused multiply-adds);
# render, shapes_render, convolution and filter: forbidden, so that a picture has the same bits everywhere.
# CPPN_ISAS=baseline leaves out what not every processor of the kind has: for builds that should be short.
set(CPPN_ISAS "all" CACHE STRING "Instruction sets to build the CPU kernels for: all or baseline")
set_property(CACHE CPPN_ISAS PROPERTY STRINGS all baseline)
set(CPPN_KERNEL_OBJECTS)

function(cppn_add_kernels isa)
  foreach(kind train render dense layers mlp convolution filter shapes shapes_render peak)
    set(target cppn_${kind}_${isa})
    add_library(${target} OBJECT csrc/cpu/kernels/${kind}.cpp)
    target_compile_definitions(${target} PRIVATE CPPN_ISA=${isa})
    target_compile_options(${target} PRIVATE -O3 -Wall -Wextra -Wno-maybe-uninitialized -Wno-psabi -Wno-ignored-attributes
                                             -fno-math-errno -fno-trapping-math ${ARGN})
    if(kind MATCHES "^(render|convolution|filter|shapes_render)$")
      target_compile_options(${target} PRIVATE -ffp-contract=off)
    else()
      target_compile_options(${target} PRIVATE -ffp-contract=fast)
    endif()
    set(CPPN_KERNEL_OBJECTS ${CPPN_KERNEL_OBJECTS} $<TARGET_OBJECTS:${target}>)
  endforeach()
  set(CPPN_KERNEL_OBJECTS ${CPPN_KERNEL_OBJECTS} PARENT_SCOPE)
endfunction()

cppn_add_kernels(baseline)
if(CPPN_ISAS STREQUAL "all" AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|i[3-6]86")
  cppn_add_kernels(avx2 -mavx2 -mfma)
  cppn_add_kernels(avx512 -mavx2 -mfma -mavx512f -mavx512dq -mavx512vl -mavx512bw -mprefer-vector-width=512)
endif()

add_library(cppn_kernels STATIC ${CPPN_KERNEL_OBJECTS})
if(CPPN_ISAS STREQUAL "baseline")
  target_compile_definitions(cppn_kernels INTERFACE CPPN_BASELINE_ONLY)
elseif(NOT CPPN_ISAS STREQUAL "all")
  message(FATAL_ERROR "CPPN_ISAS is all or baseline, not ${CPPN_ISAS}")
endif()
