"""The dense cascade: every neuron sees the inputs and all neurons before it; the last ones are the picture.

D inputs, N neurons, C channels, P pixels, K = sum_n (D + n) weights in packed rows:

    z[n] = sum_{k < D+n} w[row(n) + k] a[k]        a[D + n] = f_n(z[n])        a[0..D) = the inputs
"""

from dataclasses import dataclass

import numpy as np

from .activations import ACTIVATIONS

KAPPA = (256 / 255) ** 2
"""Turns squared differences of activations, which count 256 levels, into the score's, which counts 255."""


@dataclass(frozen=True)
class Network:
    """The sizes of a cascade, and the name of every neuron's activation."""

    activations: tuple[str, ...]
    channels: int = 1
    radius: bool = False
    octaves: int = 0

    @property
    def neurons(self):  # N
        return len(self.activations)

    @property
    def inputs(self):  # D
        return 3 + self.radius + 4 * self.octaves

    @property
    def weights(self):  # K
        return self.row(self.neurons)

    def row(self, n):
        """Where the weights of neuron n begin; there are D + n of them."""
        return sum(self.inputs + m for m in range(n))

    def rows(self, w):
        """One view of ``w`` for each neuron."""
        return [w[self.row(n) : self.row(n + 1)] for n in range(self.neurons)]


def grid(x, y):
    """The pixels of a picture, row by row: (W,), (H,) -> (H W,), (H W,)."""
    return np.tile(x, len(y)), np.repeat(y, len(x))


def inputs(net, x, y):
    """(D, P): 1, x, y [, sqrt(x^2 + y^2)] [, sin pi x, cos pi x, sin pi y, cos pi y, sin 2 pi x, ...]"""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    a = [np.ones_like(x), x, y]
    if net.radius:
        a += [np.sqrt(x**2 + y**2)]
    for k in range(net.octaves):
        for coordinate in (x, y):
            phase = 2**k * np.pi * coordinate
            a += [np.sin(phase), np.cos(phase)]
    return np.array(a)


def forward(net, w, x, y):
    """The nodes a (D + N, P) and the slopes f'(z) (N, P)."""
    a = inputs(net, x, y)
    slopes = []
    for row, name in zip(net.rows(w), net.activations, strict=True):
        value, slope = ACTIVATIONS[name](row @ a)
        a = np.vstack([a, value])
        slopes.append(slope)
    return a, np.array(slopes)


def render(net, w, x, y):
    """(P, C): what the last C neurons show."""
    a, _ = forward(net, w, x, y)
    return a[-net.channels :].T


def loss(net, w, x, y, target):
    """kappa times the sum of squared differences to ``target`` (C, P)."""
    return KAPPA * np.sum((render(net, w, x, y).T - target) ** 2)


def reverse_sweep(net, w, slopes, seed):
    """From seed = dloss/da of the outputs (C, P) to dloss/dz of all neurons (N, P), last neuron first."""
    D, N, C = net.inputs, net.neurons, net.channels
    rows = net.rows(w)
    da = np.zeros_like(slopes)
    da[N - C :] = seed
    dz = np.zeros_like(slopes)
    for n in reversed(range(N)):
        dz[n] = slopes[n] * da[n]
        for m in range(n):
            da[m] += rows[n][D + m] * dz[n]
    return dz


def gradient(net, w, x, y, target):
    """(loss, dloss/dw (K,))."""
    a, slopes = forward(net, w, x, y)
    error = a[-net.channels :] - target
    dz = reverse_sweep(net, w, slopes, 2 * KAPPA * error)
    dw = [a[: net.inputs + n] @ dz[n] for n in range(net.neurons)]
    return KAPPA * np.sum(error**2), np.concatenate(dw)


def jacobian(net, w, x, y):
    """(K, C P): d output c at pixel p / d w, one reverse sweep for each channel."""
    a, slopes = forward(net, w, x, y)
    channels = []
    for c in range(net.channels):
        seed = np.zeros((net.channels, a.shape[1]))
        seed[c] = 1
        dz = reverse_sweep(net, w, slopes, seed)
        channels.append(np.vstack([a[: net.inputs + n] * dz[n] for n in range(net.neurons)]))
    return np.hstack(channels)


def normal(net, w, x, y):
    """(K, K): kappa J J^T, the Gauss-Newton matrix, half the Hessian of the loss where errors are small."""
    j = jacobian(net, w, x, y)
    return KAPPA * (j @ j.T)
