"""What a caller of ``train`` asks for of waves: every argument checked, and the search run to its end."""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..image import ImageLike, load_image
from ..models.base import Model
from ..models.floating import on_cpu
from ..models.waves import Waves, WavesConfig
from ..progress import Progress, Reporter
from .checkpoint import read_checkpoint, write_checkpoint
from .order import Limits, check_budget
from .waves import USUAL_TRIES, WavesSearch

__all__ = ["train_waves"]


def train_waves(
    image: ImageLike,
    model: str | WavesConfig,
    limits: Limits,
    background: str | Sequence[int],
    init: Model | None,
    options: dict[str, Any],
    device: str,
    threads: int | None,
    reporter: Reporter,
    checkpoint: str | os.PathLike[str] | None,
) -> Waves:
    """``ValueError`` naming the argument, ``TypeError`` for an unknown option, ``DeviceError`` for a GPU by name."""
    for name in options:
        if name != "channels":
            raise TypeError(f"got an unknown option {name!r}; waves have channels alone")
    config = replace(model if isinstance(model, WavesConfig) else WavesConfig(), **options)
    check_budget(limits.max_bytes, limits.steps, limits.minutes, limits.seed)
    if limits.max_bytes is None:
        raise ValueError("max_bytes must be given for waves: they have no float weights, got None")
    if init is not None:
        raise ValueError("init is not for waves: they are found anew; a checkpoint goes on with a search")
    on_cpu(device, "waves")
    pixels = np.ascontiguousarray(load_image(image, channels=config.channels, background=background))
    pixels = pixels[:, :, : config.channels]
    height, width = pixels.shape[:2]
    if max(width, height) > 65535:
        raise ValueError(f"image must be at most 65535 pixels wide and high, got {pixels.shape[1::-1]}")
    reporter.announce(f"{width} x {height}: waves in at most {limits.max_bytes} bytes; Ctrl-C keeps the best")
    search = WavesSearch(pixels, limits.max_bytes, threads, limits.seed)
    if checkpoint is not None and Path(checkpoint).exists():
        _continue(search, checkpoint)
    return _searched(search, limits, reporter, checkpoint)


def _belonging(search: WavesSearch) -> dict[str, Any]:
    """What a checkpoint and a search must agree in."""
    return {"picture": zlib.crc32(search.pixels.tobytes()), "max_bytes": search.max_bytes, "seed": search.seed}


def _continue(search: WavesSearch, checkpoint: str | os.PathLike[str]) -> None:
    def build(facts: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        for name, mine in _belonging(search).items():
            if facts[name] != mine:
                what = "another picture" if name == "picture" else f"{name} {facts[name]}, not {mine}"
                raise ValueError(f"checkpoint {os.fspath(checkpoint)} belongs to {what}")
        search.resume(facts, Waves.from_bytes(arrays["model"].tobytes()))

    read_checkpoint(checkpoint, Waves.KIND, ("model",), build)


def _save(search: WavesSearch, checkpoint: str | os.PathLike[str]) -> None:
    file = np.frombuffer(search.best.to_bytes(), np.uint8)
    write_checkpoint(checkpoint, Waves.KIND, _belonging(search) | search.facts(), {"model": file})


def _searched(
    search: WavesSearch, limits: Limits, reporter: Reporter, checkpoint: str | os.PathLike[str] | None
) -> Waves:
    begun, stopped, history = time.monotonic(), "finished", []

    def seen(tried: bool) -> bool:
        nonlocal stopped
        elapsed, tries, score = time.monotonic() - begun, search.tries, search.score
        if tried:
            history.append((tries, score))
            if checkpoint is not None:
                _save(search, checkpoint)
        steps = USUAL_TRIES if limits.steps is None else int(limits.steps)
        nbytes, done = len(search.best.to_bytes()), min(1.0, tries / max(1, steps))
        if limits.minutes is not None:
            done = min(1.0, elapsed / (60 * limits.minutes))
        if limits.minutes is not None and elapsed > 60 * limits.minutes:
            stopped = "minutes"
        elif reporter(Progress("polish", tries, max(tries, steps), score, score, nbytes, done, elapsed)):
            stopped = "callback"
        return stopped != "finished" or (limits.steps is not None and tries >= limits.steps)

    try:
        if limits.steps is None or search.tries < limits.steps:
            search.go(seen, forever=limits.minutes is not None or limits.steps is not None)
    except KeyboardInterrupt:
        stopped = "interrupt"
    search.best.history, search.best.stopped = history, stopped
    return search.best
