// The header of a cascade up to the coder's parameters: everything of a record but its levels.
#pragma once
#include "bits.h"
#include "record.h"

namespace cppn::codec {

inline constexpr int kMagic = 0xc1;  // C, version 1. No text in UTF-8 and no picture format begins with it.
inline constexpr int kVersion = 1;
inline constexpr int kCascadeKind = 1;
inline constexpr int kListKind = 2;
inline constexpr int kWavesKind = 3;

// How many bits, then width - 1 and height - 1 in so many.
void put_sizes(BitWriter& out, int width, int height);
void take_sizes(BitReader& in, int* width, int* height);

void put_header(BitWriter& out, const CascadeRecord& record, int coder);

// Returns the number of the coder.
int take_header(BitReader& in, CascadeRecord& record);

}  // namespace cppn::codec
