"""Models whose weights stay floats: perceptrons, shapes. Their file is a ``.safetensors``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .base import Model

__all__ = ["FloatModel", "checked_state", "on_cpu"]


class FloatModel(Model):
    """``WHAT`` is what error messages call such models; ``snapshots`` are models of the training's course, ``recipe``
    the training's plan as JSON."""

    WHAT: ClassVar[str]
    snapshots: Sequence[Model]
    recipe: str

    def timelapse(self, path: str | os.PathLike[str], fps: float = 24, size: tuple[int, int] | None = None) -> None:
        """The training as a moving picture (.gif, .webp, .apng, .mp4), from the snapshots that ``cn.train(...,
        snapshots=N)`` kept; the last frame is held for a second. ``ValueError`` if there are none."""
        from ..video import write_video

        if not self.snapshots:
            raise ValueError("timelapse needs snapshots: train with snapshots=100, say")
        frames = [*self.snapshots, *[self] * max(1, round(fps))]
        write_video(path, (frame.render(size) for frame in frames), fps)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the model atomically, as ``.safetensors``."""
        if Path(path).suffix.lower() == ".cppn":
            raise ValueError(f"path must end in .safetensors: a .cppn holds no {self.WHAT}; got {os.fspath(path)!r}")
        super().save(path)

    def to_bytes(self) -> bytes:
        """The ``.safetensors`` file: such a model has no ``.cppn``."""
        from safetensors.numpy import save

        return save(self.state_dict(), metadata=self._metadata())

    def _metadata(self) -> dict[str, str]:
        return super()._metadata() | {"recipe": self.recipe}


def checked_state(
    state: Mapping[str, NDArray[Any]], shapes: Mapping[str, tuple[int, ...]], whose: str
) -> dict[str, NDArray[np.float32]]:
    """The arrays that ``shapes`` names, as float32; ``ValueError`` if one is missing, unknown, of another shape or not
    finite."""
    for name in state:
        if name not in shapes:
            raise ValueError(f"state has {name}, which {whose} has not")
    checked = {}
    for name, shape in shapes.items():
        if name not in state:
            raise ValueError(f"state lacks {name}")
        array = np.asarray(state[name])
        if array.shape != shape:
            raise ValueError(f"{name} must have the shape {shape}, got {array.shape}")
        with np.errstate(over="ignore"):
            if array.dtype.kind not in "fiu" or not np.isfinite(array.astype(np.float32)).all():
                raise ValueError(f"{name} must hold finite numbers, got {array.dtype}")
        checked[name] = array.astype(np.float32)
    return checked


def on_cpu(device: str, what: str) -> None:
    """``DeviceError`` for a GPU by name: ``what`` runs on the CPU only, so far."""
    from ..devices import check_device
    from ..errors import DeviceError

    check_device(device)
    if device.startswith("cuda"):
        raise DeviceError(f'device="{device}" cannot run {what} yet: use device="cpu"')
