"""What can go wrong beyond a wrong argument (which is a ``ValueError`` or ``TypeError``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._core import DeviceError, FormatError

if TYPE_CHECKING:
    from .models.base import Model

__all__ = ["DeviceError", "DivergedError", "FormatError"]


class DivergedError(RuntimeError):
    """Training ran into values that are not numbers. ``model`` is the best one so far, or None."""

    def __init__(self, message: str, model: Model | None = None) -> None:
        super().__init__(message)
        self.model = model
