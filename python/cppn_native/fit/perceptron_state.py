"""What a perceptron's training is made of: its plan, its state, its parameters by name and packed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..models.perceptron import Perceptron, PerceptronConfig
from ..recipes import Recipe

__all__ = ["PerceptronPlan", "PerceptronState", "first_params", "first_state", "pack", "unpack"]

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class PerceptronPlan:
    """The numbers behind ``cn.train(picture, model="mysterynet")`` and its like.

    steps   of Adam
    rate    first learning rate
    batch   pixels a step, drawn without replacement; 0: the whole picture
    decay   AdamW's: w -= rate decay w
    loss    "mse" or "l1", means over pixels and channels
    """

    recipe: Recipe
    steps: int = 200_000
    rate: float = 0.02
    batch: int = 1024
    decay: float = 0.0
    loss: str = "mse"
    seed: int = 0
    minutes: float | None = None

    def rates(self, first: int, last: int) -> list[float]:
        done = np.arange(first, last) / max(1, self.steps)
        shape = {"linear": 1 - done, "cosine": 0.5 + 0.5 * np.cos(np.pi * done), "constant": np.ones_like(done)}
        return [float(rate) for rate in self.rate * shape[self.recipe.schedule]]


@dataclass
class PerceptronState:
    """All that a run depends on beside its plan."""

    step: int
    params: Floats
    m: Floats
    v: Floats
    running: NDArray[np.float64]
    loss: float = float("inf")
    elapsed: float = 0.0
    history: list[tuple[int, float]] = field(default_factory=list)
    snapshots: list[Floats] = field(default_factory=list)


def first_params(config: PerceptronConfig, seed: int) -> Floats:
    """(K,) as PyTorch draws them: weights and biases uniform in +- 1 / sqrt(fan-in). With omega as SIREN asks for,
    omega included: weights in +- omega / fan-in in the first layer, in +- sqrt(6 / fan-in) in the others, the output's
    1 / omega of that."""
    rng, parts = np.random.default_rng(seed), []
    last = len(config.layers) - 1
    for n, (inputs, outputs, _, norm) in enumerate(config.layers):
        bound = inputs**-0.5
        if config.omega:
            bound = config.omega / inputs if n == 0 else (6 / inputs) ** 0.5 / (config.omega if n == last else 1)
        parts += [rng.uniform(-bound, bound, inputs * outputs), rng.uniform(-1, 1, outputs) * inputs**-0.5]
        if norm:
            parts += [np.ones(outputs), np.zeros(outputs)]
    return np.concatenate(parts).astype(np.float32)


def first_state(config: PerceptronConfig, seed: int, init: Perceptron | None) -> PerceptronState:
    params, running = (first_params(config, seed), _fresh(config)) if init is None else pack(init)
    return PerceptronState(0, params, np.zeros_like(params), np.zeros_like(params), running)


def _fresh(config: PerceptronConfig) -> NDArray[np.float64]:
    moments = [np.repeat((0.0, 1.0), outputs) for _, outputs, _, norm in config.layers if norm]
    return np.concatenate([*moments, np.empty(0)])


def pack(model: Perceptron) -> tuple[Floats, NDArray[np.float64]]:
    """A model's state as the native code takes it: parameters, and running moments."""
    state, params, running = model.state_dict(), [], [np.empty(0)]
    for dense, norm in model.names():
        params += [state[f"{dense}.weight"].ravel(), state[f"{dense}.bias"]]
        if norm:
            params += [state[f"{norm}.weight"], state[f"{norm}.bias"]]
            running += [state[f"{norm}.running_mean"], state[f"{norm}.running_var"]]
    return np.concatenate(params).astype(np.float32), np.concatenate(running).astype(np.float64)


def unpack(
    config: PerceptronConfig, size: tuple[int, int], params: Floats, running: NDArray[np.float64], step: int
) -> Perceptron:
    """The other way."""
    state: dict[str, NDArray[Any]] = {}
    at = moment = 0

    def take(count: int) -> Floats:
        nonlocal at
        at += count
        return params[at - count : at]

    names = [f"dense{n}" for n in range(1, len(config.layers))] + ["dense_head"]
    for name, (inputs, outputs, _, norm) in zip(names, config.layers, strict=True):
        state[f"{name}.weight"] = take(inputs * outputs).reshape(outputs, inputs)
        state[f"{name}.bias"] = take(outputs)
        if norm:
            norm_name = name.replace("dense", "bn")
            state |= {f"{norm_name}.weight": take(outputs), f"{norm_name}.bias": take(outputs)}
            state[f"{norm_name}.running_mean"] = running[moment : moment + outputs]
            state[f"{norm_name}.running_var"] = running[moment + outputs : moment + 2 * outputs]
            state[f"{norm_name}.num_batches_tracked"] = np.asarray(step, np.int64)
            moment += 2 * outputs
    return Perceptron(config, size, state)
