"""From one picture to another, and through the latent pictures of one network."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .art.latent import Latent
from .video import write_video

__all__ = ["EASES", "Morphable", "latent_walk", "morph", "morph_frames", "walk_frames"]

Pixels = NDArray[np.uint8]
Size = tuple[int, int]
Path_ = str | os.PathLike[str]

EASES: dict[str, Callable[[float], float]] = {
    "smooth": lambda t: (1 - float(np.cos(np.pi * t))) / 2,
    "linear": lambda t: t,
}
"""From [0, 1] to [0, 1]: how far the way is gone when t of the time is."""
MAX_FRAMES = 100_000


@runtime_checkable
class Morphable(Protocol):
    """What ``morph`` takes: anything that has these two."""

    def blend(self, other: Any, t: float) -> Any:
        """What lies between, t in [0, 1]: self at 0, other at 1; ``ValueError`` for an other of another shape."""

    def render(self, size: Size | None = None, *, supersample: int = 1) -> Pixels:
        """(H, W, 3) uint8."""


def morph(
    a: Morphable,
    b: Morphable,
    frames: int = 48,
    path: Path_ | None = None,
    *,
    size: Size | None = None,
    fps: float = 24,
    ease: str | Callable[[float], float] = "smooth",
    loop: bool = True,
    supersample: int = 1,
    quality: int = 90,
) -> list[Pixels] | Path:
    """A moving picture from one model to another of the same shape: the list of frames, or the path they went to.

    a, b         two ``Latent`` (z, and the weights if they differ), two ``Cascade`` of one config (the weights)
    frames       how many, 2 to 100 000
    path         .gif, .webp, .apng, .png or .mp4 (``write_video``, which ``fps`` and ``quality`` are for)
    size         (width, height); None: that of ``a``
    ease         "smooth": slow at both ends; "linear"; or a function from [0, 1] to [0, 1]
    loop         there and back, so that the end meets the beginning; else the last frame is ``b``
    supersample  averages n x n points a pixel

    Raises ``ValueError`` for models of different shapes, and naming the argument that does not fit.
    """
    made = morph_frames(a, b, frames, size=size, ease=ease, loop=loop, supersample=supersample)
    return list(made) if path is None else write_video(path, made, fps, quality=quality)


def morph_frames(
    a: Morphable,
    b: Morphable,
    frames: int,
    *,
    size: Size | None = None,
    ease: str | Callable[[float], float] = "smooth",
    loop: bool = True,
    supersample: int = 1,
) -> Iterator[Pixels]:
    """The frames of ``morph``, rendered as they are taken. Checked at once."""
    if not isinstance(a, Morphable):
        raise ValueError(f"a must have blend() and render(), as Latent and Cascade have, got {type(a).__name__}")
    a.blend(b, 0.5)  # refuses b now
    places = _places(frames, loop)
    go = EASES.get(ease) if isinstance(ease, str) else ease
    if not callable(go):
        raise ValueError(f"ease must be one of {', '.join(EASES)}, or a function, got {ease!r}")
    shape = getattr(a, "size", None) if size is None else size
    way = (min(1.0, max(0.0, float(go(1 - abs(1 - 2 * p) if loop else p)))) for p in places)
    return (a.blend(b, t).render(shape, supersample=supersample) for t in way)


def latent_walk(
    latent: Latent,
    stops: int = 6,
    frames: int | None = None,
    seed: int = 0,
    loop: bool = True,
    path: Path_ | None = None,
    *,
    reach: float = 0.2,
    size: Size | None = None,
    fps: float = 24,
    supersample: int = 1,
    quality: int = 90,
) -> list[Pixels] | Path:
    """A smooth walk through a network's pictures: the list of frames, or the path they went to.

    latent       where it begins
    stops        that picture and others of random z, 2 to 10 000; a Catmull-Rom curve leads through them
    reach        the others are that part of the way to a z uniform in [-1, 1). A tenth of it changes a picture half as
                 much as all of it does, so 1 makes for a hurried walk
    frames       how many; None: 24 from each stop to the next
    seed         of the other stops
    loop         from the last stop back to the first; else the last frame is the last stop
    path, size, fps, supersample, quality   as for ``morph``

    Raises ``ValueError`` naming the argument that does not fit.
    """
    made = walk_frames(latent, stops, frames, seed, loop, reach=reach, size=size, supersample=supersample)
    return list(made) if path is None else write_video(path, made, fps, quality=quality)


def walk_frames(
    latent: Latent,
    stops: int = 6,
    frames: int | None = None,
    seed: int = 0,
    loop: bool = True,
    *,
    reach: float = 0.2,
    size: Size | None = None,
    supersample: int = 1,
) -> Iterator[Pixels]:
    """The frames of ``latent_walk``, rendered as they are taken. Checked at once."""
    if not isinstance(latent, Latent):
        raise ValueError(f"latent must be a Latent, got {type(latent).__name__}")
    _check_count("stops", stops, 2, 10_000)
    _check_count("seed", seed, 0, 2**32 - 1)
    places = _places(frames_of_walk(stops, loop) if frames is None else frames, loop)
    if isinstance(reach, bool) or not isinstance(reach, int | float | np.number) or not 0 < reach <= 100:
        raise ValueError(f"reach must be a positive number up to 100, got {reach!r}")
    others = np.random.RandomState(seed).uniform(-1, 1, (stops - 1, latent.z_dim))
    zs = np.concatenate([latent.z[None], latent.z + reach * (others - latent.z)])
    return (latent.with_z(_along(zs, p, loop)).render(size, supersample=supersample) for p in places)


def frames_of_walk(stops: int, loop: bool) -> int:
    """How many frames a walk has that does not say."""
    return 24 * stops if loop else 24 * (stops - 1) + 1


def _places(frames: int, loop: bool) -> Iterable[float]:
    """Where in [0, 1] each frame is; of a loop, the end is the beginning and left out."""
    _check_count("frames", frames, 2, MAX_FRAMES)
    return (k / (frames if loop else frames - 1) for k in range(frames))


def _along(points: NDArray[np.float64], place: float, loop: bool) -> NDArray[np.float64]:
    """The Catmull-Rom curve through points (N, D), closed or not, at a place in [0, 1]."""
    last = len(points) - 1
    u = place * (last + loop)
    k = min(int(u), last if loop else last - 1)
    if loop:
        a, b, c, d = (points[(k + n) % len(points)] for n in (-1, 0, 1, 2))
    else:  # beyond its ends it would go straight on
        b, c = points[k], points[k + 1]
        a = points[k - 1] if k else 2 * b - c
        d = points[k + 2] if k + 2 <= last else 2 * c - b
    u -= k
    curve = b + u / 2 * ((c - a) + u * ((2 * a - 5 * b + 4 * c - d) + u * (3 * (b - c) + d - a)))
    return np.asarray(curve)


def _check_count(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise ValueError(f"{name} must be an integer from {low} to {high}, got {value!r}")
