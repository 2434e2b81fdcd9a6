"""Levels of waves as our encoder chooses them, of many pictures: what the models and the filter are fitted to.

    python bench/wave_samples.py FOLDER_OF_PICTURES samples.pkl [--draws 6] [--seed 0] [--strength 80]

Any pictures will do that are not those a result is reported for; the committed numbers are from 780 photographs,
paintings, drawings and textures of Debian's packages gcompris-qt-data, wesnoth-1.16-data and its campaigns,
supertuxkart-data (a quarter of the draws), freeorion-data, palapeli-data and seven of wallpapers. A draw is a random
part of a picture, in a random size and direction, at a random step and price.
"""

from __future__ import annotations

import argparse
import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cppn_native import _core
from cppn_native.fit.waves import USUAL_STRENGTH, WavesSearch, Way
from numpy.typing import NDArray
from PIL import Image

SUFFIXES, ROUNDS = (".png", ".jpg", ".webp"), 6


@dataclass(frozen=True)
class Sample:
    """Of one draw: its levels as a file has them, and the filter's planes (3, rows, columns), levels and targets, in
    steps."""

    name: str
    size: tuple[int, int]
    counts: list[int]
    levels: NDArray[np.int16]
    planes: NDArray[np.int16]
    targets: NDArray[np.float16]


def drawn(image: Image.Image, name: str, strength: int, rng: np.random.Generator) -> Sample | None:
    """None where there is too little to see."""
    waves = float(np.exp(rng.uniform(np.log(500), np.log(3000))))
    pixels = np.asarray(part(image, waves * rng.uniform(16, 64), rng)).astype(np.float32)
    search = WavesSearch(pixels, int(0.565 * waves) + 32, threads=1)
    search.strength = strength
    amplitudes = search.spectrum.amplitudes
    sizes = np.sort(np.abs(amplitudes).ravel())[::-1]
    step = max(sizes[min(len(sizes) - 1, int(1.1 * waves))] * rng.uniform(1.1, 1.5), 2e-4)
    code = int(np.clip(_core.nearest_step_code(float(step)), 0, 255))
    price = float(np.exp(rng.uniform(np.log(0.095), np.log(0.17))))
    levels = search._chosen(code, price, None, Way(rounds=ROUNDS))
    rows, columns = search.grid.shape
    if np.count_nonzero(levels) < 120 or rows > pixels.shape[0] or columns > pixels.shape[1]:
        return None
    model, grid = search._model(code, levels), search.grid
    planes = grid.planes(levels).astype(np.int16)
    targets = grid.planes(amplitudes / float(_core.step_grid(code))).astype(np.float16)
    return Sample(name, model.size, model.counts, model.levels.astype(np.int16), planes, targets)


def part(image: Image.Image, area: float, rng: np.random.Generator) -> Image.Image:
    """A random part of at least a fifth, of some ``area`` pixels, perhaps mirrored or turned."""
    share, aspect = rng.uniform(0.45, 1.0), float(np.exp(rng.uniform(-0.35, 0.35)))
    width = int(min(image.width, max(32, image.width * share * aspect**0.5)))
    height = int(min(image.height, max(32, image.height * share / aspect**0.5)))
    x, y = rng.integers(0, image.width - width + 1), rng.integers(0, image.height - height + 1)
    scale = min(1.0, (area / (width * height)) ** 0.5)
    size = (max(24, round(width * scale)), max(24, round(height * scale)))
    image = image.crop((x, y, x + width, y + height)).resize(size, Image.Resampling.LANCZOS)
    for turn in (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.TRANSPOSE):
        if rng.random() < 0.5:
            image = image.transpose(turn)
    return image


def load(path: Path) -> list[Sample]:
    return [Sample(*fields) for fields in pickle.loads(path.read_bytes())]


def held_out(samples: list[Sample]) -> tuple[list[Sample], list[Sample]]:
    """For fitting and for telling how well it went: by pictures, one of sixteen."""
    names = set(sorted({sample.name for sample in samples})[5::16])
    return [s for s in samples if s.name not in names], [s for s in samples if s.name in names]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--draws", type=int, default=6, help="of each picture")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--strength", type=int, default=USUAL_STRENGTH, help="of the filter, in 1/64; 0: none")
    options = parser.parse_args()
    rng, found = np.random.default_rng(options.seed), []
    for path in sorted(p for p in options.folder.iterdir() if p.suffix in SUFFIXES):
        image = Image.open(path).convert("RGB")
        image.thumbnail((1600, 1600), Image.Resampling.LANCZOS)
        for _ in range(options.draws // 4 if path.name.startswith("supertuxkart") else options.draws):
            sample = drawn(image, path.name, options.strength, rng)
            if sample is not None:
                found.append(sample)
        print(f"{path.name}: {len(found)} samples", end="\r", flush=True)
    options.target.write_bytes(pickle.dumps([tuple(vars(sample).values()) for sample in found]))
    print(f"\n{len(found)} samples of waves in {options.target}")


if __name__ == "__main__":
    main()
