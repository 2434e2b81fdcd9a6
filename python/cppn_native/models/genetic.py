"""Pictures of ellipses, triangles and polygons laid over each other, found by a genetic search.

    shown <- shown + m (colour - shown),  m = opacity times the covered part of the pixel, one entity after the other

The other approach of the post on differentiable shapes ("Evolutionary Image Approximation"). All numbers are levels of
a grid, so what is searched is what is kept.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..coords import Region
from ..devices import open_cpu
from .base import Model, check_region, check_size
from .floating import on_cpu

__all__ = ["SHAPES", "Genetic", "GeneticConfig"]

Levels = NDArray[np.int32]

SHAPES = ("ellipse", "triangle", "polygon", "mixed")
MOST_ENTITIES = 1 << 16
MOST_FRAMES = 480
WHOLE = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class GeneticConfig:
    """What a picture is built of.

    n          entities at most; fewer if no further one lessens the error
    shape      "ellipse", "triangle", "polygon" or "mixed", which has all three
    vertices   corners of a polygon, 3 to 8; they may cross, and the even-odd rule says what is inside
    channels   1 (grey) or 3 (RGB)
    points, colours, alphas   levels of a coordinate, which may lie outside the picture by half of it, of a colour and
               of an opacity

    Raises ``ValueError`` naming the field that does not fit.
    """

    n: int = 256
    shape: str = "ellipse"
    vertices: int = 5
    channels: int = 3
    points: int = 4096
    colours: int = 256
    alphas: int = 256

    def __post_init__(self) -> None:
        if self.shape not in SHAPES:
            raise ValueError(f"shape must be one of {', '.join(SHAPES)}, got {self.shape!r}")
        limits = {"n": (1, MOST_ENTITIES), "vertices": (3, _core.MAX_CORNERS), "points": (2, 1 << 16),
                  "colours": (2, 1 << 16), "alphas": (1, 1 << 16)}  # fmt: skip
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ValueError(f"{name} must be an integer from {low} to {high}, got {value!r}")
        if self.channels not in (1, 3):
            raise ValueError(f"channels must be 1 or 3, got {self.channels!r}")

    @property
    def corners(self) -> tuple[int, ...]:
        """What an entity may be: 0 an ellipse, else a polygon of so many corners."""
        return {"ellipse": (0,), "triangle": (3,), "polygon": (self.vertices,), "mixed": (0, 3, self.vertices)}[
            self.shape
        ]

    @property
    def room(self) -> int:
        """V: points that an entity has room for."""
        return max(3, *self.corners)

    @property
    def row(self) -> int:
        """Integers of an entity: corners, alpha, x and y of V points, colour."""
        return 2 + 2 * self.room + self.channels

    def native(self) -> tuple[int, int, int, int, int]:
        return self.room, self.channels, self.points, self.colours, self.alphas


class Genetic(Model):
    """A picture of entities.

    size        (width, height) of the picture it was fitted to
    background  (C) levels under all entities
    entities    (n, row) int32, the lowest first: corners (0: an ellipse), alpha, V points (x, y), colour; of an ellipse
                the centre, an end of the level half-diameter and one of the half-diameter conjugate to it
    """

    config: GeneticConfig
    KIND: ClassVar[str] = "genetic"

    def __init__(
        self, config: GeneticConfig, size: tuple[int, int], background: Sequence[int] | Levels, entities: Levels
    ) -> None:
        self.config = config
        self.size = check_size(size)
        self.history: list[tuple[int, float]] = []
        self.recipe = ""
        self.background = _levels("background", np.asarray(background), (config.channels,), config.colours)
        self.entities = _entities(config, np.asarray(entities))

    def __repr__(self) -> str:
        width, height = self.size
        return f"<Genetic {width} x {height}, {len(self.entities)} entities ({self.config.shape})>"

    def __len__(self) -> int:
        return len(self.entities)

    @property
    def n_params(self) -> int:
        """Integers that say something: of an entity's points those it has, and no corners where all have the same."""
        points = np.where(self.entities[:, 0] == 0, 3, self.entities[:, 0])
        mixed = len(self.config.corners) > 1
        each = 2 * points + 1 + self.config.channels + mixed
        return int(each.sum()) + self.config.channels

    @classmethod
    def from_state(cls, state: dict[str, NDArray[Any]], metadata: dict[str, str]) -> Genetic:
        """A model from a safetensors file's tensors and metadata; ``ValueError`` for what does not fit."""
        width, height = json.loads(metadata["size"])
        config = GeneticConfig(**json.loads(metadata["config"]))
        model = cls(config, (width, height), *_unnamed(config, state))
        model.recipe = metadata.get("recipe", "")
        return model

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """corners (n), alphas (n), points (n, V, 2), colours (n, C), background (C): int32 levels."""
        e, colour = self.entities, 2 + 2 * self.config.room
        points = e[:, 2:colour].reshape(len(e), -1, 2)
        parts = {"corners": e[:, 0], "alphas": e[:, 1], "points": points, "colours": e[:, colour:]}
        return {name: np.ascontiguousarray(part) for name, part in parts.items()} | {"background": self.background}

    def load_state_dict(self, state: dict[str, NDArray[Any]]) -> None:
        """Takes over entities; ``ValueError`` for a part that is missing, unknown or does not fit."""
        background, entities = _unnamed(self.config, state)
        self.background = _levels("background", background, (self.config.channels,), self.config.colours)
        self.entities = _entities(self.config, entities)

    def first(self, count: int) -> Genetic:
        """The picture as it was with so many entities."""
        return Genetic(self.config, self.size, self.background, self.entities[: max(0, count)])

    def render_float(
        self,
        size: tuple[int, int] | None = None,
        *,
        region: Region | None = None,
        device: str = "auto",
        threads: int | None = None,
    ) -> NDArray[np.float32]:
        on_cpu(device, "paintings")
        width, height = self.size if size is None else check_size(size)
        where = WHOLE if region is None else check_region(region)
        cpu = open_cpu(threads)
        return _core.paint_entities(cpu, self.config.native(), self.background, self.entities, width, height, where)

    def render_bytes(
        self,
        size: tuple[int, int] | None = None,
        *,
        region: Region | None = None,
        device: str = "auto",
        threads: int | None = None,
    ) -> NDArray[np.uint8]:
        a = self.render_float(size, region=region, device=device, threads=threads)
        return np.asarray((a * np.float32(256)).astype(np.uint8))  # never below 0, never 1: colours are not

    def timelapse(self, path: str | os.PathLike[str], fps: float = 24, size: tuple[int, int] | None = None) -> None:
        """How the picture is built, entity by entity, as a moving picture (.gif, .webp, .apng, .mp4) of at most 480
        steps; the last frame is held for a second. ``ValueError`` for a picture without entities."""
        from ..video import write_video

        if not len(self):
            raise ValueError("timelapse needs entities: this picture is all background")
        counts = np.unique(np.linspace(0, len(self), min(len(self) + 1, MOST_FRAMES)).round().astype(int))
        frames = [self.first(int(count)) for count in counts] + [self] * max(1, round(fps))
        write_video(path, (frame.render(size) for frame in frames), fps)

    def to_bytes(self) -> bytes:
        """The ``.cppn`` file (docs/format.md); ``ValueError`` for a grid finer than a file's."""
        from ..listing import encode_painting

        return encode_painting(self)

    def _channels(self) -> int:
        return self.config.channels

    def _metadata(self) -> dict[str, str]:
        return super()._metadata() | {"recipe": self.recipe}


