"""A random picture, from the network's numbers to what is shown, and what the notebook's own code says of its sizes."""

import contextlib
import io
from types import SimpleNamespace

import numpy as np

from . import convolution

NOTEBOOK = "seeds/002_51e8185a925785b6.txt"


def picture(weights, scales_and_doublings, bits):
    """sigmoid of the last sums: bits (D, S, S), weights [(F, C, 7, 7)] -> (C, H, W)."""
    layers = [(w, doubled) for w, (_, doubled) in zip(weights, scales_and_doublings, strict=True)]
    return 1 / (1 + np.exp(-convolution.convolve(bits.astype(np.float64), layers)))


def laplace(scale):
    """The 33 values of a weight: the quantiles (i + 1) / 17 of a half, i = 0 to 15, mirrored, and zero."""
    half = [scale * np.log((i + 1) / 17) for i in range(16)]
    return np.sort([*half, 0.0, *(-q for q in half)])


def notebook(text):
    """``adhoc_params`` and ``initializer_qlaplace`` of the notebook, as they stand, for one channel of 256 x 256."""
    scope = {"np": np, "height": 256, "width": 256, "channels": 1, "SimpleNamespace": SimpleNamespace}
    for first, last in (
        ("def number_of_weights", "### Hyperparameters"),
        ("def adhoc_params", "params = adhoc_params(soph"),
        ("def initializer_qlaplace", "def random_model"),
    ):
        begin = text.index(first)
        exec(text[begin : text.index(last, begin)], scope)
    return scope


def filters(p):
    """The filters that the notebook's ``random_model`` builds of its parameters: its loops without Keras."""
    found = []
    for block in range(p.numblocks - 1):
        for i in range(p.blockdepth):
            found.append(round(p.reshapedepth / p.depthfactor ** (block * p.blockdepth + i + 1)))
    for i in range((p.numblocks - 1) * p.blockdepth, p.depth):
        found.append(round(p.reshapedepth / p.depthfactor ** (i + 1)))
    return tuple(found)


def silent(f, *arguments):
    """``f`` without what it prints."""
    with contextlib.redirect_stdout(io.StringIO()):
        return f(*arguments)
