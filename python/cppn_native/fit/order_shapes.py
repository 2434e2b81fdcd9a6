"""What a caller of ``train`` asks for of shapes: every argument checked, and the training begun."""

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
from ..models.shapes import KINDS, Shapes, ShapesConfig
from ..progress import Reporter
from .order import Limits, check_budget, check_fit_pixels, check_snapshots
from .shapes import ShapesRun
from .shapes_budget import FLOAT_PART, TERMS, rounded_off, shapes_for
from .shapes_state import LOSSES, ShapesPlan

__all__ = ["train_shapes"]

_CONFIG = {f.name for f in fields(ShapesConfig)}
_PLAN = {"rate", "decay", "loss"}


def train_shapes(
    image: ImageLike,
    model: str | ShapesConfig,
    limits: Limits,
    background: str | Sequence[int],
    init: Model | None,
    fit_pixels: int | None,
    options: dict[str, Any],
    device: str,
    threads: int | None,
    reporter: Reporter,
    checkpoint: str | os.PathLike[str] | None,
) -> Shapes:
    """``ValueError`` naming the argument, ``TypeError`` for an unknown option, ``DeviceError`` for a GPU by name."""
    snapshots = check_snapshots(options.pop("snapshots", 0))
    limits = replace(limits, steps=_steps(limits.steps, options.pop("epochs", None)))
    given = {name: options.pop(name) for name in list(options) if name in _CONFIG}
    config = _config(model, _affordable(model, given, init, limits.max_bytes), init)
    plan = _plan(config, limits, options)
    if init is not None and not (isinstance(init, Shapes) and init.config == config):
        raise ValueError(f"init must be Shapes of the same config, got {init!r}")
    check_fit_pixels(fit_pixels)
    on_cpu(device, "shapes")
    pixels = np.ascontiguousarray(load_image(image, channels=config.channels, background=background))
    height, width = pixels.shape[:2]
    if max(width, height) > 65535:
        raise ValueError(f"image must be at most 65535 pixels a side, got {width} x {height}")
    run = ShapesRun(pixels, config, plan, open_cpu(threads), reporter, checkpoint, init, snapshots, fit_pixels)
    if plan.minutes is not None and limits.steps is None and run.state.step == 0:
        run.afford(60 * plan.minutes * (1 if limits.max_bytes is None else FLOAT_PART))
    fitted = "" if run.fitted == run.size else f" (fitted at {run.fitted[0]} x {run.fitted[1]})"
    what = f"{config.count} of kind {config.kind}, {config.params} parameters"
    reporter.announce(f"{width} x {height}{fitted}: {what}; {run.plan.steps} steps; Ctrl-C keeps the best")
    if limits.max_bytes is None:
        return run.go()
    return rounded_off(run, limits.max_bytes)


def _affordable(
    model: str | ShapesConfig, given: dict[str, Any], init: Model | None, max_bytes: int | None
) -> dict[str, Any]:
    """The options, with as many shapes as a file has room for where nobody says how many."""
    if max_bytes is None or isinstance(model, ShapesConfig) or init is not None:
        return given
    check_budget(max_bytes, None, None, 0)
    asked = ShapesConfig(**({"terms": TERMS} | given))
    return {"terms": asked.terms or 1, "n": shapes_for(asked.kind, asked.terms, max_bytes)} | given


def _config(model: str | ShapesConfig, given: dict[str, Any], init: Model | None) -> ShapesConfig:
    if isinstance(model, ShapesConfig):
        return replace(model, **given)
    if isinstance(init, Shapes):
        return replace(init.config, **given)
    return ShapesConfig(**given)


def _steps(steps: int | None, epochs: Any) -> int | None:
    if epochs is not None and steps is not None:
        raise ValueError(f"epochs is another name for steps: give one of them, got {epochs!r} and {steps!r}")
    return steps if epochs is None else epochs


def _plan(config: ShapesConfig, limits: Limits, options: dict[str, Any]) -> ShapesPlan:
    check_budget(limits.max_bytes, limits.steps, limits.minutes, limits.seed)
    for name in options:
        if name not in _PLAN:
            known = ", ".join(sorted(_CONFIG | _PLAN | {"snapshots", "epochs"}))
            raise TypeError(f"got an unknown option {name!r}; known are {known}")
    usual = {"rate": KINDS[config.kind].rate}
    plan = ShapesPlan(**{**usual, **options}, seed=int(limits.seed), minutes=limits.minutes)
    for name, least in (("rate", np.nextafter(0, 1)), ("decay", 0)):
        value = getattr(plan, name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < 1e3:
            raise ValueError(f"{name} must be a {'positive ' if least else ''}number below 1000, got {value!r}")
    if plan.loss not in LOSSES:
        raise ValueError(f"loss must be one of {', '.join(LOSSES)}, got {plan.loss!r}")
    if limits.steps is not None:
        return replace(plan, steps=int(limits.steps))
    return plan
