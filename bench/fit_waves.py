"""Fits the models by which .cppn files of waves are coded: csrc/codec/waves_models.inc, which is committed.

    pip install torch scipy
    python bench/wave_samples.py FOLDER_OF_PICTURES samples.pkl
    python bench/fit_waves.py samples.pkl

A level is zero, one or more by three logistic models of 25 features and 16 hidden units (docs/format.md, kind 3).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from cppn_native import _core
from explore_cosines import Models, trained
from numpy.typing import NDArray
from scipy.signal import lfilter
from wave_samples import Sample, held_out, load

HIDDEN, EPOCHS, BATCH, MOST_LEVELS = 16, 6, 16_384, 3_500_000
TARGET = Path(__file__).parent.parent / "csrc" / "codec" / "waves_models.inc"
Floats = NDArray[np.float64]
Places = Sequence[tuple[int, int]]

RINGS: tuple[Places, ...] = (
    ((1, 0), (0, 1)),
    ((1, 1),),
    ((1, -1), (-1, 1)),
    ((2, 0), (0, 2)),
    ((2, 1), (1, 2), (2, 2), (3, 0), (0, 3), (2, -1), (-1, 2), (2, -2), (-2, 2)),
)
WIDE = [(v, u) for v in range(-5, 6) for u in range(-5, 6) if 0 < v * v + u * u <= 26]
FURTHER: tuple[Places, ...] = (
    ((1, 0),), ((0, 1),), WIDE, [(k, 0) for k in range(1, 7)], [(0, k) for k in range(1, 7)],
)  # fmt: skip
RING, SQUARE = ([(v, u) for v in range(-n, n + 1) for u in range(-n, n + 1) if v or u] for n in (1, 2))
REACH = 6


def features(size: tuple[int, int], counts: list[int], levels: NDArray[np.int16]) -> tuple[Floats, Floats]:
    """(n, 25), what is known of each level before it is coded, logarithms mostly; and the levels' sizes."""
    width, height = size
    order = _core.wave_order(width, height, max(counts)).astype(int)
    planes: list[Floats] = []
    columns, sizes, at = [], [], 0
    for axis, count in enumerate(counts):
        mine = np.abs(levels[at : at + count]).astype(float)
        at += count
        v, u = order[:count].T + REACH
        planes.append(np.zeros(order.max(axis=0, initial=0) + 1 + 2 * REACH))
        planes[-1][v, u] = mine
        rank = np.full(planes[-1].shape, len(order))
        rank[v, u] = np.arange(count)
        columns.append(seen(size, axis, v, u, rank, planes, mine))
        sizes.append(mine)
    return np.concatenate(columns), np.concatenate(sizes)


def seen(
    size: tuple[int, int],
    axis: int,
    v: NDArray[np.int_],
    u: NDArray[np.int_],
    rank: NDArray[np.int_],
    planes: list[Floats],
    mine: Floats,
) -> Floats:
    def around(plane: Floats, places: Places, all_known: bool = False) -> Floats:
        """Of sizes that are coded: those of a lower rank, and all of another axis."""
        known = np.zeros(len(v))
        for dv, du in places:
            known += plane[v - dv, u - du] * (all_known | (rank[v - dv, u - du] < np.arange(len(v))))
        return known

    rings = [around(planes[axis], places) for places in RINGS]
    sums = [*rings, sum(rings, np.zeros(len(v))), *(around(planes[axis], places) for places in FURTHER)]
    row, column = v - REACH, u - REACH
    f = np.hypot(row * float(size[0]), column * float(size[1])) / (2 * (float(size[0]) * size[1]) ** 0.5)
    q = np.log(f + 1)
    means = [np.log(running(mine, memory) + 0.02) for memory in (40, 300)]
    others = []
    for other in (0, 1):
        plane = planes[other] if other < axis else np.zeros_like(planes[0])
        others += [plane[v, u], around(plane, RING, True), around(plane, SQUARE, True)]
    return np.stack(
        [
            *(np.log(s + 0.3) for s in sums), *means, q, q * q / 4, row == 0, column == 0,
            *(np.log(s + 0.3) for s in others), np.full(len(v), axis == 1), np.full(len(v), axis == 2),
        ],
        axis=1,
    )  # fmt: skip


def running(values: Floats, memory: int) -> Floats:
    """The mean before each value: it starts at 1 and moves by a ``memory``-th of the way."""
    if not len(values):
        return values
    keep = 1 - 1 / memory
    return np.concatenate([[1.0], np.asarray(lfilter([1 / memory], [1, -keep], values, zi=[keep])[0])[:-1]])


def tensors(samples: list[Sample]) -> tuple[torch.Tensor, torch.Tensor]:
    found = [features(s.size, s.counts, s.levels) for s in samples if max(s.counts)]
    x, size = (np.concatenate(parts).astype(np.float32) for parts in zip(*found, strict=True))
    return torch.from_numpy(x), torch.from_numpy(size)


def written(models: Models) -> str:
    """The weights as C++, the features' scales divided out."""
    first, second = models.bent[0], models.bent[2]
    parts = {
        "kStraight[3][kFeatures]": models.straight.weight / models.scale,
        "kStraightBias[3]": models.straight.bias + second.bias,
        "kHidden[kHiddenUnits][kFeatures]": first.weight / models.scale,
        "kHiddenBias[kHiddenUnits]": first.bias,
        "kBent[3][kHiddenUnits]": second.weight,
    }
    lines = ["// Written by bench/fit_waves.py.", f"inline constexpr int kHiddenUnits = {HIDDEN};"]
    for name, weights in parts.items():
        rows = weights.detach().numpy().astype(np.float32)
        each = [", ".join(f"{w:.6e}f" for w in row) for row in np.atleast_2d(rows)]
        body = ",\n".join(f"{{{row}}}" for row in each) if rows.ndim == 2 else each[0]
        lines.append(f"inline constexpr float {name} = {{{body}}};")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("samples", type=Path, nargs="+")
    options = parser.parse_args()
    fit, held = held_out([sample for path in options.samples for sample in load(path)])
    x, size = tensors(fit)
    torch.manual_seed(0)
    some = torch.randperm(len(x))[:MOST_LEVELS]
    models = trained(x[some], size[some], HIDDEN, EPOCHS, BATCH)
    x, size = tensors(held)
    with torch.no_grad():
        print(f"{models.bits(x, size).sum() / (size > 0).sum():.4f} bits a wave of pictures held out")
    TARGET.write_text(written(models))


if __name__ == "__main__":
    main()
