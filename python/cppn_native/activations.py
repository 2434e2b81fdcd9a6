"""The table of activations, as the native core holds it (``csrc/core/activations.h``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from . import _core

__all__ = ["ACROSS", "ACTIVATIONS", "Activation", "activation_numbers"]


@dataclass(frozen=True)
class Activation:
    """One nonlinearity: ``formula`` is an expression in ``z`` that every exporter's printer can spell."""

    number: int
    name: str
    formula: str
    description: str


ACTIVATIONS: dict[str, Activation] = {
    name: Activation(number, name, formula, text) for number, (name, formula, text) in enumerate(_core.activations())
}

"""Of one number; a cascade may have any of them."""

ACROSS: dict[str, Activation] = {
    name: Activation(number, name, formula, text)
    for number, (name, formula, text) in enumerate(_core.across(), start=len(ACTIVATIONS))
}
"""Of all features of a pixel at once; layers of random pictures may have them."""


def activation_numbers(names: Sequence[str], argument: str) -> list[int]:
    """The numbers of the named activations; ``ValueError`` names the argument and what there is."""
    unknown = sorted({str(name) for name in names if name not in ACTIVATIONS})
    if unknown:
        raise ValueError(f"{argument} must be among {', '.join(ACTIVATIONS)}; got {', '.join(unknown)}")
    return [ACTIVATIONS[name].number for name in names]
