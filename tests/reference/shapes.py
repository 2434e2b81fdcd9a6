"""Pictures of shapes after the formulas, in float64: value and gradient, everything as (n, H, W).

(X, Y) = scale * rotation (x - posx, y - posy)      R = |(X, Y)|      theta = -acos(X / (R + 1e-4)) sign(Y)
fourier, depth   f = s [s > 0],  s = tanh(16 (radius (1 + F/10) - R) / radius), or tanh(radius F - R) in prose
                 F = sum_m w_sin[m] sin(m theta) + w_cos[m] cos(m theta)
stroke           f = exp(-width (radius - R)^2) (1 - cos(theta / 2))^length
article          f = tanh(5 (0.2 - R) / 0.2) where R < 0.2
point            f = exp(-R unit / 0.5),  unit the long side in pixels

picture = sum colour f^2, or sum colour a / (sum a + eps) with a = weight f, or exp(-4 sum f)
"""

import numpy as np

POLE, PI = 1e-4, 3.141592


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


MAPS = {
    "fourier": {
        "posx": (sigmoid, 3, -1), "posy": (sigmoid, 3, -1), "radius": (sigmoid, 1, 0), "w_sin": (None, 1, 0),
        "w_cos": (None, 1, 0), "scale_x": (sigmoid, 4, 0), "scale_y": (sigmoid, 4, 0), "rotate": (None, PI, 0),
        "colour": (np.tanh, 1, 0),
    },
    "depth": {
        "posx": (np.tanh, 1, 0), "posy": (np.tanh, 1, 0), "radius": (sigmoid, 8, 0), "w_sin": (sigmoid, 2, 0),
        "w_cos": (sigmoid, 2, 0), "scale_x": (sigmoid, 8, 0), "scale_y": (sigmoid, 8, 0),
        "rotate": (sigmoid, 8 * PI, 0), "order": (sigmoid, 8, 0), "colour": (sigmoid, 1, 0),
    },
    "stroke": {
        "posx": (None, 1, 0), "posy": (None, 1, 0), "radius": (None, 1, 0), "scale_x": (sigmoid, 16, 0),
        "scale_y": (sigmoid, 16, 0), "rotate": (sigmoid, 8 * PI, 0), "width": (sigmoid, 4096, 0),
        "length": (sigmoid, 128, 0), "alpha": (sigmoid, 16, 0), "colour": (None, 1, 0),
    },
    "point": {"posx": (None, 1, 0), "posy": (None, 1, 0)},
    "article": {
        "posx": (sigmoid, 3, -1), "posy": (sigmoid, 3, -1), "scale_x": (sigmoid, 4, 0), "scale_y": (sigmoid, 4, 0),
        "rotate": (None, PI, 0), "colour": (None, 1, 0),
    },
}  # fmt: skip


def values(kind, raw):
    return {name: scale * (g(raw[name]) if g else raw[name]) + offset
            for name, (g, scale, offset) in MAPS[kind].items()}  # fmt: skip


def slopes(kind, raw):
    """d value / d raw."""
    found = {}
    for name, (g, scale, _) in MAPS[kind].items():
        z = 1.0 if g is None else g(raw[name])
        found[name] = scale * (np.ones_like(raw[name]) if g is None else 1 - z**2 if g is np.tanh else z * (1 - z))
    return found


def wide(a):
    return a[:, None, None]


def frame(v, x, y):
    n = len(v["posx"])
    dx, dy = x[None, None, :] - wide(v["posx"]), y[None, :, None] - wide(v["posy"])
    zero, one = np.zeros(n), np.ones(n)
    c, s = np.cos(wide(v.get("rotate", zero))), np.sin(wide(v.get("rotate", zero)))
    xr, yr = c * dx - s * dy, s * dx + c * dy
    sx, sy = wide(v.get("scale_x", one)), wide(v.get("scale_y", one))
    r = np.hypot(sx * xr, sy * yr)
    return {"c": c, "s": s, "xr": xr, "yr": yr, "sx": sx, "sy": sy, "x": sx * xr, "y": sy * yr, "r": r}


