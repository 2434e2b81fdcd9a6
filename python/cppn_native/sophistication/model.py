"""A random network: weights drawn from a quantized Laplace distribution, and the pictures it makes of noise."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..devices import open_cpu
from .draws import Draws
from .parameters import BITS_PER_VALUE, BITS_PER_WEIGHT, KERNEL, Params

__all__ = ["LEVELS", "QUANTILES", "RandomModel", "quantiles", "random_bits", "random_model"]

Floats: TypeAlias = NDArray[np.float32]
Values: TypeAlias = NDArray[np.float64]
QUANTILES = 2**BITS_PER_WEIGHT + 1
LEVELS = 2**BITS_PER_VALUE

HEAD, FIRST_LAYER, FIRST_INPUT = 0, 1, 1 << 32
"""Streams of random numbers."""


@dataclass(frozen=True)
class RandomModel:
    """A network that makes pictures of bits.

    params   what it looks like
    weights  (F, C, 7, 7) float32 of every convolution
    head     (params.head_weights,) uint8: levels 0 to 15
    """

    params: Params
    weights: tuple[Floats, ...]
    head: NDArray[np.uint8]

    def values(self, bits: NDArray[np.uint8], threads: int | None = None) -> Values:
        """(B, channels, size, size) float64 in [0, 1]: pictures of ``bits`` (B, params.input_bits), each 0 or 1.

        Of the head alone k / 15 for k = 0 to 15. Through convolutions tanh(z / 2) = 2 sigmoid(z) - 1: a sigmoid after a
        ReLU lies in [1/2, 1], and is so close to 1/2 in deep networks (z = 1e-12) that its own float32 would be flat.

        Without a constant in the input every bit is an entry of the input; with some, they are spread evenly among
        the bits. The same bits and weights give the same picture on every instruction set and number of threads.
        """
        p = self.params
        bits = np.asarray(bits, np.uint8)
        if bits.ndim != 2 or bits.shape[1] != p.input_bits:
            raise ValueError(f"bits must be (pictures, {p.input_bits}), got {bits.shape}")
        if not p.filters:
            return self._of_the_head(bits)
        entries = self._entries(bits.astype(np.float32))
        start = entries.reshape(-1, p.input_depth, p.side, p.side)
        layers = [(w, layer.upsample) for w, layer in zip(self.weights, p.layers, strict=True)]
        sums = _core.convolve(open_cpu(threads), start, layers)
        return np.asarray(np.tanh(0.5 * sums.astype(np.float64)))

    def _entries(self, noise: NDArray[Any]) -> NDArray[Any]:
        """(B, n) noise and the head's constants: (B, n + h), evenly mixed, in this order whatever the picture."""
        total = noise.shape[1] + len(self.head)
        entries = np.empty((len(noise), total), noise.dtype)
        due = np.arange(total + 1) * noise.shape[1] // total
        is_noise = due[1:] > due[:-1]
        entries[:, is_noise] = noise
        entries[:, ~is_noise] = self.head / (LEVELS - 1)
        return entries

    def _of_the_head(self, bits: NDArray[np.uint8]) -> Values:
        """Four bits, the highest first, are a level; levels fill the input, in order, and pixels are doubled."""
        p = self.params
        levels = bits.reshape(len(bits), -1, BITS_PER_VALUE) @ np.array([8, 4, 2, 1])
        entries = self._entries(levels / (LEVELS - 1))
        places = p.side**2 * p.channels
        filled = entries[:, np.arange(places) * entries.shape[1] // places]
        small = filled.reshape(len(bits), p.side, p.side, p.channels).transpose(0, 3, 1, 2)
        times = p.size // p.side
        return np.ascontiguousarray(small.repeat(times, axis=2).repeat(times, axis=3))


def quantiles(scale: float) -> NDArray[np.float64]:
    """(33,) values of a weight: scale log(2 (i + 1) / 34), i = 0 to 15, then 0, then the same with a plus.

    All are equally likely, so that weights follow a Laplace distribution of this scale.
    """
    negative = [scale * log(2 * (i + 1) / (QUANTILES + 1)) for i in range(QUANTILES // 2)]
    return np.array([*negative, 0.0, *(-q for q in negative)])


def random_model(params: Params, seed: int = 0) -> RandomModel:
    """A network of this shape, drawn uniformly; a function of the seed, ``params.soph`` and ``params.noise``."""
    draws = Draws(seed, params.soph, params.noise)
    weights, depth = [], params.input_depth
    for number, layer in enumerate(params.layers):
        shape = (layer.filters, depth, KERNEL, KERNEL)
        chosen = draws.integers(QUANTILES, int(np.prod(shape)), FIRST_LAYER + number)
        weights.append(quantiles(layer.scale).astype(np.float32)[chosen].reshape(shape))
        depth = layer.filters
    head = draws.integers(LEVELS, params.head_weights, HEAD).astype(np.uint8)
    return RandomModel(params, tuple(weights), head)


def random_bits(params: Params, seed: int = 0, count: int = 1) -> NDArray[np.uint8]:
    """(count, input_bits) of 0 and 1: the noise of pictures 0 to count - 1."""
    draws = Draws(seed, params.soph, params.noise)
    return np.stack([draws.bits(params.input_bits, FIRST_INPUT + picture) for picture in range(count)])
