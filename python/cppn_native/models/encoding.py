"""What a perceptron sees of a point: its coordinates and, if asked for, waves of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Encoding"]


@dataclass(frozen=True)
class Encoding:
    """x, y, then sin and cos of 2^k pi x and 2^k pi y for k < octaves, then sin and cos of 2 pi B (x, y).

    octaves  positional encoding (Mildenhall et al. 2020)
    fourier  rows of B ~ N(0, scale^2): random Fourier features (Tancik et al. 2020), drawn from ``seed``
    """

    octaves: int = 0
    fourier: int = 0
    scale: float = 4.0
    seed: int = 0

    @property
    def features(self) -> int:
        """F, how many numbers a point becomes."""
        return 2 + 4 * self.octaves + 2 * self.fourier

    def __call__(self, points: NDArray[np.float64]) -> NDArray[np.float32]:
        """(P, 2) -> (P, F)."""
        seen = [points]
        for k in range(self.octaves):
            turns = 2.0**k * np.pi * points
            seen += [np.sin(turns), np.cos(turns)]
        if self.fourier:
            turns = 2 * np.pi * points @ self.frequencies.T
            seen += [np.sin(turns), np.cos(turns)]
        return np.concatenate(seen, axis=1).astype(np.float32)

    @property
    def frequencies(self) -> NDArray[np.float64]:
        """B (fourier, 2), from NumPy's frozen legacy generator."""
        return self.scale * np.random.RandomState(self.seed).randn(self.fourier, 2)
