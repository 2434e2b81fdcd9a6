"""``cn.train``: a picture in, the best model for the bytes and the time out."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, overload

from .fit.budget import afford, measuring_time, rounding_seconds
from .fit.descent import pace, seconds_per_step
from .fit.genetic import train_genetic
from .fit.machine import Machine, open_machine
from .fit.order import FIT_PIXELS, Limits, Order, check_order
from .fit.order_perceptron import USUAL_BYTES, train_perceptron
from .fit.order_shapes import train_shapes
from .fit.order_waves import train_waves
from .fit.picture import Picture
from .fit.plan import Plan
from .fit.run import Run, fingerprint, first_state
from .fit.state import FitState, load_checkpoint
from .image import ImageLike
from .models.base import Model
from .models.cascade import Cascade, CascadeConfig
from .models.genetic import Genetic, GeneticConfig
from .models.perceptron import PRESETS, Perceptron, PerceptronConfig
from .models.shapes import Shapes, ShapesConfig
from .models.waves import Waves, WavesConfig
from .progress import Progress, Reporter

__all__ = ["train"]


@overload
def train(image: ImageLike, model: Literal["cascade"] | CascadeConfig = "cascade", **options: Any) -> Cascade: ...


@overload
def train(
    image: ImageLike, model: Literal["mysterynet", "mlp", "siren", "fourier"] | PerceptronConfig, **options: Any
) -> Perceptron: ...


@overload
def train(image: ImageLike, model: Literal["shapes"] | ShapesConfig, **options: Any) -> Shapes: ...


@overload
def train(image: ImageLike, model: GeneticConfig, **options: Any) -> Genetic: ...


@overload
def train(image: ImageLike, model: Literal["waves", "best"] | WavesConfig, **options: Any) -> Waves: ...


def train(
    image: ImageLike,
    model: str | CascadeConfig | PerceptronConfig | ShapesConfig | GeneticConfig | WavesConfig = "cascade",
    *,
    max_bytes: int | Literal["usual"] | None = "usual",
    steps: int | None = None,
    minutes: float | None = None,
    seed: int = 0,
    device: str = "auto",
    threads: int | None = None,
    progress: bool = True,
    callback: Callable[[Progress], Any] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    init: Model | None = None,
    background: str | Sequence[int] = (255, 255, 255),
    fit_pixels: int | None = FIT_PIXELS,
    **options: Any,
) -> Cascade | Perceptron | Shapes | Genetic | Waves:
    """Fits a network, or shapes, to a picture; a cascade so that its file has at most ``max_bytes``.

    image       path | PIL image | array (H, W), (H, W, 3), (H, W, 4); uint8, uint16, or float in [0, 1]
    model       "cascade" or a ``CascadeConfig``; "mysterynet", "mlp", "siren", "fourier" or a ``PerceptronConfig``,
                which keep float weights and are saved as ``.safetensors``; "shapes" or a ``ShapesConfig`` likewise,
                or a ``GeneticConfig``; "waves" or a ``WavesConfig``, no network and the lowest score for the bytes;
                "best" for whatever comes out lowest (docs/rate_distortion.md), which is waves
    max_bytes   of the ``.cppn`` file; None: float weights, not quantized; "usual": 1024 for a cascade
                and for waves, None for shapes
    steps, minutes  of descent, and in all; whichever ends first. Both None: a budget that the progress bar states
    seed        same seed, same model, whatever the number of threads
    device      that descends: "auto" (the first usable GPU, else the CPU), "cpu", "cuda" or "cuda:N". Rounding is
                always the CPU's. If the GPU of "auto" fails, one ``RuntimeWarning`` says so and the CPU goes on
    progress    a bar on a terminal, plain lines elsewhere, on standard error
    callback    called with a ``Progress`` some ten times a second; a true result stops, keeping the best
    checkpoint  a file, written atomically; an existing one is continued, bit for bit
    init        a model to start from, instead of random weights
    background  what transparent pixels are put on: (r, g, b) or a CSS colour
    fit_pixels  larger pictures are averaged down to this many pixels to fit a cascade or shapes; None: never
    options     fields of ``CascadeConfig`` (neurons, activation, ...) and of ``cppn_native.fit.plan.Plan``
                (method="noise" | "stochastic", rate, noise, ...); "stochastic" defaults to the seed's
                network as well: sigmoids, raw pixel coordinates. Of a perceptron: fields of ``PerceptronConfig`` and
                of ``cppn_native.fit.perceptron_state.PerceptronPlan`` (rate, batch, decay, loss),
                recipe=``cn.Recipe(...)`` and snapshots=N, to be kept for ``timelapse``. Of shapes: fields of
                ``ShapesConfig`` (kind, n, terms, channels, formula) and of
                ``cppn_native.fit.shapes_state.ShapesPlan`` (rate, decay, loss), snapshots=N, and epochs= for steps=;
                with kind="genetic" those of ``GeneticConfig`` (n, shape, vertices, ...) and of
                ``cppn_native.fit.genetic.GeneticPlan`` (population, generations, survivors, rounds)

    Ctrl-C returns the best so far within a fraction of a second; ``.stopped`` of the model says what ended it.
    Raises ``ValueError`` naming the argument, ``DeviceError`` for a device named that cannot run or fails (the
    checkpoint then holds the last complete state), ``DivergedError`` (with the best model), and ``FormatError`` for
    a checkpoint that is none.
    """
    if max_bytes == "usual":
        max_bytes = None if isinstance(model, ShapesConfig | GeneticConfig) or model == "shapes" else USUAL_BYTES
    if isinstance(model, WavesConfig) or model in ("waves", "best"):
        limits = Limits(max_bytes, steps, minutes, seed)
        return train_waves(
            image, model, limits, background, init, options, device, threads, Reporter(progress, callback), checkpoint
        )
    if isinstance(model, PerceptronConfig) or (isinstance(model, str) and model in PRESETS):
        limits = Limits(max_bytes, steps, minutes, seed)
        return train_perceptron(
            image, model, limits, background, init, options, device, threads, Reporter(progress, callback), checkpoint
        )
    if isinstance(model, ShapesConfig | GeneticConfig) or model == "shapes":
        limits = Limits(max_bytes, steps, minutes, seed)
        if isinstance(model, GeneticConfig) or options.get("kind") == "genetic":
            return train_genetic(
                image, model, limits, background, init, fit_pixels, options, device, threads,
                Reporter(progress, callback), checkpoint,
            )  # fmt: skip
        return train_shapes(
            image, model, limits, background, init, fit_pixels, options, device, threads,
            Reporter(progress, callback), checkpoint,
        )  # fmt: skip
    if init is not None and not isinstance(init, Cascade):
        raise ValueError(f"init must be a Cascade, got {type(init).__name__}")
    order = check_order(model, max_bytes, steps, minutes, seed, init, background, fit_pixels, options)
    picture = order.picture(image)
    machine = open_machine(device, threads)
    reporter = Reporter(progress, callback)
    if checkpoint is not None and Path(checkpoint).exists():
        state = _continued(checkpoint, picture, seed, reporter)
    else:
        state = first_state(order.config, _plan(order, picture, machine), picture, init)
        reporter.announce(_announcement(state, picture, machine))
    return Run(picture, machine, state, reporter, checkpoint).go()


def _plan(order: Order, picture: Picture, machine: Machine) -> Plan:
    if order.minutes is None:
        return order.plan
    seconds = 60 * float(order.minutes)
    trial, spend = [first_state(order.config, order.plan, picture, order.init)], measuring_time(seconds)
    found = pace(picture, machine, trial, spend)
    on_cpu = found.fine
    if machine.on_gpu:
        on_cpu = seconds_per_step(picture, Machine(machine.cpu, machine.cpu), trial, spend)
    return afford(order, seconds, found.mean, rounding_seconds(order.plan, picture.pixels, on_cpu))


def _continued(checkpoint: str | os.PathLike[str], picture: Picture, seed: int, reporter: Reporter) -> FitState:
    state = load_checkpoint(checkpoint)
    if state.fingerprint != fingerprint(picture):
        raise ValueError(f"checkpoint {os.fspath(checkpoint)} belongs to another picture")
    if state.plan.seed != seed:
        raise ValueError(f"checkpoint {os.fspath(checkpoint)} was begun with seed={state.plan.seed}, got seed={seed}")
    reporter.announce(f"continuing {os.fspath(checkpoint)} at step {state.step} of {state.plan.steps}")
    return state


def _announcement(state: FitState, picture: Picture, machine: Machine) -> str:
    config, plan = state.config, state.plan
    width, height = picture.fitted
    size = f"{width} x {height}"
    if picture.size != picture.fitted:
        size += f" (fitted at {picture.size[0]} x {picture.size[1]})"
    limit = "float weights" if plan.max_bytes is None else f"at most {plan.max_bytes} bytes"
    budget = f"{plan.steps} steps" if plan.minutes is None else f"{plan.minutes:g} min, {plan.steps} steps"
    budget += f" on {machine.name}" if machine.on_gpu else ""
    return f"{size}: {config.neurons} neurons, {config.weights} weights, {limit}\n{budget}; Ctrl-C keeps the best"
