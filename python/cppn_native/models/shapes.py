"""Pictures out of differentiable shapes: splats with a Fourier outline, strokes, points, discs.

    value = scale g(raw) + offset                  of every raw parameter, g the identity, sigmoid or tanh
    (X, Y) = scale * rotation (x - posx, y - posy)         R = sqrt(X^2 + Y^2)         theta = -acos(X / R) sign(Y)
    picture = a sum, a weighted mean or a product over the shapes, by kind (docs/shapes.md)

After "Image Approximation using Differentiable Shapes" (A. Schrein, 2022) and the notebooks beside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..coords import Region, axes
from ..devices import open_cpu
from .base import check_region, check_size
from .floating import FloatModel, checked_state, on_cpu

__all__ = ["KINDS", "Kind", "Shapes", "ShapesConfig"]

FORMULAS = ("notebook", "prose")


@dataclass(frozen=True)
class Kind:
    """What the notebooks take for one kind of shapes: how many, and the learning rate; whether it has an outline, which
    is what ``terms`` and ``formula`` are about."""

    n: int
    rate: float
    outlined: bool = False


KINDS = {
    "fourier": Kind(256, 0.01, outlined=True),
    "depth": Kind(512, 0.005, outlined=True),
    "stroke": Kind(1024, 0.005),
    "point": Kind(4096, 0.005),
    "article": Kind(512, 0.01),
}


_MAPS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "identity": lambda raw: raw,
    "tanh": np.tanh,
    "sigmoid": lambda raw: 0.5 + 0.5 * np.tanh(0.5 * raw),
}


@dataclass(frozen=True)
class ShapesConfig:
    """What a picture is made of.

    kind      "fourier": splats whose colours add up, negative ones too; "depth": splats in front of each other;
              "stroke": arcs of a brush; "point": ink dots on white; "article": discs that take the mean of the picture
    n         how many; None: as many as the notebooks take, 256, 512, 1024, 4096 and (of article, ours) 512
    terms     of the Fourier series of an outline, of "fourier" and "depth"; 0 for the others
    channels  1 (grey), 3 (RGB) or 4 (RGBA)
    formula   of an outline: "notebook" or "prose", as the post's text has it
    resolution  of points, which are as large as pixels of a picture with so long a side; None: as those fitted to

    Raises ``ValueError`` naming the field that does not fit.
    """

    kind: str = "fourier"
    n: int | None = None
    terms: int = 8
    channels: int = 3
    formula: str = "notebook"
    resolution: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {self.kind!r}")
        kind = KINDS[self.kind]
        if self.n is None:
            object.__setattr__(self, "n", kind.n)
        if not kind.outlined:
            object.__setattr__(self, "terms", 0)
        for name, low, high in (("n", 1, _core.MAX_SHAPES), ("terms", int(kind.outlined), _core.MAX_SHAPE_TERMS)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ValueError(f"{name} must be an integer from {low} to {high}, got {value!r}")
        side = self.resolution
        if side is not None and (isinstance(side, bool) or not isinstance(side, int) or not 1 <= side <= 1 << 20):
            raise ValueError(f"resolution must be an integer from 1 to {1 << 20} or None, got {side!r}")
        if self.channels not in (1, 3, 4):
            raise ValueError(f"channels must be 1, 3 or 4, got {self.channels!r}")
        if self.formula not in FORMULAS:
            raise ValueError(f"formula must be one of {', '.join(FORMULAS)}, got {self.formula!r}")
        if self.formula != "notebook" and not kind.outlined:
            raise ValueError(
                f"formula must be notebook for kind {self.kind}, which has no outline; got {self.formula!r}"
            )

    @property
    def count(self) -> int:
        """n, which is never None once checked."""
        return int(self.n or 0)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The raw parameters by name, in the order they are packed: (n,), (terms, n) of w_sin and w_cos, (n, channels)
        of colour."""
        n = self.count
        special = {"w_sin": (self.terms, n), "w_cos": (self.terms, n), "colour": (n, self.channels)}
        return {name: special.get(name, (n,)) for name, *_ in _core.shape_parameters(self.kind)}

    @property
    def params(self) -> int:
        """K: how many raw parameters there are."""
        return sum(int(np.prod(shape)) for shape in self.shapes().values())

    def unit(self, size: tuple[int, int]) -> int:
        """Pixels that points are as large as, in 1 of the coordinates of a picture of that (width, height)."""
        return self.resolution or max(size)

    def native(self, size: tuple[int, int]) -> tuple[str, str, int, int, int, float]:
        """As the native code takes it, for a picture of that (width, height)."""
        return self.kind, self.formula, self.count, self.terms, self.channels, float(self.unit(size))


class Shapes(FloatModel):
    """A picture of shapes.

    size        (width, height) of the picture it was fitted to
    parameters  the raw parameters by name, float32: what is trained, what a file holds
    snapshots   models of the training's course, if any were kept

    Coordinates are "unit" (``cppn_native.coords``): x = (i + 1/2) / W and y alike in a square; otherwise the long side
    goes from 0 to 1, and the short one lies in the middle.
    """

    config: ShapesConfig
    KIND: ClassVar[str] = "shapes"
    WHAT: ClassVar[str] = "shapes"
    COORDS: ClassVar[str] = "unit"

    def __init__(self, config: ShapesConfig, size: tuple[int, int], parameters: dict[str, NDArray[Any]]) -> None:
        self.config = config
        self.size = check_size(size)
        self.history: list[tuple[int, float]] = []
        self.recipe = ""
        self.snapshots: list[Shapes] = []
        self.load_state_dict(parameters)

    def __repr__(self) -> str:
        width, height = self.size
        return f"<Shapes {width} x {height}, {self.config.count} of kind {self.config.kind}>"

    @property
    def n_params(self) -> int:
        return self.config.params

    @classmethod
    def from_state(cls, state: dict[str, NDArray[Any]], metadata: dict[str, str]) -> Shapes:
        """A model from a safetensors file's tensors and metadata; ``ValueError`` for what does not fit."""
        width, height = json.loads(metadata["size"])
        model = cls(ShapesConfig(**json.loads(metadata["config"])), (width, height), state)
        model.recipe = metadata.get("recipe", "")
        return model

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """The raw parameters by name, float32."""
        return dict(self.parameters)

    def load_state_dict(self, state: dict[str, NDArray[Any]]) -> None:
        """Takes over parameters; ``ValueError`` if a name is missing, unknown or of another shape."""
        self.parameters = checked_state(state, self.config.shapes(), f"kind {self.config.kind}")

    def values(self) -> dict[str, NDArray[np.float64]]:
        """What the raw parameters mean, by name, in their shapes: scale g(raw) + offset."""
        return {
            name: scale * _MAPS[kind](self.parameters[name].astype(np.float64)) + offset
            for name, kind, scale, offset in _core.shape_parameters(self.config.kind)
        }

    def packed(self) -> NDArray[np.float32]:
        """(K,) the raw parameters one after the other."""
        return np.concatenate([array.ravel() for array in self.parameters.values()])

    def render_float(
        self,
        size: tuple[int, int] | None = None,
        *,
        region: Region | None = None,
        device: str = "auto",
        threads: int | None = None,
    ) -> NDArray[np.float32]:
        on_cpu(device, "shapes")
        width, height = self.size if size is None else check_size(size)
        where = check_region(region) if region is not None else None
        x, y = axes(self.COORDS, self.size, (width, height), where)
        shown: NDArray[np.float32] = _core.render_shapes(
            open_cpu(threads), self.config.native(self.size), self.packed(), x, y
        )
        return shown

    def _channels(self) -> int:
        return self.config.channels
