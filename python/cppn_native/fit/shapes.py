"""A training of shapes from its first step to the model."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..coords import axes
from ..models.shapes import Shapes, ShapesConfig
from ..progress import Reporter
from .picture import SCORE_SCALE, working_picture
from .shapes_state import LOSSES, ShapesPlan, ShapesState, first_state, loss_weights, unpack
from .stepwise import StepRun

__all__ = ["ShapesRun"]


class ShapesRun(StepRun[ShapesConfig, ShapesPlan, ShapesState, _core.ShapesDescent, Shapes]):
    """Of one picture (H, W, C) in 0 ... 255, averaged down to ``fit_pixels`` if it has more."""

    KIND: ClassVar[str] = "shapes"
    ARRAYS: ClassVar[tuple[str, ...]] = ("params", "m", "v", "best")

    def __init__(
        self,
        pixels: NDArray[np.float32],
        config: ShapesConfig,
        plan: ShapesPlan,
        cpu: _core.Cpu,
        reporter: Reporter,
        checkpoint: str | os.PathLike[str] | None = None,
        init: Shapes | None = None,
        snapshots: int = 0,
        fit_pixels: int | None = None,
    ) -> None:
        picture = working_picture(pixels, fit_pixels)
        width, height = self.fitted = picture.size
        if config.kind == "point" and config.resolution is None:
            config = replace(config, resolution=max(width, height))
        self.target = np.ascontiguousarray(picture.target.T.reshape(height, width, config.channels))
        self.weights = loss_weights(self.target, plan.loss)
        state = first_state(config, (pixels.shape[1], pixels.shape[0]), plan.seed, init)
        super().__init__(pixels, config, plan, cpu, reporter, checkpoint, snapshots, state)

    def native(self) -> _core.ShapesDescent:
        s = self.state
        x, y = axes(Shapes.COORDS, self.size, self.fitted)
        return _core.ShapesDescent(
            self.cpu, self.config.native(self.size), x, y, self.target, self.weights,
            (s.step, s.params, s.m, s.v, s.best, s.best_loss), LOSSES[self.plan.loss], self.plan.decay,
        )  # fmt: skip

    def try_steps(self, native: _core.ShapesDescent) -> int:
        native.run([0.0])
        return 1

    def take(self, native: _core.ShapesDescent, burst: int) -> None:
        loss, squares = native.run([self.plan.rate] * (self.last(burst) - self.state.step))[-1]
        self._fetch(native)
        self.took(loss, squares * SCORE_SCALE)

    def _fetch(self, native: _core.ShapesDescent) -> None:
        s = self.state
        s.step, s.params, s.m, s.v, s.best, s.best_loss = native.state()

    def model(self) -> Shapes:
        """The best seen, the last step included."""
        native = self.native()
        native.look()
        self._fetch(native)
        model = unpack(self.config, self.size, self.state.best)
        model.history = list(self.state.history)
        model.recipe = self.recipe()
        model.snapshots = [unpack(self.config, self.size, params) for params in self.state.snapshots]
        return model

    def best_so_far(self) -> Shapes | None:
        best = self.state.best
        known = np.isfinite(self.state.best_loss) and np.isfinite(best).all()
        return unpack(self.config, self.size, best) if known else None

    def facts(self) -> dict[str, Any]:
        return {"best_loss": self.state.best_loss if np.isfinite(self.state.best_loss) else None}

    def restored(
        self, facts: dict[str, Any], arrays: dict[str, NDArray[Any]], history: list[tuple[int, float]]
    ) -> ShapesState:
        best = facts["best_loss"]
        return ShapesState(
            int(facts["step"]), arrays["params"], arrays["m"], arrays["v"], arrays["best"],
            float("inf") if best is None else float(best), float(facts["loss"]), float(facts["elapsed"]), history,
            list(arrays["snapshots"]),
        )  # fmt: skip
