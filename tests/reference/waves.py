"""Waves in float64, as docs/format.md says it: the picture, and what a decoder expects of every level."""

import re
from pathlib import Path

import numpy as np

MODELS = Path(__file__).resolve().parents[2] / "csrc" / "codec" / "waves_models.inc"
NEIGHBOURS = (
    ((1, 0), (0, 1)),
    ((1, 1),),
    ((1, -1), (-1, 1)),
    ((2, 0), (0, 2)),
    ((2, 1), (1, 2), (2, 2), (3, 0), (0, 3), (2, -1), (-1, 2), (2, -2), (-2, 2)),
)


def order(width, height, count):
    waves = [(v, u) for v in range(height) for u in range(width) if v or u]
    return sorted(waves, key=lambda w: (frequency(width, height, *w), w[0]))[:count]


def frequency(width, height, v, u):
    return v * v * width * width + u * u * height * height


def axes(angles):
    (ca, cb, cc), (sa, sb, sc) = (f(2 * np.pi * np.array(angles) / 256) for f in (np.cos, np.sin))
    third = np.array([[ca, -sa, 0], [sa, ca, 0], [0, 0, 1]])
    second = np.array([[cb, 0, sb], [0, 1, 0], [-sb, 0, cb]])
    first = np.array([[1, 0, 0], [0, cc, -sc], [0, sc, cc]])
    return third @ second @ first


def render(size, step, mean, angles, counts, levels, shown, region=(0, 0, 1, 1), filter_code=0, strength=0, layers=()):
    """(H, W, C): (255 p + 1/2) / 256 of a picture p in 0 ... 1, at the size ``shown``."""
    left, top, right, bottom = region
    x = left + (right - left) * (np.arange(shown[0]) + 0.5) / shown[0]
    y = top + (bottom - top) * (np.arange(shown[1]) + 0.5) / shown[1]
    amplitudes, at = np.zeros((3, size[1], size[0])), 0
    for c, count in enumerate(counts):
        for (v, u), level in zip(order(*size, count), levels[at : at + count], strict=True):
            amplitudes[c, v, u] = level
        at += count
    if filter_code:
        rows, columns = (max(1, (side * filter_code + 128) // 256) for side in size[::-1])
        amplitudes[:, :rows, :columns] += strength / 64 * filtered(amplitudes[:, :rows, :columns], layers)
    down, across = cosines(size[1], y), cosines(size[0], x)
    planes = step * np.einsum("cvu,vy,ux->yxc", amplitudes, down, across)[:, :, : len(counts)]
    turned = planes @ (axes(angles).T if len(counts) == 3 else np.eye(1))
    return (255 * turned + np.array(mean) + 0.5) / 256


def cosines(count, x):
    """(count, points): w_n cos(pi n x)"""
    n = np.arange(count)[:, None]
    return np.where(n > 0, np.sqrt(2), 1) * np.cos(np.pi * n * x)


def filtered(planes, layers):
    """What the filter finds, as waves (3, rows, columns); layers: weights (3, 3, inputs, outputs) and a bias each."""
    down, across = (cosines(side, (np.arange(side) + 0.5) / side) / np.sqrt(side) for side in planes.shape[1:])
    points = np.einsum("cvu,vy,ux->cyx", planes, down, across)
    _, rows, columns = points.shape
    padded = np.pad(points, ((0, 0), (0, rows % 2), (0, columns % 2)))
    halves = padded.reshape(3, padded.shape[1] // 2, 2, padded.shape[2] // 2, 2)
    head, *body, tail = layers
    x = np.maximum(convolved(halves.transpose(1, 3, 0, 2, 4).reshape(*halves.shape[1::2], 12), *head), 0)
    for first, second in zip(body[::2], body[1::2], strict=True):
        x = x + convolved(np.maximum(convolved(x, *first), 0), *second)
    found = convolved(x, *tail)[:, :, :12].reshape(*halves.shape[1::2], 3, 2, 2).transpose(2, 0, 3, 1, 4)
    found = found.reshape(padded.shape)[:, :rows, :columns]
    return np.einsum("cyx,vy,ux->cvu", found, down, across)


def convolved(x, weights, bias):
    """Zeros around; bias + sum over rows, columns and inputs."""
    around = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    rows, columns, _ = x.shape
    return bias + sum(
        around[i : i + rows, j : j + columns] @ weights[i, j].astype(float) for i in range(3) for j in range(3)
    )


def models():
    text = MODELS.read_text()
    found = {}
    for name, shape in (("Straight", (3, 25)), ("StraightBias", (3,)), ("Hidden", (16, 25)), ("HiddenBias", (16,)),
                        ("Bent", (3, 16))):  # fmt: skip
        body = re.search(rf"\bk{name}\[.*?=\s*\{{(.*?)\}};", text, re.DOTALL).group(1)
        found[name] = np.array([float(n) for n in re.findall(r"-?\d[\d.e+-]*", body)]).reshape(shape)
    return found


def odds(size, counts, levels):
    m, waves, planes, found, at = models(), order(*size, max(counts)), [], [], 0
    for c, count in enumerate(counts):
        planes.append({})
        means = [1.0, 1.0]
        for n in range(count):
            x = features(size, waves[n], c, planes, means)
            hidden = np.tanh(m["Hidden"] @ x + m["HiddenBias"])
            found.append(m["Straight"] @ x + m["StraightBias"] + m["Bent"] @ hidden)
            level = abs(int(levels[at + n]))
            planes[c][waves[n]] = level
            means = [mean + (level - mean) / memory for mean, memory in zip(means, (40, 300), strict=True)]
        at += count
    return np.array(found)


def features(size, wave, c, planes, means):
    """planes: of each axis the sizes of what is coded, by wave"""

    def near(plane, places):
        return sum(plane.get((wave[0] - v, wave[1] - u), 0) for v, u in places)

    own, q = planes[c], np.log(np.sqrt(frequency(*size, *wave)) / (2 * np.sqrt(size[0] * size[1])) + 1)
    rings = [near(own, places) for places in NEIGHBOURS]
    x = [np.log(s + 0.3) for s in (*rings, sum(rings), *(near(own, places) for places in FURTHER))]
    x += [np.log(m + 0.02) for m in means]
    x += [q, q * q / 4, wave[0] == 0, wave[1] == 0]
    for other in (0, 1):
        known = planes[other] if other < c else {}
        x += [np.log(s + 0.3) for s in (known.get(wave, 0), near(known, square(1)), near(known, square(2)))]
    return np.array([*x, c == 1, c == 2], float)


def square(n):
    return [(v, u) for v in range(-n, n + 1) for u in range(-n, n + 1) if v or u]


FURTHER = (
    ((1, 0),),
    ((0, 1),),
    [(v, u) for v, u in square(5) if v * v + u * u <= 26],
    [(k, 0) for k in range(1, 7)],
    [(0, k) for k in range(1, 7)],
)
