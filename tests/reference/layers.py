"""Dense layers over the plane, after the formula: h <- f(h W + b), on features (pixels, features) in float64."""

import numpy as np

from .activations import ACTIVATIONS


def sort(z):
    return np.sort(z, axis=1)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def logsoftmax(z):
    return (
        z - z.max(axis=1, keepdims=True) - np.log(np.exp(z - z.max(axis=1, keepdims=True)).sum(axis=1, keepdims=True))
    )


ACROSS = {f.__name__: f for f in (sort, logsoftmax, softmax)}
"""In the order of their numbers, which follow those of the activations."""


def function(name, z):
    return ACROSS[name](z) if name in ACROSS else ACTIVATIONS[name](z)[0]


def normalized(z):
    return (z - z.mean(axis=1, keepdims=True)) / z.std(axis=1, keepdims=True)


def features(inputs):
    """(H W, I): columns, rows and radius at every pixel, row by row."""
    width, height = inputs.size
    at = [np.tile(column, height) for column in inputs.columns] + [np.repeat(row, width) for row in inputs.rows]
    if inputs.radius:
        at.append(np.sqrt(inputs.radius[0][None, :] ** 2 + inputs.radius[1][:, None] ** 2).ravel())
    return np.stack(at, axis=1)


def evaluate(layers, inputs):
    """(H, W, C) float64."""
    width, height = inputs.size
    h = features(inputs)
    for layer in layers:
        z = h @ layer.weights + (0 if layer.bias is None else layer.bias)
        if layer.normalize == "before":
            z = normalized(z)
        z = function(layer.nonlinearity, z)
        if layer.normalize == "after":
            z = normalized(z)
        h = h + z if layer.residual else z
    return h.reshape(height, width, -1)
