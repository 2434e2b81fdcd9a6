"""Paintings of ellipses and polygons as vector graphics: an SVG, and a page that draws the same on a canvas.

Both leave the covering of pixels to the browser, which lays what it covers over each other in bytes: a byte of a pixel
under many layers may differ by a few from ``render()``'s. Coordinates are the painting's own whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..models.base import check_size
from ..models.genetic import Genetic
from . import html, js
from .expression import Picture
from .packing import fill, number

__all__ = ["TARGETS", "Entity", "Painting", "painting"]


@dataclass(frozen=True)
class Entity:
    """points  (x, y) in steps of the grid; corners 0: an ellipse of centre and ends of half-diameters."""

    corners: int
    opacity: float
    points: tuple[tuple[int, int], ...]
    colour: str


@dataclass(frozen=True)
class Painting(Picture):
    """A painting reduced to numbers. ``grid`` steps are a picture's width, and its height."""

    grid: int
    paper: str
    entities: tuple[Entity, ...]
    alphas: int


def painting(model: Genetic, size: tuple[int, int] | None) -> Painting:
    """``ValueError`` for a size that is none."""
    config = model.config

    def colour(levels: list[int]) -> str:
        shades = [int(256 * (level + 0.5) / config.colours) for level in levels]
        return "#" + "".join(f"{shade:02x}" for shade in (shades * 3)[:3])

    def entity(row: list[int]) -> Entity:
        count = row[0] or 3
        points = tuple((row[2 + 2 * k], row[3 + 2 * k]) for k in range(count))
        return Entity(row[0], (row[1] + 1) / config.alphas, points, colour(row[2 + 2 * config.room :]))

    return Painting(
        size=model.size if size is None else check_size(size),
        channels=config.channels,
        grid=config.points,
        paper=colour(model.background.tolist()),
        entities=tuple(entity(row) for row in model.entities.tolist()),
        alphas=config.alphas,
    )


# -- SVG ----------------------------------------------------------------------------------------------------

_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" width="@width@" height="@height@" viewBox="0 0 @grid@ @grid@" \
preserveAspectRatio="none">
<rect width="100%" height="100%" fill="@paper@"/>
<g fill-rule="evenodd">
@shapes@</g>
</svg>
"""


def svg(p: Painting) -> str:
    """The drawing's text."""
    shapes = "".join(f"{_element(entity)}\n" for entity in p.entities)
    width, height = p.size
    return fill(_SVG, width=width, height=height, grid=p.grid, paper=p.paper, shapes=shapes)


def _element(e: Entity) -> str:
    look = f'fill="{e.colour}"' + (f' fill-opacity="{number(e.opacity, 4)}"' if e.opacity < 1 else "")
    if e.corners:
        (x, y), *rest = e.points
        before = [(x, y), *rest[:-1]]
        lines = "".join(f"l{a - c} {b - d}" for (a, b), (c, d) in zip(rest, before, strict=True)).replace(" -", "-")
        return f'<path {look} d="M{x} {y}{lines}z"/>'
    (x, y), (right, _), (u, v) = e.points
    return f'<circle {look} r="1" transform="matrix({right - x} 0 {u - x} {v - y} {x} {y})"/>'


# -- a page -------------------------------------------------------------------------------------------------

# An entity in the list: corners, opacity, colour, x and y of its points. Where nothing is painted the page is seen.
_CORE = """\
@decode@
const E=[];
for(let i=0;i<L.length;){
const n=L[i++],a=L[i++]/@alphas@,k="#"+L[i++].toString(16).padStart(6,0);
E.push([n,a,k,L.slice(i,i+=2*(n||3))])}
"""
_CANVAS = """\
function canvas2d(){
const x=c.getContext("2d");
paint=g=>{
const u=g.sw/@grid@,v=g.sh/@grid@;
x.setTransform(1,0,0,1,0,0);x.globalAlpha=1;
x.clearRect(0,0,g.w,g.h);
x.save();x.beginPath();x.rect(g.x,g.y,g.sw,g.sh);x.clip();
x.fillStyle="@paper@";x.fill();
for(const[n,a,k,p]of E){
x.globalAlpha=a;x.fillStyle=k;x.beginPath();
if(n){
x.setTransform(u,0,0,v,g.x,g.y);
for(let i=0;i<2*n;i+=2)x.lineTo(p[i],p[i+1])}
else{
x.setTransform(u*(p[2]-p[0]),0,u*(p[4]-p[0]),v*(p[5]-p[1]),g.x+u*p[0],g.y+v*p[1]);
x.arc(0,0,1,0,7)}
x.fill("evenodd")}
x.restore();c.dataset.done="2d"}}
"""


def page(p: Painting) -> str:
    """The page's text."""
    numbers = list(_numbers(p))
    core = fill(_CORE, decode=js.decode(numbers) if numbers else "const L=[];", alphas=p.alphas)
    canvas = fill(_CANVAS, grid=p.grid, paper=p.paper)
    return html.shell(p, core, "", count=len(numbers), canvas=canvas)


def _numbers(p: Painting) -> Iterator[int]:
    for e in p.entities:
        yield from (e.corners, round(e.opacity * p.alphas), int(e.colour[1:], 16))
        for x, y in e.points:
            yield from (x, y)


TARGETS = {"svg": svg, "html": page}
"""The printers by target."""