def _unnamed(config: GeneticConfig, state: dict[str, NDArray[Any]]) -> tuple[NDArray[Any], NDArray[Any]]:
    """(background, entities) of a state; their numbers are checked later."""
    names = ("corners", "alphas", "points", "colours", "background")
    for name in state:
        if name not in names:
            raise ValueError(f"state has {name}, which a painting has not")
    for name in names:
        if name not in state:
            raise ValueError(f"state lacks {name}")
        if np.asarray(state[name]).dtype.kind not in "iu":
            raise ValueError(f"{name} must hold integers, got {np.asarray(state[name]).dtype}")
    count = len(np.atleast_1d(state["corners"]))
    shapes = {"corners": (), "alphas": (), "points": (config.room, 2), "colours": (config.channels,)}
    for name, shape in shapes.items():
        if np.shape(state[name]) != (count, *shape):
            raise ValueError(f"{name} must have the shape {(count, *shape)}, got {np.shape(state[name])}")
    columns = [np.asarray(state[name], np.int64).reshape(count, -1) for name in shapes]
    return np.asarray(state["background"]), np.concatenate(columns, axis=1)


def _levels(name: str, levels: NDArray[Any], shape: tuple[int, ...], count: int) -> Levels:
    if levels.shape != shape or levels.dtype.kind not in "iu":
        raise ValueError(f"{name} must be integers of the shape {shape}, got {levels.dtype} {levels.shape}")
    if levels.size and (levels.min() < 0 or levels.max() >= count):
        raise ValueError(f"{name} must be levels from 0 to {count - 1}, got {levels.min()} to {levels.max()}")
    return np.ascontiguousarray(levels, np.int32)


def _entities(config: GeneticConfig, entities: NDArray[Any]) -> Levels:
    """Copied and checked; points that an entity has not are made 0."""
    if entities.ndim != 2 or entities.shape[1] != config.row or entities.dtype.kind not in "iu":
        raise ValueError(f"entities must be integers of the shape (n, {config.row}), got {entities.shape}")
    if len(entities) > MOST_ENTITIES:
        raise ValueError(f"entities must be at most {MOST_ENTITIES}, got {len(entities)}")
    n, colour = len(entities), 2 + 2 * config.room
    corners, points = entities[:, 0], entities[:, 2:colour]
    if not np.isin(corners, config.corners).all():
        raise ValueError(f"corners must be of {config.corners}, got {sorted(set(corners.tolist()))}")
    _levels("alphas", entities[:, 1], (n,), config.alphas)
    _levels("colours", entities[:, colour:], (n, config.channels), config.colours)
    low, high = -(config.points // 2), config.points + config.points // 2
    if points.size and (points.min() < low or points.max() > high):
        raise ValueError(f"points must be levels from {low} to {high}, got {points.min()} to {points.max()}")
    x, y = points[:, ::2], points[:, 1::2]
    if not ((corners != 0) | ((y[:, 1] == y[:, 0]) & (x[:, 1] >= x[:, 0]) & (y[:, 2] >= y[:, 0]))).all():
        raise ValueError("points of an ellipse must be its centre, one to the right at its height, and one not above")
    checked = np.array(entities, np.int32, order="C")
    own = np.arange(config.room) < np.where(corners == 0, 3, corners)[:, None]
    checked[:, 2:colour] *= np.repeat(own, 2, axis=1)
    return checked