def angle(f):
    u = f["x"] / (f["r"] + POLE)
    return u, -np.arccos(u) * np.sign(f["y"])


def waves(v, theta):
    """F, dF/dtheta, and the sines and cosines (T, n, H, W)."""
    m = np.arange(1, len(v["w_sin"]) + 1)[:, None, None, None]
    sin, cos = np.sin(m * theta), np.cos(m * theta)
    ws, wc = v["w_sin"][:, :, None, None], v["w_cos"][:, :, None, None]
    return (ws * sin + wc * cos).sum(0), (m * (ws * cos - wc * sin)).sum(0), sin, cos


def front_to_back(v):
    """Small ones in front: by scale_x scale_y."""
    return np.argsort(-v["scale_x"] * v["scale_y"], kind="stable")


def amounts(kind, formula, v, f, unit):
    """f (n, H, W) of every shape."""
    r = f["r"]
    if kind == "point":
        return np.exp(-r * unit / 0.5)
    if kind == "article":
        return np.where(r < 0.2, np.tanh(5 * (0.2 - r) / 0.2), 0.0)
    _, theta = angle(f)
    if kind == "stroke":
        return np.exp(-wide(v["width"]) * (wide(v["radius"]) - r) ** 2) * (1 - np.cos(theta / 2)) ** wide(v["length"])
    big_f, radius = waves(v, theta)[0], wide(v["radius"])
    s = np.tanh(16 * (radius * (1 + 0.1 * big_f) - r) / radius if formula == "notebook" else radius * big_f - r)
    return s * (s > 0)


def weights(kind, v, f):
    """What f is multiplied by in the mean: (n, 1, 1) or, of article, (n, H, W)."""
    if kind == "depth":
        return np.exp(-wide(v["order"]))
    if kind == "stroke":
        return np.exp(-wide(v["alpha"]))
    order = front_to_back(v)
    rank = np.zeros(f.shape)
    rank[order[1:]] = np.cumsum(f[order[:-1]] > 0, axis=0)
    return (1 - 1e-3) * 1e-3**rank


EPS = {"depth": 1e-5, "stroke": 1e-5, "article": 1e-4}


def picture(kind, formula, raw, x, y, unit, target=None, channels=3):
    """(H, W, C); of article, with a target (H, W, C), the colours are its means under the shapes."""
    v = values(kind, raw)
    f = amounts(kind, formula, v, frame(v, x, y), unit)
    if kind == "point":
        return np.repeat(np.exp(-4 * f.sum(0))[:, :, None], channels, axis=2)
    if kind == "article" and target is not None:
        v["colour"] = means(f, target)
    if kind == "fourier":
        return np.einsum("nhw,nc->hwc", f**2, v["colour"])
    a = weights(kind, v, f) * f
    return np.einsum("nhw,nc->hwc", a, v["colour"]) / (a.sum(0) + EPS[kind])[:, :, None]


def means(f, target):
    return np.einsum("nhw,hwc->nc", f, target) / (f.sum((1, 2)) + 1e-5)[:, None]


def loss_of(e, weight, loss):
    """(loss, dloss/de) of errors (H, W, C)."""
    if loss == "l1":
        return np.mean(weight * np.abs(e)), weight * np.sign(e) / e.size
    value = np.sqrt(np.mean(weight * e**2))
    return value, weight * e / (e.size * value)


