# The CUDA backend, target cppn_cuda. CPPN_CUDA: AUTO builds it where a fitting nvcc is found, ON insists, OFF
# leaves it out. EMULATED builds the same sources for the processor, every CUDA thread a fiber: for tests only.
set(CPPN_CUDA "AUTO" CACHE STRING "Build the CUDA kernels: AUTO, ON, OFF (or EMULATED, for tests)")
set_property(CACHE CPPN_CUDA PROPERTY STRINGS AUTO ON OFF EMULATED)

set(CPPN_CUDA_KERNELS gradient elementwise render peak)
set(CPPN_CUDA_EXACT elementwise render) # no contraction: the same bits as on the CPU
list(TRANSFORM CPPN_CUDA_KERNELS REPLACE "(.+)" "csrc/cuda/kernels/\\1.cu" OUTPUT_VARIABLE CPPN_CUDA_SOURCES)
set(CPPN_CUDA_HOST_SOURCES csrc/cuda/backend.cpp csrc/cuda/descent.cpp csrc/cuda/devices.cpp csrc/cuda/layout.cpp
                           csrc/cuda/memory.cpp csrc/cuda/plan.cpp)

function(cppn_add_cuda)
  add_library(cppn_cuda STATIC ${CPPN_CUDA_HOST_SOURCES} ${CPPN_CUDA_SOURCES})
  set_target_properties(cppn_cuda PROPERTIES CUDA_ARCHITECTURES "${CMAKE_CUDA_ARCHITECTURES}" CUDA_STANDARD 17
                                             CUDA_RUNTIME_LIBRARY Static CUDA_VISIBILITY_PRESET hidden)
  target_include_directories(cppn_cuda PRIVATE ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES})
  target_compile_options(cppn_cuda PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra>
                                           $<$<COMPILE_LANGUAGE:CUDA>:-Xptxas=-v;--threads=0>)
  foreach(kernel ${CPPN_CUDA_EXACT})
    set_source_files_properties(csrc/cuda/kernels/${kernel}.cu PROPERTIES COMPILE_OPTIONS -fmad=false)
  endforeach()
  # Denormals are zero in training, as on the CPU; it makes exp2f one instruction.
  set_source_files_properties(csrc/cuda/kernels/gradient.cu PROPERTIES COMPILE_OPTIONS -ftz=true)
endfunction()

function(cppn_add_emulated_cuda)
  file(GLOB emulator CONFIGURE_DEPENDS tests/native/cuda_emulator/*.cpp)
  list(FILTER emulator EXCLUDE REGEX selftest)
  set_source_files_properties(${CPPN_CUDA_SOURCES} PROPERTIES LANGUAGE CXX)
  add_library(cppn_cuda STATIC ${CPPN_CUDA_HOST_SOURCES} ${CPPN_CUDA_SOURCES} ${emulator})
  target_include_directories(cppn_cuda PRIVATE tests/native/cuda_emulator)
  # Without contraction everywhere: a baseline processor has none.
  target_compile_options(cppn_cuda PRIVATE -O2 -ffp-contract=off -Wno-unknown-pragmas -Wno-psabi)
  foreach(source ${CPPN_CUDA_SOURCES})
    set_property(SOURCE ${source} APPEND PROPERTY COMPILE_OPTIONS -x c++)
  endforeach()
endfunction()

if(CPPN_CUDA STREQUAL "EMULATED")
  cppn_add_emulated_cuda()
elseif(CPPN_CUDA STREQUAL "OFF")
  message(STATUS "CUDA kernels: left out (CPPN_CUDA=OFF)")
else()
  include(CheckLanguage)
  check_language(CUDA)
  # Every generation by name, so that nothing is compiled at first use; and PTX for those yet to come.
  if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES 75-real 80-real 86-real 89-real 90-real 90-virtual)
  endif()
  if(CMAKE_CUDA_COMPILER)
    enable_language(CUDA)
  endif()
  if(CMAKE_CUDA_COMPILER AND NOT CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 12.0)
    cppn_add_cuda()
    message(STATUS "CUDA kernels: nvcc ${CMAKE_CUDA_COMPILER_VERSION}, for ${CMAKE_CUDA_ARCHITECTURES}")
  elseif(CPPN_CUDA STREQUAL "ON")
    message(FATAL_ERROR "CPPN_CUDA=ON, but nvcc 12.0 or later was not found")
  else()
    message(STATUS "CUDA kernels: left out, nvcc 12.0 or later was not found")
  endif()
endif()
