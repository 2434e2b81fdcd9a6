"""Fits the models by which .cppn files of waves are coded: csrc/codec/waves_models.inc, which is committed.

    pip install torch scipy
    python bench/fit_waves.py FOLDER_OF_PICTURES

Any pictures will do that are not those a result is reported for; the committed numbers are from some 200 photographs
and drawings of Debian's packages gcompris-qt-data, gnome-backgrounds, mate-backgrounds, ukui-wallpapers and
lomiri-wallpapers. Every picture is shown in a random size and at random steps, its levels rounded with a dead zone.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from explore_cosines import Models, Transformed, features, rounded_levels, trained
from PIL import Image

HIDDEN, EPOCHS, BATCH, DRAWS = 16, 4, 16_384, 3
TARGET = Path(__file__).parent.parent / "csrc" / "codec" / "waves_models.inc"


def seen_in(path: Path, rng: np.random.Generator) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Features and sizes of the levels of a picture, each colour as far as its last level that is not zero."""
    image, found = Image.open(path).convert("RGB"), []
    for _ in range(DRAWS):
        scale = float(np.exp(rng.uniform(np.log(300), np.log(900)))) / max(image.size)
        size = (max(16, round(image.width * scale)), max(16, round(image.height * scale)))
        t = Transformed.of(image.resize(size, Image.Resampling.LANCZOS))
        step = float(np.exp(rng.uniform(np.log(0.4), np.log(2.5)))) * (size[0] * size[1] / 123_520) ** 0.5
        levels = rounded_levels(t, step, 0.3)
        every = features(t, levels)
        for colour, part in enumerate(every.split(len(every) // 3)):
            sizes = torch.tensor(t.in_order(np.abs(levels[:, :, colour])), dtype=torch.float32)
            used = int(sizes.nonzero().max()) + 1 if sizes.any() else 0
            found.append((part[:used], sizes[:used]))
    return found


def written(models: Models) -> str:
    """The weights as C++, the features' scales multiplied in."""
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
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    rng, seen = np.random.default_rng(0), []
    for path in sorted(p for p in options.folder.iterdir() if p.suffix in (".png", ".jpg", ".webp")):
        seen += seen_in(path, rng)
    models = trained(torch.cat([x for x, _ in seen]), torch.cat([size for _, size in seen]), HIDDEN, EPOCHS, BATCH)
    TARGET.write_text(written(models))
    torch.save(models.state_dict(), options.folder / "waves_models.pt")


if __name__ == "__main__":
    main()
