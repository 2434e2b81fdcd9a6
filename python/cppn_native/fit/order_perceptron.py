"""What a caller of ``train`` asks for of a perceptron: every argument checked, and the training begun."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from ..devices import open_cpu
from ..image import ImageLike, load_image
from ..models.base import Model
from ..models.floating import on_cpu
from ..models.perceptron import PRESETS, Perceptron, PerceptronConfig
from ..progress import Reporter
from ..recipes import Recipe, mysterynet, plain
from .order import Limits, check_budget, check_snapshots
from .perceptron import PerceptronRun
from .perceptron_state import PerceptronPlan

__all__ = ["train_perceptron"]

_CONFIG = {f.name for f in fields(PerceptronConfig)}
_PLAN = {"rate", "batch", "decay", "loss", "recipe"}
USUAL_BYTES = 1024


def train_perceptron(
    image: ImageLike,
    model: str | PerceptronConfig,
    limits: Limits,
    background: str | Sequence[int],
    init: Model | None,
    options: dict[str, Any],
    device: str,
    threads: int | None,
    reporter: Reporter,
    checkpoint: str | os.PathLike[str] | None,
) -> Perceptron:
    """``ValueError`` naming the argument, ``TypeError`` for an unknown option, ``DeviceError`` for a GPU by name."""
    snapshots = check_snapshots(options.pop("snapshots", 0))
    config = replace(PRESETS[model] if isinstance(model, str) else model, **_of(options, _CONFIG))
    start = _start(init, config)
    plan = _plan(model, config, limits, _of(options, set(options) - _CONFIG))
    on_cpu(device, "perceptrons")
    channels = config.channels
    pixels = load_image(image, channels=channels, background=background)[:, :, :channels]
    height, width = pixels.shape[:2]
    if max(width, height) > 65535 or width * height >= 1 << 26:
        raise ValueError(
            f"image must be smaller than 65535 pixels a side and 64 million in all, got {width} x {height}"
        )
    pixels = np.ascontiguousarray(pixels)
    run = PerceptronRun(pixels, config, plan, open_cpu(threads), reporter, checkpoint, start, snapshots)
    if plan.minutes is not None and limits.steps is None and run.state.step == 0:
        run.afford(60 * plan.minutes)
    what = f"{run.plan.steps} steps of {plan.batch or 'all'} pixels"
    reporter.announce(f"{width} x {height}: {len(config.layers)} layers, {config.params} weights; {what}")
    return run.go()


def _of(options: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name in names}


def _start(init: Model | None, config: PerceptronConfig) -> Perceptron | None:
    if init is None or (isinstance(init, Perceptron) and init.config == config):
        return init
    raise ValueError(f"init must be a Perceptron of the same config, got {init!r}")


def _plan(
    model: str | PerceptronConfig, config: PerceptronConfig, limits: Limits, options: dict[str, Any]
) -> PerceptronPlan:
    if limits.max_bytes not in (None, USUAL_BYTES):
        raise ValueError(f"max_bytes is for models in .cppn files, not for perceptrons; got {limits.max_bytes!r}")
    check_budget(None, limits.steps, limits.minutes, limits.seed)
    for name in options:
        if name not in _PLAN:
            known = ", ".join(sorted(_CONFIG | _PLAN | {"snapshots"}))
            raise TypeError(f"got an unknown option {name!r}; known are {known}")
    recipe = options.pop("recipe", None) or (mysterynet() if model == "mysterynet" else plain())
    if not isinstance(recipe, Recipe):
        raise ValueError(f"recipe must be a cn.Recipe, got {recipe!r}")
    usual = {} if any(config.norms) else {"rate": 0.003 if not config.omega else 0.001}
    plan = PerceptronPlan(recipe, **{**usual, **options}, seed=int(limits.seed), minutes=limits.minutes)
    _check(plan)
    if limits.steps is not None:
        return replace(plan, steps=int(limits.steps))
    return plan


def _check(plan: PerceptronPlan) -> None:
    if not 0 < plan.rate < 1e3:
        raise ValueError(f"rate must be a positive number, got {plan.rate!r}")
    if not 0 <= plan.decay < 1e3:
        raise ValueError(f"decay must be a number from 0 to 1000, got {plan.decay!r}")
    if isinstance(plan.batch, bool) or not isinstance(plan.batch, int) or plan.batch < 0:
        raise ValueError(f"batch must be a number of pixels, or 0 for the whole picture, got {plan.batch!r}")
    if plan.loss not in ("mse", "l1"):
        raise ValueError(f'loss must be "mse" or "l1", got {plan.loss!r}')
