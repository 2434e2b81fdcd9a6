"""What every model offers, whatever it is made of."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..coords import Region

if TYPE_CHECKING:
    from ..image import ImageLike

__all__ = ["Model", "as_pixels", "as_rgb", "check_look", "check_region", "check_size"]

MAX_RENDER_PIXELS = 512_000_000
"""What one call renders at most: 6 GB of float activations would follow from more."""


class Shown:
    """What has a picture, ``render()``: a program of it, and a place in a notebook."""

    def export(
        self,
        path: str | os.PathLike[str] | None = None,
        target: str | None = None,
        *,
        verify: bool = True,
        size: tuple[int, int] | None = None,
    ) -> str | bytes:
        """The model as a program that needs none of this library (docs/exporting.md): returned, and written to
        ``path`` atomically if there is one.

        path    its suffix is the target, unless that is given: .py, .js, .c, .glsl, .html, .onnx, .pyth, .svg
        target  "py", "js", "c", "glsl", "html", "onnx" (which needs the extra "onnx"), "pyth" or "svg"
        verify  run the program first, where this machine can, and compare it with ``render()``
        size    (width, height) that the program renders when it is not told; None is the size fitted to

        Raises ``ValueError`` for a target that is none or that the model cannot reach, ``ExportError`` for a
        program that differs from the model.
        """
        from ..export import export

        what: Any = self  # a Model or Layered, as the exporters check
        return export(what, path, target, verify=verify, size=size)

    def render(self) -> NDArray[Any]:
        raise NotImplementedError

    def _repr_png_(self) -> bytes:
        from ..image import png_bytes

        return png_bytes(self.render())


class Model(Shown, ABC):
    """A picture as the weights of something that computes it.

    ``size`` is (width, height) of the picture it was fitted to, ``history`` the (step, score) pairs that training
    reported, ``stopped`` what ended it ("finished", "minutes", "callback", "interrupt"); empty for a loaded model.
    """

    KIND: ClassVar[str]
    config: Any
    size: tuple[int, int]
    history: list[tuple[int, float]]
    stopped: str = ""

    @property
    @abstractmethod
    def n_params(self) -> int:
        """How many weights the model has."""

    @abstractmethod
    def to_bytes(self) -> bytes:
        """The ``.cppn`` file (docs/format.md)."""

    @abstractmethod
    def state_dict(self) -> dict[str, NDArray[Any]]:
        """The weights by name, for safetensors."""

    @abstractmethod
    def render_float(
        self,
        size: tuple[int, int] | None = None,
        *,
        region: Region | None = None,
        device: str = "auto",
        threads: int | None = None,
    ) -> NDArray[np.float32]:
        """Activations of the outputs, (H, W, C); 1.0 is the white of a byte's 256."""

    def render_bytes(
        self,
        size: tuple[int, int] | None = None,
        *,
        region: Region | None = None,
        device: str = "auto",
        threads: int | None = None,
    ) -> NDArray[np.uint8]:
        """The outputs as bytes, floor(256 a) clipped, (H, W, C)."""
        a = self.render_float(size, region=region, device=device, threads=threads)
        return np.asarray(np.clip(256 * np.where(a > 0, a, np.float32(0)), 0, 255).astype(np.uint8))

    @property
    def nbytes(self) -> int:
        """Length of the ``.cppn`` file in bytes."""
        return len(self.to_bytes())

    def render(
        self,
        size: tuple[int, int] | None = None,
        *,
        region: Region | None = None,
        supersample: int = 1,
        dtype: str = "uint8",
        device: str = "auto",
        threads: int | None = None,
    ) -> NDArray[Any]:
        """The picture, (H, W, C), or (H, W, 3) for a grey model as well.

        size         (width, height) in pixels; None is the size it was fitted to
        region       (left, top, right, bottom) in fractions of the picture, to zoom and pan
        supersample  averages n x n points a pixel
        dtype        "uint8": floor(256 a), the same bytes on every machine; "float32": a, in [0, 1]
        device       "auto" and "cpu": the CPU, which renders sooner than a GPU is opened; "cuda", "cuda:N": that GPU,
                     the same picture to the bit
        threads      of the CPU; None: all there are

        Raises ``ValueError`` for a size, region, supersample, dtype or device that is none, ``DeviceError`` for a GPU
        that cannot run.
        """
        check_look(supersample, dtype)
        width, height = self.size if size is None else check_size(size, supersample)
        fine = (width * supersample, height * supersample)
        where: dict[str, Any] = {"region": region, "device": device, "threads": threads}
        if supersample == 1 and dtype == "uint8":
            return as_rgb(self.render_bytes(fine, **where))
        return as_rgb(as_pixels(self.render_float(fine, **where), supersample, dtype))

    def score(self, image: ImageLike, **options: Any) -> float:
        """Sum of ((a - b) / 255)^2 over pixels and channels, rendered bytes against the picture: lower is better."""
        from ..image import load_image

        channels = self._channels()
        want = load_image(image, channels=None if channels == 3 else channels, **options).astype(np.float64)
        shown = self.render()
        if channels in (1, 4):
            shown = shown[:, :, :channels]
        if shown.shape != want.shape:
            size = f"{want.shape[1]} x {want.shape[0]}"
            raise ValueError(f"image must have the model's size {self.size[0]} x {self.size[1]}, got {size}")
        return float((((shown - want) / 255.0) ** 2).sum())

    def psnr(self, image: ImageLike, **options: Any) -> float:
        """Peak signal-to-noise ratio in dB against the picture; infinite when they are equal."""
        score = self.score(image, **options)
        samples = self.size[0] * self.size[1] * self._channels()
        return float("inf") if score == 0 else float(10 * np.log10(samples / score))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the model atomically: ``.cppn`` or ``.safetensors``, by suffix."""
        from ..image import write_atomic

        suffix = Path(path).suffix.lower()
        if suffix == ".cppn":
            write_atomic(path, self.to_bytes())
        elif suffix == ".safetensors":
            from safetensors.numpy import save

            write_atomic(path, save(self.state_dict(), metadata=self._metadata()))
        else:
            raise ValueError(f"path must end in .cppn or .safetensors, got {str(path)!r}")

    @abstractmethod
    def _channels(self) -> int: ...

    def _metadata(self) -> dict[str, str]:
        """What a safetensors file says beside the weights."""
        config, size = json.dumps(asdict(self.config)), json.dumps(self.size)
        return {"format": "cppn_native", "kind": self.KIND, "config": config, "size": size}


def check_look(supersample: object, dtype: object) -> None:
    """``ValueError`` for what ``render`` cannot do."""
    if dtype not in ("uint8", "float32"):
        raise ValueError(f'dtype must be "uint8" or "float32", got {dtype!r}')
    if isinstance(supersample, bool) or not isinstance(supersample, int) or not 1 <= supersample <= 16:
        raise ValueError(f"supersample must be an integer from 1 to 16, got {supersample!r}")


def as_pixels(a: NDArray[np.float32], supersample: int, dtype: str) -> NDArray[Any]:
    """Activations (H n, W n, C), n = supersample, as a picture (H, W, C): floor(256 a), or a in [0, 1]."""
    if supersample > 1:
        n = supersample
        a = a.reshape(a.shape[0] // n, n, a.shape[1] // n, n, -1).mean(axis=(1, 3), dtype=np.float64)
        a = a.astype(np.float32)
    a = np.where(a > 0, a, np.float32(0))  # NaN, which a runaway identity neuron can reach, becomes 0 too
    if dtype == "float32":
        return np.asarray(np.minimum(a, np.float32(1)))
    return np.asarray(np.minimum(a * np.float32(256), np.float32(255)).astype(np.uint8))


def as_rgb(shown: NDArray[Any]) -> NDArray[Any]:
    """Grey (H, W, 1) as (H, W, 3); all else as it is."""
    return np.repeat(shown, 3, axis=2) if shown.shape[2] == 1 else shown


def check_size(size: object, supersample: int = 1) -> tuple[int, int]:
    """(width, height) as integers, or ``ValueError``."""
    width: Any
    height: Any
    try:
        width, height = size  # type: ignore[misc]
    except (TypeError, ValueError):
        raise ValueError(f"size must be (width, height), got {size!r}") from None
    for value in (width, height):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 1 <= value <= 1 << 20:
            raise ValueError(f"size must be two integers from 1 to {1 << 20}, got {size!r}")
    pixels = int(width) * int(height) * supersample**2
    if pixels > MAX_RENDER_PIXELS:
        raise ValueError(
            f"size {width} x {height}"
            + (f" with supersample={supersample}" if supersample > 1 else "")
            + f" is {pixels / 1e6:.0f} million points; at most {MAX_RENDER_PIXELS / 1e6:.0f} million are rendered"
            " at once; render it in parts with region="
        )
    return int(width), int(height)


def check_region(region: object) -> Region:
    """(left, top, right, bottom) as floats, or ``ValueError``."""
    try:
        left, top, right, bottom = (float(value) for value in region)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise ValueError(f"region must be (left, top, right, bottom) in fractions, got {region!r}") from None
    if not np.isfinite([left, top, right, bottom]).all() or not (left < right and top < bottom):
        raise ValueError(f"region must be finite with left < right and top < bottom, got {region!r}")
    return left, top, right, bottom
