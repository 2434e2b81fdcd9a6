"""``cn.train_many``: many pictures in, a model for each out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from typing import Any

import numpy as np

from .devices import check_device, check_threads
from .errors import DivergedError, of_picture
from .executors import Outcome, train_on
from .fit.machine import Machine, open_machine
from .fit.many import Many
from .fit.order import FIT_PIXELS, Order, check_order
from .fit.picture import Picture
from .image import ImageLike
from .models.cascade import Cascade, CascadeConfig
from .progress import Progress, Reporter

__all__ = ["train_many"]


def train_many(
    images: Iterable[ImageLike],
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
    executor: Executor | None = None,
    names: Sequence[str] | None = None,
    init: Cascade | None = None,
    background: str | Sequence[int] = (255, 255, 255),
    fit_pixels: int | None = FIT_PIXELS,
    **options: Any,
) -> list[Cascade]:
    """Fits a network of its own to every picture; on the CPU, the very models that ``train`` finds one by one.

    Pictures of one size descend side by side in one native loop, on a GPU if there is one, which a single small
    picture leaves idle; then they are rounded on the CPU, as many at a time as it has threads.

    images      any number of what ``train`` takes; sizes may differ
    minutes     for all of them together
    device      as for ``train``; if the GPU of "auto" fails, the CPU goes on from where the batch is
    callback    called with a ``Progress`` of all pictures (``finished`` of ``pictures``); a true result stops
    executor    any ``concurrent.futures.Executor``: each picture is a ``train`` of its own in there, with
                device="cpu" for "auto" and one thread unless you say otherwise. ``callback`` is then called
                here, whenever a picture is done. A function that starts processes belongs under
                ``if __name__ == "__main__":``
    names       what messages call the pictures; default images[0], images[1], ...
    options     and all others: as for ``train``, the same for every picture

    Ctrl-C, or a true callback, returns every picture's best so far; ``.stopped`` of each model says what ended it.
    With an executor of processes those at work are asked by the terminal's Ctrl-C itself and waited for.

    Raises what ``train`` raises, naming the picture; all are looked at before the first is fitted. A picture that
    diverges does not keep the others from their end: ``DivergedError`` is raised then, with all ``models``.
    """
    pictures = _listed(images)
    called = [f"images[{n}]" for n in range(len(pictures))] if names is None else [str(name) for name in names]
    if len(called) != len(pictures):
        raise ValueError(f"names must be one for each of the {len(pictures)} images, got {len(called)}")
    order = check_order(model, max_bytes, steps, minutes, seed, init, background, fit_pixels, options)
    check_device(device)
    check_threads(threads)
    reporter = Reporter(progress, callback)
    outcomes: list[Outcome]
    if executor is not None:
        for image, name in zip(pictures, called, strict=True):
            _read(order, image, name)
        given = {
            "model": model, "max_bytes": max_bytes, "steps": steps, "seed": seed, "init": init,
            "background": background, "fit_pixels": fit_pixels, **options,
            "device": "cpu" if device == "auto" else device, "threads": threads or 1, "progress": False,
        }  # fmt: skip
        outcomes = train_on(executor, pictures, called, minutes, reporter, given)
    else:
        read = [(name, _read(order, image, name)) for image, name in zip(pictures, called, strict=True)]
        outcomes = _here(order, read, device, threads, reporter) if read else []
    return _models(called, outcomes)


def _listed(images: Iterable[ImageLike]) -> list[Any]:
    if isinstance(images, np.ndarray) and (images.ndim < 3 or (images.ndim == 3 and images.shape[2] in (3, 4))):
        raise ValueError(f"images must be a sequence of pictures, got one array of shape {images.shape}; use [image]")
    if isinstance(images, str | bytes) or not isinstance(images, Iterable):
        raise ValueError(f"images must be a sequence of pictures, got {type(images).__name__}; use [image] for one")
    return list(images)


def _read(order: Order, image: ImageLike, name: str) -> Picture:
    with of_picture(name):
        return order.picture(image)


def _here(
    order: Order, pictures: list[tuple[str, Picture]], device: str, threads: int | None, reporter: Reporter
) -> list[Outcome]:
    machine = open_machine(device, threads)
    reporter.announce(_announcement(order, pictures, machine))
    return [fit.outcome for fit in Many(order, pictures, machine, reporter).go() if fit.outcome is not None]


def _announcement(order: Order, pictures: list[tuple[str, Picture]], machine: Machine) -> str:
    sizes = {picture.fitted for _, picture in pictures}
    width, height = next(iter(sizes))
    many = f"{len(pictures)} pictures of " + (f"{width} x {height}" if len(sizes) == 1 else f"{len(sizes)} sizes")
    config, most = order.config, order.plan.max_bytes
    limit = "float weights" if most is None else f"at most {most} bytes"
    budget = f"{order.plan.steps} steps each" if order.minutes is None else f"{order.minutes:g} min in all"
    budget += f" on {machine.name}" if machine.on_gpu else ""
    return f"{many}: {config.neurons} neurons, {config.weights} weights, {limit} each\n{budget}; Ctrl-C keeps the best"


def _models(names: Sequence[str], outcomes: Sequence[Outcome]) -> list[Cascade]:
    errors = [(name, found) for name, found in zip(names, outcomes, strict=True) if isinstance(found, DivergedError)]
    models = [found.model if isinstance(found, DivergedError) else found for found in outcomes]
    if errors:
        name, first = errors[0]
        also = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        text = f"{name}{also}: {first}; the others are in .models"
        raise DivergedError(text, first.model, models) from first
    return models  # type: ignore[return-value]
