"""What training says while it runs: one small record per report, and the bar that shows it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TextIO, TypeVar

__all__ = ["Progress", "Reporter", "counted"]

LINE_SECONDS = 10.0

T = TypeVar("T")


@dataclass(frozen=True)
class Progress:
    """A report.

    stage     "descend", "freeze", "polish" or "done"
    step      gradient steps taken so far, of ``steps``
    score     of the weights at hand: sum of squared differences / 255^2 (not yet rounded while descending)
    best      score of the best model that could be returned now, or None
    nbytes    its size as a file, or None
    fraction  of the whole work, 0 to 1
    elapsed   seconds since the start, earlier sittings included
    finished  pictures that are done, of all ``pictures`` (``train_many``); what is said of ``score`` and ``best`` is
              then the mean over the pictures that are worked on at the same time, ``nbytes`` the largest
    """

    stage: str
    step: int
    steps: int
    score: float
    best: float | None
    nbytes: int | None
    fraction: float
    elapsed: float
    finished: int = 0
    pictures: int = 1


class Reporter:
    """A bar on a terminal, a line every ten seconds elsewhere, nothing when ``progress`` is off."""

    def __init__(
        self,
        progress: bool,
        callback: Callable[[Progress], Any] | None,
        stream: TextIO | None = None,
    ) -> None:
        self._stream = stream or sys.stderr
        self._on = progress
        self._callback = callback
        self._bar: Any = None
        self._next_line = 0.0

    def announce(self, text: str) -> None:
        """What is about to happen, before the first report."""
        if self._on:
            print(text, file=self._stream, flush=True)

    def __call__(self, report: Progress) -> bool:
        """Shows the report; true if the callback asks to stop."""
        if self._on:
            self._show(report)
        return bool(self._callback(report)) if self._callback else False

    def last(self, report: Progress) -> None:
        """The report that ends the run, whatever ended it."""
        self(report)
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _show(self, report: Progress) -> None:
        text = _words(report)
        if self._stream.isatty():
            if self._bar is None:
                from tqdm import tqdm

                layout = "{percentage:3.0f}%|{bar:16}| {elapsed}<{remaining} {desc}"
                self._bar = tqdm(total=1000, file=self._stream, bar_format=layout, leave=True, dynamic_ncols=True)
            self._bar.set_description_str(text, refresh=False)
            self._bar.update(max(0, round(report.fraction * 1000) - self._bar.n))
            self._bar.refresh()
        elif time.monotonic() >= self._next_line or report.stage == "done":
            self._next_line = time.monotonic() + LINE_SECONDS
            print(f"{report.fraction:4.0%} {report.elapsed:6.1f} s  {text}", file=self._stream, flush=True)


def _words(report: Progress) -> str:
    best = "" if report.best is None else f" best {report.best:.1f}"
    size = "" if report.nbytes is None else f" {report.nbytes} B"
    score = f" score {report.score:.1f}"
    if report.pictures == 1:
        return f"{report.stage}{score}{best}{size}"
    return f"{report.finished}/{report.pictures} {report.stage}{best or score}{size}"  # a bar leaves 40 columns


def counted(
    things: Iterable[T], count: int, what: str, progress: bool = True, stream: TextIO | None = None
) -> Iterator[T]:
    """The ``count`` things, one by one, and on standard error how many are done: a bar on a terminal, a line every ten
    seconds elsewhere, nothing without ``progress``."""
    stream = stream or sys.stderr
    if not progress:
        yield from things
        return
    if stream.isatty():
        from tqdm import tqdm

        layout = f"{{percentage:3.0f}}%|{{bar:16}}| {{n_fmt}}/{{total_fmt}} {what} {{elapsed}}<{{remaining}}"
        yield from tqdm(things, total=count, file=stream, bar_format=layout, dynamic_ncols=True)
        return
    begun = time.monotonic()
    due, said = begun + LINE_SECONDS, False
    for done, thing in enumerate(things, 1):
        yield thing
        now = time.monotonic()
        if now >= due or (done == count and said):
            due, said = now + LINE_SECONDS, True
            print(f"{done / count:4.0%} {now - begun:6.1f} s  {what}, {done} of {count}", file=stream, flush=True)
