"""Adam (Kingma & Ba 2015, algorithm 1), a decay added to the gradient, and the clip to [-limit, limit]."""

import numpy as np


def update(u, m, v, g, t, rate, b1=0.9, b2=0.999, eps=1e-8, decay=0.0, limit=np.inf):
    """u, m and v after step t = 1, 2, ..."""
    g = g + decay * u
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g**2
    m_hat = m / (1 - b1**t)
    v_hat = v / (1 - b2**t)
    u = u - rate * m_hat / (np.sqrt(v_hat) + eps)
    return np.clip(u, -limit, limit), m, v
