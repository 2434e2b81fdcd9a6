"""Weights entropy-coded in one number J: small levels are likelier, and cost fewer bits.

J is the state of an asymmetric numeral system (Duda, 2009). Its last digit r in base K = 10^tens says which symbol is
next: N = floor(parts * log2(K / r)), so that symbols have geometric shares of the K remainders, 1/2 as many after each
``parts``. With f remainders for N and q the rest of J, J goes on as q * f + r: r need not be counted from the first
remainder of N, because any f successive ones differ modulo f. What J is at the end does not matter.

Symbols are levels in the order 0 -1 1 -2 2 ...: N // 2 where N is even, its bits inverted where N is odd.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from math import ceil, floor, log, log2

from ..errors import FormatError

__all__ = ["Shares"]

UNARY = 2
"""What Pyth's ``i`` makes of two digits in base 1, so no weight has a share of 1."""
MARGIN = 2.0**-44
"""Relative; what a logarithm or a power may be wrong by, of whatever Python or mathematical library, and more."""


@dataclass(frozen=True)
class Shares:
    """K = 10^``tens``, of which symbol N has ``largest // 2^(N / parts)``."""

    tens: int
    largest: int
    parts: int

    WEIGHT = (
        r"&=Ji\.DJK\^T(?P<tens>[1-9])/(?P<largest>[1-9]\d{0,8})\^2c=Ns\*(?P<parts>T|[1-9]\d{0,3})lcK%JK(?P=parts)"
        r"x/N2_%N2"
    )

    @classmethod
    def read(cls, found: Mapping[str, str]) -> Shares:
        """From the groups of the pattern above."""
        tens, largest, parts = int(found["tens"]), int(found["largest"]), int(found["parts"].replace("T", "10"))
        if largest > 10**tens:
            raise FormatError(f"a symbol's share of {largest} is more than all, 10^{tens}")
        return cls(tens, largest, parts)

    def weight(self) -> str:
        """The Pyth that takes the next weight."""
        parts = "T" if self.parts == 10 else str(self.parts)
        return f"&=Ji.DJK^T{self.tens}/{self.largest}^2c=Ns*{parts}lcK%JK{parts}x/N2_%N2"

    @cached_property
    def whole(self) -> int:
        return int(10**self.tens)

    def symbol(self, remainder: int) -> int:
        """In the arithmetic of the program."""
        return int(self.parts * log(self.whole / remainder, 2))

    def share(self, symbol: int) -> int:
        """In the arithmetic of the program."""
        return int(self.largest // 2 ** (symbol / self.parts))

    def unpack(self, payload: bytes, count: int) -> list[int]:
        """``count`` weights; ``FormatError`` where the program would divide by zero, or the literal holds more."""
        state = int.from_bytes(payload, "big")
        if state.bit_length() > (count + 2) * log2(self.whole):
            raise FormatError(f"the literal of {len(payload)} bytes holds more than {count} weights")
        weights = []
        for index in range(count):
            rest, remainder = divmod(state, self.whole)
            if remainder == 0:
                raise FormatError(f"the literal ends, or divides by zero, at weight {index} of {count}")
            symbol = self.symbol(remainder)
            share = self.share(symbol)
            state = rest * share + remainder if share != 1 else UNARY
            weights.append(symbol // 2 ^ -(symbol % 2))
        return weights

    def pack(self, weights: Sequence[int], end: int) -> bytes | None:
        """The payload after which J is ``end``; None if ``end`` is too small to get there."""
        ranges = {weight: self.remainders(_symbol(weight)) for weight in set(weights)}
        shares = {weight: self.share(_symbol(weight)) for weight in ranges}
        state = end
        for weight in reversed(weights):
            first, share = ranges[weight][0], shares[weight]
            remainder = first + (state - first) % share
            if state < remainder:
                return None
            state = (state - remainder) // share * self.whole + remainder
        return state.to_bytes((state.bit_length() + 7) // 8, "big")

    def remainders(self, symbol: int) -> range:
        """Those that every Python takes for this symbol: no logarithm is within ``MARGIN`` of a whole number."""
        first = floor(self.whole * 2 ** (-(symbol + 1) / self.parts)) + 1
        last = min(ceil(self.whole * 2 ** (-symbol / self.parts)), self.whole - 1)
        while first <= last and not self._sure(first, symbol):
            first += 1
        while first <= last and not self._sure(last, symbol):
            last -= 1
        return range(first, last + 1)

    def _sure(self, remainder: int, symbol: int) -> bool:
        value = self.parts * log(self.whole / remainder, 2)
        return int(value * (1 - MARGIN)) == symbol == int(value * (1 + MARGIN))

    def bits(self, counts: Mapping[int, int]) -> float:
        """Of a payload with so many of every symbol, about; J begins and ends near K."""
        return log2(self.whole) + sum(n * log2(self.whole / self.share(symbol)) for symbol, n in counts.items())

    @classmethod
    def candidates(cls, weights: Sequence[int]) -> Iterator[tuple[float, Shares]]:
        """(bits of a payload, about; shares) that can hold the weights."""
        counts = Counter(map(_symbol, weights))
        mean = sum(symbol * n for symbol, n in counts.items()) / len(weights)
        best = log(2) * (mean + 0.5)
        near = {round(best * (1 + step / 16)) for step in range(-6, 7)} | {round(best) + step for step in range(-2, 3)}
        for parts in sorted(near | {10, ceil(max(counts) / 12)}):
            fitting = (cls._largest(tens, parts, counts) for tens in range(2, 10) if 0 < parts < 10_000)
            for shares in islice(filter(None, fitting), 3):  # a larger K costs more than it gains
                yield shares.bits(counts), shares

    @classmethod
    def _largest(cls, tens: int, parts: int, counts: Mapping[int, int]) -> Shares | None:
        """With the largest shares that leave every symbol its remainders; None if some has less than two."""
        probe = cls(tens, 1, parts)
        if len(probe.remainders(max(counts))) < 2:
            return None
        room = {symbol: len(probe.remainders(symbol)) for symbol in counts}
        largest = ceil(min((room[symbol] + 1) * 2 ** (symbol / parts) for symbol in counts)) - 1
        for less in range(4):
            shares = cls(tens, largest - less, parts)
            if all(shares.sure(symbol) and 2 <= shares.share(symbol) <= room[symbol] for symbol in counts):
                return shares
        return None

    def sure(self, symbol: int) -> bool:
        """Whether every Python agrees on its share."""
        value = self.largest / 2 ** (symbol / self.parts)
        return symbol % self.parts == 0 or floor(value * (1 - MARGIN)) == floor(value * (1 + MARGIN))


def _symbol(weight: int) -> int:
    return 2 * weight if weight >= 0 else -2 * weight - 1
