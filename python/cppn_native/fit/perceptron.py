"""A perceptron's training from its first step to the model: bursts of steps, stages, reports, checkpoints, Ctrl-C."""

from __future__ import annotations

import io
import json
import os
import time
import zlib
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..coords import axes
from ..errors import DivergedError, FormatError
from ..image import write_atomic
from ..models.perceptron import Perceptron, PerceptronConfig
from ..progress import Progress, Reporter
from ..recipes import Stage
from .perceptron_state import PerceptronPlan, PerceptronState, first_state, unpack

__all__ = ["PerceptronRun"]

VERSION = 1
BURST_SECONDS = 0.05
CHECKPOINT_SECONDS = 10.0
SCORE_SCALE = (256 / 255) ** 2
Floats = NDArray[np.float32]


class PerceptronRun:
    """Drives a training to its end. ``stopped`` of the model says why it ended: "finished", "minutes", "callback" or
    "interrupt"."""

    def __init__(
        self,
        pixels: Floats,
        config: PerceptronConfig,
        plan: PerceptronPlan,
        cpu: _core.Cpu,
        reporter: Reporter,
        checkpoint: str | os.PathLike[str] | None = None,
        init: Perceptron | None = None,
        snapshots: int = 0,
    ) -> None:
        self.pixels, self.config, self.plan, self.cpu = pixels, config, plan, cpu
        self.reporter, self.checkpoint, self.snapshots = reporter, checkpoint, snapshots
        height, width, _ = pixels.shape
        self.size = (width, height)
        x, y = axes(config.coords, self.size, self.size)
        points = np.stack([np.tile(x, height), np.repeat(y, width)], axis=1).astype(np.float64)
        self.features = config.encoding(points)
        self.state = first_state(config, plan.seed, init)
        self._key = zlib.crc32(pixels.tobytes())
        if checkpoint is not None and Path(checkpoint).exists():
            self._continue(checkpoint)
        self._clock = self._saved = time.monotonic()
        self._stage = -1

    def afford(self, seconds: float) -> None:
        """Plans as many steps as fit into the time, which is measured."""
        native, begun, count = self.native(), time.monotonic(), 0
        while time.monotonic() - begun < min(0.2, seconds / 50):
            native.run([0.0, 0.0], 0.0)
            count += 2
        steps = max(1, int(0.95 * seconds * count / (time.monotonic() - begun)))
        self.plan = replace(self.plan, steps=steps)

    def go(self) -> Perceptron:
        stopped = "finished"
        native = self.native()
        burst = 1
        try:
            while self.state.step < self.plan.steps:
                begun = time.monotonic()
                self._take(native, burst)
                burst = self._next_burst(burst, time.monotonic() - begun)
                if self.reporter(self._report("descend")):
                    stopped = "callback"
                    break
                if self.plan.minutes is not None and self.state.elapsed > 60 * self.plan.minutes:
                    stopped = "minutes"
                    break
                if self.checkpoint is not None and time.monotonic() - self._saved > CHECKPOINT_SECONDS:
                    self.save()
        except KeyboardInterrupt:
            stopped = "interrupt"
        model = self.model()
        model.stopped = stopped
        self.save()
        self.reporter.last(self._report("done" if stopped == "finished" else "descend"))
        return model

    def model(self) -> Perceptron:
        """The network as it is, with what training left behind."""
        model = self._shown(self.state.params, self.state.step)
        model.history = list(self.state.history)
        model.recipe = json.dumps({**asdict(self.plan), "snapshots": self.snapshots})
        model.snapshots = [self._shown(params, 0) for params in self.state.snapshots]
        return model

    def _shown(self, params: Floats, step: int) -> Perceptron:
        """The network with these parameters, its running moments those of the whole picture: it shows what training
        saw."""
        running = self.state.running
        if any(self.config.norms):
            task = _core.Perceptron(self.cpu, self.features.shape[1], self.config.native(), len(self.features))
            task.gradient(params, self.features, self._target(Stage(1.0)))
            running = np.concatenate([np.asarray(part) for pair in task.moments() for part in pair])
        return unpack(self.config, self.size, params, running, step)

    # -- steps ----------------------------------------------------------------------------------------------

    def native(self, alone: bool = False) -> _core.PerceptronDescent:
        s, plan = self.state, self.plan
        return _core.PerceptronDescent(
            self.cpu, self.features.shape[1], self.config.native(), self.features, self._target(Stage(1.0)),
            (s.step, s.params, s.m, s.v, s.running), plan.loss, plan.batch, plan.seed, plan.decay,
            alone=alone,
        )  # fmt: skip

    def _take(self, native: _core.PerceptronDescent, burst: int) -> None:
        self.took(native, native.run(*self.next(native, burst)))

    def next(self, native: _core.PerceptronDescent, burst: int) -> tuple[list[float], float]:
        """Rates and noise of up to ``burst`` steps, but not beyond the present stage."""
        begins, step = self.plan.recipe.first_steps(self.plan.steps), self.state.step
        stage = max(n for n, begin in enumerate(begins) if begin <= step)
        if stage != self._stage:
            native.set_targets(self._target(self.plan.recipe.stages[stage]))
            self._stage = stage
        stops = [*begins, *self._snapshot_steps(), self.plan.steps]
        last = min([step + burst, *(stop for stop in stops if stop > step)])
        return self.plan.rates(step, last), self.plan.recipe.stages[stage].noise

    def _snapshot_steps(self) -> list[int]:
        return [round((k + 1) * self.plan.steps / self.snapshots) for k in range(self.snapshots)]

    def took(self, native: _core.PerceptronDescent, loss: float) -> None:
        s = self.state
        s.step, s.params, s.m, s.v, s.running = native.state()
        if not (np.isfinite(loss) and np.isfinite(s.params).all()):
            raise DivergedError(f"training diverged at step {s.step}: the loss is {loss}; try a smaller rate", None)
        s.loss = loss * self.pixels.size * SCORE_SCALE
        now = time.monotonic()
        s.elapsed, self._clock = s.elapsed + now - self._clock, now
        s.history.append((s.step, s.loss))
        if len(s.history) > 4096:
            s.history = s.history[::2]
        if s.step in self._snapshot_steps():
            s.snapshots.append(s.params)

    def _next_burst(self, burst: int, seconds: float) -> int:
        fitting = burst * BURST_SECONDS / max(seconds, 1e-4)
        return int(np.clip(fitting, 1, 2 * burst + 1))

    def _target(self, stage: Stage) -> Floats:
        """(P, C) in units of an activation: a byte b is shown for activations in [b, b + 1) / 256."""
        planes = [_blurred(self.pixels[:, :, c], stage.blur) for c in range(self.pixels.shape[2])]
        return ((np.stack(planes, axis=2) + np.float32(0.5)) / np.float32(256)).reshape(-1, len(planes))

    def _report(self, stage: str) -> Progress:
        s, plan = self.state, self.plan
        fraction = s.step / max(1, plan.steps)
        if plan.minutes is not None:
            fraction = max(fraction, min(1.0, s.elapsed / (60 * plan.minutes)))
        return Progress(stage, s.step, plan.steps, s.loss, None, None, fraction, s.elapsed)

    # -- checkpoints ------------------------------------------------------------------------------------------

    def save(self) -> None:
        if self.checkpoint is None:
            return
        s = self.state
        facts = {"version": VERSION, "kind": "perceptron", "picture": self._key, "loss": s.loss, "elapsed": s.elapsed,
                 "plan": _fingerprint(self.config, self.plan), "history": s.history, "step": s.step}  # fmt: skip
        out = io.BytesIO()
        np.savez(
            out, facts=np.frombuffer(json.dumps(facts).encode(), np.uint8), params=s.params, m=s.m, v=s.v,
            running=s.running, snapshots=np.array(s.snapshots, np.float32).reshape(-1, s.params.size),
        )  # fmt: skip
        write_atomic(self.checkpoint, out.getvalue())
        self._saved = time.monotonic()

    def _continue(self, path: str | os.PathLike[str]) -> None:
        name = os.fspath(path)
        try:
            with np.load(path, allow_pickle=False) as archive:
                facts = json.loads(bytes(archive["facts"]).decode())
                arrays = {key: archive[key] for key in ("params", "m", "v", "running", "snapshots")}
            if facts["version"] != VERSION or facts["kind"] != "perceptron":
                raise FormatError(f"checkpoint {name} is not one of a perceptron")
            shapes = {key: arrays[key].shape for key in ("params", "m", "v")}
            if set(shapes.values()) != {self.state.params.shape} or arrays["running"].shape != self.state.running.shape:
                raise ValueError(f"checkpoint {name} belongs to another network")
            history = [(int(step), float(score)) for step, score in facts["history"]]
            state = PerceptronState(
                int(facts["step"]), arrays["params"], arrays["m"], arrays["v"], arrays["running"],
                float(facts["loss"]), float(facts["elapsed"]), history, list(arrays["snapshots"]),
            )  # fmt: skip
        except (OSError, ValueError) as error:
            if isinstance(error, FormatError | FileNotFoundError) or "belongs to" in str(error):
                raise
            raise FormatError(f"checkpoint {name} is damaged or not a checkpoint: {error}") from error
        except Exception as error:
            raise FormatError(f"checkpoint {name} is damaged or not a checkpoint: {error}") from error
        if facts["picture"] != self._key:
            raise ValueError(f"checkpoint {name} belongs to another picture")
        if facts["plan"] != _fingerprint(self.config, self.plan):
            raise ValueError(f"checkpoint {name} was begun with another plan")
        self.state = state


def _fingerprint(config: PerceptronConfig, plan: PerceptronPlan) -> dict[str, Any]:
    text = json.dumps({"config": asdict(config), "plan": asdict(plan) | {"minutes": None}})
    return dict(json.loads(text))


def _blurred(plane: Floats, sigma: float) -> Floats:
    """By a Gaussian of that standard deviation in pixels; beyond the edge lies the edge."""
    if sigma == 0:
        return plane
    reach = int(4 * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights /= weights.sum()
    for axis in (0, 1):
        padding = [(0, 0), (0, 0)]
        padding[axis] = (reach, reach)
        padded, length = np.pad(plane, padding, mode="edge"), plane.shape[axis]
        taps = (weights[k] * padded.take(np.arange(k, k + length), axis) for k in range(len(weights)))
        plane = np.asarray(sum(taps), np.float32)
    return plane
