// How the weights of a cascade lie in a GPU's memory, so that kernels read them four at a time.
//
// Neurons are taken in panels of up to 64, whose sums a thread keeps in registers. In a sweep over a panel
// the neuron at hand is always sum 0: when its value v is known, sum i becomes sum i + 1 plus weight i times
// v, so the register array is never indexed by anything but constants and the shift costs nothing. What one
// such step reads is a row of weights, padded to fours:
//   forward   a rectangle: for every earlier node k (inputs, and neurons of earlier panels) the weights from
//   k
//             into the panel's neurons; then a triangle: for neuron first + j those into first + j + 1, ...
//   backward  the same from the other end: for every neuron m of later panels the weights from the panel's
//             neurons, last one first, into m; then for neuron last - 1 - j those from its predecessors
//
// The gradient comes as 8 x 8 tiles (neuron, node) of the triangle, each in 65 slots: the odd one keeps
// threads with neighbouring tiles on different banks.
#pragma once
#include <vector>

#include "../core/cascade.h"

namespace cppn::cuda {

inline constexpr int kPanel = 64;
inline constexpr int kMaxPanels = (kMaxNeurons + kPanel - 1) / kPanel;
inline constexpr int kTileSide = 8;
inline constexpr int kTileWeights = kTileSide * kTileSide;
inline constexpr int kTileSlots = kTileWeights + 1;

CPPN_FN int round_up(int n, int to) { return (n + to - 1) / to * to; }

// Floats of a triangle of rows of rows - 1, ..., 2, 1, each padded to fours.
CPPN_FN int triangle_floats(int rows) {
  const int fours = (rows - 1) / 4, rest = (rows - 1) % 4;
  return 8 * fours * (fours + 1) + 4 * rest * (fours + 1);
}

struct Panel {
  int first, rows;        // neurons first ... first + rows - 1
  int forward, backward;  // where its weights begin, in floats

  CPPN_FN int last() const { return first + rows; }
  CPPN_FN int stride() const { return round_up(rows, 4); }  // of the rectangle's rows
};

// Plain data: kernels take it as an argument.
struct Layout {
  int panels;
  Panel panel[kMaxPanels];
  int floats;  // of all packed weights; a multiple of 4
  int tiles;   // of the gradient

  CPPN_FN int slots() const { return tiles * kTileSlots; }
};

Layout layout_of(const CascadeShape& shape);

// Where each weight goes and where its gradient comes from.
struct Places {
  std::vector<int> forward;    // (K) in the packed weights
  std::vector<int> backward;   // (K) likewise; -1 for weights of inputs, through which nothing flows back
  std::vector<int> weight_of;  // (slots) the weight whose gradient lies there, or -1
};

Places places_of(const CascadeShape& shape, const Layout& layout);

// Tiles are counted by nodes in both directions: rows [8 row, 8 row + 8) of nodes that are neurons, columns
// [8 column, 8 column + 8) of the nodes they see. So the triangle's edge runs through the corners of tiles.
struct TilePlace {
  int row, column;
};

CPPN_FN int first_tile_row(const CascadeShape& s) { return s.inputs / kTileSide; }
CPPN_FN int tile_rows(const CascadeShape& s) { return round_up(s.nodes(), kTileSide) / kTileSide; }

// A node sees those before it: the last of tile row r at most 8 r + 7 of them.
CPPN_FN TilePlace tile_place(int tile, const CascadeShape& s) {
  int row = first_tile_row(s);
  for (; tile > row; ++row) tile -= row + 1;
  return {row, tile};
}

}  // namespace cppn::cuda
