"""A random picture as a page: WebGL 2 with the weights in a texture, or a 2-D canvas; one file, no request."""

from __future__ import annotations

from .. import html
from ..packing import fill
from . import glsl, js
from .program import DenseProgram

__all__ = ["source"]

WIDEST = 1024
"""Features that a shader's arrays can hold on common GPUs; the page of a wider network uses the canvas."""

# The order of the texture is that of glsl.texels.
_TEXELS = """\
const d=[],done={};
for(const[m,n,,,,s]of T){
if(done[s])continue;
done[s]=1;
for(let o=0;o<n;o+=4)for(let i=-1;i<Math.ceil(m/4)*4;i++)for(let q=o;q<o+4;q++)
d.push(q<n&&i<m?L[s+q*(m+1)+(i<0?m:i)]:0)}
if(@widest@>@most@)return 0;"""


def source(program: DenseProgram) -> str:
    """The page's text."""
    network = html.texture(glsl.network(program), fill(_TEXELS, widest=program.widest, most=WIDEST))
    draw, options = html.banded(program.cost)
    return html.shell(
        program,
        js.core(program),
        network,
        count=len(program.numbers()),
        draw=draw,
        options=options,
        heavy=True,
    )
