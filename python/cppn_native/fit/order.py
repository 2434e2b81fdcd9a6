"""What a caller of ``train`` asks for: every argument checked, in the caller's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from ..image import ImageLike, load_image
from ..models.cascade import SEED_STEP, Cascade, CascadeConfig
from ..models.perceptron import PRESETS
from .picture import Picture, working_picture
from .plan import BITS_PER_WEIGHT, Plan, neurons_for

__all__ = [
    "FIT_PIXELS",
    "MAX_STEPS",
    "Limits",
    "Order",
    "check_budget",
    "check_fit_pixels",
    "check_order",
    "check_snapshots",
]

MIN_BYTES = 32
MAX_STEPS = 10**12
MAX_MINUTES = 366 * 24 * 60
FIT_PIXELS = 262_144
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


@dataclass(frozen=True)
class Limits:
    """Of ``cn.train``, unchecked."""

    max_bytes: int | None
    steps: int | None
    minutes: float | None
    seed: int


@dataclass(frozen=True)
class Order:
    """A network, a plan and how pictures are read. Where ``minutes`` count, ``budget.afford`` completes the plan."""

    config: CascadeConfig
    plan: Plan
    minutes: float | None
    steps: int | None
    init: Cascade | None
    background: str | Sequence[int]
    fit_pixels: int | None

    def picture(self, image: ImageLike) -> Picture:
        """What is fitted; ``ValueError``, ``TypeError`` or ``OSError`` for what is no picture."""
        wanted = self.config.channels
        pixels = load_image(image, channels=wanted, background=self.background)[:, :, :wanted]
        if max(pixels.shape[:2]) > 65535:
            raise ValueError(f"image must be at most 65535 pixels wide and high, got {pixels.shape[1::-1]}")
        return working_picture(pixels, self.fit_pixels)


def check_order(
    model: str | CascadeConfig,
    max_bytes: int | None,
    steps: int | None,
    minutes: float | None,
    seed: int,
    init: Cascade | None,
    background: str | Sequence[int],
    fit_pixels: int | None,
    options: dict[str, Any],
) -> Order:
    """Raises ``ValueError`` naming the argument, ``TypeError`` for an unknown option."""
    config_options, plan_options = _split(options)
    check_budget(max_bytes, steps, minutes, seed)
    config = _config(model, config_options, max_bytes, init, plan_options.get("method"))
    if config.channels == 2:
        raise ValueError("channels must be 1, 3 or 4 to fit a picture, got 2")
    check_fit_pixels(fit_pixels)
    plan = _plan(plan_options, max_bytes, int(seed))
    if steps is not None:
        plan = replace(plan, steps=int(steps))
    return Order(config, plan, minutes, steps, init, background, fit_pixels)


def _split(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    unknown = sorted(set(options) - _CONFIG_OPTIONS - _PLAN_OPTIONS)
    if unknown:
        known = ", ".join(sorted(_CONFIG_OPTIONS | _PLAN_OPTIONS))
        raise TypeError(f"got an unknown option {unknown[0]!r}; known are {known}")
    return (
        {key: value for key, value in options.items() if key in _CONFIG_OPTIONS},
        {key: value for key, value in options.items() if key in _PLAN_OPTIONS},
    )


def check_snapshots(snapshots: object) -> int:
    if isinstance(snapshots, bool) or not isinstance(snapshots, int) or not 0 <= snapshots <= 10_000:
        raise ValueError(f"snapshots must be an integer from 0 to 10000, got {snapshots!r}")
    return snapshots


def check_fit_pixels(fit_pixels: object) -> None:
    if fit_pixels is not None and (
        isinstance(fit_pixels, bool) or not isinstance(fit_pixels, int | np.integer) or fit_pixels < 1
    ):
        raise ValueError(f"fit_pixels must be a positive integer or None, got {fit_pixels!r}")


def check_budget(max_bytes: object, steps: object, minutes: object, seed: object) -> None:
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
        raise ValueError(f"model must be cascade, {', '.join(PRESETS)}, shapes, waves, best or a config, got {model!r}")
    stochastic = method == "stochastic"
    options = {**(STOCHASTIC_NETWORK if stochastic else {}), **options}
    if "neurons" in options or max_bytes is None:
        return CascadeConfig(**options)
    smallest = CascadeConfig(**{**options, "neurons": max(options.get("channels", 3), 3)})
    bits = STOCHASTIC_BITS if stochastic else BITS_PER_WEIGHT
    return replace(smallest, neurons=neurons_for(max_bytes, smallest, bits))


def _plan(options: dict[str, Any], max_bytes: int | None, seed: int) -> Plan:
    method = options.get("method", "noise")
    if method not in ("noise", "stochastic"):
        raise ValueError(f'method must be "noise" or "stochastic", got {method!r}')
    defaults: dict[str, Any] = dict(STOCHASTIC) if method == "stochastic" else {}
    if max_bytes is None and method == "noise":
        defaults["noise"] = 0.0
    plan = Plan(**{**defaults, **options}, max_bytes=max_bytes, seed=seed)
    if method == "stochastic" and plan.coarse:
        raise ValueError(
            f'coarse must be 0 with method="stochastic", whose best score is that of all pixels; got {plan.coarse!r}'
        )
    _check_plan(plan)
    return plan


def _check_plan(plan: Plan) -> None:
    for name in ("rate", "spread", "limit", "step", "sample", "rounds"):
        if not getattr(plan, name) > 0:
            raise ValueError(f"{name} must be positive, got {getattr(plan, name)!r}")
    if not 0 <= plan.fine <= 1:
        raise ValueError(f"fine must be a share from 0 to 1, got {plan.fine!r}")
    for name in ("coarse", "rate_floor", "warmup", "noise", "noise_rise", "decay", "quantize_rate", "polish"):
        if not getattr(plan, name) >= 0:
            raise ValueError(f"{name} must not be negative, got {getattr(plan, name)!r}")
