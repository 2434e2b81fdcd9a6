"""What an exporter prints: a cascade reduced to numbers and names, without arrays or native code.

    a[0..D) = the inputs        z[n] = sum_{k < D+n} levels[row(n) + k] steps[kind(k)] a[k]        a[D+n] = f_n(z[n])

with the kind 0 for the constant, 1 for the other inputs, 2 for neurons. The last ``channels`` nodes are shown, as
floor(256 a) clipped to a byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..coords import line
from ..models.base import check_size
from ..models.cascade import Cascade

__all__ = ["Line", "Picture", "Program", "program"]


@dataclass(frozen=True)
class Line:
    """A coordinate, ``slope * place + offset``, from a place in fractions of the picture."""

    slope: float
    offset: float


@dataclass(frozen=True)
class Picture:
    """What every picture has, whatever computes it.

    size      (width, height) that the exported program renders unless told otherwise
    channels  how many outputs are shown: grey, grey and alpha, RGB or RGBA
    """

    size: tuple[int, int]
    channels: int

    @property
    def alpha(self) -> bool:
        """Whether the last channel is opacity: grey and alpha, or RGBA."""
        return self.channels in (2, 4)

    @property
    def shown(self) -> tuple[int, ...]:
        """Which output each of red, green, blue [, alpha] shows."""
        return {1: (0, 0, 0), 2: (0, 0, 0, 1), 3: (0, 1, 2), 4: (0, 1, 2, 3)}[self.channels]


@dataclass(frozen=True)
class Program(Picture):
    """One cascade.

    x, y      the coordinates the network sees, from fractions of the fitted picture, (0, 0) at its top left
    levels    packed rows: row n has ``inputs + n`` entries; integers, or floats for a model that is not quantized
    steps     what one level weighs: from the constant, from the other inputs, from neurons
    names     the activation of every neuron
    model     what it was made of, for a language with an encoder of its own
    """

    x: Line
    y: Line
    radius: bool
    octaves: int
    levels: Sequence[int] | Sequence[float]
    steps: tuple[float, ...]
    names: tuple[str, ...]
    model: Cascade = field(repr=False)

    @property
    def inputs(self) -> int:
        """D: the constant, x, y, and what radius and octaves add."""
        return 3 + int(self.radius) + 4 * self.octaves

    @property
    def neurons(self) -> int:
        return len(self.names)

    @property
    def used(self) -> tuple[str, ...]:
        """The activations that occur, each once, in the order of their first neuron."""
        return tuple(dict.fromkeys(self.names))

    @property
    def digits(self) -> str:
        """One digit for each neuron: which of ``used`` it has; ``ValueError`` for more than ten."""
        if len(self.used) > 10:
            raise ValueError(f"a model with {len(self.used)} different activations cannot be exported; at most 10")
        return "".join(str(self.used.index(name)) for name in self.names)

    def row(self, n: int) -> Sequence[int] | Sequence[float]:
        """The levels of neuron n."""
        start = n * self.inputs + n * (n - 1) // 2
        return self.levels[start : start + self.inputs + n]


def program(model: object, size: tuple[int, int] | None = None) -> Program:
    """The program of a model; ``ValueError`` for one that is no cascade."""
    if not isinstance(model, Cascade):
        raise ValueError(
            f"only cascades, perceptrons, painters and latent pictures can be exported, got {type(model).__name__}"
        )
    config = model.config
    return Program(
        size=model.size if size is None else check_size(size),
        x=Line(*line(config.coords, model.size, 0)),
        y=Line(*line(config.coords, model.size, 1)),
        radius=config.radius,
        octaves=config.octaves,
        levels=model.levels.tolist(),
        steps=model.steps,
        names=config.activation_names,
        channels=config.channels,
        model=model,
    )
