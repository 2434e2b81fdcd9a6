"""Starry Night as a Pyth program of at most 1024 bytes whose literal is entropy-coded (after docs/pyth.md).

    python bench/pyth_kilobyte.py [--model fitted.cppn] [--output night.pyth]

Levels near zero are likelier, so they get fewer bits: a range of the state, rANS fashion. Symbol N takes the share
(N+1)^P - N^P of n^P, which a P-th root decodes; its parity is the level's sign and N // 2 its distance from the largest
level. The decoder takes 112 bytes and the 1325 weights of 50 neurons 908, where plain digits would take some 1100. Pyth
itself is not run here: the tests' evaluator of the language paints some pixels, which have to be those of the formula.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cppn_native as cn
import numpy as np
from common import machine, painting, write_result
from cppn_native.image import load_image
from cppn_native.kaseorg.literal import escape

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
BYTES, NEURONS, STEPS = 868, 50, 40_000


def pack(levels, power, n):
    """The state that decodes to these levels, first one first; None where a float root would miss a symbol."""
    whole, state, zero = n**power, 0, (n - 1) // 2
    for level in reversed([int(v) for v in levels]):
        symbol = 2 * (zero - abs(level)) + (level <= 0)
        for candidate in (symbol,) if level else (symbol, symbol - 1):
            share = (candidate + 1) ** power - candidate**power
            rest = candidate**power + state % share
            if int(rest ** (1 / power)) == candidate:
                state = state // share * whole + rest
                break
        else:
            return None
    return state


def program(model, power, n):
    """(bytes, or None; divisor): the Pyth program."""
    state = pack(model.levels, power, n)
    if state is None:
        return None
    zero, (width, height) = (n - 1) // 2, model.size
    divisor, constant = round(256 / model.steps[2]), round(256 * model.steps[0] / model.steps[2])
    level = f"h,*^_1=Ns@%JK^{n} {power} {power}-{zero}/N2=J+*-^hN{power}^N{power}/JK-%JK^N{power}"
    last = model.config.neurons - 4
    tail = f"sM>3uaG*128h.tcs*L{level}G*{divisor}h=Y>H{last}*TY{last + 4}[{constant}kd){width} {height}"
    payload = state.to_bytes((state.bit_length() + 7) // 8, "big")
    return b'.wmm&JC"' + escape(payload) + b'"' + tail.encode()


def picture(model):
    """(H, W, 3): what the program paints, in float64."""
    width, height = model.size
    divisor, constant = round(256 / model.steps[2]), round(256 * model.steps[0] / model.steps[2])
    nodes = [np.full(width * height, float(constant)), np.tile(np.arange(width), height) * 1.0]
    nodes.append(np.repeat(np.arange(height), width) * 1.0)
    begin = 0
    for neuron in range(model.config.neurons):
        z = model.levels[begin : begin + 3 + neuron] @ np.stack(nodes) / divisor
        hidden = neuron < model.config.neurons - 3
        nodes.append(128 * (1 + (np.sin(z) if hidden else np.tanh(z / 2))))
        begin += 3 + neuron
    return np.clip(np.trunc(np.stack(nodes[-3:])), 0, 255).T.reshape(height, width, 3)


def evaluated(text, rows, columns, model):
    """Some pixels, by the evaluator of the tests with the four functions more that this decoder uses."""
    import pyth_evaluator as pyth

    pyth.FUNCTIONS |= {"%": lambda a, b: a % b, "/": lambda a, b: a // b, "@": lambda a, b: a ** (1 / b)}
    pyth.FUNCTIONS["h"] = lambda a: a[0] if isinstance(a, list) else a + 1
    pyth.ARITY |= {"%": 2, "/": 2, "@": 2}

    def both(machine):
        first, second = machine.expression(), machine.expression()
        return lambda: first() and second()

    pyth.SPECIAL["&"] = both
    return pyth.run(text, {model.size[1]: rows, model.size[0]: columns})


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", help="a fitted .cppn instead of fitting one (three minutes)")
    parser.add_argument("--output", default="night.pyth")
    arguments = parser.parse_args()
    target = painting()
    if target is None:
        parser.error("set CPPN_SHARED to the folder that has the painting")
    if arguments.model:
        model = cn.load(arguments.model)
    else:
        model = cn.train(target, coords="seed", neurons=NEURONS, max_bytes=BYTES, steps=STEPS)
    largest = int(np.abs(model.levels).max())
    tried = (program(model, power, n) for power in range(3, 9) for n in range(2 * largest + 2, 2 * largest + 80, 2))
    best = min((text for text in tried if text), key=len)
    Path(arguments.output).write_bytes(best)
    shown = picture(model)
    rows, columns = [0, 160, 319], [0, 200, 385]
    assert evaluated(best, rows, columns, model) == shown[np.ix_(rows, columns)].astype(int).tolist()
    score = (((shown - load_image(target).astype(np.float64)) / 255) ** 2).sum()
    record = {"bytes": len(best), "score": round(float(score), 2), "model_bytes": model.nbytes, "neurons": NEURONS}
    write_result("pyth", {**machine("numpy"), "command": "python bench/pyth_kilobyte.py", **record})
    print(f"{len(best)} bytes, score {score:.2f}, of a model of {model.nbytes} bytes; the evaluator agrees")


if __name__ == "__main__":
    main()
