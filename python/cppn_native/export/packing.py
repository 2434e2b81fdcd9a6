"""Numbers as text, as short as the languages allow."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["BASE", "Packed", "fill", "number", "pack", "real", "signed", "values"]

# Printable from "#" on, without what a language would read as something else: "<" could close an HTML script,
# "?" begins C's trigraphs, "\" escapes. A character c is the digit c - 35 - (c > 60) - (c > 63) - (c > 92).
_ALPHABET = "".join(chr(c) for c in range(35, 127) if c not in (60, 63, 92))
BASE = len(_ALPHABET)


@dataclass(frozen=True)
class Packed:
    """Integers as text: each is ``low`` plus ``width`` digits of ``BASE``, the lowest first."""

    text: str
    low: int
    width: int


def pack(levels: Sequence[int]) -> Packed:
    """The shortest text of one width for all."""
    low, high = min(levels), max(levels)
    width = 1
    while BASE**width <= high - low:
        width += 1
    digits = [_ALPHABET[(level - low) // BASE**j % BASE] for level in levels for j in range(width)]
    return Packed("".join(digits), low, width)


def number(value: float, digits: int = 12) -> str:
    """A number with as many digits as it needs, without the zero before the point."""
    text = f"{value:.{digits}g}"
    return re.sub(r"^(-?)0\.", r"\1.", text)


def real(value: float, digits: int = 12) -> str:
    """A number with a point or an exponent: GLSL takes no integer for a float."""
    text = number(value, digits)
    return text if "." in text or "e" in text else text + "."


def signed(value: float, form: Callable[[float], str] = number) -> str:
    """A number to be written after another: with a plus or a minus before it."""
    text = form(value)
    return text if text.startswith("-") else "+" + text


def values(levels: Sequence[float]) -> str:
    """Float32 numbers, separated by commas, each in its shortest form."""
    return ",".join(re.sub(r"^(-?)0\.", r"\1.", str(np.float32(v)).removesuffix(".0")) for v in levels)


def fill(template: str, **parts: object) -> str:
    """The template with every ``@name@`` replaced; a name without a part is a ``KeyError``."""
    return re.sub(r"@(\w+)@", lambda match: str(parts[match[1]]), template)
