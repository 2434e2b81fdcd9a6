// The table of coders. A position is a number in the file: append only.
#include "coders.h"

namespace cppn::codec {

const Coder kCoders[kCoderCount] = {
    {"mixed-radix", write_mixed_radix, read_mixed_radix},
    {"static", write_static, read_static},
    {"learning", write_learning, read_learning},
};

}  // namespace cppn::codec