def gradient(kind, formula, raw, x, y, unit, target, weight, loss):
    """(loss, {name: dloss/draw})."""
    v = values(kind, raw)
    p = frame(v, x, y)
    f = amounts(kind, formula, v, p, unit)
    out = picture(kind, formula, raw, x, y, unit, target, target.shape[2])
    value, b = loss_of(out - target, weight, loss)
    d = {name: np.zeros(raw[name].shape) for name in MAPS[kind]}
    if kind == "article":
        v["colour"] = means(f, target)
    df = back_to_f(kind, v, f, out, b, target, d)
    dr, du = back_to_place(kind, formula, v, p, f, df, unit, d)
    u = p["x"] / (p["r"] + POLE)
    r = np.where(p["r"] > 0, p["r"], 1)
    dr = dr - du * u / (p["r"] + POLE)
    back_through_frame(p, dr * p["x"] / r + du / (p["r"] + POLE), dr * p["y"] / r, d)
    slope = slopes(kind, raw)
    if kind == "article":
        d["colour"][:] = 0
    return value, {name: d[name] * slope[name] for name in d}


def back_to_f(kind, v, f, out, b, target, d):
    if kind == "point":
        return np.broadcast_to((-4 * out * b).sum(2), f.shape)
    along = np.einsum("hwc,nc->nhw", b, v["colour"])
    if kind == "fourier":
        d["colour"] = np.einsum("hwc,nhw->nc", b, f**2)
        return 2 * f * along
    w = weights(kind, v, f)
    a = w * f
    total = a.sum(0) + EPS[kind]
    da = (along - (b * out).sum(2)) / total
    d["colour"] = np.einsum("hwc,nhw->nc", b / total[:, :, None], a)
    df = da * w
    if kind == "article":  # the colours depend on f as well
        pull = d["colour"] / (f.sum((1, 2)) + 1e-5)[:, None]
        return df + np.einsum("nc,hwc->nhw", pull, target) - wide((pull * v["colour"]).sum(1))
    d["order" if kind == "depth" else "alpha"] = -(da * a).sum((1, 2))
    return df


def back_to_place(kind, formula, v, p, f, df, unit, d):
    """(dR, du) and what lies at the shape itself."""
    r, zero = p["r"], np.zeros_like(p["r"])
    if kind == "point":
        return df * f * -unit / 0.5, zero
    if kind == "article":
        return np.where(r < 0.2, df * (1 - f**2) * -5 / 0.2, 0), zero
    u, theta = angle(p)
    dtheta_du = np.sign(p["y"]) / np.sqrt(1 - u**2)
    radius = wide(v["radius"])
    if kind == "stroke":
        off, base = radius - r, 1 - np.cos(theta / 2)
        safe = np.where(base > 0, base, 1)
        dlog = df * f
        d["radius"] = (dlog * -2 * wide(v["width"]) * off).sum((1, 2))
        d["width"] = -(dlog * off**2).sum((1, 2))
        d["length"] = (dlog * np.log(safe)).sum((1, 2))
        dtheta = dlog * wide(v["length"]) / safe * np.sin(theta / 2) / 2
        return dlog * 2 * wide(v["width"]) * off, dtheta * dtheta_du
    big_f, slope, sin, cos = waves(v, theta)
    if formula == "notebook":
        dv = df * (f > 0) * (1 - f**2) * 16
        d_big_f, dr = 0.1 * dv, -dv / radius
        d["radius"] = (dv * r / radius**2).sum((1, 2))
    else:
        dv = df * (f > 0) * (1 - f**2)
        d_big_f, dr = radius * dv, -dv
        d["radius"] = (dv * big_f).sum((1, 2))
    d["w_sin"], d["w_cos"] = (d_big_f * sin).sum((2, 3)), (d_big_f * cos).sum((2, 3))
    return dr, d_big_f * slope * dtheta_du


def back_through_frame(p, dx, dy, d):
    if "scale_x" in d:
        d["scale_x"], d["scale_y"] = (dx * p["xr"]).sum((1, 2)), (dy * p["yr"]).sum((1, 2))
        d["rotate"] = (p["sy"] * dy * p["xr"] - p["sx"] * dx * p["yr"]).sum((1, 2))
    dxr, dyr = p["sx"] * dx, p["sy"] * dy
    d["posx"] = -(p["c"] * dxr + p["s"] * dyr).sum((1, 2))
    d["posy"] = -(p["c"] * dyr - p["s"] * dxr).sum((1, 2))
