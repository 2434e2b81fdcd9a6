"""A picture as the native code wants it, and the part of it that one estimate needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..coords import axes
from ..models.cascade import CascadeConfig

__all__ = ["SCORE_SCALE", "Picture", "averaged", "sample", "stack", "to_target", "working_picture"]


SCORE_SCALE = (256 / 255) ** 2
"""From squared differences in units of an activation to the score's, ((a - b) / 255)^2."""


@dataclass(frozen=True)
class Picture:
    """``target`` (C, H * W) float32 in units of an activation; ``fitted`` the size its coordinates belong to.

    A ``stack`` of B pictures of one size is a picture as well, its target (B, C, H * W).
    """

    target: NDArray[np.float32]
    size: tuple[int, int]
    fitted: tuple[int, int]

    @property
    def pixels(self) -> int:
        return self.size[0] * self.size[1]

    def task(self, backend: _core.Backend, config: CascadeConfig) -> _core.Task:
        x, y = axes(config.coords, self.fitted, self.size)
        return _core.Task(backend, config.shape(), x, y, True, self.target)


def stack(pictures: Sequence[Picture]) -> Picture:
    """Pictures of one size as one that as many networks descend on side by side."""
    if len(pictures) == 1:
        return pictures[0]
    return replace(pictures[0], target=np.stack([picture.target for picture in pictures]))


def to_target(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W, C) in 0 ... 255 to (C, H * W): a byte b is shown for activations in [b, b + 1) / 256, so aim between."""
    flat = image.reshape(-1, image.shape[2]).T
    return np.ascontiguousarray((flat + np.float32(0.5)) / np.float32(256))


def working_picture(image: NDArray[np.float32], limit: int | None) -> Picture:
    """``image`` (H, W, C), averaged down to about ``limit`` pixels if it has more.

    A kilobyte holds no detail finer than that, and a step costs in proportion to the pixels.
    """
    height, width, _ = image.shape
    whole = Picture(to_target(image), (width, height), (width, height))
    return whole if limit is None else averaged(whole, limit)


def averaged(picture: Picture, limit: int) -> Picture:
    """The picture, or a stack of them, averaged down to about ``limit`` pixels if it has more."""
    if picture.pixels <= limit:
        return picture
    from PIL import Image

    (width, height), scale = picture.size, float(np.sqrt(limit / picture.pixels))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    planes = picture.target.reshape(-1, height, width)
    small = [np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BOX)).ravel() for plane in planes]
    target = np.stack(small).reshape(*picture.target.shape[:-1], -1)
    return replace(picture, target=np.ascontiguousarray(target), size=size)


def sample(
    picture: Picture, backend: _core.Cpu, config: CascadeConfig, most: int, rng: np.random.Generator
) -> tuple[_core.Task, float]:
    """Every n-th pixel from a random first one, at most about ``most`` of them; and how many each stands for."""
    stride = max(1, round(picture.pixels / most))
    if stride == 1:
        return picture.task(backend, config), 1.0
    at = np.arange(rng.integers(stride), picture.pixels, stride)
    x, y = axes(config.coords, picture.fitted, picture.size)
    width = picture.size[0]
    target = np.ascontiguousarray(picture.target[:, at])
    task = _core.Task(backend, config.shape(), x[at % width], y[at // width], False, target)
    return task, picture.pixels / len(at)
