"""Where the bits of a picture go, in whole numbers that add up."""

from __future__ import annotations

from dataclasses import dataclass

from .model import LEVELS, QUANTILES
from .parameters import BITS_PER_VALUE, BITS_PER_WEIGHT, Params, params

__all__ = ["Account", "account", "account_of"]


@dataclass(frozen=True)
class Account:
    """Three sums, each ``uncompressed``: what was asked for, and what the network and its input hold.

    uncompressed  soph + noise + redundancy  =  spent_soph + spent_noise + spent_redundancy
    spent_soph    weight_bits + head_bits: 5 a weight and 4 a weight of the head, as the notebook counts
    spent_noise   bits of the input, one an entry
    code_bits     the shortest code of fixed length for the weights, the smallest n with 33^weights 16^head <= 2^n:
                  33 values are a little more than 5 bits hold

    Filters are whole, so what is spent is near what was asked for, and may be more: then the difference,
    ``unspent_soph`` or ``unspent_noise``, is negative.
    """

    uncompressed: int
    soph: int
    noise: int
    weights: int
    head_weights: int
    spent_noise: int

    @property
    def redundancy(self) -> int:
        return self.uncompressed - self.soph - self.noise

    @property
    def weight_bits(self) -> int:
        return BITS_PER_WEIGHT * self.weights

    @property
    def head_bits(self) -> int:
        return BITS_PER_VALUE * self.head_weights

    @property
    def spent_soph(self) -> int:
        return self.weight_bits + self.head_bits

    @property
    def spent_redundancy(self) -> int:
        return self.uncompressed - self.spent_soph - self.spent_noise

    @property
    def unspent_soph(self) -> int:
        return self.soph - self.spent_soph

    @property
    def unspent_noise(self) -> int:
        return self.noise - self.spent_noise

    @property
    def code_bits(self) -> int:
        return int((QUANTILES**self.weights - 1).bit_length() + self.head_weights * (LEVELS.bit_length() - 1))

    def record(self) -> dict[str, int]:
        """All of it, by name."""
        names = (
            "uncompressed", "soph", "noise", "redundancy", "weights", "weight_bits", "head_weights", "head_bits",
            "spent_soph", "spent_noise", "spent_redundancy", "unspent_soph", "unspent_noise", "code_bits",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}


def account_of(p: Params) -> Account:
    """The account of a picture with these parameters."""
    return Account(p.uncompressed, p.soph, p.noise, p.weights, p.head_weights, p.input_bits)


def account(soph: int, noise: int, *, size: int = 256, channels: int = 1, head: str | int = "none") -> Account:
    """What a picture of ``sample`` with these arguments costs; raises what ``params`` does."""
    return account_of(params(soph, noise, size=size, channels=channels, head=head))
