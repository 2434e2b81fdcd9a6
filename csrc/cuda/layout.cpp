#include "layout.h"

namespace cppn::cuda {

namespace {

int triangle_row(const Panel& p, int j) { return triangle_floats(p.rows) - triangle_floats(p.rows - j); }

const Panel& panel_of(const Layout& layout, int neuron) {
  int i = 0;
  while (neuron >= layout.panel[i].last()) ++i;
  return layout.panel[i];
}

// Of the weight from node k into neuron n.
int forward_place(const CascadeShape& s, const Layout& layout, int n, int k) {
  const Panel& p = panel_of(layout, n);
  const int before = s.inputs + p.first, i = n - p.first;
  if (k < before) return p.forward + k * p.stride() + i;
  const int j = k - before;
  return p.forward + before * p.stride() + triangle_row(p, j) + (i - j - 1);
}

// Of the weight from neuron c into neuron n.
int backward_place(const CascadeShape& s, const Layout& layout, int n, int c) {
  const Panel& p = panel_of(layout, c);
  if (n >= p.last()) return p.backward + (n - p.last()) * p.stride() + (p.last() - 1 - c);
  const int after = s.neurons - p.last(), j = p.last() - 1 - n;
  return p.backward + after * p.stride() + triangle_row(p, j) + (n - 1 - c);
}

}  // namespace

Layout layout_of(const CascadeShape& s) {
  Layout layout{};
  layout.panels = (s.neurons + kPanel - 1) / kPanel;
  const int rows = (s.neurons + layout.panels - 1) / layout.panels;
  for (int i = 0; i < layout.panels; ++i) {
    Panel& p = layout.panel[i];
    p.first = i * rows;
    p.rows = rows < s.neurons - p.first ? rows : s.neurons - p.first;
    p.forward = layout.floats;
    layout.floats += (s.inputs + p.first) * p.stride() + triangle_floats(p.rows);
  }
  for (int i = 0; i < layout.panels; ++i) {
    Panel& p = layout.panel[i];
    p.backward = layout.floats;
    layout.floats += (s.neurons - p.last()) * p.stride() + triangle_floats(p.rows);
  }
  for (int row = first_tile_row(s); row < tile_rows(s); ++row) layout.tiles += row + 1;
  return layout;
}

Places places_of(const CascadeShape& s, const Layout& layout) {
  Places places;
  places.weight_of.assign(size_t(layout.slots()), -1);
  for (int n = 0; n < s.neurons; ++n)
    for (int k = 0; k < s.inputs + n; ++k) {
      places.forward.push_back(forward_place(s, layout, n, k));
      places.backward.push_back(k < s.inputs ? -1 : backward_place(s, layout, n, k - s.inputs));
    }
  for (int t = 0; t < layout.tiles; ++t) {
    const TilePlace at = tile_place(t, s);
    for (int e = 0; e < kTileWeights; ++e) {
      const int node = kTileSide * at.row + e / kTileSide, k = kTileSide * at.column + e % kTileSide;
      const int n = node - s.inputs;
      if (n >= 0 && n < s.neurons && k < node)
        places.weight_of[size_t(t * kTileSlots + e)] = int(s.row(n)) + k;
    }
  }
  return places;
}

}  // namespace cppn::cuda
