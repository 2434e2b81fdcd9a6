"""f(z) and f'(z) of the activations, by name. The table of ``csrc/core/activations.h``, from the textbook."""

import math

import numpy as np

EPS = np.float64(np.float32(1e-8))


def sigmoid(z):
    with np.errstate(over="ignore"):  # exp(-z) = inf gives 0, as it should
        a = 1 / (1 + np.exp(-z))
    return a, a * (1 - a)


def sine(z):
    return 0.5 + 0.5 * np.sin(z), 0.5 * np.cos(z)


def tanh(z):
    a = np.tanh(z)
    return a, 1 - a**2


def gaussian(z):
    a = np.exp(-(z**2))
    return a, -2 * z * a


def identity(z):
    return z, np.ones_like(z)


def square(z):
    return z**2, 2 * z


def cos(z):
    return np.cos(z), -np.sin(z)


def sin(z):
    return np.sin(z), np.cos(z)


def hard_sigmoid(z):
    return np.clip(0.2 * z + 0.5, 0, 1), 0.2 * (np.abs(z) < 2.5)


def sgn(z):
    return np.sign(z), np.zeros_like(z)


def abs_tanh(z):
    a, slope = tanh(z)
    return np.abs(a), np.sign(z) * slope


def relu(z):
    return np.maximum(z, 0), (z > 0) * 1.0


def softplus(z):
    return np.logaddexp(0, z), sigmoid(z)[0]


def abs(z):
    return np.abs(z), np.sign(z)


def log(x, slope):
    """log(x) of an x(z) with that slope."""
    return np.log(x), slope / x


def xlogx(x, slope):
    return x * np.log(x), slope * (np.log(x) + 1)


def log_abs(z):
    return log(np.abs(z) + EPS, np.sign(z))


def log_square(z):
    return log(z**2 + EPS, 2 * z)


def log_abs_p1(z):
    return log(np.abs(z) + 1, np.sign(z))


def log_relu(z):
    return log(np.maximum(z, 0) + EPS, (z > 0) * 1.0)


def xlogx_square(z):
    return xlogx(z**2 + EPS, 2 * z)


def xlogx_relu_p1(z):
    return xlogx(np.maximum(z, 0) + 1, (z > 0) * 1.0)


def xlogx_abs_p1(z):
    return xlogx(np.abs(z) + 1, np.sign(z))


def xlogx_relu(z):
    return xlogx(np.maximum(z, 0) + EPS, (z > 0) * 1.0)


def xlogx_abs(z):
    return xlogx(np.abs(z) + EPS, np.sign(z))


def gelu(z):
    phi = np.vectorize(lambda x: 0.5 * math.erfc(-x / math.sqrt(2)))(z)
    return z * phi, phi + z * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)


SMOOTH = (sigmoid, sine, tanh, gaussian, identity)
PAINTED = (square, log_abs, cos, xlogx_square, hard_sigmoid, sgn, abs_tanh, xlogx_relu_p1, xlogx_abs_p1, log_square,
           log_abs_p1, relu, xlogx_relu, softplus, abs, log_relu, sin, xlogx_abs, gelu)  # fmt: skip

ACTIVATIONS = {f.__name__: f for f in SMOOTH + PAINTED}
"""In the order of their numbers in a file."""

EVERYDAY = tuple(f.__name__ for f in SMOOTH)
"""Those whose slope is nowhere steep: random networks of them amplify no rounding."""
