"""What `make demo` runs: fit a picture, leave the file, the picture it decodes to, and the two side by side.

python examples/demo.py --image photo.jpg --out out --minutes 2
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cppn_native as cn
import numpy as np
from cppn_native.image import load_image, save_image, to_uint8
from cppn_native.sheets import side_by_side
from numpy.typing import NDArray

PAINTING = Path(__file__).with_name("starry_night.cppn")


def picture(path: str | None) -> tuple[str, NDArray[np.uint8]]:
    """The user's own picture; else what the network in starry_night.cppn paints."""
    if path is not None:
        return Path(path).stem, to_uint8(load_image(path))
    return "starry_night", cn.load(PAINTING).render()


def main() -> None:
    arguments = argparse.ArgumentParser(description="Fit a picture into 1024 bytes.")
    arguments.add_argument("--image", help="a picture; default: one that a network of ours paints")
    arguments.add_argument("--out", type=Path, default=Path("out"))
    arguments.add_argument("--minutes", type=float, default=2.0)
    arguments.add_argument("--max-bytes", type=int, default=1024)
    given = arguments.parse_args()

    name, original = picture(given.image)
    model = cn.train(original, max_bytes=given.max_bytes, minutes=given.minutes)

    given.out.mkdir(parents=True, exist_ok=True)
    model.save(given.out / f"{name}.cppn")
    decoded = cn.load(given.out / f"{name}.cppn").render()
    save_image(given.out / f"{name}.png", decoded)
    height, width = original.shape[:2]
    caption = f"{model.nbytes} bytes · {model.psnr(original):.2f} dB"
    save_image(
        given.out / f"{name}_side_by_side.png",
        side_by_side(original, decoded, (f"original {width} x {height}", caption)),
    )
    print(f"{caption}: see {given.out}/{name}.cppn, {name}.png and {name}_side_by_side.png")


if __name__ == "__main__":
    main()
