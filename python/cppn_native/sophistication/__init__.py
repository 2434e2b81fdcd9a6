"""Random pictures by sophistication and noise: how many bits are structure, how many are chance.

>>> import cppn_native as cn
>>> cn.sophistication.params(2 * 16383, 2 * 16383).filters
(5, 4, 3, 3, 2, 2, 1, 1)

Source: the notebook on random convolutional networks as models of two-part codes (docs/sophistication.md).
"""

from .account import Account, account
from .atlas import atlas
from .model import RandomModel, quantiles, random_bits, random_model
from .parameters import Layer, Params, params, split, uncompressed
from .pictures import sample, sheet

__all__ = [
    "Account",
    "Layer",
    "Params",
    "RandomModel",
    "account",
    "atlas",
    "params",
    "quantiles",
    "random_bits",
    "random_model",
    "sample",
    "sheet",
    "split",
    "uncompressed",
]
