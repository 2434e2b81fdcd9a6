"""Checkpoints of trainings that go step by step: a ``.npz`` of facts, as JSON, and arrays."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import FormatError
from ..image import write_atomic

__all__ = ["read_checkpoint", "write_checkpoint"]

VERSION = 1

T = TypeVar("T")


def write_checkpoint(
    path: str | os.PathLike[str], kind: str, facts: dict[str, Any], arrays: dict[str, NDArray[Any]]
) -> None:
    """Atomically."""
    text = json.dumps({"version": VERSION, "kind": kind, **facts})
    out = io.BytesIO()
    held: dict[str, Any] = {"facts": np.frombuffer(text.encode(), np.uint8), **arrays}
    np.savez(out, **held)
    write_atomic(path, out.getvalue())


def read_checkpoint(
    path: str | os.PathLike[str],
    kind: str,
    names: Sequence[str],
    build: Callable[[dict[str, Any], dict[str, NDArray[Any]]], T],
) -> tuple[dict[str, Any], T]:
    """(facts, ``build(facts, arrays)``) of a file that ``write_checkpoint`` wrote.

    Raises ``FormatError`` for any other file and for what ``build`` cannot use; ``build`` may raise ``ValueError`` with
    "belongs to" for what is whole but of another training. ``FileNotFoundError`` where there is none.
    """
    name = os.fspath(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            facts = json.loads(bytes(archive["facts"]).decode())
            if facts["version"] != VERSION or facts["kind"] != kind:
                raise FormatError(f"checkpoint {name} is not one of a training of kind {kind}")
            arrays = {key: archive[key] for key in names}
        return facts, build(facts, arrays)
    except Exception as error:
        if isinstance(error, FormatError | FileNotFoundError) or "belongs to" in str(error):
            raise
        raise FormatError(f"checkpoint {name} is damaged or not a checkpoint: {error}") from error
