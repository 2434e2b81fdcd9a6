"""How an activation is spelled in Pyth: a node is 256 times what our cascades call it, X the weighted sum of nodes.

With weights ``level * step``, z = X * step / 256, and every spelling divides X by a literal of its own, so the literal
is what the step is read from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import log, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FORMS", "NUMBER", "Form", "forms_of", "literal"]

Floats = NDArray[np.float64]
NUMBER = r"(?:[1-9]\d{0,59}(?:\.\d{1,60})?|\.\d{1,60})"
"""A literal of ours: no leading zero, which would be a token of its own."""


@dataclass(frozen=True)
class Form:
    """``before`` X divisor ``after``; X is subtracted if ``sign`` is -1; divisor = ``unit`` / step."""

    activation: str
    before: str
    after: str
    unit: float
    apply: Callable[[Any], Any]
    sign: int = 1
    powers: bool = False
    """Python raises OverflowError for a float power beyond 1e308."""

    def text(self, x: str, divisor: str) -> str:
        return f"{self.before}{x}{divisor}{self.after}"

    def pattern(self, x: str, divisor: str) -> str:
        return f"{re.escape(self.before)}{x}(?P<{divisor}>{NUMBER}){re.escape(self.after)}"


def _logistic(base: str) -> Form:
    value = 10.0 if base == "T" else float(base)
    return Form(
        "sigmoid",
        f"c256h^{base}c",
        "",
        256 * abs(log(value)),
        lambda t: 256 / (1 + np.power(value, t)),
        sign=-1 if value > 1 else 1,
        powers=True,
    )


FORMS: tuple[Form, ...] = (
    *(_logistic(base) for base in ("8", "2", "3", "4", "5", "6", "7", "9", "T")),
    *(_logistic(base) for base in (".5", ".1", ".2", ".3", ".4", ".6", ".7", ".8", ".9")),
    Form("sigmoid", "*128h.tc", "T", 512.0, lambda t: 128 * (np.tanh(t) + 1)),
    Form("sine", "*128h.tc", "Z", 256.0, lambda t: 128 * (np.sin(t) + 1)),
    Form("tanh", "*256.tc", "T", 256.0, lambda t: 256 * np.tanh(t)),
    Form("gaussian", "*256^.5^c", " 2", 256 * sqrt(log(2)), lambda t: 256 * np.power(0.5, np.square(t))),
    Form("identity", "c", "", 1.0, lambda t: t),
)
"""The program's own base 8 comes first, so that it wins where others are as short."""


def forms_of(activation: str, *, safe: bool, sign: int | None = None) -> Iterator[Form]:
    """Spellings of an activation; ``safe`` leaves out those that may overflow."""
    for form in FORMS:
        if form.activation == activation and not (safe and form.powers) and sign in (None, form.sign):
            yield form


def literal(value: float, fits: Callable[[float], bool]) -> str:
    """The shortest decimal near ``value`` that still fits."""
    for digits in range(1, 18):
        text: str = np.format_float_positional(value, precision=digits, fractional=False, trim="-")
        text = text.removeprefix("0") or "0"
        if fits(float(text)):
            return text
    raise ValueError(f"step has no decimal literal: {value!r}")
