// Sizes of a convolution, and how its planes and weights lie in memory.
//   C inputs, F filters, H rows, W columns, K = 7
//   out[f,y,x] = max(0, sum_{c,i,j} w[f,c,i,j] in[c, y + i - 3, x + j - 3]), zero outside the picture
#pragma once
#include <cstdint>

namespace cppn::cpu {

inline constexpr int kKernel = 7;
inline constexpr int kBorder = kKernel / 2;
inline constexpr int kTaps = kKernel * kKernel;
inline constexpr int64_t kSlack = 64;  // floats behind the last plane that a vector may read

struct ConvolutionShape {
  int inputs, filters;
  int64_t height, width;
};

// Planes carry a border of kBorder zeros, so that no tap has to ask where it is.
inline int64_t plane_stride(int64_t width) { return (width + 2 * kBorder + 15) / 16 * 16; }
inline int64_t plane_floats(int64_t height, int64_t width) {
  return (height + 2 * kBorder) * plane_stride(width);
}

// Filters are computed in groups of at most four, which share what they load; 5 is 2 + 3, not 4 + 1.
inline int filter_groups(int filters) { return (filters + 3) / 4; }
inline int group_begin(int filters, int group) { return filters * group / filter_groups(filters); }

struct ConvolutionKernels {
  // Rows [first, last) of out (F planes) from in (C planes); w in groups: (group, C, 7, 7, filters of the
  // group)
  void (*rows)(const ConvolutionShape&, const float* w, const float* in, float* out, int64_t first,
               int64_t last);
};

}  // namespace cppn::cpu
