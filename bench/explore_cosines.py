"""How small would a cosine transform of the painting be? Ideal code lengths, nothing written: a measure for networks.

    pip install torch scipy        # and CPPN_SHARED with images/ and images/kodak
    python bench/explore_cosines.py [--steps 0.7,0.8,1.0,1.2] [--hidden 16]

The whole picture is one block. Colours are turned to their principal axes, coefficients within a radius quantized, in
the order of their radius. Three logistic models say whether a level is zero, beyond one, and so on; they see its
neighbours, the other colours and the levels so far, and their weights are fitted to the Kodak pictures and fixed, as a
decoder would ship them. Then each level is chosen by distortion and rate together, with the models as they are. The
means, the axes and the step are counted as 24 bytes.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from common import painting
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dctn, idctn

RADIUS, HEADER = 60.0, 24
NEAR, DIAGONAL, ANTI, FAR = [(1, 0), (0, 1)], [(1, 1)], [(1, -1), (-1, 1)], [(2, 0), (0, 2)]
FURTHER = [(2, 1), (1, 2), (2, 2), (3, 0), (0, 3), (2, -1), (-1, 2), (2, -2), (-2, 2)]
AROUND = [(1, 0), (0, 1), (-1, 0), (0, -1), (1, 1), (1, -1), (-1, 1)]
Floats = NDArray[np.float64]


@dataclass
class Transformed:
    """A picture (H, W, 3) in 0 ... 1: its coefficients within the radius, in the order they are coded."""

    picture: Floats
    mean: Floats
    axes: Floats
    coefficients: Floats  # (v, u, 3)
    radius: Floats  # (v, u)

    @classmethod
    def of(cls, image: Image.Image) -> Transformed:
        picture = np.asarray(image.convert("RGB"), np.float64) / 255
        flat = picture.reshape(-1, 3)
        mean = flat.mean(axis=0)
        axes = np.linalg.eigh(np.cov(flat.T))[1][:, ::-1]
        planes = dctn(((flat - mean) @ axes).reshape(picture.shape), axes=(0, 1), norm="ortho")
        height, width = picture.shape[:2]
        v, u = np.arange(height) / height, np.arange(width) / width
        radius = np.hypot(v[:, None], u) * np.sqrt(height * width) / 2
        rows, columns = int((radius[:, 0] <= RADIUS).sum()), int((radius[0] <= RADIUS).sum())
        return cls(picture, mean, axes, planes[:rows, :columns], radius[:rows, :columns])

    @property
    def inside(self) -> NDArray[np.bool_]:
        return self.radius <= RADIUS

    def in_order(self, plane: Floats) -> Floats:
        return plane[self.inside][np.argsort(self.radius[self.inside], kind="stable")]

    def out_of_order(self, values: Floats) -> Floats:
        inside = np.empty(int(self.inside.sum()))
        inside[np.argsort(self.radius[self.inside], kind="stable")] = values
        plane = np.zeros_like(self.radius)
        plane[self.inside] = inside
        return plane

    def score(self, levels: Floats, step: float) -> float:
        planes = np.zeros_like(self.picture)
        planes[: levels.shape[0], : levels.shape[1]] = levels * step
        shown = idctn(planes, axes=(0, 1), norm="ortho").reshape(-1, 3) @ self.axes.T + self.mean
        shown = np.floor(np.clip(255 * shown.reshape(self.picture.shape) + 0.5, 0, 255)) / 255
        return float(((shown - self.picture) ** 2).sum())


# -- what the models see --------------------------------------------------------------------------------------


def shifted(plane: Floats, dv: int, du: int) -> Floats:
    out = np.zeros_like(plane)
    rows, columns = plane.shape
    to = np.s_[max(0, dv) : rows + min(0, dv), max(0, du) : columns + min(0, du)]
    since = np.s_[max(0, -dv) : rows + min(0, -dv), max(0, -du) : columns + min(0, -du)]
    out[to] = plane[since]
    return out


def known(plane: Floats, radius: Floats, places: list[tuple[int, int]]) -> Floats:
    """Sum of the neighbours at those places that are coded before: those nearer to the origin."""
    return sum((shifted(plane, *place) * (shifted(radius, *place) < radius) for place in places), np.zeros_like(plane))


def running(levels: Floats, memory: int) -> Floats:
    """Mean of the levels before each, forgetting."""
    means, mean = np.empty(len(levels)), 1.0
    for n, level in enumerate(levels):
        means[n] = mean
        mean += (level - mean) / memory
    return means


def features(t: Transformed, levels: Floats) -> torch.Tensor:
    """(3 N, 17) float32: what is known of each level before it is coded, logarithms mostly."""
    size, parts = np.abs(levels), []
    log = t.in_order(np.log(t.radius + 1))
    for colour in range(3):
        mine = size[:, :, colour]
        rings = [t.in_order(known(mine, t.radius, places)) for places in (NEAR, DIAGONAL, ANTI, FAR, FURTHER)]
        so_far = t.in_order(mine)
        columns = [np.ones(len(log)), *(np.log(ring + 0.3) for ring in rings), np.log(np.sum(rings, axis=0) + 0.2)]
        columns += [np.log(running(so_far, memory) + 0.02) for memory in (40, 300)] + [log, log**2 / 4]
        for other in (0, 1):
            plane = size[:, :, other] if other < colour else np.zeros_like(mine)
            columns += [np.log(t.in_order(plane) + 0.3), np.log(t.in_order(known(plane, t.radius, AROUND)) + 0.3)]
        columns += [np.full(len(log), float(colour == c)) for c in (1, 2)]
        parts.append(np.stack(columns, axis=1))
    return torch.tensor(np.concatenate(parts), dtype=torch.float32)


class Models(torch.nn.Module):
    """Logits of "not zero", "beyond one", "one more" from the features."""

    def __init__(self, scale: torch.Tensor, hidden: int) -> None:
        super().__init__()
        self.scale = scale
        self.straight = torch.nn.Linear(len(scale), 3)
        self.bent = torch.nn.Sequential(
            torch.nn.Linear(len(scale), hidden), torch.nn.Tanh(), torch.nn.Linear(hidden, 3)
        )

    def bits(self, seen: torch.Tensor, size: torch.Tensor) -> torch.Tensor:
        logits = self.straight(seen / self.scale) + self.bent(seen / self.scale)
        yes, no = (-torch.nn.functional.logsigmoid(sign * logits) / np.log(2) for sign in (1, -1))
        nonzero, beyond = size > 0, size > 1
        bits = torch.where(nonzero, yes[:, 0], no[:, 0])
        bits = bits + nonzero * (1 + torch.where(beyond, yes[:, 1], no[:, 1]))
        return bits + beyond * ((size - 2).clamp(min=0) * yes[:, 2] + no[:, 2])


def fitted(hidden: int, epochs: int = 3, batch: int = 16_384) -> Models:
    """To six Kodak pictures, in two sizes, at four steps."""
    seen, sizes = [], []
    found = painting()
    assert found is not None, "set CPPN_SHARED to the folder that holds images/"
    for path in sorted((found.parent / "kodak").glob("*.png")):
        for shrink in (1, 2):
            image = Image.open(path).convert("RGB")
            t = Transformed.of(image.resize((image.width // shrink, image.height // shrink), Image.Resampling.LANCZOS))
            for step in (0.7, 1.0, 1.5, 2.2):
                levels = rounded_levels(t, step * (1.6 if shrink == 1 else 1.0), 0.3)
                seen.append(features(t, levels))
                sizes.append(sizes_in_order(t, levels))
    return trained(torch.cat(seen), torch.cat(sizes), hidden, epochs, batch)


def trained(x: torch.Tensor, size: torch.Tensor, hidden: int, epochs: int, batch: int) -> Models:
    """Models fitted to the sizes of levels and their features; says what a level costs after each epoch."""
    scale = x.std(dim=0)
    scale[scale < 1e-6] = 1.0
    torch.manual_seed(0)
    models = Models(scale, hidden)
    adam, steps = torch.optim.Adam(models.parameters(), lr=0.02), epochs * len(range(0, len(x), batch))
    schedule = torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.02, steps)
    for epoch in range(epochs):
        total = 0.0
        for some in torch.randperm(len(x)).split(batch):
            adam.zero_grad()
            loss = models.bits(x[some], size[some]).mean()
            loss.backward()
            adam.step()
            schedule.step()
            total += float(loss.detach()) * len(some)
        print(f"epoch {epoch}: {total / len(x):.4f} bits a level of {len(x)}", flush=True)
    return models


# -- levels -----------------------------------------------------------------------------------------------------


def rounded_levels(t: Transformed, step: float, dead_zone: float) -> Floats:
    scaled = t.coefficients / step
    levels = np.sign(scaled) * np.floor(np.abs(scaled) + 0.5 - dead_zone) * t.inside[:, :, None]
    levels[0, 0] = 0  # the means are coded apart
    return np.asarray(levels)


def sizes_in_order(t: Transformed, levels: Floats) -> torch.Tensor:
    parts = [t.in_order(np.abs(levels[:, :, colour])) for colour in range(3)]
    return torch.tensor(np.concatenate(parts), dtype=torch.float32)


@torch.no_grad()
def chosen_levels(t: Transformed, step: float, models: Models, price: float, rounds: int = 6) -> Floats:
    """Each level, one less, one more or zero, by squared error in steps plus ``price`` a bit, given all others."""
    levels = rounded_levels(t, step, 0.1)
    true = np.concatenate([t.in_order(np.abs(t.coefficients[:, :, c])) for c in range(3)]) / step
    for _ in range(rounds):
        seen, size = features(t, levels), sizes_in_order(t, levels)
        options = torch.stack([size, (size - 1).clamp(min=0), torch.zeros_like(size), size + 1])
        bits = np.stack([models.bits(seen, option).numpy() for option in options])
        costs = (true - options.numpy()) ** 2 + price * bits
        best = np.take_along_axis(options.numpy(), costs.argmin(axis=0)[None], axis=0)[0]
        planes = [t.out_of_order(part) for part in np.split(best, 3)]
        new = np.sign(t.coefficients) * np.stack(planes, axis=2)
        new[0, 0] = 0
        if np.array_equal(new, levels):
            break
        levels = new
    return levels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--steps", type=lambda text: [float(s) for s in text.split(",")], default=[0.7, 0.8, 1.0, 1.2])
    parser.add_argument("--hidden", type=int, default=16)
    options = parser.parse_args()
    models: Any = fitted(options.hidden)
    path = painting()
    assert path is not None
    t = Transformed.of(Image.open(path))
    print("step  dead zone 0.3: bytes    score   chosen: bytes    score")
    for step in options.steps:
        row = []
        for levels in (rounded_levels(t, step, 0.3), chosen_levels(t, step, models, 0.14)):
            with torch.no_grad():
                bits = float(models.bits(features(t, levels), sizes_in_order(t, levels)).sum())
            row += [HEADER + bits / 8, t.score(levels, step)]
        print(f"{step:4.2f} {row[0]:20.0f} {row[1]:8.1f} {row[2]:15.0f} {row[3]:8.1f}", flush=True)


if __name__ == "__main__":
    main()
