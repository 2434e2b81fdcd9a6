// Lists of entities and of shapes in a .cppn file (kind 2). docs/format.md is the specification of the bytes.
//   n rows of integers; every integer belongs to a group, is predicted from others of its row or the row
//   before, and its residual is coded as the group's code says
#pragma once
#include <cstdint>
#include <vector>

#include "../core/entity.h"
#include "../core/shapes.h"
#include "container.h"

namespace cppn::codec {

inline constexpr int kMaxRows = 65535;
inline constexpr int kMaxListLevel = 8191;  // of a shape's levels; residuals stay in a prior's range
inline constexpr int32_t kMaxPoints = 8192;
inline constexpr int32_t kMaxShades = 1024;  // of colours and alphas
inline constexpr int kEntities = 0;          // the type: entities, or 1 + the kind of shapes

struct ListRecord {
  int type = kEntities;
  int width = 1, height = 1, channels = 3;
  // entities: what they may be (a bit each for ellipse, triangle, polygon), their grid, what is below them
  int choices = 1;
  int vertices = 5, points = 4096, colours = 256, alphas = 256;
  std::vector<int32_t> background = {0, 0, 0};
  // shapes: formula, terms, and the resolution of points; a step, by code, for every parameter of their kind
  int formula = 0, terms = 0, resolution = 1;
  std::vector<int32_t> steps;

  int n = 0;
  std::vector<int32_t> levels;  // (n, row())

  EntityGrid grid() const;
  ShapesShape shape() const;
  int row() const;
};

// Throws std::invalid_argument naming the field that no file can hold.
void check(const ListRecord& record);

// quick: with codes that are found sooner, some bytes more.
std::vector<uint8_t> encode_list(const ListRecord& record, bool quick = false);
// Throws FormatError, and nothing else, for bytes that are not such a file. It makes room row by row.
ListRecord decode_list(const uint8_t* data, size_t size, FileInfo* info = nullptr);

}  // namespace cppn::codec
