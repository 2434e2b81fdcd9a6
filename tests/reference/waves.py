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
AROUND = ((1, 0), (0, 1), (-1, 0), (0, -1), (1, 1), (1, -1), (-1, 1))


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


def render(size, step, mean, angles, counts, levels, shown, region=(0, 0, 1, 1)):
    """(H, W, C): (255 p + 1/2) / 256 of a picture p in 0 ... 1, at the size ``shown``."""
    left, top, right, bottom = region
    x = left + (right - left) * (np.arange(shown[0]) + 0.5) / shown[0]
    y = top + (bottom - top) * (np.arange(shown[1]) + 0.5) / shown[1]
    planes = np.zeros((shown[1], shown[0], len(counts)))
    at = 0
    for c, count in enumerate(counts):
        for (v, u), level in zip(order(*size, count), levels[at : at + count], strict=True):
            weight = (np.sqrt(2) if v else 1) * (np.sqrt(2) if u else 1)
            planes[:, :, c] += level * step * weight * np.outer(np.cos(np.pi * v * y), np.cos(np.pi * u * x))
        at += count
    turned = planes @ (axes(angles).T if len(counts) == 3 else np.eye(1))
    return (255 * turned + np.array(mean) + 0.5) / 256


def models():
    text = MODELS.read_text()
    found = {}
    for name, shape in (("Straight", (3, 17)), ("StraightBias", (3,)), ("Hidden", (16, 17)), ("HiddenBias", (16,)),
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
    own = frequency(*size, *wave)

    def near(plane, places):
        there = [(wave[0] - v, wave[1] - u) for v, u in places]
        return sum(plane.get(w, 0) for w in there if min(w) >= 0 and frequency(*size, *w) < own)

    rings = [near(planes[c], places) for places in NEIGHBOURS]
    q = np.log(np.sqrt(own) / (2 * np.sqrt(size[0] * size[1])) + 1)
    x = [
        1,
        *(np.log(r + 0.3) for r in rings),
        np.log(sum(rings) + 0.2),
        *(np.log(m + 0.02) for m in means),
        q,
        q * q / 4,
    ]
    for other in (0, 1):
        known = planes[other] if other < c else {}
        x += [np.log(known.get(wave, 0) + 0.3), np.log(near(known, AROUND) + 0.3)]
    return np.array([*x, c == 1, c == 2], float)
