"""Many pictures on somebody else's threads, processes or cluster: each is a ``train`` of its own there."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ThreadPoolExecutor, wait
from threading import Event
from typing import Any, TypeAlias

import numpy as np

from .errors import DivergedError, of_picture
from .image import ImageLike
from .models.cascade import Cascade
from .progress import Progress, Reporter
from .training import train

__all__ = ["Outcome", "train_on"]

Outcome: TypeAlias = "Cascade | DivergedError"


def train_on(
    executor: Executor,
    images: Sequence[ImageLike],
    names: Sequence[str],
    minutes: float | None,
    reporter: Reporter,
    options: dict[str, Any],
) -> list[Outcome]:
    """In the order of the images: a model, or how it diverged. What else a picture's ``train`` raises is raised."""
    work = _Work(executor, images, names, minutes, reporter, options)
    try:
        work.go()
    except KeyboardInterrupt:
        work.end("interrupt")
    finally:
        work.stop.set()
    return [work.outcomes[n] for n in range(len(images))]


class _Work:
    def __init__(
        self,
        executor: Executor,
        images: Sequence[ImageLike],
        names: Sequence[str],
        minutes: float | None,
        reporter: Reporter,
        options: dict[str, Any],
    ) -> None:
        self.executor, self.images, self.names, self.reporter = executor, images, names, reporter
        self.options = dict(options)
        self.outcomes: dict[int, Outcome] = {}
        # No more at a time than there are workers: what is handed over cannot be taken back.
        self._workers = getattr(executor, "_max_workers", None) or len(images)
        self._waiting = list(range(len(images)))[::-1]
        self._running: dict[Future[Cascade], int] = {}
        self._seconds = None if minutes is None else 60 * float(minutes)
        self._begin = time.monotonic()
        self.stop = Event()
        if isinstance(executor, ThreadPoolExecutor):  # a process could not be sent this
            self.options["callback"] = lambda _: self.stop.is_set()

    def go(self) -> None:
        while self._waiting or self._running:
            while self._waiting and len(self._running) < self._workers:
                self._submit()
            if self._collect():
                return self.end("callback")
        if self.outcomes:
            self.reporter.last(self._progress())

    def _submit(self) -> None:
        minutes = None
        if self._seconds is not None:
            turns = math.ceil(len(self._waiting) / self._workers)
            minutes = max(1e-3, self._seconds - (time.monotonic() - self._begin)) / 60 / turns
        n = self._waiting.pop()
        work: Callable[..., Cascade] = train
        self._running[self.executor.submit(work, self.images[n], minutes=minutes, **self.options)] = n

    def _collect(self) -> bool:
        """Takes what is done next; true if the callback says that it is enough."""
        done, _ = wait(self._running, return_when=FIRST_COMPLETED)
        for future in sorted(done, key=self._running.__getitem__):
            n = self._running.pop(future)
            with of_picture(self.names[n]):
                try:
                    self.outcomes[n] = future.result()
                except DivergedError as error:
                    self.outcomes[n] = error
        return len(self.outcomes) < len(self.images) and self.reporter(self._progress())

    def end(self, stopped: str) -> None:
        """Waits for those at work; the others get what a run that is stopped at once comes to."""
        self.stop.set()
        at_once = {**self.options, "callback": lambda _: True}
        for n, image in enumerate(self.images):
            if n not in self.outcomes:
                self.outcomes[n] = self._last_word(n) or train(image, **at_once)
            model = self.outcomes[n]
            if isinstance(model, Cascade) and model.stopped == "callback":
                model.stopped = stopped
        self.reporter.last(self._progress())

    def _last_word(self, n: int) -> Outcome | None:
        future = next((future for future, of in self._running.items() if of == n), None)
        try:
            return None if future is None else future.result()
        except DivergedError as error:
            return error
        except BrokenExecutor:  # Ctrl-C in a terminal ends idle processes, and theirs is the whole pool
            return None

    def _progress(self) -> Progress:
        models = [model for model in self.outcomes.values() if isinstance(model, Cascade)]
        scores = [model.history[-1] for model in models if model.history] or [(0, float("nan"))]
        steps, score = scores[-1][0], float(np.mean([score for _, score in scores]))
        size = max((model.nbytes for model in models if model.quantized), default=None)
        fraction, elapsed = len(self.outcomes) / len(self.images), time.monotonic() - self._begin
        return Progress(
            "done", steps, steps, score, score, size, fraction, elapsed, len(self.outcomes), len(self.images)
        )
