"""Shapes as a JavaScript module without dependencies, for browsers and Node."""

from __future__ import annotations

from .. import js
from ..packing import fill, number, signed
from .program import FigureProgram

__all__ = ["core", "source"]

# One row after the other; theta is -acos(u) sign(Y), and sin m theta, cos m theta follow from each other.
_CORE = """\
const L=new Float32Array(Uint8Array.from(atob("@text@"),c=>c.charCodeAt(0)).buffer);
function pixel(u,v,o,p){
const x=@sx@*u@ox@,y=@sy@*v@oy@,s=[0,0,0,0];
let a=0,k=.999;
for(let i=0;i<L.length;i+=@stride@){
const d=x-L[i],e=y-L[i+1],X=L[i+4]*(L[i+2]*d-L[i+3]*e),Y=L[i+5]*(L[i+3]*d+L[i+2]*e),R=Math.hypot(X,Y);
if(R>L[i+6])continue;
@amount@
a+=f;
for(let c=0;c<4;c++)s[c]+=f*L[i+8+c]}
@finish@
@store@
}
"""

_WAVES = """\
const q=X/(R+1e-4),w=Math.sign(Y),C=w?q:1,S=-w*Math.sqrt(Math.max(0,1-q*q));
let F=0,c=C,z=S;
for(let j=i+16,m=0;m<@terms@;m++,j+=2){F+=L[j]*z+L[j+1]*c;[c,z]=[c*C-z*S,z*C+c*S]}
let f=Math.tanh(@edge@);
if(!(f>0))continue;
f*=@times@;"""
_STROKE = """\
const q=X/(R+1e-4),b=Y?1-Math.sqrt(Math.max(0,(1+q)/2)):0,
f=L[i+12]*b**L[i+14]*Math.exp(-L[i+13]*(L[i+7]-R)**2);"""
_POINT = "const f=Math.exp(-2*@unit@*R);"
_ARTICLE = "let f=Math.tanh(5-25*R);if(!(f>0))continue;f*=k;k*=.001;"


def source(program: FigureProgram) -> str:
    """The module's text."""
    return js.module(program, core(program))


def core(program: FigureProgram) -> str:
    """The shapes: ``pixel(u, v, o, p)`` writes the RGBA of a place into the clamped bytes o at p; L is their rows."""
    return fill(
        _CORE,
        text=program.text,
        sx=number(program.x.slope),
        ox=signed(program.x.offset),
        sy=number(program.y.slope),
        oy=signed(program.y.offset),
        stride=program.rows.shape[1],
        amount=_amount(program),
        finish=_finish(program.kind),
        store=js.store([f"256*s[{i}]" for i in program.shown]),
    )


def _amount(program: FigureProgram) -> str:
    if program.kind in ("fourier", "depth"):
        edge = "16*(1+.1*F-R/L[i+7])" if program.formula == "notebook" else "L[i+7]*F-R"
        return fill(_WAVES, terms=program.terms, edge=edge, times="f" if program.kind == "fourier" else "L[i+12]")
    return {"stroke": _STROKE, "point": fill(_POINT, unit=number(program.unit)), "article": _ARTICLE}[program.kind]


def _finish(kind: str) -> str:
    if kind == "fourier":
        return ""
    if kind == "point":
        return "s.fill(Math.exp(-4*a));"
    return f"for(let c=0;c<4;c++)s[c]/=a+{'1e-4' if kind == 'article' else '1e-5'};"
