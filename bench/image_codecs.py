"""Image codecs from the package index at their best within a few bytes: on the picture scaled down and back, too.

A codec's file is what Pillow writes, container included. For every scale the highest quality that fits is looked for,
and its neighbours below; the lowest score of all counts. What is found is no floor, but what a careful person would
find.
"""

from __future__ import annotations

import bisect
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, features

SCALES = (1.0, 0.75, 0.6, 0.5, 0.4, 0.33, 0.25, 0.2, 0.16, 0.125)
UPSCALERS = (Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)


@dataclass(frozen=True)
class Codec:
    """``options`` turns a quality into what ``Image.save`` takes; ``qualities`` rise with the size of the file."""

    name: str
    format: str
    qualities: Sequence[int]
    options: Callable[[int], dict[str, Any]]
    missing: str = ""

    def encode(self, image: Image.Image, quality: int) -> bytes:
        out = io.BytesIO()
        image.save(out, self.format, **self.options(quality))
        return out.getvalue()


def _jxl() -> str:
    try:
        import pillow_jxl  # noqa: F401  (registers itself)
    except ImportError:
        return "pillow-jxl-plugin is not installed"
    return ""


def codecs(large: bool = False) -> list[Codec]:
    """Those that are compared with; ``missing`` says why one cannot run here. Of large pictures WebP and AVIF alone,
    and AVIF a little less patient: at its slowest it takes a quarter of an hour for one."""

    def has(feature: str) -> str:
        return "" if features.check(feature) else f"this Pillow was built without {feature}"

    every = [
        Codec("JPEG", "JPEG", range(1, 96), lambda q: {"quality": q, "optimize": True, "progressive": True}),
        Codec("WebP", "WEBP", range(0, 101), lambda q: {"quality": q, "method": 6}, has("webp")),
        Codec(
            "AVIF", "AVIF", range(0, 101),
            lambda q: {"quality": q, "speed": 4 if large else 0, "subsampling": "4:2:0"},
            has("avif"),
        ),
        Codec(
            "JPEG 2000", "JPEG2000", range(10, 75),
            lambda q: {"quality_mode": "dB", "quality_layers": [q / 2 + 5], "irreversible": True, "no_jp2": True},
            has("jpg_2000"),
        ),
        Codec("JPEG XL", "JXL", range(0, 91, 2), lambda q: {"quality": q, "effort": 9, "lossless": False}, _jxl()),
    ]  # fmt: skip
    return [codec for codec in every if codec.name in ("WebP", "AVIF")] if large else every


@dataclass(frozen=True)
class Best:
    """What a codec makes of a picture in so many bytes."""

    score: float
    nbytes: int
    quality: int
    scale: float


def best(codec: Codec, picture: NDArray[np.uint8], budgets: Sequence[int]) -> dict[int, Best]:
    """By budget; budgets that no quality reaches are left out."""
    found: dict[int, Best] = {}
    for scale, small in _scaled(picture):
        files = _Files(codec, small)
        for budget in budgets:
            for quality in files.fitting(budget):
                data = files[quality]
                score = min(score_of(shown, picture) for shown in _restored(data, picture))
                if budget not in found or score < found[budget].score:
                    found[budget] = Best(score, len(data), quality, scale)
    return found


class _Files(dict[int, bytes]):
    """A picture by quality, encoded when asked for."""

    def __init__(self, codec: Codec, image: Image.Image) -> None:
        super().__init__()
        self.codec, self.image = codec, image

    def __missing__(self, quality: int) -> bytes:
        self[quality] = self.codec.encode(self.image, quality)
        return self[quality]

    def fitting(self, budget: int) -> list[int]:
        """The highest quality whose file has at most so many bytes, and two below: length is not quite monotone."""
        qualities = list(self.codec.qualities)
        end = bisect.bisect_right(qualities, budget, key=lambda quality: len(self[quality]))
        return [q for q in qualities[max(0, end - 3) : end + 2] if len(self[q]) <= budget]


def score_of(shown: NDArray[np.uint8], picture: NDArray[np.uint8]) -> float:
    """Sum of ((a - b) / 255)^2 over pixels and channels."""
    return float((((shown.astype(np.float64) - picture) / 255) ** 2).sum())


def _scaled(picture: NDArray[np.uint8]) -> Iterator[tuple[float, Image.Image]]:
    image = Image.fromarray(picture)
    for scale in SCALES:
        size = (max(1, round(scale * image.width)), max(1, round(scale * image.height)))
        yield scale, image if scale == 1 else image.resize(size, Image.Resampling.LANCZOS)


def _restored(data: bytes, picture: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    image = Image.open(io.BytesIO(data)).convert("RGB")
    size = (picture.shape[1], picture.shape[0])
    for upscaler in UPSCALERS if image.size != size else UPSCALERS[:1]:
        yield np.asarray(image if image.size == size else image.resize(size, upscaler))
