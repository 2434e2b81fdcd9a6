// What there is: instruction sets, threads, the table of activations.
#include "../core/activations.h"
#include "../cpu/backend.h"
#include "bindings.h"

namespace cppn::bindings {

void bind_machine(py::module_& m) {
  m.attr("__version__") = CPPN_VERSION;
  m.def(
      "isas",
      [] {
        int count = 0;
        const auto* list = cpu::available_kernels(&count);
        std::vector<std::string> names;
        for (int i = 0; i < count; ++i) names.emplace_back(list[i]->isa);
        return names;
      },
      "Instruction sets this machine can run, best first.");
  m.def("hardware_threads", &cpu::hardware_threads, "Processors this process may use.");
  m.def(
      "activations",
      [] {
        std::vector<std::tuple<std::string, std::string, std::string>> table;
#define CPPN_X(name, formula, text) table.emplace_back(#name, formula, text);
        CPPN_ACTIVATIONS(CPPN_X)
#undef CPPN_X
        return table;
      },
      "(name, formula in z, description) of every activation, in the order of their numbers in a file.");
  m.def(
      "across",
      [] {
        std::vector<std::tuple<std::string, std::string, std::string>> table;
#define CPPN_X(name, formula, text) table.emplace_back(#name, formula, text);
        CPPN_ACROSS(CPPN_X)
#undef CPPN_X
        return table;
      },
      "The same of the functions of all features of a pixel at once, whose numbers follow those of the "
      "activations.");
  m.attr("MAX_NEURONS") = kMaxNeurons;
  m.attr("MAX_CHANNELS") = kMaxChannels;
  m.attr("MAX_OCTAVES") = kMaxOctaves;
}

}  // namespace cppn::bindings
