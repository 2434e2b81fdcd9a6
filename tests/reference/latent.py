"""Latent pictures in float64, z being one more input of every pixel.

    U = x Wx + y Wy + r Wr + s z Wz + bz        h = tanh(U)        h <- f(h W + b)        picture = g(c (h W + b))

x and y are the pixel's centre, (0, 0) in the middle and -s to s along the long side; r = sqrt(x^2 + y^2). A tile sees,
with the angles a and b that make one turn a side,

    R sin a, R cos a, Q sin b, Q cos b        r = 2 sqrt(R^2 sin^2 (a/2) + Q^2 sin^2 (b/2))

where R = s width / (pi long side) and Q alike, which make dx = R da and dy = Q db.

Numbers are drawn from NumPy's legacy generator: z, Wz, bz, Wx, Wy, Wr, then W and b of each further layer, then the
weights of the two cosines.
"""

import numpy as np


def picture(
    seed, size, variant="tanh", z=None, z_dim=8, net_size=32, depth=3, scale=8.0, contrast=1.0, channels=3, tile=False
):
    """(H, W, channels) in [0, 1]."""
    random = np.random.RandomState(seed)
    drawn = random.uniform(-1, 1, z_dim)
    z = drawn if z is None else np.asarray(z)
    normal = random.standard_normal
    w_z, b_z = normal((z_dim, net_size)), normal(net_size)
    w_x, w_y, w_r = normal(net_size), normal(net_size), normal(net_size)
    further = [(normal((net_size, n)), normal(n)) for n in [net_size] * depth + [channels]]
    w_cos_x, w_cos_y = normal(net_size), normal(net_size)

    x, y = plane(size, scale)
    u = scale * z @ w_z + b_z
    if tile:
        big_r, big_q = (scale * side / (np.pi * max(size)) for side in size)
        a, b = x / big_r, y / big_q
        r = 2 * np.sqrt((big_r * np.sin(a / 2)) ** 2 + (big_q * np.sin(b / 2)) ** 2)
        u = u + big_r * (np.sin(a) * w_x + np.cos(a) * w_cos_x) + big_q * (np.sin(b) * w_y + np.cos(b) * w_cos_y)
    else:
        r = np.sqrt(x**2 + y**2)
        u = u + x * w_x + y * w_y
    h = np.tanh(u + r * w_r)

    *hidden, (w_out, b_out) = further
    for k, (w, b) in enumerate(hidden):
        new = h @ w + b
        softened = variant in ("softplus", "sine") and k % 2 == 0
        new = np.log(1 + np.exp(new)) if softened else np.tanh(new)
        h = h + new if variant == "residual" else new
    out = contrast * (h @ w_out + b_out)
    return 0.5 + 0.5 * np.sin(out) if variant == "sine" else 1 / (1 + np.exp(-out))


def plane(size, scale):
    """x and y of the pixels' centres, (H, W, 1) each."""
    width, height = size
    j, i = np.mgrid[0:height, 0:width]
    step = 2 * scale / max(size)
    return (step * (i + 0.5 - width / 2))[..., None], (step * (j + 0.5 - height / 2))[..., None]
