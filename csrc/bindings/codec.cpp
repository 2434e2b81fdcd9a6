#include "bindings.h"
namespace cppn::bindings { void bind_codec(py::module_&) {} }
