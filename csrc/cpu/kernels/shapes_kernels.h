// The door of the shapes' kernels. A picture is cut into tiles of kTileWidth x kTileHeight pixels, whose
// planes stay in L1; a tile visits only the shapes whose box, and whose range of R, it meets.
#pragma once
#include "../../core/shape_formulas.h"

namespace cppn::cpu {

inline constexpr int kTileWidth = 32, kTileHeight = 16, kTilePixels = kTileWidth * kTileHeight;
inline constexpr int kTilePad = 16;  // of x and of boxes: whole vectors of any width

// What a step or a picture reads. Rows are in the order of drawing: of article, from front to back.
struct ShapesTask {
  const ShapesShape* shape;
  const float* rows;   // (n, stride) values, see ShapeSlot
  const float* boxes;  // (4, padded n): left, right, top, bottom; nothing of a shape lies outside
  int64_t stride, padded;
  const float* x;  // (W, padded to kTileWidth and beyond W as within)
  const float* y;  // (H)
  int64_t width, height;

  const float* target = nullptr;  // (tiles, C, kTilePixels)
  const float* weight = nullptr;  // as target; 0 beyond the picture
  ShapeLoss loss = ShapeLoss::root;

  CPPN_FN int64_t across() const { return (width + kTileWidth - 1) / kTileWidth; }
  CPPN_FN int64_t tiles() const { return across() * ((height + kTileHeight - 1) / kTileHeight); }
};

struct ShapesSums {
  double loss = 0, squares = 0;  // of w e^2 or w |e|, and of e^2
};

struct ShapesTrainKernels {
  int64_t (*scratch_floats)(const ShapesShape&);
  // Adds to sums (n, shape_sums) the derivatives of half of sum w e^2, or of sum w |e|.
  ShapesSums (*gradient)(const ShapesTask&, int64_t tile, int64_t end, float* scratch, double* sums);
  // Of article: adds to means (n, 1 + C) the mask's sum and those of mask times target.
  void (*means)(const ShapesTask&, int64_t tile, int64_t end, float* scratch, double* means);
  // Of article: adds to sums what goes through the colours; pull (n, 1 + C): d mask = pull[0] + sum_c
  // pull[1+c] target.
  void (*through_means)(const ShapesTask&, int64_t tile, int64_t end, float* scratch, const float* pull,
                        double* sums);
};

struct ShapesRenderKernels {
  int64_t (*scratch_floats)(const ShapesShape&);
  // Of article: how far in front every shape is, the smaller the further.
  void (*nearness)(const ShapesShape&, const float* params, float* keys);
  // rows and boxes; row i is of shape number shapes[i].
  void (*prepare)(const ShapesShape&, const float* params, const int32_t* shapes, float* rows, int64_t stride,
                  float* boxes, int64_t padded);
  // out (H, W, C) of the pixels of these tiles: the same bits on every instruction set
  void (*render)(const ShapesTask&, int64_t tile, int64_t end, float* scratch, float* out);
};

}  // namespace cppn::cpu
