"""How each activation is written in each language: one expression in ``z``, and nothing else to add for a new one.

Python's has to hold for a float with ``math`` and for an array with ``numpy``: no overflow, which ``math`` raises.
GLSL's must not reach infinity, which a GPU need not have, and takes its sine from ``wave`` (see ``glsl.py``).
"""

from __future__ import annotations

__all__ = ["LANGUAGES", "SPELLING", "spelled"]

LANGUAGES = ("python", "js", "c", "glsl", "onnx")

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
}


def spelled(name: str, language: str) -> str:
    """The expression of an activation; ``ValueError`` if nobody wrote it down yet."""
    try:
        return SPELLING[name][language]
    except KeyError:
        raise ValueError(f"activation {name!r} cannot be exported to {language} yet: see export/spelling.py") from None
