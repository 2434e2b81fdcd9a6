"""Shapes with an outline as an SVG: each is a few nested curves, which are its amount in steps.

"fourier" adds colours, negative ones too: positive ones are added up on black by ``plus-lighter``, in a scale that
keeps them below white; that is inverted, the negative ones are added, and all is inverted and scaled back.

"depth" and "article" are means. A mean of layers is what laying them over each other gives, with the opacity
a_k / (a_1 + ... + a_k) for layer k; a curve has one opacity, so it gets the mean of that over the band it bounds.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ...coords import axes
from ...models.base import check_size
from ...models.shapes import Shapes
from ..packing import fill, number
from .outline import Figures, figures

__all__ = ["source"]

STEPS = {"notebook": 6, "prose": 16}
"""Curves a shape, by how wide its edge is: of the notebook's, 4 lose a decibel or two and 10 win one."""

UNITS = 8192
"""To the picture's long side: a twentieth of a pixel of small pictures, and whole numbers."""

NEXT_RANK = 1e-3
"""Of csrc/core/shape_formulas.h: what an article's shape leaves to the one behind it."""

RASTER = 192
"""Pixels of the long side where opacities are averaged."""

_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" width="@width@" height="@height@" viewBox="@box@" preserveAspectRatio="none">
@content@</svg>
"""

_SUM = """\
<defs><filter id="a" x="@x@" y="@y@" width="@w@" height="@h@" filterUnits="userSpaceOnUse" \
color-interpolation-filters="sRGB"><feComponentTransfer>@invert@</feComponentTransfer></filter>
<filter id="b" x="@x@" y="@y@" width="@w@" height="@h@" filterUnits="userSpaceOnUse" \
color-interpolation-filters="sRGB"><feComponentTransfer>@back@</feComponentTransfer></filter></defs>
<style>path{mix-blend-mode:plus-lighter}</style>
<g filter="url(#b)">
<g filter="url(#a)">
@paper@
@positive@</g>
@negative@</g>
"""

_MEAN = """\
@paper@
<g shape-rendering="@crisp@">
@shapes@</g>
"""


def source(model: Shapes, size: tuple[int, int] | None) -> str:
    """The drawing's text; ``ValueError`` for a kind without outline or a size that is none."""
    drawn = figures(model)
    if model.config.channels == 4:
        raise ValueError("svg: shapes with opacity cannot be drawn; html draws them")
    width, height = model.size if size is None else check_size(size)
    longest = max(model.size)
    w, h = (UNITS * side / longest for side in model.size)
    x, y = (UNITS - w) / 2, (UNITS - h) / 2
    box = {"x": number(x), "y": number(y), "w": number(w), "h": number(h)}
    paper = '<rect x="{x}" y="{y}" width="{w}" height="{h}"/>'.format(**box)
    content = (_sum if model.config.kind == "fourier" else _mean)(drawn, box, paper)
    return fill(_SVG, width=width, height=height, box=" ".join(box.values()), content=content)


# -- sums ---------------------------------------------------------------------------------------------------


def _sum(drawn: Figures, box: dict[str, str], paper: str) -> str:
    positive = np.maximum(drawn.colours, 0)
    bright = _with_colours(drawn.model, np.maximum(drawn.model.parameters["colour"], 0))
    scale = np.maximum(bright.render_float().max(axis=(0, 1)), 1.0).astype(np.float64) * 1.01
    return fill(
        _SUM, **box, paper=paper,
        invert=_functions(np.full(3, -1.0), np.ones(3)), back=_functions(-_rgb(scale), _rgb(scale)),
        positive="".join(_layers(drawn, positive / scale)),
        negative="".join(_layers(drawn, np.maximum(-drawn.colours, 0) / scale)),
    )  # fmt: skip


def _with_colours(model: Shapes, raw: NDArray[np.float32]) -> Shapes:
    return Shapes(model.config, model.size, model.parameters | {"colour": raw})


def _functions(slope: NDArray[np.float64], intercept: NDArray[np.float64]) -> str:
    return "".join(
        f'<feFunc{c} type="linear" slope="{number(slope[k], 6)}" intercept="{number(intercept[k], 6)}"/>'
        for k, c in enumerate("RGB")
    )


def _layers(drawn: Figures, colours: NDArray[np.float64]) -> Iterator[str]:
    """f^2 in steps, each adding what the sum of bytes so far lacks."""
    steps = STEPS[drawn.model.config.formula]
    for i in drawn.order.tolist():
        bytes_so_far = np.round(255 * np.outer(np.arange(steps + 1) / steps, _rgb(colours[i])))
        for k, colour in enumerate(np.diff(bytes_so_far, axis=0).astype(int)):
            if colour.any():
                yield _path(drawn, i, ((k + 0.5) / steps) ** 0.5, f'fill="{_hex(colour)}"')


# -- means --------------------------------------------------------------------------------------------------


def _mean(drawn: Figures, _: dict[str, str], paper: str) -> str:
    crisp = "crispEdges" if drawn.model.config.kind == "article" else "auto"  # those have no soft edge at all
    return fill(_MEAN, paper=paper, crisp=crisp, shapes="".join(_opaque(drawn)))


def _opaque(drawn: Figures) -> Iterator[str]:
    model = drawn.model
    article = model.config.kind == "article"
    size = tuple(max(1, round(side * min(1.0, RASTER / max(model.size)))) for side in model.size)
    x, y = axes(model.COORDS, model.size, (size[0], size[1]))
    places = [a.astype(np.float64) for a in np.meshgrid(x, y)]
    steps = STEPS[model.config.formula]
    amounts = [1e-3] if article else [(k + 0.5) / steps for k in range(steps)]
    fade = NEXT_RANK if article else 1.0  # of what lies below a shape
    below = np.full((size[1], size[0]), 1e-4 / NEXT_RANK if article else 1e-5)
    for i in drawn.order.tolist():
        f = drawn.amounts(i, *places)
        mine = drawn.weights[i] * f
        opacity = mine / (fade * below + mine)
        colour = _hex(np.clip(np.round(255 * _rgb(drawn.colours[i])), 0, 255).astype(int))
        seen = 1.0  # what the curves so far let through
        for amount, more in zip(amounts, [*amounts[1:], 1.0], strict=True):
            band = (f > max(amount - 0.25 / steps, 0)) & (f < more + 0.25 / steps)
            through = min(seen, 1 - float(opacity[band].mean())) if band.any() else seen
            if seen > 1e-4 and 1 - through / seen > 1e-3:
                look = f'fill="{colour}" fill-opacity="{number(1 - through / seen, 3)}"'
                yield _path(drawn, i, amount, look)
                seen = through
        below = np.where(f > 0, fade * below + mine, below)


# -- curves -------------------------------------------------------------------------------------------------


def _path(drawn: Figures, i: int, amount: float, look: str) -> str:
    points = drawn.contour(i, amount, 64)
    if not len(points):
        return ""
    reach = UNITS * float(np.ptp(np.clip(points, -1, 2), axis=0).max())
    if reach < 24 * 20:  # less than 24 pixels of a picture of 400
        points = points[::2]
    whole = np.round(points * UNITS).astype(int)
    (x, y), steps = whole[0], np.diff(whole, axis=0)
    lines = "".join(f"l{a} {b}" for a, b in steps if a or b).replace(" -", "-")
    return f'<path {look} d="M{x} {y}{lines}z"/>\n' if lines else ""


def _rgb(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.repeat(values, 3) if len(values) == 1 else values


def _hex(colour: NDArray[np.int64]) -> str:
    return "#" + "".join(f"{c:02x}" for c in colour.tolist())
