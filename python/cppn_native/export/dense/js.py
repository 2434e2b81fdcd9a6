"""A random picture as a JavaScript module without dependencies, for browsers and Node."""

from __future__ import annotations

from ...activations import ACROSS
from .. import js
from ..packing import fill
from ..spelling import spelled
from .across import definitions
from .program import DenseProgram
from .terms import Words, inputs, outputs

__all__ = ["core", "source"]

_WORDS = Words("Math.sin(2*Math.PI*({}))", "Math.cos(2*Math.PI*({}))", "Math.hypot({x},{y})")

_CORE = """\
const L=new Float32Array(Uint8Array.from(atob("@text@"),c=>c.charCodeAt(0)).buffer),
T=[@rows@];
@across@const F=[@functions@];
let h=new Float64Array(@widest@),g=new Float64Array(@widest@);
function pixel(x,y,o,p){
[@inputs@].forEach((v,i)=>h[i]=v);
for(const[m,n,f,b,r,s]of T){
for(let i=0,k=s;i<n;i++){let z=0;for(let j=0;j<m;j++)z+=L[k++]*h[j];g[i]=z+L[k++]}
@call@if(r)for(let i=0;i<n;i++)g[i]+=h[i];
[h,g]=[g,h]}
@store@
}
"""


def source(program: DenseProgram) -> str:
    """The module's text."""
    return js.module(program, core(program))


def core(program: DenseProgram) -> str:
    """The network: ``pixel(x, y, o, p)`` writes the RGBA of a place into the clamped bytes o at p.

    Leaves L (the numbers) and T (the table of layers) to who prints more of it.
    """
    values = outputs(program)
    return fill(
        _CORE,
        text=program.text(),
        rows=",".join(row.text() for row in program.rows()),
        across=definitions(program.used, program.normalizes, "js"),
        functions=",\n".join(_function(name) for name in program.used),
        widest=program.widest,
        inputs=",".join(inputs(program.plane, _WORDS)),
        call="if(b==1)normalized(g,n);F[f](g,n);if(b==2)normalized(g,n);\n" if program.normalizes else "F[f](g,n);\n",
        store=js.store([values[i] for i in program.shown]),
    )


def _function(name: str) -> str:
    if name in ACROSS:
        return name
    return f"(h,n)=>{{for(let i=0;i<n;i++){{const z=h[i];h[i]={spelled(name, 'js')}}}}}"
