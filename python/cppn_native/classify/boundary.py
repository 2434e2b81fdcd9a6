"""The plane as a classifier sees it, and its points on it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..models.base import as_pixels, check_region, check_size
from .classifier import probabilities
from .network import Floats

if TYPE_CHECKING:
    from .classifier import PointClassifier

__all__ = ["Boundary"]

RADIUS = 1 / 64
"""Of a point, in shorter sides: two pixels of 128."""

UNIT = (0.0, 0.0, 1.0, 1.0)


class Boundary:
    """Pictures of one size and region; points and colours are worked out once."""

    def __init__(
        self,
        classifier: PointClassifier,
        size: int | tuple[int, int],
        region: tuple[float, float, float, float] | None,
    ) -> None:
        classifier._check_fitted()
        if classifier.n_features_in_ != 2:
            raise ValueError(f"only two features make a picture, this classifier has {classifier.n_features_in_}")
        whole = isinstance(size, int | np.integer) and not isinstance(size, bool)
        width, height = check_size((size, size) if whole else size)
        points, numbers = classifier._points, classifier._numbers
        assert points is not None and numbers is not None
        left, top, right, bottom = _around(points) if region is None else check_region(region)
        self.network = classifier._network()
        self.x = left + (right - left) * (np.arange(width) + 0.5) / width
        self.y = top + (bottom - top) * (np.arange(height) + 0.5) / height
        self.hues = _hues(len(classifier.classes_))
        shown = (points.astype(np.float64) - (left, top)) / (right - left, bottom - top) * (width, height)
        dots = np.array([[0, 0, 0], [1, 1, 1]], np.float32) if len(self.hues) == 2 else self.hues * np.float32(0.25)
        self.cover, self.ink = _discs(shown, dots[numbers], width, height)

    def picture(self, params: Floats) -> NDArray[np.uint8]:
        """(H, W, 3) of the network with these parameters."""
        shares = probabilities(self.network.over_plane(params, self.x, self.y))
        colours = shares @ self.hues
        mixed = colours + self.cover * (self.ink - colours)
        return np.asarray(as_pixels(mixed.astype(np.float32), 1, "uint8"))


def _around(points: Floats) -> tuple[float, float, float, float]:
    """The unit square, or the bounding box of points that are not in it and a twentieth on every side."""
    low, high = points.min(axis=0).astype(float), points.max(axis=0).astype(float)
    if (low >= 0).all() and (high <= 1).all():
        return UNIT
    margin = np.maximum((high - low) / 20, 1e-3 * np.maximum(1, np.abs(high)))
    return (*map(float, low - margin), *map(float, high + margin))  # type: ignore[return-value]


def _hues(classes: int) -> NDArray[np.float32]:
    """(K, 3) in [0, 1], blue and red first; of more than two, evenly around the colour circle."""
    if classes == 2:
        return np.array([[0, 0, 1], [1, 0, 0]], np.float32)
    turns = 2 / 3 + np.arange(classes)[:, None] / classes + np.array([0, 2, 1]) / 3
    return (0.5 + 0.5 * np.cos(2 * np.pi * turns)).astype(np.float32)


def _discs(
    points: NDArray[np.float64], colours: NDArray[np.float32], width: int, height: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Discs at points (P, 2) in pixels: how much of a pixel they cover (H, W, 1), and with what (H, W, 3)."""
    cover, ink = np.zeros((height, width, 1), np.float32), np.zeros((height, width, 3), np.float32)
    radius = max(0.5, RADIUS * min(width, height))
    reach = math.ceil(radius) + 1
    for (x, y), colour in zip(points, colours, strict=True):
        if not (-reach < x < width + reach and -reach < y < height + reach):
            continue
        left, top = max(0, int(x) - reach), max(0, int(y) - reach)
        part = np.s_[top : int(y) + reach + 1, left : int(x) + reach + 1]
        j, i = np.ogrid[part]
        j, i = j[: height - top], i[:, : width - left]
        disc = np.clip(radius + 0.5 - np.hypot(i + 0.5 - x, j + 0.5 - y), 0, 1)[..., None]
        ink[part] = np.where(disc > 0, colour, ink[part])
        cover[part] = np.maximum(cover[part], disc)
    return cover, ink
