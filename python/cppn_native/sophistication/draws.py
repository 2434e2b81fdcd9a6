"""Random numbers that are a function of (seed, bits asked for, what they are for): NumPy's Philox, word by word.

The words of a bit generator are the same in every version of NumPy, which its distributions do not promise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Draws", "check_whole"]


def check_whole(name: str, value: object, low: int, high: int, what: str = "a whole number") -> None:
    """``ValueError`` for what is no integer from ``low`` to ``high``."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise ValueError(f"{name} must be {what} from {low} to {high}, got {value!r}")


class Draws:
    """The draws of one picture's network and of its inputs.

    seed         a whole number from 0 to 2^64 - 1, the key
    soph, noise  part of the counter: every place of an atlas draws its own numbers
    """

    def __init__(self, seed: int, soph: int = 0, noise: int = 0) -> None:
        check_whole("seed", seed, 0, (1 << 64) - 1)
        self._seed, self._soph, self._noise = int(seed), soph, noise

    def words(self, count: int, stream: int = 0) -> NDArray[np.uint64]:
        """(count,) of 64 bits."""
        key = np.array([self._seed, stream], np.uint64)
        counter = np.array([0, 0, self._soph, self._noise], np.uint64)
        words = np.random.Philox(key=key, counter=counter).random_raw(count)
        return np.asarray(words, np.uint64).reshape(count)

    def integers(self, below: int, count: int, stream: int = 0) -> NDArray[np.int64]:
        """(count,) of [0, below), uniform but for 2^-32; two of each word."""
        halves = self.words((count + 1) // 2, stream).astype("<u8").view("<u4")[:count]
        return ((halves.astype(np.uint64) * np.uint64(below)) >> np.uint64(32)).astype(np.int64)

    def bits(self, count: int, stream: int = 0) -> NDArray[np.uint8]:
        """(count,) of 0 and 1; 64 of each word, the lowest first."""
        packed = self.words((count + 63) // 64, stream).astype("<u8").view(np.uint8)
        return np.unpackbits(packed, count=count, bitorder="little")
