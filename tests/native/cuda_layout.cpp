// Packs the weights of networks of every size as the CUDA kernels have them, and looks whether they find
// their way: each has one place forward, each between neurons one backward, each one sum of the gradient, and
// nobody shares. Then it walks the packed weights as csrc/cuda/layout.h describes and finds them in order.
#include "../../csrc/cuda/layout.h"

#include <cstdio>
#include <cstdlib>

using namespace cppn;
using namespace cppn::cuda;

namespace {

CascadeShape shape;

void expect(bool holds, const char* what) {
  if (holds) return;
  std::printf("%d neurons, %d inputs: %s\n", shape.neurons, shape.inputs, what);
  std::exit(1);
}

int weight(int n, int k) { return int(shape.row(n)) + k; }

// Takes a place, which nobody may have taken before and which must be in the packed weights.
void take(std::vector<bool>& taken, int place) {
  expect(place >= 0 && place < int(taken.size()), "a place outside of the packed weights");
  expect(!taken[size_t(place)], "a place taken twice");
  taken[size_t(place)] = true;
}

void check_places(const Layout& layout, const Places& places) {
  const size_t weights = size_t(shape.weights());
  expect(places.forward.size() == weights && places.backward.size() == weights, "a place for every weight");
  std::vector<bool> taken(size_t(layout.floats), false);
  for (int n = 0; n < shape.neurons; ++n)
    for (int k = 0; k < shape.inputs + n; ++k) {
      take(taken, places.forward[size_t(weight(n, k))]);
      const int backward = places.backward[size_t(weight(n, k))];
      if (k < shape.inputs)
        expect(backward == -1, "a weight of an input has a place backward");
      else
        take(taken, backward);
    }
}

void check_gradient(const Layout& layout, const Places& places) {
  expect(places.weight_of.size() == size_t(layout.slots()), "a weight or none for every slot");
  std::vector<bool> summed(size_t(shape.weights()), false);
  for (int slot = 0; slot < layout.slots(); ++slot) {
    const int i = places.weight_of[size_t(slot)], in_tile = slot % kTileSlots;
    if (i < 0) continue;
    expect(i < int(summed.size()) && !summed[size_t(i)], "a weight has two sums of the gradient, or is none");
    summed[size_t(i)] = true;
    const TilePlace at = tile_place(slot / kTileSlots, shape);
    const int n = kTileSide * at.row + in_tile / kTileSide - shape.inputs;
    const int k = kTileSide * at.column + in_tile % kTileSide;
    expect(in_tile < kTileWeights && n >= 0 && n < shape.neurons, "a sum that no thread makes");
    expect(i == weight(n, k), "a sum of other nodes");
  }
  for (const bool one : summed) expect(one, "a weight without a sum of the gradient");
}

// The reading order of the sweeps: rows of a width that is a multiple of four, one after the other.
void check_reading(const Layout& layout, const Places& places) {
  int neurons = 0;
  for (int i = 0; i < layout.panels; ++i) {
    const Panel& p = layout.panel[i];
    expect(p.first == neurons && p.rows >= 1 && p.rows <= kPanel, "panels one after the other");
    expect(p.forward % 4 == 0 && p.backward % 4 == 0, "four floats are read at once");
    neurons = p.last();
    const int before = shape.inputs + p.first;
    int at = p.forward;
    for (int k = 0; k < before; ++k, at += p.stride())
      for (int j = 0; j < p.rows; ++j)
        expect(places.forward[size_t(weight(p.first + j, k))] == at + j, "forward, the rectangle");
    for (int j = 0; j + 1 < p.rows; at += round_up(p.rows - 1 - j, 4), ++j)
      for (int m = j + 1; m < p.rows; ++m)
        expect(places.forward[size_t(weight(p.first + m, before + j))] == at + m - j - 1,
               "forward, the triangle");
    at = p.backward;
    for (int m = p.last(); m < shape.neurons; ++m, at += p.stride())
      for (int j = 0; j < p.rows; ++j)
        expect(places.backward[size_t(weight(m, shape.inputs + p.last() - 1 - j))] == at + j,
               "backward, the rectangle");
    for (int j = 0; j + 1 < p.rows; at += round_up(p.rows - 1 - j, 4), ++j)
      for (int m = j + 1; m < p.rows; ++m)
        expect(places.backward[size_t(weight(p.last() - 1 - j, shape.inputs + p.last() - 1 - m))] ==
                   at + m - j - 1,
               "backward, the triangle");
    expect(at <= layout.floats, "a row is read past the end");
  }
  expect(neurons == shape.neurons, "panels of all neurons");
}

}  // namespace

int main() {
  int networks = 0;
  for (const int inputs : {3, 4, 7, 8, 11, 31, 32})
    for (int neurons = 1; neurons <= kMaxNeurons; ++neurons, ++networks) {
      shape = CascadeShape{};
      shape.inputs = inputs;
      shape.neurons = neurons;
      const Layout layout = layout_of(shape);
      const Places places = places_of(shape, layout);
      expect(layout.floats % 4 == 0, "four floats are read at once");
      check_places(layout, places);
      check_gradient(layout, places);
      check_reading(layout, places);
    }
  std::printf("%d networks\n", networks);
}
