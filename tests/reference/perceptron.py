"""A perceptron after the formulas, in float64: its loss, its gradient, AdamW.

    z = W h + b        a = f(z)        y = gamma (a - mean) / sqrt(var + 1e-5) + beta, where a layer normalizes

Layers are (inputs, outputs, activation, normalized), parameters packed layer by layer: W, b [, gamma, beta].
"""

import numpy as np

from .activations import ACTIVATIONS

EPS = 1e-5


def count(layers):
    return sum(i * o + o + 2 * o * norm for i, o, _, norm in layers)


def unpack(layers, params):
    """[(W (O, I), b, gamma, beta)], gamma and beta None without normalization."""
    parts, at = [], 0
    for inputs, outputs, _, norm in layers:
        sizes = [inputs * outputs, outputs, *([outputs, outputs] if norm else [])]
        taken = np.split(params[at : at + sum(sizes)], np.cumsum(sizes)[:-1])
        at += sum(sizes)
        parts.append((taken[0].reshape(outputs, inputs), taken[1], *(taken[2:] if norm else (None, None))))
    return parts


def gradient(layers, params, x, y, loss="mse"):
    """(loss, dloss/dparams, [(mean, biased variance)] of the normalized layers) of the batch x (P, I), y (P, O)."""
    h, tape, moments = x, [], []
    for (_, _, name, norm), (w, b, gamma, beta) in zip(layers, unpack(layers, params), strict=True):
        a, slope = ACTIVATIONS[name](h @ w.T + b)
        sigma = np.sqrt(a.var(axis=0) + EPS)
        unit = (a - a.mean(axis=0)) / sigma
        tape.append((h, w, slope, gamma, sigma, unit))
        if norm:
            moments.append((a.mean(axis=0), a.var(axis=0)))
        h = gamma * unit + beta if norm else a
    e = h - y
    value = np.mean(e**2) if loss == "mse" else np.mean(np.abs(e))
    d = (2 * e if loss == "mse" else np.sign(e)) / e.size
    grads = []
    for (_, _, _, norm), (h, w, slope, gamma, sigma, unit) in zip(layers[::-1], tape[::-1], strict=True):
        if norm:
            grads += [d.sum(axis=0), (d * unit).sum(axis=0)]
            d = gamma / sigma * (d - d.mean(axis=0) - unit * (d * unit).mean(axis=0))
        dz = d * slope
        grads += [dz.sum(axis=0), (dz.T @ h).ravel()]
        d = dz @ w
    return value, np.concatenate(grads[::-1]), moments


def adamw(params, m, v, grad, step, rate, decay=0.0, b1=0.9, b2=0.999, eps=1e-8):
    """(params, m, v) after step 1, 2, ..."""
    params = params - rate * decay * params
    m, v = b1 * m + (1 - b1) * grad, b2 * v + (1 - b2) * grad**2
    return params - rate * (m / (1 - b1**step)) / (np.sqrt(v / (1 - b2**step)) + eps), m, v
