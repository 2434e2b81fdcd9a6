"""Weights as the digits of one number: every level costs the same.

The list of digits is J, whose last, least significant digit ``.)J`` takes off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .. import _core
from ..errors import FormatError

__all__ = ["MOST_WEIGHTS", "Digits"]

MAX_BASE = 1 << 17
INPUTS = 3
MOST_WEIGHTS = _core.MAX_NEURONS * INPUTS + _core.MAX_NEURONS * (_core.MAX_NEURONS - 1) // 2


@dataclass(frozen=True)
class Digits:
    """A weight is ``middle`` minus a digit in ``base``."""

    base: int
    middle: int

    BASE = r"(?P<base>\d{1,6})"
    """Right after the literal."""
    WEIGHT = r"-(?P<middle>_?\d{1,7})\.\)J"

    @classmethod
    def read(cls, found: Mapping[str, str]) -> Digits:
        """From the groups of the patterns above."""
        base, middle = int(found["base"]), int(found["middle"].replace("_", "-"))
        if not 2 <= base <= MAX_BASE:
            raise FormatError(f"base {base} is not between 2 and {MAX_BASE}")
        return cls(base, middle)

    @classmethod
    def fitting(cls, weights: Sequence[int], asked: int | None = None) -> Digits:
        """The smallest base, or the one ``asked`` for, in which the last digit, which leads, is not 0."""
        digits = [-weight for weight in weights]
        lowest = min(digits)
        if digits[-1] == lowest:
            lowest -= 1
        needed = max(2, max(digits) - lowest + 1)
        if asked is not None and (isinstance(asked, bool) or not isinstance(asked, int | np.integer) or asked < needed):
            raise ValueError(f"levels must be an integer of at least {needed} for these weights, got {asked!r}")
        base = needed if asked is None else int(asked)
        if base > MAX_BASE:
            raise ValueError(f"model has weights over {base} levels; the programs hold {MAX_BASE}")
        middle = -lowest if base == needed else max(-lowest, min(base // 2, base - 1 - max(digits)))
        return cls(base, middle)

    def weight(self) -> str:
        """The Pyth that takes the next weight."""
        return f"-_{-self.middle}.)J" if self.middle < 0 else f"-{self.middle}.)J"

    def pack(self, weights: Sequence[int]) -> bytes:
        """The payload, first weight least significant."""
        number = 0
        for weight in reversed(weights):
            number = number * self.base + self.middle - weight
        return number.to_bytes((number.bit_length() + 7) // 8, "big")

    def unpack(self, payload: bytes) -> list[int]:
        """All weights of a payload; ``FormatError`` if they are more than any network has."""
        number = int.from_bytes(payload, "big")
        weights: list[int] = []
        while number:
            if len(weights) == MOST_WEIGHTS:
                raise FormatError(f"the literal holds more than the {MOST_WEIGHTS} weights of the largest network")
            number, digit = divmod(number, self.base)
            weights.append(self.middle - digit)
        return weights
