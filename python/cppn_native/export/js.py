"""A model as a JavaScript module without dependencies, for browsers and Node."""

from __future__ import annotations

from collections.abc import Sequence

from .expression import Picture, Program
from .packing import BASE, fill, number, pack, signed, values
from .spelling import spelled

__all__ = ["core", "decode", "module", "source", "store"]

_CORE = """\
const D=@inputs@,N=@neurons@,S=[@steps@],K="@digits@";
@decode@
const w=new Float64Array(L.length),a=new Float64Array(D+N),f=[...K].map(c=>[@functions@][c]);
for(let n=0,i=0;n<N;n++)for(let k=0;k<D+n;k++,i++)w[i]=L[i]*S[(k>0)+(k>=D)];
function pixel(u,v,o,p){
const x=@sx@*u@ox@,y=@sy@*v@oy@;
a[0]=1;a[1]=x;a[2]=y;@extra@
for(let n=0,i=0;n<N;n++){let z=0;for(let k=0;k<D+n;k++)z+=w[i++]*a[k];a[D+n]=f[n](z)}
@store@
}
"""

_MODULE = """\
// A picture of @width@ x @height@ pixels, computed. Made by cppn_native.
// render(width, height, [left, top, right, bottom]) -> Uint8ClampedArray, RGBA; the region in fractions of the picture
// imageData(width, height, region) -> ImageData; paint(context) fills a 2-D canvas context
@core@export function render(width=@width@,height=@height@,[l,t,r,b]=[0,0,1,1]){
const o=new Uint8ClampedArray(4*width*height);
for(let j=0,p=0;j<height;j++)for(let i=0;i<width;i++,p+=4)pixel(l+(r-l)*(i+.5)/width,t+(b-t)*(j+.5)/height,o,p);
return o}
export const imageData=(width=@width@,height=@height@,region)=>new ImageData(render(width,height,region),width,height);
export const paint=(c,region)=>c.putImageData(imageData(c.canvas.width,c.canvas.height,region),0,0);
"""


def core(program: Program) -> str:
    """The network: ``pixel(u, v, o, p)`` writes the RGBA of a place into the clamped bytes o at p.

    Leaves D, N, K (a digit for each neuron), L (the levels) and S (the steps) to who prints more of it.
    """
    first = program.inputs + program.neurons - program.channels
    return fill(
        _CORE,
        inputs=program.inputs,
        neurons=program.neurons,
        steps=",".join(number(step) for step in program.steps),
        digits=program.digits,
        decode=decode(program.levels),
        functions=",".join(f"z=>{spelled(name, 'js')}" for name in program.used),
        extra=_extra(program),
        store=store([f"256*a[{first + i}]" for i in program.shown]),
        sx=number(program.x.slope),
        ox=signed(program.x.offset),
        sy=number(program.y.slope),
        oy=signed(program.y.offset),
    )


def source(program: Program) -> str:
    """The module's text."""
    return module(program, core(program))


def module(picture: Picture, core: str) -> str:
    """A module around a text that defines ``pixel``."""
    return fill(_MODULE, core=core, width=picture.size[0], height=picture.size[1])


def store(shown: Sequence[str]) -> str:
    """Writes the bytes of a pixel, opaque if there are but three."""
    values = [f"Math.floor({value})" for value in shown] + ["255"]
    return ";".join(f"o[p+{i}]={value}" for i, value in enumerate(values[:4])).replace("p+0", "p")


def decode(levels: Sequence[int] | Sequence[float]) -> str:
    """``const L``, the list of levels, from text where they are integers."""
    if not all(isinstance(level, int) for level in levels):
        return f"const L=[{values(levels)}];"
    packed = pack([int(level) for level in levels])
    digit = f'[..."{packed.text}"].map(s=>(s=s.charCodeAt(),s-35-(s>60)-(s>63)-(s>92)))'
    if packed.width == 1:
        return f"const L={digit}.map(c=>c{signed(packed.low)});"
    terms = "".join(f"+G[i+{j}]*{BASE**j}" for j in range(packed.width))
    return f"const G={digit},L=[];for(let i=0;i<G.length;i+={packed.width})L.push({packed.low}{terms});"


def _extra(program: Program) -> str:
    text = "a[3]=Math.hypot(x,y);" if program.radius else ""
    if program.octaves:
        text += (
            f"for(let k=0,i={3 + int(program.radius)};k<{program.octaves};k++)for(const c of[x,y])"
            "{const h=Math.PI*2**k*c;a[i++]=Math.sin(h);a[i++]=Math.cos(h)}"
        )
    return text
