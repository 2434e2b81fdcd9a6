"""What the commands share: outputs checked before the work and written after it, lines on the terminal."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import cppn_native as cn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..models.base import Model

T = TypeVar("T")
Output: TypeAlias = tuple[str, str, tuple[str, ...]]
"""Option, path, and the suffixes it may have (none: any)."""
MODELS = (".cppn", ".safetensors")


def complain(error: BaseException, args: argparse.Namespace) -> int:
    """One line in the words of a command line: ``max_bytes must be ...`` is about ``--max-bytes``."""
    text = " ".join(str(error).split()) or type(error).__name__
    name = text.partition(" ")[0]
    if isinstance(error, MemoryError):
        text = "not enough memory"
    elif isinstance(error, OSError) and error.filename is not None and error.strerror:
        text = f"{os.fsdecode(error.filename)}: {error.strerror}"
    elif getattr(args, name, None) is not None:
        text = f"--{name.replace('_', '-')}{text[len(name) :]}"
    print(f"cppn: error: {text}", file=sys.stderr)
    return 1


def pictures() -> tuple[str, ...]:
    from ..image import FORMATS

    return tuple(FORMATS)


def programs() -> tuple[str, ...]:
    """Suffixes of the programs that random pictures and perceptrons can be written as."""
    from ..export.dense import TARGETS

    return tuple(f".{target}" for target in TARGETS)


def check_outputs(source: str, outputs: Iterable[Output]) -> None:
    """``ValueError`` now, not after the work, for what cannot be written or would overwrite the input."""
    taken = [source]
    for option, path, suffixes in outputs:
        folder = os.path.dirname(os.path.realpath(path))
        if suffixes and Path(path).suffix.lower() not in suffixes:
            raise ValueError(f"{option} {path}: must end in one of {', '.join(suffixes)}")
        if os.path.isdir(path):
            raise ValueError(f"{option} {path}: is a folder")
        if not os.path.isdir(folder):
            raise ValueError(f"{option} {path}: its folder does not exist")
        if not os.access(folder, os.W_OK):
            raise ValueError(f"{option} {path}: its folder cannot be written to")
        for other in taken:
            if _same(path, other):
                what = "the input" if other == source else "another output,"
                raise ValueError(f"{option} {path}: would overwrite {what} {other}")
        taken.append(path)


def _same(a: str, b: str) -> bool:
    with suppress(OSError):
        return os.path.samefile(a, b)
    return os.path.realpath(a) == os.path.realpath(b)


def write(model: Model, outputs: Sequence[str]) -> None:
    """Models first: they are what the time went into. What fails is reported when the others are written."""
    from ..image import save_image

    failures: list[OSError | ValueError] = []
    for path in sorted(outputs, key=lambda path: Path(path).suffix.lower() not in MODELS):
        try:
            if Path(path).suffix.lower() in MODELS:
                model.save(path)
            else:
                save_image(path, model.render())
        except (OSError, ValueError) as error:
            failures.append(error)
    if failures:
        raise failures[0]


def write_side_by_side(path: str, original: NDArray[np.uint8], model: Model, psnr: float) -> None:
    from ..image import save_image
    from ..sheets import side_by_side

    captions = (f"original {model.size[0]} x {model.size[1]}", f"{model.nbytes} bytes · {decibel(psnr)}")
    save_image(path, side_by_side(original, model.render(), captions))


def decibel(psnr: float) -> str:
    return f"{psnr:.1f} dB" if math.isfinite(psnr) else "exact"


def named(path: str, read: Callable[[str], T]) -> T:
    """``read(path)``, with the path in the message of a ``FormatError``."""
    try:
        return read(path)
    except cn.FormatError as error:
        raise error if path in str(error) else cn.FormatError(f"{path}: {error}") from None


def print_json(**record: Any) -> None:
    print(json.dumps(record))


def print_table(rows: Iterable[Sequence[str]], width: int | None = None) -> None:
    """Columns side by side; with a ``width``, what does not fit goes on below, in the last column."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    indent = sum(widths[:-1]) + 2 * len(widths[:-1])
    for *first, last in rows:
        start = "".join(text.ljust(size) + "  " for text, size in zip(first, widths, strict=False))
        lines = textwrap.wrap(last, max(20, width - indent)) if width else [last]
        print(f"\n{' ' * indent}".join([start + (lines or [""])[0], *lines[1:]]).rstrip())


def report_fit(
    args: argparse.Namespace,
    picture: str,
    model: Model,
    score: float,
    psnr: float,
    seconds: float,
    files: list[str],
    several: bool = False,
) -> None:
    """A line, or a JSON object; that of one of several pictures begins with its name and says no time of its own."""
    if args.json:
        print_json(
            picture=picture, size=model.size, bytes=model.nbytes, weights=model.n_params, score=score,
            psnr=psnr if math.isfinite(psnr) else None, seconds=round(seconds, 3), stopped=model.stopped,
            files=files,
        )  # fmt: skip
    elif not args.quiet:
        minutes, rest = divmod(round(seconds), 60)
        spent = f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"
        facts = [f"{model.nbytes} bytes", f"score {score:.1f}", decibel(psnr), spent, ", ".join(files)]
        if several:
            facts = [picture, *facts[:3], files[0]]
        print(" · ".join(facts))


def say_interrupted(interrupted: bool) -> int:
    """The exit code of a fit."""
    if interrupted:
        print("cppn: interrupted; the best so far is kept", file=sys.stderr)
    return 130 if interrupted else 0


@contextmanager
def warnings_in_a_line() -> Iterator[None]:
    """Warnings in the words of a command line, without the place in the source that they came from."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: print(f"cppn: warning: {message}", file=sys.stderr)
        yield
