"""The text around the payload: what it says, read and written.

    .wmm+JjC"payload"BASE sM>3 LOOP WIDTH HEIGHT           (the published program: KjC"payload"BASE.wmm+JK...)
    .wmm&JC"payload"      sM>3 LOOP WIDTH HEIGHT           (entropy-coded)

LOOP appends one node after another to the list of inputs, taking weights off J.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from ..coords import CONVENTIONS
from ..errors import FormatError
from .digits import Digits
from .forms import FORMS, NUMBER, Form
from .shares import Shares

__all__ = ["Program", "parse", "write"]

Code = type[Digits] | type[Shares]


@dataclass(frozen=True)
class Program:
    """A decoder. Literals stay text: ``constant``, ``gain`` (of x and y, "" for 1) and the divisor."""

    size: tuple[int, int]
    channels: int
    code: Digits | Shares
    hidden: Form
    output: Form
    divisor: str
    output_divisor: str
    neurons: int | None
    """None where the loop runs until there are no digits left."""
    split: int | None
    """How many neurons are hidden, where hidden ones and outputs differ."""
    constant: str
    coords: str
    gain: str


def _x(code: Code, nodes: str) -> str:
    return rf"s\*L{code.WEIGHT}{nodes}"


def _inputs() -> str:
    """``[256kd)``, or with a gain ``+256*R1.5,kd``."""
    seed = r"(?P<twice>y)?k(?(twice)y)d"
    centered = r"-yk(?P<ex>\d{1,7})-yd(?P<ey>\d{1,7})"
    end = r"(?(gain)(?(ex)\ )|\))"
    return rf"(?P<opens>[\[+])(?P<constant>{NUMBER})(?:\*R(?P<gain>{NUMBER}),)?(?:{seed}|{centered}){end}"


_COUNT = r" ?(?P<neurons>\d{1,3})"
_TAIL = rf"{_inputs()}(?P<width>\d{{1,7}}) (?P<height>\d{{1,7}})"
_THREE = r"sM>(?P<channels>\d)"
_HEADS: tuple[tuple[str, str, Code], ...] = (
    ("KjC", rf"{Digits.BASE}\.wmm\+JK{_THREE}", Digits),
    (".wmm+JjC", rf"{Digits.BASE}{_THREE}", Digits),
    (".wmmse+JjC", Digits.BASE, Digits),
    (".wmm&JC", _THREE, Shares),
    (".wmmse&JC", "", Shares),
)
_SINE = next(form for form in FORMS if form.activation == "sine")
_TANH_SIGMOID = next(form for form in FORMS if form.activation == "sigmoid" and not form.powers)


def parse(head: str, tail: str) -> Program:
    """The program whose literal stands between these; ``FormatError`` if it is another program than ours."""
    found_head = next((entry for entry in _HEADS if entry[0] == head), None)
    if found_head is None:
        raise FormatError(f"not a Pyth program of this kind: it begins with {head[:12]!r}")
    _, opens, code = found_head
    opening = re.match(opens, tail)
    if opening is None:
        raise FormatError(f"after the string literal: no base and outputs in {tail[:12]!r}")
    loop = tail[opening.end() :]
    program = _loop(loop, code, opening.groupdict())
    if program is None:
        raise FormatError(f"a Pyth program of another network: {loop[:60]!r} is not known here")
    return program


def _loop(text: str, code: Code, opening: dict[str, str]) -> Program | None:
    x = _x(code, "G")
    wave = re.fullmatch(rf"uaG\*128h\.tc{x}\*(?P<d>{NUMBER})h=Y>H(?P<last>\d{{1,3}})\*TY{_COUNT}{_TAIL}", text)
    if wave:
        return _program(wave, code, opening, _SINE, _TANH_SIGMOID, split=int(wave["last"]) + 1)
    for form in FORMS:
        loops = ["uaG" + form.pattern(x, "d") + _COUNT]
        if code is Digits:
            loops.append(r"\.WJaZ" + form.pattern(_x(code, "Z"), "d"))
        for pattern in loops:
            match = re.fullmatch(pattern + _TAIL, text)
            if match:
                return _program(match, code, opening, form, form)
    for hidden in FORMS:
        start = rf"uaG\?e,=N{x}<H(?P<split>\d{{1,3}})" + hidden.pattern("N", "d")
        if not re.match(start, text):
            continue
        for output in FORMS:
            match = re.fullmatch(start + output.pattern("N", "o") + _COUNT + _TAIL, text)
            if match and output.sign == hidden.sign:
                return _program(match, code, opening, hidden, output, split=int(match["split"]))
    return None


def _program(
    match: re.Match[str],
    code: Code,
    opening: dict[str, str],
    hidden: Form,
    output: Form,
    split: int | None = None,
) -> Program:
    found = match.groupdict() | opening
    width, height = int(found["width"]), int(found["height"])
    centered, gain = found["ex"] is not None, found["gain"]
    numbers = [found["constant"], found["d"], found.get("o"), gain]
    if any(number and float(number) == 0 for number in numbers):
        raise FormatError("a divisor or a gain is zero")
    wave = "last" in found  # the outputs' sums are divided by 1 + True times as much
    doubled = format(2 * Decimal(found["d"]), "f")
    if (found["opens"] == "+") != (gain is not None) or (gain and found["twice"]):
        raise FormatError("a Pyth program of another network: it begins with other inputs")
    if centered and (int(found["ex"]), int(found["ey"])) != (width - 1, height - 1):
        raise FormatError("the coordinates are not centred on the picture")
    return Program(
        size=(width, height),
        channels=int(found.get("channels") or 1),
        code=code.read(found),
        hidden=hidden,
        output=output,
        divisor=found["d"],
        output_divisor=doubled if wave else found.get("o") or found["d"],
        neurons=int(found["neurons"]) if found.get("neurons") else None,
        split=split,
        constant=found["constant"],
        coords=CONVENTIONS[centered],
        gain="2" if found["twice"] else gain or "",
    )


def write(program: Program) -> tuple[str, str]:
    """What stands before and after the literal."""
    grey = program.channels == 1
    digits = isinstance(program.code, Digits)
    head = ".wmm" + ("se" if grey else "") + ("+JjC" if digits else "&JC")
    base = str(program.code.base) if isinstance(program.code, Digits) else ""
    pick = "" if grey else f"sM>{program.channels}"
    width, height = program.size
    return head, f"{base}{pick}{_nodes(program)}{_start(program)}{width} {height}"


def _nodes(program: Program) -> str:
    x = f"s*L{program.code.weight()}"
    if program.split is None and program.neurons is None:
        return ".WJaZ" + program.hidden.text(x + "Z", program.divisor)
    if program.split is None:
        loop = "uaG" + program.hidden.text(x + "G", program.divisor)
    elif (program.hidden, program.output) == (_SINE, _TANH_SIGMOID):
        # sin is .t 0, tanh .t 10, and a sigmoid is a tanh of half the sum
        loop = f"uaG*128h.tc{x}G*{program.divisor}h=Y>H{program.split - 1}*TY"
    else:
        hidden, output = program.hidden, program.output
        loop = f"uaG?e,=N{x}G<H{program.split}"
        loop += hidden.text("N", program.divisor) + output.text("N", program.output_divisor)
    return f"{loop}{' ' if loop[-1].isdigit() else ''}{program.neurons}"


def _start(program: Program) -> str:
    width, height = program.size
    centered = program.coords == "centered"
    inputs = f"-yk{width - 1}-yd{height - 1}" if centered else "kd"
    if program.gain == "2" and not centered:
        return f"[{program.constant}ykyd)"
    if program.gain:
        return f"+{program.constant}*R{program.gain},{inputs}" + (" " if centered else "")
    return f"[{program.constant}{inputs})"
