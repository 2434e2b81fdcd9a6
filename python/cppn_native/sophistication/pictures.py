"""Random pictures: one, several of the same network, and the values behind them."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .colours import check_look, coloured, cut, stretched
from .draws import check_whole
from .model import random_bits, random_model
from .parameters import Params, params

__all__ = ["pictures_of", "sample", "sheet"]

Bytes: TypeAlias = NDArray[np.uint8]
PAPER = (255, 255, 255)
GUTTER = 8


def sample(
    soph: int,
    noise: int,
    seed: int = 0,
    normalize: bool = True,
    *,
    size: int = 256,
    channels: int = 1,
    head: str | int = "none",
    levels: int | None = None,
    colours: str | None = "viridis",
    threads: int | None = None,
) -> NDArray[Any]:
    """A picture of ``soph`` bits of structure and ``noise`` bits of chance: (size, size, 3) uint8.

    soph, noise, size, channels, head   as in ``params``, which raises ``ValueError`` where there is no network
    seed       of the network and of its input: the same picture on every machine
    normalize  every channel from its least to its greatest value, as matplotlib shows it; otherwise values are as the
               network gives them, those of a sigmoid after a ReLU, from 1/2 to 1 (with head="all" from 0 to 1)
    levels     cuts what values may be into so many steps, 0 to 1; 16 are the 4 bits that ``uncompressed`` counts
    colours    of one channel: "viridis" (matplotlib's) or "grey". None: the values, (size, size) or (size, size, 3)
               float32
    threads    of the CPU; None: all there are

    >>> import cppn_native as cn
    >>> picture = cn.sophistication.sample(100_000, 30_000, seed=1)
    """
    p = params(soph, noise, size=size, channels=channels, head=head)
    return np.asarray(pictures_of(p, seed, 1, normalize, levels, colours, threads)[0])


def sheet(
    soph: int,
    noise: int,
    seed: int = 0,
    normalize: bool = True,
    *,
    count: int = 6,
    columns: int = 3,
    levels: int | None = None,
    colours: str = "viridis",
    threads: int | None = None,
    **shape: Any,
) -> Bytes:
    """``count`` pictures that one network makes of different noise, in rows of ``columns``, on white: (H, W, 3) uint8.

    The first is ``sample`` with the same arguments; ``shape`` are its size, channels and head.
    """
    for name, value in (("count", count), ("columns", columns)):
        check_whole(name, value, 1, 1024)
    if colours is None:
        raise ValueError("colours must be viridis or grey for a sheet, got None")
    p = params(soph, noise, **shape)
    across, down = min(columns, count), -(-count // columns)
    step = p.size + GUTTER
    page = Image.new("RGB", (across * step + GUTTER, down * step + GUTTER), PAPER)
    for k, picture in enumerate(pictures_of(p, seed, count, normalize, levels, colours, threads)):
        page.paste(Image.fromarray(picture), (GUTTER + k % columns * step, GUTTER + k // columns * step))
    return np.asarray(page)


def pictures_of(
    p: Params,
    seed: int,
    count: int,
    normalize: bool = True,
    levels: int | None = None,
    colours: str | None = "viridis",
    threads: int | None = None,
) -> NDArray[Any]:
    """(count, size, size, 3) uint8, or without ``colours`` the values: one network, ``count`` inputs."""
    check_look(colours, levels)
    values = random_model(p, seed).values(random_bits(p, seed, count), threads)
    if normalize:
        values = stretched(values)
    if levels is not None:
        values = cut(values, levels)
    elif p.filters and not normalize:
        values = 0.5 + 0.5 * values  # the sigmoid itself
    shown = values.astype(np.float32).transpose(0, 2, 3, 1)
    if colours is None:
        return np.ascontiguousarray(shown[..., 0] if p.channels == 1 else shown)
    return coloured(shown, colours)
