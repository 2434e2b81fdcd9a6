// The table of contents of cppn_native._core.
#include "bindings.h"

PYBIND11_MODULE(_core, m) {
  m.doc() =
      "Native kernels, training loops and codec of cppn_native. Arguments are checked by the Python layer.";
  cppn::bindings::bind_machine(m);
  cppn::bindings::bind_cascade(m);
  cppn::bindings::bind_layers(m);
  cppn::bindings::bind_mlp(m);
  cppn::bindings::bind_shapes(m);
  cppn::bindings::bind_convolution(m);
  cppn::bindings::bind_genetic(m);
  cppn::bindings::bind_cuda(m);
  cppn::bindings::bind_rounding(m);
  cppn::bindings::bind_codec(m);
  cppn::bindings::bind_list(m);
  cppn::bindings::bind_waves(m);
}
