"""What the commands share: outputs checked before the work and written after it, lines on the terminal."""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
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
    name = re.split(r"\W", text, maxsplit=1)[0]
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


def print_table(rows: Iterable[Sequence[str]]) -> None:
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
