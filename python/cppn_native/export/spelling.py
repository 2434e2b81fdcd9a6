"""How each activation is written in each language: one expression in ``z``, and nothing else to add for a new one.

Python's has to hold for a float with ``math`` and for an array with ``numpy`` (``maximum``, ``minimum`` and ``sign``
are there with both): no overflow, which ``math`` raises. GLSL's holds for a float and for a vector, must not reach
infinity, which a GPU need not have, and may call the ``HELPERS`` of ``glsl.py``. ONNX has words: an operator,
``square``, ``xlogx``, ``gelu``, ``*c`` or ``+c``, each of what the one before it gave.
"""

from __future__ import annotations

__all__ = ["LANGUAGES", "SPELLING", "TAIL", "spelled"]

LANGUAGES = ("python", "js", "c", "glsl", "onnx")

TAIL = "(.116520855+t*(.067496270425+t*(.26891138248+t*(-.23699500485+t*(.38987496551-t*.10580847784)))))"
"""Of the normal distribution, by t = 1 / (1 + 0.28 |z|): Phi(-|z|) exp(z^2 / 2) / t, as csrc/core/formulas.h has it."""

SPELLING: dict[str, dict[str, str]] = {
    "sigmoid": {
        "python": ".5+.5*tanh(z/2)",
        "js": "1/(1+Math.exp(-z))",
        "c": "1/(1+exp(-z))",
        "glsl": "1./(1.+exp(clamp(-z,-80.,80.)))",
        "onnx": "Sigmoid",
    },
    "sine": {
        "python": ".5+.5*sin(z)",
        "js": ".5+.5*Math.sin(z)",
        "c": ".5+.5*sin(z)",
        "glsl": ".5+.5*wave(z*.159154943)",
        "onnx": "Sin *.5 +.5",
    },
    "tanh": {
        "python": "tanh(z)",
        "js": "Math.tanh(z)",
        "c": "tanh(z)",
        "glsl": "2./(1.+exp(clamp(-2.*z,-80.,80.)))-1.",
        "onnx": "Tanh",
    },
    "gaussian": {
        "python": "exp(-z*z)",
        "js": "Math.exp(-z*z)",
        "c": "exp(-z*z)",
        "glsl": "exp(-min(z*z,80.))",
        "onnx": "square Neg Exp",
    },
    "identity": {"python": "z", "js": "z", "c": "z", "glsl": "z", "onnx": ""},
    "square": {"python": "z*z", "js": "z*z", "c": "z*z", "glsl": "square(z)", "onnx": "square"},
    "cos": {
        "python": "cos(z)",
        "js": "Math.cos(z)",
        "c": "cos(z)",
        "glsl": "wave(z*.159154943+.25)",
        "onnx": "Cos",
    },
    "hard_sigmoid": {
        "python": "minimum(maximum(.2*z+.5,0),1)",
        "js": "Math.min(Math.max(.2*z+.5,0),1)",
        "c": "fmin(fmax(.2*z+.5,0),1)",
        "glsl": "clamp(.2*z+.5,0.,1.)",
        "onnx": "HardSigmoid",
    },
    "sgn": {"python": "sign(z)", "js": "Math.sign(z)", "c": "(z>0)-(z<0)", "glsl": "sign(z)", "onnx": "Sign"},
    "abs_tanh": {
        "python": "abs(tanh(z))",
        "js": "Math.abs(Math.tanh(z))",
        "c": "fabs(tanh(z))",
        "glsl": "1.-2./(1.+exp(min(2.*abs(z),80.)))",
        "onnx": "Tanh Abs",
    },
    "relu": {
        "python": "maximum(z,0)",
        "js": "Math.max(z,0)",
        "c": "fmax(z,0)",
        "glsl": "max(z,0.)",
        "onnx": "Relu",
    },
    "softplus": {  # of a large z, z itself: exp(z) would be infinite
        "python": "maximum(z,0)+log(1+exp(-abs(z)))",
        "js": "Math.max(z,0)+Math.log(1+Math.exp(-Math.abs(z)))",
        "c": "fmax(z,0)+log(1+exp(-fabs(z)))",
        "glsl": "max(z,0.)+log(1.+exp(-min(abs(z),80.)))",
        "onnx": "Softplus",
    },
    "abs": {"python": "abs(z)", "js": "Math.abs(z)", "c": "fabs(z)", "glsl": "abs(z)", "onnx": "Abs"},
    "gelu": {  # where there is no erfc, by a polynomial
        "python": f"maximum(z,0)-abs(z)*(t:=1/(1+.28*abs(z)))*{TAIL}*exp(-z*z/2)",
        "js": f"(t=>Math.max(z,0)-Math.abs(z)*t*{TAIL}*Math.exp(-z*z/2))(1/(1+.28*Math.abs(z)))",
        "c": ".5*z*erfc(-z*.7071067811865476)",
        "glsl": "gelu(z)",
        "onnx": "gelu",
    },
    "sin": {"python": "sin(z)", "js": "Math.sin(z)", "c": "sin(z)", "glsl": "wave(z*.159154943)", "onnx": "Sin"},
}

_LOG = {"python": "log({x})", "js": "Math.log({x})", "c": "log({x})", "glsl": "log({x})", "onnx": "{x} Log"}
_XLOGX = {
    "python": "({x})*log({x})",
    "js": "({x})*Math.log({x})",
    "c": "({x})*log({x})",
    "glsl": "xlogx({x})",
    "onnx": "{x} xlogx",
}


def _logarithmic(form: dict[str, str], inner: str, more: str) -> dict[str, str]:
    """log(x) or x log(x) of x = an activation that is not negative, plus ``more``."""
    plus = {"onnx": f" +{more}", "glsl": f"+{more}" if "e" in more else f"+{more}."}
    x = {language: text + plus.get(language, f"+{more}") for language, text in SPELLING[inner].items()}
    return {language: text.format(x=x[language]) for language, text in form.items()}


SPELLING |= {
    "log_abs": _logarithmic(_LOG, "abs", "1e-8"),
    "log_square": _logarithmic(_LOG, "square", "1e-8"),
    "log_relu": _logarithmic(_LOG, "relu", "1e-8"),
    "log_abs_p1": _logarithmic(_LOG, "abs", "1"),
    "xlogx_abs": _logarithmic(_XLOGX, "abs", "1e-8"),
    "xlogx_square": _logarithmic(_XLOGX, "square", "1e-8"),
    "xlogx_relu": _logarithmic(_XLOGX, "relu", "1e-8"),
    "xlogx_abs_p1": _logarithmic(_XLOGX, "abs", "1"),
    "xlogx_relu_p1": _logarithmic(_XLOGX, "relu", "1"),
}


def spelled(name: str, language: str) -> str:
    """The expression of an activation; ``ValueError`` if nobody wrote it down yet."""
    try:
        return SPELLING[name][language]
    except KeyError:
        raise ValueError(f"activation {name!r} cannot be exported to {language} yet: see export/spelling.py") from None
