"""Multi-layer perceptrons of a picture: MysteryNet and its family.

    h = encoding(x, y)        h <- f(W h + b) [, batch-normalized]        the last h is the picture

After the network that hid flags in safetensors files for the students of IOAI 2024, with PyTorch's names and layout of
the weights, so that files go both ways.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..activations import ACTIVATIONS, activation_numbers
from ..coords import CONVENTIONS, Region, axes
from ..coords import line as coordinate
from ..layers import Inputs, Layer, evaluate
from ..plane import Plane, Term
from .base import check_region, check_size
from .encoding import Encoding
from .floating import FloatModel, checked_state, on_cpu

__all__ = ["PRESETS", "Perceptron", "PerceptronConfig"]

MOST_WIDTH, MOST_LAYERS = 1024, 63
NORM_EPS = 1e-5
POINTS_AT_ONCE = 1 << 18


@dataclass(frozen=True)
class PerceptronConfig:
    """The shape of a perceptron; its defaults are MysteryNet's.

    hidden             widths of the hidden layers
    activation         of all hidden layers
    norm_every         batch normalization after every so many hidden layers' activations; 0: none
    output_activation  name for the outputs
    channels           outputs: 1 (grey), 3 (RGB) or 4 (RGBA)
    coords             coordinate convention (``cppn_native.coords.CONVENTIONS``)
    octaves, fourier, fourier_scale, fourier_seed   further inputs, see ``Encoding``
    omega              SIREN (Sitzmann et al. 2020): weights drawn for sin(omega (W h + b)), omega part of W;
                       0: PyTorch's initialization

    Raises ``ValueError`` naming the field that does not fit.
    """

    hidden: tuple[int, ...] = (16, 32, 32, 32, 32, 32, 32, 16)
    activation: str = "gelu"
    norm_every: int = 2
    output_activation: str = "identity"
    channels: int = 3
    coords: str = "centered"
    octaves: int = 0
    fourier: int = 0
    fourier_scale: float = 4.0
    fourier_seed: int = 0
    omega: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(int(width) for width in self.hidden))
        if len(self.hidden) > MOST_LAYERS or not all(1 <= width <= MOST_WIDTH for width in self.hidden):
            raise ValueError(f"hidden must be up to {MOST_LAYERS} widths from 1 to {MOST_WIDTH}, got {self.hidden!r}")
        for name, low, high in (("norm_every", 0, MOST_LAYERS), ("octaves", 0, 24), ("fourier", 0, 400)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ValueError(f"{name} must be an integer from {low} to {high}, got {value!r}")
        for name in ("fourier_scale", "omega"):
            if not 0 <= getattr(self, name) < 1e6:
                raise ValueError(f"{name} must be a number from 0 to a million, got {getattr(self, name)!r}")
        if self.channels not in (1, 3, 4):
            raise ValueError(f"channels must be 1, 3 or 4, got {self.channels!r}")
        if self.coords not in CONVENTIONS:
            raise ValueError(f"coords must be one of {', '.join(CONVENTIONS)}, got {self.coords!r}")
        activation_numbers([self.activation], "activation")
        activation_numbers([self.output_activation], "output_activation")

    @property
    def encoding(self) -> Encoding:
        return Encoding(self.octaves, self.fourier, self.fourier_scale, self.fourier_seed)

    @property
    def norms(self) -> tuple[bool, ...]:
        """Of every layer, the output's last: whether a batch normalization follows."""
        every = self.norm_every
        return (*(bool(every) and n % every == 0 for n in range(1, len(self.hidden) + 1)), False)

    @property
    def layers(self) -> tuple[tuple[int, int, str, bool], ...]:
        """(inputs, outputs, activation, normalized) of every layer."""
        widths = (self.encoding.features, *self.hidden, self.channels)
        names = (*[self.activation] * len(self.hidden), self.output_activation)
        return tuple(zip(widths[:-1], widths[1:], names, self.norms, strict=True))

    @property
    def params(self) -> int:
        """K: weights, biases, and gamma and beta of the normalizations."""
        return sum(i * o + o + (2 * o if norm else 0) for i, o, _, norm in self.layers)

    def native(self) -> list[tuple[int, int, bool]]:
        return [(outputs, ACTIVATIONS[name].number, norm) for _, outputs, name, norm in self.layers]


PRESETS = {
    "mysterynet": PerceptronConfig(),
    "mlp": PerceptronConfig((32, 32, 32, 32), "tanh", 0, "sigmoid"),
    "siren": PerceptronConfig((40, 40, 40, 40), "sin", 0, omega=30.0),
    "fourier": PerceptronConfig((32, 32, 32), "relu", 0, "sigmoid", fourier=32),
}


