# One object per instruction set and kind of arithmetic. train: contraction allowed (fused multiply-adds);
# render: forbidden, so that a decoded picture has the same bits everywhere.
set(CPPN_KERNEL_OBJECTS)

function(cppn_add_kernels isa)
  foreach(kind train render dense peak)
    set(target cppn_${kind}_${isa})
    add_library(${target} OBJECT csrc/cpu/kernels/${kind}.cpp)
    target_compile_definitions(${target} PRIVATE CPPN_ISA=${isa})
    target_compile_options(${target} PRIVATE -O3 -Wall -Wextra -Wno-maybe-uninitialized -Wno-psabi -Wno-ignored-attributes
                                             -fno-math-errno -fno-trapping-math ${ARGN})
    if(kind STREQUAL "render")
      target_compile_options(${target} PRIVATE -ffp-contract=off)
    else()
      target_compile_options(${target} PRIVATE -ffp-contract=fast)
    endif()
    set(CPPN_KERNEL_OBJECTS ${CPPN_KERNEL_OBJECTS} $<TARGET_OBJECTS:${target}>)
  endforeach()
  set(CPPN_KERNEL_OBJECTS ${CPPN_KERNEL_OBJECTS} PARENT_SCOPE)
endfunction()

cppn_add_kernels(baseline)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|i[3-6]86")
  cppn_add_kernels(avx2 -mavx2 -mfma)
  cppn_add_kernels(avx512 -mavx2 -mfma -mavx512f -mavx512dq -mavx512vl -mavx512bw -mprefer-vector-width=512)
endif()

add_library(cppn_kernels STATIC ${CPPN_KERNEL_OBJECTS})
