"""A picture as a sum of cosines over its whole width and height, their amplitudes whole numbers of a step.

    shown(x, y, k) = mean_k + sum_c axes_kc sum_vu level_cvu step w_v w_u cos(pi v y) cos(pi u x)
    w_0 = 1, w_n = sqrt 2

x and y run from 0 to 1, so there is no largest size; the axes c are red, green and blue turned so that the first has
most of what there is to say. No network: what is learned are the shared models that a file's levels are coded with.
"""

from __future__ import annotations

import json
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

__all__ = ["Waves", "WavesConfig"]

Levels = NDArray[np.int32]
WHOLE = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class WavesConfig:
    """channels  1 (grey) or 3 (RGB); ``ValueError`` for others"""

    channels: int = 3

    def __post_init__(self) -> None:
        if self.channels not in (1, 3) or isinstance(self.channels, bool):
            raise ValueError(f"channels must be 1 or 3, got {self.channels!r}")


class Waves(Model):
    """A picture of waves.

    size    (width, height) of the picture it was fitted to
    step    the code of the step, 0 ... 255: ``_core.step_grid``
    mean    (C) bytes: the mean colour
    angles  three, in 1/256 turns, by which the axes of colour are turned; of no account in a grey picture
    counts  (C): how many levels each axis has
    levels  (sum of counts) int32, within 2047: of the first axis, by frequency (``_core.wave_order``), then the others'
    filter  0 ... 255: how fine a grid the filter works on, in 1/256 of the sides (``_core.filter_shape``); 0 for none
    strength  0 ... 255: how much of what the filter finds is added, in 1/64

    Raises ``ValueError`` for what no file can hold.
    """

    config: WavesConfig
    KIND: ClassVar[str] = "waves"

    def __init__(
        self,
        size: tuple[int, int],
        step: int,
        mean: Sequence[int],
        angles: Sequence[int],
        counts: Sequence[int],
        levels: Levels,
        *,
        filter: int = 0,
        strength: int = 64,
    ) -> None:
        self.config = WavesConfig(len(counts))
        self.size = check_size(size)
        self.history: list[tuple[int, float]] = []
        self.step, self.filter, self.strength = int(step), int(filter), int(strength)
        self.levels = np.ascontiguousarray(levels, np.int32)
        self.mean, self.angles, self.counts = _whole(mean), _whole(angles), _whole(counts)
        self._record = _core.WavesRecord(
            *self.size, self.step, self.filter, self.strength, self.mean, self.angles, self.counts, self.levels
        )

    def __repr__(self) -> str:
        width, height = self.size
        return f"<Waves {width} x {height}, {self.n_params} of {len(self.levels)} waves>"

    @classmethod
    def from_bytes(cls, data: bytes) -> Waves:
        """``FormatError`` naming the offset and the reason."""
        r = _core.decode_waves(data)
        return cls(r.size, r.step, r.mean, r.angles, r.counts, r.levels, filter=r.filter, strength=r.strength)

    @classmethod
    def from_state(cls, state: dict[str, NDArray[Any]], metadata: dict[str, str]) -> Waves:
        """A model from a safetensors file's tensors and metadata; ``ValueError`` for what does not fit."""
        width, height = json.loads(metadata["size"])
        whole = {
            name: [int(n) for n in np.ravel(state[name])]
            for name in ("step", "filter", "strength", "mean", "angles", "counts")
        }
        step, code, strength = (whole.pop(name)[0] for name in ("step", "filter", "strength"))
        return cls((width, height), step, **whole, levels=state["levels"], filter=code, strength=strength)

    @property
    def n_params(self) -> int:
        """How many waves are not zero."""
        return int(np.count_nonzero(self.levels))

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """step (1), filter (1), strength (1), mean (C), angles (3), counts (C), levels (sum of counts): int32."""
        parts = {
            "step": [self.step],
            "filter": [self.filter],
            "strength": [self.strength],
            "mean": self.mean,
            "angles": self.angles,
            "counts": self.counts,
        }
        return {name: np.array(part, np.int32) for name, part in parts.items()} | {"levels": self.levels}

    def to_bytes(self) -> bytes:
        """The ``.cppn`` file (docs/format.md)."""
        return _core.encode_waves(self._record)

    def odds(self) -> NDArray[np.float32]:
        """(levels, 3): what a decoder expects of each level, knowing those before it: the logarithms of the odds that
        it is not zero, that it is then more than one, and then one more."""
        return _core.wave_odds(self._record)

    def influence(self) -> NDArray[np.float32]:
        """(levels, 2): the bits that the levels after it would cost more were a level's size one more, and that they
        cost more because it is not one less; to first order."""
        return _core.wave_influence(self._record)

    def render_float(
        self,
        size: tuple[int, int] | None = None,
        *,
        region: Region | None = None,
        device: str = "auto",
        threads: int | None = None,
    ) -> NDArray[np.float32]:
        on_cpu(device, "waves")
        width, height = self.size if size is None else check_size(size)
        where = WHOLE if region is None else check_region(region)
        return _core.render_waves(open_cpu(threads), self._record, width, height, where)

    def _channels(self) -> int:
        return self.config.channels


def _whole(numbers: Sequence[int]) -> list[int]:
    return [int(number) for number in numbers]
