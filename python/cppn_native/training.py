"""``cn.train``: a picture in, the best model for the bytes and the time out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _core
from .devices import open_backend
from .fit.picture import Picture, working_picture
from .fit.plan import BITS_PER_WEIGHT, Plan, neurons_for
from .fit.run import Run, fingerprint, first_state
from .fit.state import FitState, load_checkpoint
from .image import ImageLike, load_image
from .models.cascade import SEED_STEP, Cascade, CascadeConfig
from .progress import Progress, Reporter

__all__ = ["train"]

MIN_BYTES = 32
MAX_STEPS = 10**12
MAX_MINUTES = 366 * 24 * 60
FIT_PIXELS = 262_144
ROUNDING_STEPS = 12_000
STOCHASTIC = {
    "rate": 0.01,
    "rate_floor": 1.0,
    "warmup": 0,
    "spread": 16.0,
    "limit": 55.0,
    "step": SEED_STEP,
}
"""What the seed's stochastic quantization was trained with: a constant rate, levels as wide as the program's."""
STOCHASTIC_NETWORK = {"activation": "sigmoid", "coords": "seed"}
STOCHASTIC_BITS = 7.0  # 111 levels, nearly uniform: 45 neurons in a kilobyte

_PLAN_OPTIONS = {f.name for f in fields(Plan)} - {"max_bytes", "minutes", "reserve", "seed", "steps"}
_CONFIG_OPTIONS = {f.name for f in fields(CascadeConfig)}


def train(
    image: ImageLike,
    model: str | CascadeConfig = "cascade",
    *,
    max_bytes: int | None = 1024,
    steps: int | None = None,
    minutes: float | None = None,
    seed: int = 0,
    device: str = "auto",
    threads: int | None = None,
    progress: bool = True,
    callback: Callable[[Progress], Any] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    init: Cascade | None = None,
    background: str | Sequence[int] = (255, 255, 255),
    fit_pixels: int | None = FIT_PIXELS,
    **options: Any,
) -> Cascade:
    """Fits a network to a picture so that its file has at most ``max_bytes``.

    image       path | PIL image | array (H, W), (H, W, 3), (H, W, 4); uint8, uint16, or float in [0, 1]
    model       "cascade", or a ``CascadeConfig``
    max_bytes   of the ``.cppn`` file; None: float weights, not quantized
    steps, minutes  of descent, and in all; whichever ends first. Both None: a budget that the progress bar states
    seed        same seed, same model, whatever the number of threads
    device      "auto", "cpu" or "cuda"
    progress    a bar on a terminal, plain lines elsewhere, on standard error
    callback    called with a ``Progress`` some ten times a second; a true result stops, keeping the best
    checkpoint  a file, written atomically; an existing one is continued, bit for bit
    init        a model to start from, instead of random weights
    background  what transparent pixels are put on: (r, g, b) or a CSS colour
    fit_pixels  larger pictures are averaged down to this many pixels for fitting; None: never
    options     fields of ``CascadeConfig`` (neurons, activation, ...) and of ``cppn_native.fit.plan.Plan``
                (method="noise" | "stochastic", rate, noise, ...); "stochastic" defaults to the seed's
                network as well: sigmoids, raw pixel coordinates

    Ctrl-C returns the best so far within a fraction of a second; ``.stopped`` of the model says what ended it.
    Raises ``ValueError`` naming the argument, ``DeviceError``, ``DivergedError`` (with the best model), and
    ``FormatError`` for a checkpoint that is none.
    """
    config_options, plan_options = _split(options)
    _check_budget(max_bytes, steps, minutes, seed)
    config = _config(model, config_options, max_bytes, init, plan_options.get("method"))
    pixels = load_image(image, channels=_image_channels(config), background=background)[:, :, : config.channels]
    if fit_pixels is not None and (isinstance(fit_pixels, bool) or int(fit_pixels) < 1):
        raise ValueError(f"fit_pixels must be a positive integer or None, got {fit_pixels!r}")
    if max(pixels.shape[:2]) > 65535:
        raise ValueError(f"image must be at most 65535 pixels wide and high, got {pixels.shape[1::-1]}")
    picture = working_picture(pixels, fit_pixels)
    backend = open_backend(device, threads)
    reporter = Reporter(progress, callback)
    if checkpoint is not None and Path(checkpoint).exists():
        state = _continued(checkpoint, picture, seed, reporter)
    else:
        plan = _plan(plan_options, max_bytes, steps, minutes, seed, config, picture, backend)
        state = first_state(config, plan, picture, init)
        reporter.announce(_announcement(config, plan, picture))
    return Run(picture, backend, state, reporter, checkpoint).go()


def _split(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    unknown = sorted(set(options) - _CONFIG_OPTIONS - _PLAN_OPTIONS)
    if unknown:
        known = ", ".join(sorted(_CONFIG_OPTIONS | _PLAN_OPTIONS))
        raise TypeError(f"train() got an unknown option {unknown[0]!r}; known are {known}")
    return (
        {key: value for key, value in options.items() if key in _CONFIG_OPTIONS},
        {key: value for key, value in options.items() if key in _PLAN_OPTIONS},
    )


def _check_budget(max_bytes: object, steps: object, minutes: object, seed: object) -> None:
    if max_bytes is not None and (
        isinstance(max_bytes, bool) or not isinstance(max_bytes, int | np.integer) or max_bytes < MIN_BYTES
    ):
        raise ValueError(f"max_bytes must be an integer of at least {MIN_BYTES}, or None, got {max_bytes!r}")
    if steps is not None and (
        isinstance(steps, bool) or not isinstance(steps, int | np.integer) or not 0 <= steps <= MAX_STEPS
    ):
        raise ValueError(f"steps must be an integer from 0 to {MAX_STEPS} or None, got {steps!r}")
    if minutes is not None and (
        isinstance(minutes, bool)
        or not isinstance(minutes, int | float | np.number)
        or not 0 < float(minutes) <= MAX_MINUTES
    ):
        raise ValueError(f"minutes must be a positive number up to {MAX_MINUTES} (a year) or None, got {minutes!r}")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 1 << 63:
        raise ValueError(f"seed must be an integer from 0 to 2^63 - 1, got {seed!r}")


def _config(
    model: object, options: dict[str, Any], max_bytes: int | None, init: Cascade | None, method: object
) -> CascadeConfig:
    if init is not None:
        if not isinstance(init, Cascade):
            raise ValueError(f"init must be a Cascade, got {type(init).__name__}")
        if options or model not in ("cascade", init.config):
            raise ValueError("init brings its own network: leave out the options of CascadeConfig")
        return init.config
    if isinstance(model, CascadeConfig):
        return replace(model, **options)
    if model != "cascade":
        raise ValueError(f'model must be "cascade" or a CascadeConfig, got {model!r}')
    stochastic = method == "stochastic"
    options = {**(STOCHASTIC_NETWORK if stochastic else {}), **options}
    if "neurons" in options or max_bytes is None:
        return CascadeConfig(**options)
    smallest = CascadeConfig(**{**options, "neurons": max(options.get("channels", 3), 3)})
    bits = STOCHASTIC_BITS if stochastic else BITS_PER_WEIGHT
    return replace(smallest, neurons=neurons_for(max_bytes, smallest, bits))


def _image_channels(config: CascadeConfig) -> int:
    if config.channels == 2:
        raise ValueError("channels must be 1, 3 or 4 to fit a picture, got 2")
    return config.channels


def _plan(
    options: dict[str, Any],
    max_bytes: int | None,
    steps: int | None,
    minutes: float | None,
    seed: int,
    config: CascadeConfig,
    picture: Picture,
    backend: _core.Cpu,
) -> Plan:
    method = options.get("method", "noise")
    if method not in ("noise", "stochastic"):
        raise ValueError(f'method must be "noise" or "stochastic", got {method!r}')
    defaults: dict[str, Any] = dict(STOCHASTIC) if method == "stochastic" else {}
    if max_bytes is None and method == "noise":
        defaults["noise"] = 0.0
    plan = Plan(**{**defaults, **options}, max_bytes=max_bytes, minutes=minutes, seed=int(seed))
    _check_plan(plan)
    if minutes is None:
        return plan if steps is None else replace(plan, steps=int(steps))
    affordable, reserve = _affordable(plan, minutes, config, picture, backend)
    most = affordable if steps is None else min(int(steps), affordable)
    return replace(plan, steps=most, reserve=reserve)


def _check_plan(plan: Plan) -> None:
    for name in ("rate", "spread", "limit", "step", "sample", "rounds"):
        if not getattr(plan, name) > 0:
            raise ValueError(f"{name} must be positive, got {getattr(plan, name)!r}")
    for name in ("rate_floor", "warmup", "noise", "noise_rise", "decay", "quantize_rate", "polish"):
        if not getattr(plan, name) >= 0:
            raise ValueError(f"{name} must not be negative, got {getattr(plan, name)!r}")


def _affordable(
    plan: Plan, minutes: float, config: CascadeConfig, picture: Picture, backend: _core.Cpu
) -> tuple[int, float]:
    """Gradient steps that fit into the descent's share of the time, and the seconds left for rounding.

    Rounding takes about as long as ROUNDING_STEPS steps of a picture that its samples cover, and gets half of a
    short run.
    """
    task = picture.task(backend, config)
    weights: NDArray[np.float32] = np.zeros(config.weights, np.float32)
    task.gradient(weights)
    begin, count = time.perf_counter(), 0
    while count == 0 or time.perf_counter() - begin < min(0.2, 0.6 * minutes):
        task.gradient(weights)
        count += 1
    per_step = (time.perf_counter() - begin) / count
    seconds, reserve = 60 * minutes, 0.0
    if plan.method != "stochastic" and plan.max_bytes is not None:
        covered = min(1.0, 4 * plan.sample / picture.pixels)
        reserve = min(seconds / 2, ROUNDING_STEPS * covered * per_step)
    return max(1, min(MAX_STEPS, int((seconds - reserve) / per_step))), reserve


def _continued(checkpoint: str | os.PathLike[str], picture: Picture, seed: int, reporter: Reporter) -> FitState:
    state = load_checkpoint(checkpoint)
    if state.fingerprint != fingerprint(picture):
        raise ValueError(f"checkpoint {os.fspath(checkpoint)} belongs to another picture")
    if state.plan.seed != seed:
        raise ValueError(f"checkpoint {os.fspath(checkpoint)} was begun with seed={state.plan.seed}, got seed={seed}")
    reporter.announce(f"continuing {os.fspath(checkpoint)} at step {state.step} of {state.plan.steps}")
    return state


def _announcement(config: CascadeConfig, plan: Plan, picture: Picture) -> str:
    width, height = picture.fitted
    size = f"{width} x {height}"
    if picture.size != picture.fitted:
        size += f" (fitted at {picture.size[0]} x {picture.size[1]})"
    limit = "float weights" if plan.max_bytes is None else f"at most {plan.max_bytes} bytes"
    budget = f"{plan.steps} steps" if plan.minutes is None else f"{plan.minutes:g} min, {plan.steps} steps"
    return f"{size}: {config.neurons} neurons, {config.weights} weights, {limit}\n{budget}; Ctrl-C keeps the best"
