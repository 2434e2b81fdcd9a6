// The integers of a list in the order of the file, each with its group and what is expected of it.
#pragma once
#include "list.h"

namespace cppn::codec {

// Of entities. An ellipse: its centre, then right, and the conjugate half-diameter's end by how far it is
// right and below; a polygon: its first corner, then each from the one before.
enum EntityGroup : int {
  in_choices,
  in_alpha,
  in_x,
  in_y,
  in_half,
  in_slant,
  in_rise,
  in_edge,
  in_colour,
  in_other_colour,
  entity_groups
};

// Corners of the choices that are made.
inline std::vector<int32_t> corners_of(const ListRecord& r) {
  std::vector<int32_t> corners;
  if (r.choices & 1) corners.push_back(0);
  if (r.choices & 2) corners.push_back(3);
  if (r.choices & 4) corners.push_back(r.vertices);
  return corners;
}

// visit(group, expected, value&) for every integer; an ellipse's second y is its first.
template <class Row, class Visit>
void walk_entity(const ListRecord& r, const std::vector<int32_t>& corners, Row* e, Visit&& visit) {
  if (corners.size() > 1) {
    int32_t choice = 0;
    while (choice + 1 < int32_t(corners.size()) && corners[size_t(choice)] != e[0]) ++choice;
    visit(in_choices, 0, choice);
    if constexpr (!std::is_const_v<Row>)
      e[0] = corners[size_t(std::min(std::max(choice, 0), int32_t(corners.size()) - 1))];
  } else if constexpr (!std::is_const_v<Row>) {
    e[0] = corners[0];
  }
  visit(in_alpha, 0, e[1]);
  visit(in_x, 0, e[2]);
  visit(in_y, 0, e[3]);
  if (e[0] == 0) {
    visit(in_half, e[2], e[4]);
    if constexpr (!std::is_const_v<Row>) e[5] = e[3];
    visit(in_slant, e[2], e[6]);
    visit(in_rise, e[3], e[7]);
  } else {
    for (int k = 2; k < 2 * e[0]; ++k) visit(in_edge, e[k], e[k + 2]);
  }
  const int colour = r.grid().colour();
  for (int c = 0; c < r.channels; ++c)
    visit(c == 0 ? in_colour : in_other_colour, c == 0 ? 0 : e[colour + c - 1], e[colour + c]);
}

// Of shapes a group is a parameter of the kind, and one more the colours after the first. Rows ascend by
// posx, which is what the order of shapes that only add up is worth.
template <class Row, class Visit>
void walk_shape(const ShapesShape& s, const int32_t* before, Row* e, Visit&& visit) {
  const ShapeParameters table = shape_parameters(s.kind);
  for (int p = 0; p < table.count; ++p) {
    const ShapeField field = table.rows[p].field;
    const int each = s.each(field);
    for (int k = 0; k < each; ++k, ++e) {
      if (field == ShapeField::posx)
        visit(p, before ? before[0] : 0, *e);
      else if (field == ShapeField::colour && k > 0)
        visit(table.count, e[-1], *e);
      else
        visit(p, 0, *e);
    }
  }
}

inline int group_count(const ListRecord& r) {
  return r.type == kEntities ? int(entity_groups) : shape_parameters(r.shape().kind).count + 1;
}

// All rows of a list that is there.
template <class Visit>
void walk(const ListRecord& r, Visit&& visit) {
  const std::vector<int32_t> corners = corners_of(r);
  const ShapesShape s = r.shape();
  const size_t row = size_t(r.row());
  for (int n = 0; n < r.n; ++n) {
    const int32_t* e = r.levels.data() + size_t(n) * row;
    if (r.type == kEntities)
      walk_entity(r, corners, e, visit);
    else
      walk_shape(s, n > 0 ? e - row : nullptr, e, visit);
  }
}

}  // namespace cppn::codec