class Perceptron(FloatModel):
    """A perceptron with weights.

    size     (width, height) of the picture it was fitted to
    state    by PyTorch's names: dense1.weight (out, in), dense1.bias, ..., bn2.weight, bn2.bias, bn2.running_mean,
             bn2.running_var, bn2.num_batches_tracked, ..., dense_head.weight, dense_head.bias
    """

    config: PerceptronConfig
    KIND: ClassVar[str] = "perceptron"
    WHAT: ClassVar[str] = "perceptron"

    def __init__(self, config: PerceptronConfig, size: tuple[int, int], state: dict[str, NDArray[Any]]) -> None:
        self.config = config
        self.size = check_size(size)
        self.history: list[tuple[int, float]] = []
        self.recipe = ""
        self.snapshots: list[Perceptron] = []
        self.load_state_dict(state)

    def __repr__(self) -> str:
        width, height = self.size
        return f"<Perceptron {width} x {height}, {len(self.config.hidden) + 1} layers, {self.n_params} weights>"

    @property
    def n_params(self) -> int:
        return self.config.params

    @classmethod
    def from_state(cls, state: dict[str, NDArray[Any]], metadata: dict[str, str]) -> Perceptron:
        """A model from a safetensors file's tensors and metadata; ``ValueError`` for what does not fit."""
        config = json.loads(metadata["config"])
        width, height = json.loads(metadata["size"])
        model = cls(PerceptronConfig(**{**config, "hidden": tuple(config["hidden"])}), (width, height), state)
        model.recipe = metadata.get("recipe", "")
        return model

    def names(self) -> list[tuple[str, str]]:
        """The names of every layer and of its normalization ("" without one)."""
        hidden = range(1, len(self.config.hidden) + 1)
        normed = zip(hidden, self.config.norms, strict=False)
        return [(f"dense{n}", f"bn{n}" if norm else "") for n, norm in normed] + [("dense_head", "")]

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """The weights by PyTorch's names, float32; ``num_batches_tracked`` int64."""
        return dict(self._state)

    def load_state_dict(self, state: dict[str, NDArray[Any]]) -> None:
        """Takes over weights; ``ValueError`` if a name is missing, unknown or of another shape."""
        new: dict[str, NDArray[Any]] = dict(checked_state(state, self.shapes(), "this network"))
        for name, array in new.items():
            if name.endswith("running_var") and (array < 0).any():
                raise ValueError(f"{name} must not be negative")
            if name.endswith("tracked"):
                new[name] = np.asarray(state[name]).astype(np.int64)
        self._state = new

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """What a state has to hold, in PyTorch's order of modules."""
        shapes: dict[str, tuple[int, ...]] = {}
        for (dense, norm), (inputs, outputs, _, _) in zip(self.names(), self.config.layers, strict=True):
            shapes |= {f"{dense}.weight": (outputs, inputs), f"{dense}.bias": (outputs,)}
            if norm:
                shapes |= {f"{norm}.{part}": (outputs,) for part in ("weight", "bias", "running_mean", "running_var")}
                shapes[f"{norm}.num_batches_tracked"] = ()
        return shapes

    def layers(self) -> list[Layer]:
        """The network on ``plane()``: its first layer takes the inputs of the column before those of the row."""
        first, *rest = self.network()
        encoding = self.config.encoding
        waves = range(2, encoding.features, 2)
        order = [0, *waves, 1, *(k + 1 for k in waves)]
        return [replace(first, weights=first.weights[order]), *rest]

    def plane(self, size: tuple[int, int] | None = None) -> Plane:
        """The inputs as formulas; ``ValueError`` for random Fourier features, which see both coordinates at once."""
        if self.config.fourier:
            raise ValueError("a perceptron with random Fourier features cannot be written as a program")
        waves = range(self.config.octaves)
        terms = []
        for which in (0, 1):
            line = Term(*coordinate(self.config.coords, self.size, which))
            halves = [2.0 ** (k - 1) for k in waves]  # of a turn: sin(2^k pi x) = sin(2 pi 2^(k-1) x)
            turns = [Term(h * line.slope, h * line.offset, wave) for h in halves for wave in ("sin", "cos")]
            terms.append((line, *turns))
        return Plane(terms[0], terms[1])

    def network(self) -> list[Layer]:
        """The layers as they are rendered: each normalization, by its running moments, is part of the next layer."""
        layers, scale, shift = [], np.ones(()), np.zeros(self.config.encoding.features)
        for (dense, norm), (_, _, name, _) in zip(self.names(), self.config.layers, strict=True):
            w = self._state[f"{dense}.weight"].astype(np.float64).T
            layers.append(
                Layer(scale[..., None] * w, self._state[f"{dense}.bias"].astype(np.float64) + shift @ w, name)
            )
            scale, shift = np.ones(()), np.zeros(w.shape[1])
            if norm:
                mean, var, gamma, beta = (
                    self._state[f"{norm}.{part}"].astype(np.float64)
                    for part in ("running_mean", "running_var", "weight", "bias")
                )
                scale = gamma / np.sqrt(var + NORM_EPS)
                shift = beta - mean * scale
        return layers

    def __call__(self, coords: ArrayLike, *, threads: int | None = None) -> NDArray[np.float32]:
        """Outputs at points: (P, 2) x, y in the convention ``config.coords`` -> (P, C) float32."""
        points = np.asarray(coords, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != 2 or len(points) == 0 or not np.isfinite(points).all():
            raise ValueError(f"coords must be finite and of shape (P, 2) with P >= 1, got {points.shape}")
        return self._at(self.network(), points, threads)

    def _at(self, network: Sequence[Layer], points: NDArray[np.float64], threads: int | None) -> NDArray[np.float32]:
        features = np.ascontiguousarray(self.config.encoding(points).T, np.float64)
        row: NDArray[np.float32] = evaluate(network, Inputs(features, np.empty((0, 1))), threads=threads)[0]
        return row

    def render_float(
        self,
        size: tuple[int, int] | None = None,
        *,
        region: Region | None = None,
        device: str = "auto",
        threads: int | None = None,
    ) -> NDArray[np.float32]:
        on_cpu(device, "perceptrons")
        width, height = self.size if size is None else check_size(size)
        where = check_region(region) if region is not None else None
        x, y = axes(self.config.coords, self.size, (width, height), where)
        network, out = self.network(), np.empty((height, width, self.config.channels), np.float32)
        rows = max(1, POINTS_AT_ONCE // width)
        for top in range(0, height, rows):
            band = y[top : top + rows]
            points = np.stack([np.tile(x, len(band)), np.repeat(band, width)], axis=1).astype(np.float64)
            out[top : top + rows] = self._at(network, points, threads).reshape(len(band), width, -1)
        return out

    def _channels(self) -> int:
        return self.config.channels
