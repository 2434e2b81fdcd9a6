"""How a step turns the weights u, counted in levels, into the ones the network uses.

Stochastic quantization is the seed's (after Dong et al. 2017): weights near an integer are rounded first.
"""

import numpy as np

NEWTON_STEPS = 16


def rate(u):
    """The nearer an integer, the larger. np.round rounds half to even."""
    return 1 / (np.abs(u - np.round(u)) + 1e-6)


def scale(rates, q, newton_steps=NEWTON_STEPS, start=0.0):
    """The s with sum_i exp(-s rate_i) = (1 - q) K, by Newton's method: the sum is convex and falls with s."""
    s = start
    for _ in range(newton_steps):
        keep = np.exp(-s * rates)
        excess = np.sum(keep) - (1 - q) * len(rates)
        slope = -np.sum(rates * keep)
        s = s - excess / slope
    return s


def keep_probability(u, q, **newton):
    rates = rate(u)
    return np.exp(-scale(rates, q, **newton) * rates)


def stochastic(u, q, uniforms):
    """(drawn, live): each weight stays float with its probability; else it is rounded, its gradient zero."""
    live = uniforms < keep_probability(u, q)
    return np.where(live, u, np.round(u)), live


def noise(u, amplitude, uniforms):
    """``amplitude`` is the full width of the uniform noise."""
    return u + amplitude * (uniforms - 0.5)
