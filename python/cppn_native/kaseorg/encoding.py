"""A cascade to a program."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..models.cascade import Cascade
from .forms import Form, forms_of, literal
from .literal import escape
from .program import Program, write

__all__ = ["encode"]

LARGEST_POWER = 700.0
"""e to more than 709 overflows a double, and Pyth with it."""
HIDDEN_NEEDS_Z = ("sine",)  # 0 is Z, which .W takes for the list of nodes


def encode(model: Cascade, levels: int | None = None) -> bytes:
    """The shortest Pyth program of ours that paints ``model`` at its size.

    levels  base of the digits; None: the smallest that holds the model's

    Raises ``ValueError`` for a model that is not quantized or that the programs cannot hold: 2 channels, radius or
    octaves as inputs, hidden neurons of different activations, too few levels asked for.
    """
    _check(model)
    program = _layout(model)
    base, middle, digits = _digits(model, levels, program.hidden.sign)
    head, tail = write(replace(program, base=base, middle=middle))
    return head.encode() + b'"' + escape(_payload(digits, base)) + b'"' + tail.encode()


def _check(model: Cascade) -> None:
    config = model.config
    if not model.quantized:
        raise ValueError("model has float weights; call quantize() first")
    if config.channels == 2:
        raise ValueError("model has 2 channels, and Pyth writes images of 1, 3 or 4")
    if config.radius or config.octaves:
        raise ValueError("model has radius or octaves as inputs; these programs have x and y alone")
    hidden = config.activation_names[: config.neurons - config.channels]
    if len(set(hidden)) > 1:
        raise ValueError(f"model has hidden neurons of different activations: {', '.join(sorted(set(hidden)))}")


def _layout(model: Cascade) -> Program:
    """The program but for its digits, with the shortest spellings of the activations."""
    config = model.config
    names = config.activation_names
    safe = _largest_sum(model) > LARGEST_POWER
    mixed = names[0] != names[-1]
    if (names[0], names[-1]) == ("sine", "sigmoid"):
        safe = True  # the spelling by tanh shares most of its text with the sine's
    step = model.steps[2]
    hidden, divisor = _shortest(names[0], step, safe, sign=1 if mixed else None)
    output, output_divisor = _shortest(names[-1], step, safe, sign=1) if mixed else (hidden, divisor)
    counted = mixed or names[0] in HIDDEN_NEEDS_Z
    return Program(
        size=model.size,
        channels=config.channels,
        base=0,
        middle=0,
        hidden=hidden,
        output=output,
        divisor=divisor,
        output_divisor=output_divisor,
        neurons=config.neurons if counted else None,
        split=config.neurons - config.channels if mixed else None,
        constant=literal(256 * model.steps[0] / step, lambda v: bool(np.float32(v * step / 256) == model.steps[0])),
        coords=config.coords,
        gain=_gain(model),
    )


def _shortest(name: str, step: float, safe: bool, sign: int | None) -> tuple[Form, str]:
    spelled = []
    for form in forms_of(name, safe=safe, sign=sign):
        unit = form.unit
        divisor = literal(unit / step, lambda value, unit=unit: bool(np.float32(unit / value) == step))  # type: ignore[misc]
        spelled.append((form, divisor))
    if not spelled:
        raise ValueError(f"model has the activation {name}, which has no spelling in Pyth here")
    return min(spelled, key=lambda pair: len(pair[0].text("", pair[1])))


def _gain(model: Cascade) -> str:
    own, step = model.steps[1], model.steps[2]
    if model.config.coords == "centered":
        unit = max(model.size) / 256
        return literal(own / step / unit, lambda value: bool(np.float32(value * unit * step) == own))
    return "" if own == step else literal(own / step, lambda value: bool(np.float32(value * step) == own))


def _largest_sum(model: Cascade) -> float:
    """What no neuron's weighted sum exceeds, if activations are at most 1."""
    if "identity" in model.config.activation_names:
        return float("inf")
    weights = np.abs(model.weights.astype(np.float64))
    reach = np.array([1.0, *_reach(model)])
    begin, largest = 0, 0.0
    for neuron in range(model.config.neurons):
        row = weights[begin : begin + 3 + neuron]
        largest = max(largest, float(row[:3] @ reach + row[3:].sum()))
        begin += 3 + neuron
    return largest


def _reach(model: Cascade) -> tuple[float, float]:
    if model.config.coords == "centered":
        return 1.0, 1.0
    return model.size[0] / 256, model.size[1] / 256


def _digits(model: Cascade, asked: int | None, sign: int) -> tuple[int, int, list[int]]:
    """Base, middle and digits d, where a weight is sign * (middle - d). The last digit, which leads, is not 0."""
    d = [-sign * int(level) for level in model.levels]
    lowest = min(d)
    if d[-1] == lowest:
        lowest -= 1
    needed = max(2, max(d) - lowest + 1)
    if asked is not None and (isinstance(asked, bool) or not isinstance(asked, int | np.integer) or asked < needed):
        raise ValueError(f"levels must be an integer of at least {needed} for these weights, got {asked!r}")
    base = needed if asked is None else int(asked)
    if base > 1 << 17:
        raise ValueError(f"model has weights over {base} levels; the programs hold {1 << 17}")
    middle = -lowest if base == needed else max(-lowest, min(base // 2, base - 1 - max(d)))
    return base, middle, [value + middle for value in d]


def _payload(digits: list[int], base: int) -> bytes:
    number = 0
    for digit in reversed(digits):
        number = number * base + digit
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
