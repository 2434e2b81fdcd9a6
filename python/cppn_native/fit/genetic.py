"""A painting from its background to its last entity: one more at a time, then rounds over all of them."""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..devices import open_cpu
from ..image import ImageLike, load_image
from ..listing import encode_painting
from ..models.base import Model
from ..models.floating import on_cpu
from ..models.genetic import MOST_ENTITIES, Genetic, GeneticConfig, Levels
from ..progress import Progress, Reporter
from .checkpoint import read_checkpoint, write_checkpoint
from .order import Limits, check_budget, check_fit_pixels
from .picture import SCORE_SCALE, Picture, working_picture
from .report import noted

__all__ = ["GeneticPlan", "GeneticRun", "train_genetic"]

CHECKPOINT_SECONDS = 10.0
TRIES = 3
"""Searches in vain before a painting is finished: each draws other candidates."""
ENDLESS = 1 << 30
BUDGET_ROUNDS = 3


@dataclass(frozen=True)
class GeneticPlan:
    """The numbers behind ``cn.train(picture, model="shapes", kind="genetic")``.

    population   candidates of a generation
    generations  after the random one
    survivors    the fittest, which stay and have children
    rounds       over all entities once they are there, each searched anew; None: 1, or 3 where ``max_bytes`` count, or
                 as many as ``minutes`` allow
    steps        entities searched in all; None: until the rounds are done
    max_bytes    of the ``.cppn`` file: no more entities than fit, and none in a form that does not; None: no matter
    """

    population: int = 96
    generations: int = 24
    survivors: int = 12
    rounds: int | None = None
    steps: int | None = None
    minutes: float | None = None
    seed: int = 0
    max_bytes: int | None = None

    def __post_init__(self) -> None:
        limits = {"population": (2, 65535), "generations": (0, 32767), "survivors": (1, self.population)}
        for name, (low, high) in (limits | {"rounds": (0, ENDLESS)}).items():
            value = getattr(self, name)
            if value is None and name == "rounds":
                continue
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ValueError(f"{name} must be an integer from {low} to {high}, got {value!r}")

    @property
    def all_rounds(self) -> int:
        """How often all entities are searched anew, at most."""
        if self.rounds is not None:
            return self.rounds
        return ENDLESS if self.minutes is not None else 1 if self.max_bytes is None else BUDGET_ROUNDS


_CONFIG = {f.name for f in fields(GeneticConfig)}
_PLAN = {"population", "generations", "survivors", "rounds"}


def train_genetic(
    image: ImageLike,
    model: object,
    limits: Limits,
    background: str | Sequence[int],
    init: Model | None,
    fit_pixels: int | None,
    options: dict[str, Any],
    device: str,
    threads: int | None,
    reporter: Reporter,
    checkpoint: str | os.PathLike[str] | None,
) -> Genetic:
    """``ValueError`` naming the argument, ``TypeError`` for an unknown option, ``DeviceError`` for a GPU by name."""
    if options.pop("kind", "genetic") != "genetic":
        raise ValueError("kind must be genetic for a GeneticConfig")
    for name in options:
        if name not in _CONFIG | _PLAN:
            raise TypeError(f"got an unknown option {name!r}; known are {', '.join(sorted(_CONFIG | _PLAN))}")
    check_budget(limits.max_bytes, limits.steps, limits.minutes, limits.seed)
    start = model if isinstance(model, GeneticConfig) else init.config if isinstance(init, Genetic) else GeneticConfig()
    check_fit_pixels(fit_pixels)
    given = {name: value for name, value in options.items() if name in _CONFIG}
    if limits.max_bytes is not None and start is not model and init is None:
        given = {"n": MOST_ENTITIES - 1, **grid_for(limits.max_bytes), **given}
    config = replace(start, **given)
    plan = GeneticPlan(
        **{name: value for name, value in options.items() if name in _PLAN},
        steps=None if limits.steps is None else int(limits.steps), minutes=limits.minutes, seed=int(limits.seed),
        max_bytes=limits.max_bytes,
    )  # fmt: skip
    if init is not None and not (isinstance(init, Genetic) and init.config == config):
        raise ValueError(f"init must be a Genetic of the same config, got {init!r}")
    on_cpu(device, "paintings")
    pixels = load_image(image, channels=config.channels, background=background)[:, :, : config.channels]
    if max(pixels.shape[:2]) > 65535:
        raise ValueError(f"image must be at most 65535 pixels wide and high, got {pixels.shape[1::-1]}")
    run = GeneticRun(working_picture(pixels, fit_pixels), config, plan, open_cpu(threads), reporter, checkpoint, init)
    width, height = run.picture.fitted
    rounds = f"{plan.all_rounds} round" + "s" * (plan.all_rounds != 1)
    budget = rounds if plan.minutes is None else f"{plan.minutes:g} min"
    reporter.announce(
        f"{width} x {height}: up to {config.n} entities ({config.shape}), {budget}; Ctrl-C keeps the best"
    )
    return run.go()


def grid_for(max_bytes: int) -> dict[str, int]:
    """What of a painting's numbers is worth its bits, by how many bytes there are."""
    fine = 0 if max_bytes < 700 else 1 if max_bytes < 3000 else 2
    return {"points": (128, 192, 256)[fine], "colours": (16, 16, 32)[fine], "alphas": (4, 4, 8)[fine]}


