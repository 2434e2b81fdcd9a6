"""What can go wrong beyond a wrong argument (which is a ``ValueError`` or ``TypeError``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ._core import DeviceError, FormatError

if TYPE_CHECKING:
    from .models.base import Model

__all__ = ["DeviceError", "DivergedError", "ExportError", "FormatError", "of_picture"]


class ExportError(RuntimeError):
    """An exported program that was run and failed, or that showed something else than its model."""


class DivergedError(RuntimeError):
    """Training ran into values that are not numbers. ``model`` is the best one so far, or None.

    Of ``train_many``, ``models`` has every picture's model in order: finished ones, and None or the best so far of
    those that diverged; ``model`` belongs to the first of these.
    """

    def __init__(self, message: str, model: Model | None = None, models: Sequence[Model | None] | None = None) -> None:
        super().__init__(message)
        self.model = model
        self.models = models


@contextmanager
def of_picture(name: str) -> Iterator[None]:
    """Errors say which of many pictures they are about; an ``OSError`` names its file already."""
    try:
        yield
    except (DeviceError, FormatError, MemoryError, TypeError, ValueError) as error:
        kinds = (DeviceError, FormatError, MemoryError, TypeError, ValueError)
        kind = next(kind for kind in kinds if isinstance(error, kind))
        text = str(error) or type(error).__name__
        raise kind(text if name in text else f"{name}: {text}") from error
