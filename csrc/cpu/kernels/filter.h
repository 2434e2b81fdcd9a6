// A convolution of 3 x 3 with many channels, as the filter behind the waves has them.
//   out[y, x, f] = bend(bias[f] + sum_{i, j, c} w[i, j, c, f] in[y + i - 1, x + j - 1, c]), zero outside
#pragma once
#include <cstdint>

namespace cppn::cpu {

inline constexpr int kChannelsMultiple = 16;  // channels of every layer of a map, filled up with zeros

// What becomes of a sum: itself; max(0, .); added to the other map; or kept where the other map is above 0.
enum class Bend { none, relu, add, gate };

// Maps are (height + 2, width + 2, channels), a border of zeros around them.
struct FilterLayer {
  int64_t height, width;
  int inputs, outputs;   // multiples of kChannelsMultiple
  int used;              // of the inputs; the weights of the others are left out
  const float* weights;  // (3, 3, used, outputs)
  const float* bias;     // (outputs)
  Bend bend;
};

struct FilterKernels {
  // Rows [first, last) of out from in and, if bend asks for it, the other map, which has the size of out and
  // may be it.
  void (*rows)(const FilterLayer&, const float* in, const float* other, float* out, int64_t first,
               int64_t last);
  // sums[x] += factors[k] rows[k stride + x] for x < n, k = 0 ... count - 1 one after the other
  void (*combine)(const float* factors, int64_t count, const float* rows, int64_t stride, int64_t n,
                  float* sums);
};

}  // namespace cppn::cpu