class GeneticRun:
    """Drives a search to its end. Its state is the entities and the number of searches, of which each one's random
    numbers are a function, so a run continued is the run unbroken."""

    def __init__(
        self,
        picture: Picture,
        config: GeneticConfig,
        plan: GeneticPlan,
        cpu: _core.Cpu,
        reporter: Reporter,
        checkpoint: str | os.PathLike[str] | None = None,
        init: Genetic | None = None,
    ) -> None:
        self.picture, self.config, self.plan = picture, config, plan
        self.reporter, self.checkpoint = reporter, checkpoint
        width, height = picture.size
        self.target = np.ascontiguousarray(picture.target.reshape(-1, height, width).transpose(1, 2, 0))
        mean = self.target.mean(axis=(0, 1), dtype=np.float64)
        self.background = np.clip(mean * config.colours, 0, config.colours - 1).astype(np.int32)
        entities: Levels = np.zeros((0, config.row), np.int32)
        if init is not None:
            self.background, entities = init.background, init.entities
        self.step, self.misses, self.refined, self.elapsed = 0, 0, 0, 0.0
        self.history: list[tuple[int, float]] = []
        self._key = zlib.crc32(self.target.tobytes())
        if checkpoint is not None and Path(checkpoint).exists():
            entities = self._continue(checkpoint)
        self.search = _core.GeneticSearch(
            cpu, config.native(), self.target, self.background, entities, list(config.corners), plan.population,
            plan.generations, plan.survivors, plan.seed,
        )  # fmt: skip
        self.count = len(entities)
        self._clock = self._saved = time.monotonic()

    def go(self) -> Genetic:
        stopped = "finished"
        try:
            while self._next():
                if self.reporter(self._report("descend" if self._building() else "polish")):
                    stopped = "callback"
                    break
                if self.plan.minutes is not None and self.elapsed > 60 * self.plan.minutes:
                    stopped = "minutes"
                    break
                if self.checkpoint is not None and time.monotonic() - self._saved > CHECKPOINT_SECONDS:
                    self.save()
        except KeyboardInterrupt:
            stopped = "interrupt"
        self.save()
        model = self.model()
        model.stopped = stopped
        self.reporter.last(self._report("done" if stopped == "finished" else "polish"))
        return model

    def model(self) -> Genetic:
        config, entities = self.config, self.search.entities()
        if self.plan.max_bytes is not None:
            config = replace(config, n=max(1, len(entities)))
        model = Genetic(config, self.picture.fitted, self.background, entities)
        model.history = list(self.history)
        model.recipe = json.dumps(asdict(self.plan))
        return model

    def _building(self) -> bool:
        return self.count < self.config.n and self.misses < TRIES

    def _next(self) -> bool:
        """One search; false if there is nothing left to do."""
        if self.plan.steps is not None and self.step >= self.plan.steps:
            return False
        if self._building():
            grown = self.search.add(self.step)
            if grown and not self._fits():
                self.search.drop(1)
                grown, self.misses = False, TRIES - 1
            self.count += grown
            self.misses = 0 if grown else self.misses + 1
        elif self.refined < self.plan.all_rounds * self.count:
            n = self.refined % self.count
            old = self.search.entities()[n : n + 1]
            if self.search.refine(n, self.step) and not self._fits():
                self.search.put(n, old)
            self.refined += 1
        else:
            return False
        self.step += 1
        now = time.monotonic()
        self.elapsed, self._clock = self.elapsed + now - self._clock, now
        self.history = noted(self.history, self.step, self._score())
        return True

    def _fits(self) -> bool:
        """Whether the file is small enough, by the quick codes if these say so."""
        if self.plan.max_bytes is None:
            return True
        model = Genetic(self.config, self.picture.fitted, self.background, self.search.entities())
        return any(len(encode_painting(model, quick=quick)) <= self.plan.max_bytes for quick in (True, False))

    def _score(self) -> float:
        fitted, size = self.picture.fitted, self.picture.size
        return self.search.error * SCORE_SCALE * (fitted[0] * fitted[1]) / (size[0] * size[1])

    def _report(self, stage: str) -> Progress:
        plan, score = self.plan, self._score()
        whole = self.config.n * (1 + min(plan.all_rounds, 1 << 10)) if plan.steps is None else plan.steps
        done = min(1.0, self.step / max(1, whole))
        if plan.minutes is not None:
            done = max(done, min(1.0, self.elapsed / (60 * plan.minutes)))
        return Progress(stage, self.step, whole, score, score, None, done, self.elapsed)

    # -- checkpoints ----------------------------------------------------------------------------------------

    def _facts(self) -> dict[str, Any]:
        """What a continued search must have in common."""
        plan = asdict(self.plan) | {"minutes": None, "steps": None, "rounds": None}
        facts = {"picture": self._key, "config": asdict(self.config), "plan": plan}
        return dict(json.loads(json.dumps(facts)))

    def save(self) -> None:
        if self.checkpoint is None:
            return
        state = {"step": self.step, "misses": self.misses, "refined": self.refined, "elapsed": self.elapsed,
                 "history": self.history}  # fmt: skip
        arrays = {"background": self.background, "entities": self.search.entities()}
        write_checkpoint(self.checkpoint, Genetic.KIND, self._facts() | state, arrays)
        self._saved = time.monotonic()

    def _continue(self, path: str | os.PathLike[str]) -> Levels:
        name, mine = os.fspath(path), self._facts()

        def build(facts: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Genetic:
            for key, what in (("picture", "another picture"), ("config", "another config"), ("plan", "another plan")):
                if facts[key] != mine[key]:
                    raise ValueError(f"checkpoint {name} belongs to {what}")
            self.step, self.misses, self.refined = (int(facts[key]) for key in ("step", "misses", "refined"))
            self.elapsed = float(facts["elapsed"])
            self.history = [(int(step), float(score)) for step, score in facts["history"]]
            return Genetic(self.config, (1, 1), arrays["background"], arrays["entities"])

        _, model = read_checkpoint(path, Genetic.KIND, ("background", "entities"), build)
        self.background = model.background
        return model.entities
