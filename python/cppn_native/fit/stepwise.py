"""What trainings have in common that go step by step, bursts of steps without Python: the clock, reports, snapshots,
Ctrl-C and checkpoints."""

from __future__ import annotations

import json
import os
import time
import zlib
from abc import ABC, abstractmethod
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..errors import DivergedError
from ..models.floating import FloatModel
from ..progress import Progress, Reporter
from .checkpoint import read_checkpoint, write_checkpoint
from .report import noted

__all__ = ["StepRun"]

BURST_SECONDS = 0.05
CHECKPOINT_SECONDS = 10.0
Floats = NDArray[np.float32]


class _State(Protocol):
    """All that a run depends on beside its plan; ``loss`` in units of a score."""

    step: int
    params: Floats
    loss: float
    elapsed: float
    history: list[tuple[int, float]]
    snapshots: list[Floats]


Config = TypeVar("Config")
Plan = TypeVar("Plan")
State = TypeVar("State", bound=_State)
Native = TypeVar("Native")
M = TypeVar("M", bound=FloatModel)


class StepRun(ABC, Generic[Config, Plan, State, Native, M]):
    """Drives a training to its end. ``stopped`` of the model says why it ended: "finished", "minutes", "callback" or
    "interrupt"."""

    KIND: ClassVar[str]
    ARRAYS: ClassVar[tuple[str, ...]]

    plan: Any
    state: State

    def __init__(
        self,
        pixels: Floats,
        config: Config,
        plan: Plan,
        cpu: _core.Cpu,
        reporter: Reporter,
        checkpoint: str | os.PathLike[str] | None,
        snapshots: int,
        state: State,
    ) -> None:
        self.pixels, self.config, self.plan, self.cpu = pixels, config, plan, cpu
        self.reporter, self.checkpoint, self.snapshots = reporter, checkpoint, snapshots
        self.state = state
        self.size = (pixels.shape[1], pixels.shape[0])
        self._key = zlib.crc32(pixels.tobytes())
        if checkpoint is not None and Path(checkpoint).exists():
            self._continue(checkpoint)
        self._clock = self._saved = time.monotonic()

    # -- what a kind of training brings ----------------------------------------------------------------------

    @abstractmethod
    def native(self) -> Native:
        """The native descent in the present state."""

    @abstractmethod
    def take(self, native: Native, burst: int) -> None:
        """Up to ``burst`` steps, but none beyond ``last``; ends with ``took``."""

    @abstractmethod
    def try_steps(self, native: Native) -> int:
        """Some steps whose result is thrown away, to measure the time; how many."""

    @abstractmethod
    def model(self) -> M:
        """What the state comes to."""

    @abstractmethod
    def restored(
        self, facts: dict[str, Any], arrays: dict[str, NDArray[Any]], history: list[tuple[int, float]]
    ) -> State:
        """The state in a checkpoint's ``ARRAYS``; ``ValueError`` with "belongs to" for another training's."""

    # -- the way from the first step to the last --------------------------------------------------------------

    def afford(self, seconds: float) -> None:
        """Plans as many steps as fit into the time, which is measured."""
        native, begun, count = self.native(), time.monotonic(), 0
        while time.monotonic() - begun < min(0.2, seconds / 50):
            count += self.try_steps(native)
        steps = max(1, int(0.95 * seconds * count / (time.monotonic() - begun)))
        self.plan = replace(self.plan, steps=steps)

    def go(self) -> M:
        stopped = "finished"
        native = self.native()
        burst = 1
        try:
            while self.state.step < self.plan.steps:
                begun = time.monotonic()
                self.take(native, burst)
                burst = _next_burst(burst, time.monotonic() - begun)
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

    def last(self, burst: int, *stops: int) -> int:
        """Where a burst ends: before any of the stops, the next snapshot, the end."""
        step = self.state.step
        stops = (*stops, *self._snapshot_steps(), self.plan.steps)
        return min([step + burst, *(stop for stop in stops if stop > step)])

    def took(self, loss: float, score: float) -> None:
        """Takes note of a burst, whose state is there: its loss, and its sum of squared errors as a score."""
        s = self.state
        if not (np.isfinite(loss) and np.isfinite(s.params).all()):
            message = f"training diverged at step {s.step}: the loss is {loss}; try a smaller rate"
            raise DivergedError(message, self.best_so_far())
        s.loss = score
        now = time.monotonic()
        s.elapsed, self._clock = s.elapsed + now - self._clock, now
        s.history = noted(s.history, s.step, s.loss)
        if s.step in self._snapshot_steps():
            s.snapshots.append(s.params)

    def best_so_far(self) -> M | None:
        """What is left when a training diverges."""
        return None

    def recipe(self) -> str:
        """The plan, for the model's file."""
        return json.dumps({**asdict(self.plan), "snapshots": self.snapshots})

    def _snapshot_steps(self) -> list[int]:
        return [round((k + 1) * self.plan.steps / self.snapshots) for k in range(self.snapshots)]

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
        facts = {"picture": self._key, "plan": self._fingerprint(), "steps": self.plan.steps, "step": s.step,
                 "loss": s.loss, "elapsed": s.elapsed, "history": s.history, **self.facts()}  # fmt: skip
        arrays = {name: getattr(s, name) for name in self.ARRAYS}
        arrays["snapshots"] = np.array(s.snapshots, np.float32).reshape(-1, s.params.size)
        write_checkpoint(self.checkpoint, self.KIND, facts, arrays)
        self._saved = time.monotonic()

    def facts(self) -> dict[str, Any]:
        """What else ``restored`` wants to know."""
        return {}

    def _continue(self, path: str | os.PathLike[str]) -> None:
        name = os.fspath(path)

        def build(facts: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> State:
            if any(arrays[key].shape != getattr(self.state, key).shape for key in self.ARRAYS):
                raise ValueError(f"checkpoint {name} belongs to another network")
            return self.restored(facts, arrays, [(int(step), float(score)) for step, score in facts["history"]])

        facts, state = read_checkpoint(path, self.KIND, (*self.ARRAYS, "snapshots"), build)
        if facts["picture"] != self._key:
            raise ValueError(f"checkpoint {name} belongs to another picture")
        if facts["plan"] != self._fingerprint():
            raise ValueError(f"checkpoint {name} was begun with another plan")
        if self.plan.minutes is not None:
            self.plan = replace(self.plan, steps=int(facts["steps"]))
        self.state = state

    def _fingerprint(self) -> dict[str, Any]:
        """Of what a continued training must have in common; how many steps the minutes afford is measured once."""
        config: Any = self.config
        plan = asdict(self.plan) | ({} if self.plan.minutes is None else {"steps": None}) | {"minutes": None}
        return dict(json.loads(json.dumps({"config": asdict(config), "plan": plan})))


def _next_burst(burst: int, seconds: float) -> int:
    fitting = burst * BURST_SECONDS / max(seconds, 1e-4)
    return int(np.clip(fitting, 1, 2 * burst + 1))
