"""Moving pictures: frames in, a file out, by suffix.

GIF has 256 colours a frame. On walks through four networks, an octree's palette for each frame with error diffusion
left the least error once the eye has blurred the dots, and the least flicker: a third to a half of Pillow's own choice
(median cut, no dithering), at 1 to 1.3 times the bytes. A palette shared by all frames did worse than each frame's own.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .image import write_atomic

__all__ = ["MOVING", "check_video", "write_video"]

Frames = Iterator[NDArray[np.uint8]]
Writer = Callable[[io.BytesIO, Frames, Fraction, int], None]


def write_video(
    path: str | os.PathLike[str], frames: Iterable[NDArray[np.uint8]], fps: float = 24, *, quality: int = 90
) -> Path:
    """Writes frames as a moving picture that repeats for ever, atomically, and returns the path.

    path     .gif, .webp, .apng or .png (an animated PNG), .mp4 (H.264, which needs the extra "video")
    frames   any iterable of (H, W, 3) uint8, of one size; taken one by one. MP4 keeps none of them, GIF a byte a pixel,
             the others all
    fps      frames a second, 0.1 to 120; GIF counts in hundredths of a second and reaches 50
    quality  0 to 100 of WebP, where 100 is lossless, and of MP4. GIF has its 256 colours a frame, PNG is lossless

    MP4 stores colour for squares of 2 x 2 pixels, so an odd last column or row is repeated. Equal frames that follow
    each other may become one that is shown longer.

    Raises ``ValueError`` for another suffix, an fps or quality out of range, no frames, and frames that are none or
    differ in size; ``ImportError`` for .mp4 without the extra; ``OSError`` for what the disk refuses.
    """
    encode, longest, rate = check_video(path, fps, quality)
    file = io.BytesIO()
    encode(file, _alike(frames, longest, Path(path).suffix), rate, int(quality))
    write_atomic(path, file.getvalue())
    return Path(path)


def check_video(path: str | os.PathLike[str], fps: float, quality: int) -> tuple[Writer, int, Fraction]:
    """What ``write_video`` can refuse before there is a frame; else the writer, the most pixels a side, the rate."""
    suffix = os.path.splitext(os.fspath(path))[1].lower()
    if suffix not in MOVING:
        raise ValueError(f"path must end in one of {', '.join(MOVING)}, got {os.fspath(path)!r}")
    encode, longest, fastest = MOVING[suffix]
    rate = _rate(fps, fastest, suffix)
    if isinstance(quality, bool) or not isinstance(quality, int | np.integer) or not 0 <= quality <= 100:
        raise ValueError(f"quality must be an integer from 0 to 100, got {quality!r}")
    if suffix == ".mp4":
        _av()
    return encode, longest, rate


def _rate(fps: object, fastest: int, suffix: str) -> Fraction:
    if isinstance(fps, bool) or not isinstance(fps, int | float | Fraction | np.number) or not 0.1 <= fps <= fastest:
        raise ValueError(f"fps must be a number from 0.1 to {fastest} in {suffix}, got {fps!r}")
    return Fraction(fps if isinstance(fps, int | Fraction) else float(fps)).limit_denominator(1001)


def _alike(frames: Iterable[NDArray[np.uint8]], longest: int, suffix: str) -> Frames:
    """The frames, each looked at."""
    first: tuple[int, ...] | None = None
    for number, frame in enumerate(frames):
        pixels = np.asarray(frame)
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.size == 0:
            raise ValueError(f"frames must be (H, W, 3) uint8, got {pixels.shape} {pixels.dtype} at frame {number}")
        first = first or pixels.shape
        if pixels.shape != first:
            raise ValueError(f"frames must have one shape, got {first} and, at frame {number}, {pixels.shape}")
        if max(first) > longest:
            raise ValueError(
                f"frames of {first[1]} x {first[0]} pixels do not fit in {suffix}: at most {longest} a side"
            )
        yield np.ascontiguousarray(pixels)
    if first is None:
        raise ValueError("frames must be at least one, got none")


def _write_gif(file: io.BytesIO, frames: Frames, rate: Fraction, quality: int) -> None:
    pictures = _timed(map(_in_256_colours, frames), rate)
    next(pictures).save(file, "GIF", save_all=True, append_images=pictures, loop=0)


def _in_256_colours(frame: NDArray[np.uint8]) -> Image.Image:
    picture = Image.fromarray(frame)
    if picture.getcolors(256):  # then exactly, greys among them
        return picture.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    palette = picture.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    return picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)


def _timed(pictures: Iterator[Image.Image], rate: Fraction) -> Iterator[Image.Image]:
    """Each with its time in ms, in tens, so that frame n appears within 5 ms of n / rate."""
    for n, picture in enumerate(pictures):
        begin, end = (round(100 * k / rate) for k in (n, n + 1))
        picture.info["duration"] = 10 * (end - begin)
        yield picture


def _write_webp(file: io.BytesIO, frames: Frames, rate: Fraction, quality: int) -> None:
    _save_all(file, "WEBP", frames, rate, lossless=quality == 100, quality=quality, method=4)


def _write_png(file: io.BytesIO, frames: Frames, rate: Fraction, quality: int) -> None:
    _save_all(file, "PNG", frames, rate)


def _save_all(file: io.BytesIO, form: str, frames: Frames, rate: Fraction, **options: Any) -> None:
    first, *rest = map(Image.fromarray, frames)
    first.save(file, form, save_all=True, append_images=rest, duration=1000 / float(rate), loop=0, **options)


def _write_mp4(file: io.BytesIO, frames: Frames, rate: Fraction, quality: int) -> None:
    av, first = _av(), next(frames)
    height, width = first.shape[:2]
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
        stream.options = {"crf": str(min(51, 13 + (100 - quality) // 2))}  # 18 for 90: hard to tell from the original
        context = stream.codec_context  # say which of the two usual YUVs it is; players guess by size otherwise
        context.colorspace = context.color_primaries = context.color_trc = BT709
        for pixels in chain([first], frames):
            even = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
            picture = av.VideoFrame.from_ndarray(even, format="rgb24")
            container.mux(stream.encode(picture.reformat(format="yuv420p", dst_colorspace="itu709")))
        container.mux(stream.encode(None))


def _av() -> Any:
    try:
        import av
    except ImportError:
        raise ImportError("writing .mp4 needs the package av: pip install 'cppn-native[video]'") from None
    return av


BT709 = 1
"""Its number among colour spaces, primaries and transfer curves alike (ITU-T H.273)."""

MOVING: dict[str, tuple[Writer, int, int]] = {
    ".gif": (_write_gif, 65535, 50),  # browsers slow down what is faster
    ".webp": (_write_webp, 16383, 120),
    ".apng": (_write_png, 65535, 120),
    ".png": (_write_png, 65535, 120),
    ".mp4": (_write_mp4, 16384, 120),
}
"""Suffix -> its writer, the most pixels a side, the most frames a second."""
