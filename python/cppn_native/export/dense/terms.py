"""Both ends of a network as expressions: of x and y, the place in fractions of the picture, and of what is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...plane import Plane, Term
from ..packing import number, signed
from .program import DenseProgram

__all__ = ["Words", "inputs", "outputs"]


@dataclass(frozen=True)
class Words:
    """How a language writes sin and cos of 2 pi ``{}``, sqrt({x}^2 + {y}^2), and numbers."""

    sin: str
    cos: str
    root: str
    number: Callable[[float], str] = number


def inputs(plane: Plane, words: Words) -> list[str]:
    """One expression for each input, in order."""
    texts = [_term(term, "x", words) for term in plane.columns] + [_term(term, "y", words) for term in plane.rows]
    if plane.radius:
        x, y = plane.radius
        texts.append(words.root.format(x=_term(x, "x", words), y=_term(y, "y", words)))
    return texts


def outputs(
    program: DenseProgram, node: Callable[[int], str] = "h[{}]".format, form: Callable[[float], str] = number
) -> list[str]:
    """The byte of every channel, not yet cut; ``node`` is how an output is called."""
    ends = zip(program.low, program.gain, strict=True)
    return [f"{form(gain)}*({node(c)}{signed(-low, form)})" for c, (low, gain) in enumerate(ends)]


def _term(term: Term, place: str, words: Words) -> str:
    text = place if term.slope == 1 else f"{words.number(term.slope)}*{place}"
    text += signed(term.offset, words.number) if term.offset else ""
    if term.wave:
        text = (words.sin if term.wave == "sin" else words.cos).format(text)
    if term.amplitude == 1:
        return text
    return f"{words.number(term.amplitude)}*{text if term.wave else f'({text})'}"
