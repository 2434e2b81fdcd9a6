"""From bits to the sizes of a network: the hyperparameters of the notebook, with its letters and its quirks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, inf, log2, sqrt

import numpy as np

from .draws import Draws, check_whole

__all__ = ["BITS_PER_VALUE", "BITS_PER_WEIGHT", "HEADS", "KERNEL", "Layer", "Params", "params", "split", "uncompressed"]

KERNEL = 7
BITS_PER_WEIGHT = 5
BITS_PER_VALUE = 4
"""Of a channel of a pixel; the same for a weight of the head."""
HEADS = ("none", "least", "half", "all")
PRECISION = 30
MAX_SIZE = 1024


@dataclass(frozen=True)
class Layer:
    """A convolution of the network, from the input on: its filters, the scale of its weights' distribution, and
    whether every pixel is doubled after it."""

    filters: int
    scale: float
    upsample: bool


@dataclass(frozen=True)
class Params:
    """What a network looks like.

    soph, noise   bits asked for
    size          side of the picture       channels   1 or 3
    depth         convolutions, by the arithmetic (see ``filters``); 0: the head is all there is
    blocks        of convolutions, with a doubling of the side between one and the next
    side          S of the input (S, S, D)  input_depth  its D
    factor        by which the filters decrease from one convolution to the next
    filters       of every convolution as built, the first one first: up to four more than ``depth``, because the
                  blocks before the last all have ceil(depth / blocks) convolutions
    head_weights  4-bit constants that the head puts into the input
    input_bits    bits of noise that a picture takes
    """

    soph: int
    noise: int
    size: int
    channels: int
    depth: int
    blocks: int
    side: int
    input_depth: int
    factor: float
    filters: tuple[int, ...]
    head_weights: int
    input_bits: int

    @property
    def uncompressed(self) -> int:
        """U: the bits of a picture, 4 for every channel of every pixel."""
        return uncompressed(self.size, self.channels)

    @property
    def block_depth(self) -> int:
        """Convolutions in every block but the last."""
        return ceil(self.depth / self.blocks)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Variance grows from block to block; a block but the last ends with a doubling."""
        found = []
        for number, filters in enumerate(self.filters):
            block = min(number // self.block_depth, self.blocks - 1)
            last = block == self.blocks - 1
            scale = (2.0 if last else 1 + (block + 1) / self.blocks) / KERNEL**2
            found.append(Layer(filters, scale, not last and (number + 1) % self.block_depth == 0))
        return tuple(found)

    @property
    def weights(self) -> int:
        """Of all convolutions together."""
        depths = (self.input_depth, *self.filters)
        return KERNEL**2 * sum(a * b for a, b in pairwise(depths))


def uncompressed(size: int = 256, channels: int = 1) -> int:
    """U: bits of an uncompressed picture, 4 for every channel of every pixel; 262144 for the notebook's.

    size      side in pixels: a power of two from 16 to 1024
    channels  1 (shown in a colour map) or 3 (red, green, blue)
    """
    check_whole("size", size, 16, MAX_SIZE, "a power of two")
    if size & (size - 1):
        raise ValueError(f"size must be a power of two from 16 to {MAX_SIZE}, got {size!r}")
    if isinstance(channels, bool) or channels not in (1, 3):
        raise ValueError(f"channels must be 1 or 3, got {channels!r}")
    return int(size) ** 2 * int(channels) * BITS_PER_VALUE


def split(seed: int = 0, *, size: int = 256, channels: int = 1) -> tuple[int, int]:
    """(soph, noise): the bits of a picture cut in three uniformly at random, as the notebook begins.

    The third part, redundancy, is what is left of ``uncompressed(size, channels)``.
    """
    bits = uncompressed(size, channels)
    draws = Draws(seed)
    first, second = (int(draws.integers(bits - 1 - k, 1, k)[0]) for k in range(2))
    second += second >= first  # any place but the first
    low, high = sorted((first, second))
    return low + 1, high - low


def params(soph: int, noise: int, *, size: int = 256, channels: int = 1, head: str | int = "none") -> Params:
    """The network that ``soph`` bits of weights and ``noise`` bits of input make.

    soph, noise  whole numbers of bits, together at most ``uncompressed(size, channels)``
    size         side of the picture: a power of two from 16 to 1024
    channels     1 (shown in a colour map) or 3 (red, green, blue)
    head         the fully connected layer between noise and convolutions that the notebook leaves open. "none": as
                 in the notebook, which needs some noise. A number: so many constants of 4 bits each, paid for by
                 ``soph``, take the place of as many bits of noise. "least": the smallest number with which there
                 is a network, 0 where the notebook has one. "half": as many as half of ``soph`` pays for. "all":
                 no convolutions; every value of the picture is either a constant of 4 bits or 4 bits of noise

    Raises ``ValueError`` for arguments that are none, and where there is no network: too few bits for a single
    convolution, or too few bits of noise for so much sophistication.

    Source: the notebook's ``adhoc_params`` (docs/sophistication.md).
    """
    bits = uncompressed(size, channels)
    for name, value in (("soph", soph), ("noise", noise)):
        check_whole(name, value, 0, bits, "a whole number of bits")
    if soph + noise > bits:
        raise ValueError(f"together, soph and noise must be at most {bits} bits, got {soph} + {noise}")
    soph, noise, size, channels = int(soph), int(noise), int(size), int(channels)
    if head == "half":
        head = soph // (2 * BITS_PER_VALUE)
    if isinstance(head, int | np.integer) and not isinstance(head, bool) and 0 <= head <= soph // BITS_PER_VALUE:
        found = _convolutions(soph, noise, size, channels, int(head))
    elif isinstance(head, str) and head in HEADS:
        found = {"none": _convolutions, "least": _least, "all": _head_alone}[head](soph, noise, size, channels)
    else:
        known = f"one of {', '.join(HEADS)} or a number from 0 to soph // 4 = {soph // BITS_PER_VALUE}"
        raise ValueError(f"head must be {known}, got {head!r}")
    if found is None:
        raise ValueError(f"No parameters associated with soph={soph} and noise={noise}.")
    return found


def _convolutions(soph: int, noise: int, size: int, channels: int, constants: int = 0) -> Params | None:
    """The notebook's choice, ``constants`` of the input being 4-bit weights of a head instead of noise."""
    chosen, highest = 0, 0
    weights = (soph - BITS_PER_VALUE * constants) / BITS_PER_WEIGHT
    for depth, reshape_size in _possible_depths(noise + constants, weights, size, channels):
        blocks = 1 + log2(size / reshape_size)
        if blocks < highest:
            break
        chosen, highest = depth, int(blocks)
    side = size // 2 ** (highest - 1) if highest else 0
    if side == 0:  # a side below one pixel: the notebook divides by zero
        return None
    input_depth = max((noise + constants) // side**2, channels)
    factor = (input_depth / channels) ** (1 / chosen)
    built = max(chosen, (highest - 1) * ceil(chosen / highest))
    filters = [round(input_depth / factor**j) for j in range(1, built + 1)]
    filters[chosen - 1 :] = [max(channels, count) for count in filters[chosen - 1 :]]
    entries = side**2 * input_depth
    input_bits = min(noise, entries) if constants else entries
    return Params(
        soph, noise, size, channels, chosen, highest, side, input_depth, factor,
        tuple(filters), entries - input_bits, input_bits,
    )  # fmt: skip


def _possible_depths(noise: int, weights: float, size: int, channels: int) -> Iterator[tuple[int, float]]:
    """(depth, side of a square input of so much noise) for every depth that goes with them."""
    depth = 1
    while (factor := _depth_to_factor(weights, depth, channels)) is not None:
        reshape_size = sqrt(noise / (channels * factor**depth))
        if size / 2**depth <= reshape_size <= size:
            yield depth, reshape_size
        depth += 1


def _depth_to_factor(weights: float, depth: int, channels: int) -> float | None:
    """The largest factor with which so many convolutions have at most so many weights, by bisection; or None."""
    if KERNEL**2 * channels**2 * depth > weights:  # even with a factor of one
        return None
    low, high = 0.0, 1.0
    for _ in range(PRECISION):
        middle = (low + high) / 2
        if _number_of_weights(depth, 1 / middle, channels) < weights:
            high = middle
        else:
            low = middle
    return 1 / high


def _number_of_weights(depth: int, factor: float, channels: int) -> float:
    """sum_{i=1..depth} (K channels)^2 factor^(2 i - 1), a geometric series."""
    try:
        return KERNEL**2 * channels**2 * factor * (factor ** (2 * depth) - 1) / (factor**2 - 1)
    except OverflowError:
        return inf


def _least(soph: int, noise: int, size: int, channels: int) -> Params | None:
    """The fewest constants with which there is a network: some two dozen at most, or there is none."""
    for constants in range(soph // BITS_PER_VALUE + 1):
        found = _convolutions(soph, noise, size, channels, constants)
        if found is not None:
            return found
        if KERNEL**2 * channels**2 * BITS_PER_WEIGHT > soph - BITS_PER_VALUE * constants:
            break
    return None


def _head_alone(soph: int, noise: int, size: int, channels: int) -> Params | None:
    """A picture whose values are weights or noise; the smallest one that has room for all, then doubled."""
    constants, inputs = soph // BITS_PER_VALUE, noise // BITS_PER_VALUE
    if constants + inputs == 0:
        return None
    side = 1
    while side**2 * channels < constants + inputs:
        side *= 2
    return Params(
        soph, noise, size, channels, 0, 1 + (size // side).bit_length() - 1, side, channels, 1.0, (),
        constants, BITS_PER_VALUE * inputs,
    )  # fmt: skip
