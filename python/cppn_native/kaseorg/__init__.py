"""Cascades as Pyth programs: Anders Kaseorg's 1020-byte Starry Night read, and such programs written.

>>> from cppn_native import kaseorg
>>> model = kaseorg.decode("starry.pyth")    # doctest: +SKIP
>>> program = kaseorg.encode(model)          # doctest: +SKIP

The programs run on Pyth of 2016-01-22 (https://github.com/isaacg1/pyth) and write ``o.png``. docs/pyth.md says
byte by byte what is in them.
"""

from __future__ import annotations

from .decoding import decode, render
from .encoding import encode

__all__ = ["decode", "encode", "render"]
