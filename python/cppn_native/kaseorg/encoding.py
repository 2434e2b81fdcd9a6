"""A cascade to a program."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..models.cascade import Cascade
from .digits import Digits
from .forms import Form, forms_of, literal
from .literal import escape
from .program import Program, write
from .shares import Shares

__all__ = ["encode"]

LARGEST_POWER = 700.0
"""e to more than 709 overflows a double, and Pyth with it."""
MOST_ENDS = 512
MOST_WORK = 500_000_000
"""Bytes of J times weights in all, where the ends of J are tried: some seconds."""
HIDDEN_NEEDS_Z = ("sine",)  # 0 is Z, which .W takes for the list of nodes


def encode(model: Cascade, levels: int | None = None, form: str | None = None) -> bytes:
    """The shortest Pyth program of ours that paints ``model`` at its size.

    levels  base of the digits; None: the smallest that holds the model's
    form    of the literal: "digits", which ``levels`` implies, or "entropy"; None: that of the shorter program

    Raises ``ValueError`` for a model that is not quantized or that the programs cannot hold: 2 channels, radius or
    octaves as inputs, hidden neurons of different activations, too few levels asked for, too far apart for "entropy".
    """
    if form not in (None, "digits", "entropy"):
        raise ValueError(f'form must be "digits", "entropy" or None, got {form!r}')
    if form == "entropy" and levels is not None:
        raise ValueError("levels is the base of digits, and form is entropy")
    _check(model)
    if form == "digits" or levels is not None:
        return _in_digits(model, levels)
    shortest = None if form == "entropy" else _in_digits(model, None)
    shortest = _entropy_coded(model, shortest)
    if shortest is None:
        raise ValueError("model has weights too far apart to be entropy-coded here")
    return shortest


def _in_digits(model: Cascade, levels: int | None) -> bytes:
    program = _layout(model, counted=False)
    weights = _weights(model, program)
    code = Digits.fitting(weights, levels)
    return _written(replace(program, code=code), escape(code.pack(weights)))


def _entropy_coded(model: Cascade, shortest: bytes | None) -> bytes | None:
    """The shortest program of this form if there is one, shorter than ``shortest``; else that."""
    program = _layout(model, counted=True)
    weights = _weights(model, program)
    promises = []
    for bits, code in Shares.candidates(weights):
        length = len(_written(replace(program, code=code), b"")) + bits / 8
        if shortest is None or length < len(shortest) + 1:
            promises.append((length, code))
    if not promises:
        return shortest
    code = min(promises, key=lambda promise: promise[0])[1]
    coded = _written(replace(program, code=code), _literal(code, weights))
    return coded if shortest is None else min(shortest, coded, key=len)


def _literal(code: Shares, weights: list[int]) -> bytes:
    """The one with the fewest escapes: ends of J from K / 8 to 2 K make payloads that share little but their length."""
    shortest, least, work, index = None, 0, 0, 0
    while shortest is None or (index < MOST_ENDS and work < MOST_WORK and len(shortest) > least):
        payload = code.pack(weights, code.whole * (MOST_ENDS + 15 * index) // (8 * MOST_ENDS))
        index += 1
        if payload is None:
            continue
        least = least or len(payload)  # that of the smallest end
        work += len(payload) * len(weights)
        text = escape(payload)
        if shortest is None or len(text) < len(shortest):
            shortest = text
    return shortest


def _weights(model: Cascade, program: Program) -> list[int]:
    """As the program adds them up."""
    return [program.hidden.sign * int(level) for level in model.levels]


def _written(program: Program, literal_text: bytes) -> bytes:
    head, tail = write(program)
    return head.encode() + b'"' + literal_text + b'"' + tail.encode()


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


def _layout(model: Cascade, *, counted: bool) -> Program:
    """The program but for its code, with the shortest spellings of the activations.

    counted  the loop ends after so many neurons, even where it might end with the digits
    """
    config = model.config
    names = config.activation_names
    safe = _largest_sum(model) > LARGEST_POWER
    mixed = names[0] != names[-1]
    if (names[0], names[-1]) == ("sine", "sigmoid"):
        safe = True  # the spelling by tanh shares most of its text with the sine's
    step = model.steps[2]
    hidden, divisor = _shortest(names[0], step, safe, sign=1 if mixed else None)
    output, output_divisor = _shortest(names[-1], step, safe, sign=1) if mixed else (hidden, divisor)
    counted = counted or mixed or names[0] in HIDDEN_NEEDS_Z
    return Program(
        size=model.size,
        channels=config.channels,
        code=Digits(2, 0),
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
    unit = max(model.size) / 256 if model.config.coords == "centered" else 1.0
    if np.float32(unit * step) == own:
        return ""
    return literal(own / step / unit, lambda value: bool(np.float32(value * unit * step) == own))


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
