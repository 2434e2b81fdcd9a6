"""A model as a Python program: the standard library, and numpy where there is one."""

from __future__ import annotations

import re

from .expression import Picture, Program
from .packing import BASE, fill, number, pack, signed, values
from .spelling import spelled

__all__ = ["shell", "source"]

_SHELL = '''\
"""A picture of @width@ x @height@ pixels, computed. Made by cppn_native.

python THIS.py picture.png [width height]     .png or .ppm, any size; numpy is used if there is one
render(width, height) -> bytes, row by row, @pixel@ a pixel
"""
import sys,zlib
from operator import mul
try:
    import numpy as np
@numpy@except ImportError:
    np=None
@math@@network@def render(width=@width@,height=@height@,region=(0,0,1,1)):
    l,t,r,b=region
    X=[@x@ for i in range(width)]
    Y=[@y@ for j in range(height)]
    out=bytearray()
    if np is None:
        for y in Y:
            for x in X:
                a=nodes(x,y)
                out+=bytes(int(min(255,max(0,@gain@a[i])))for i in@shown@)
    else:
        m=max(1,@points@//width)
        for j in range(0,height,m):
            y=Y[j:j+m]
            a=@gain@nodes(np.tile(X,len(y)),np.repeat(y,width))[@shown@]
            out+=np.where(a>0,np.minimum(a,255),0).astype("B").T.tobytes()
    return bytes(out)
def encode(name,p,w,h):
    c=@pixel_bytes@
    if name.lower().endswith(".ppm"):
@blend@        return b"P6 %d %d 255\\n"%(w,h)+p
    def chunk(k,d):return len(d).to_bytes(4,"big")+k+d+zlib.crc32(k+d).to_bytes(4,"big")
    rows=b"".join(b"\\0"+p[i*w*c:(i+1)*w*c]for i in range(h))
    head=w.to_bytes(4,"big")+h.to_bytes(4,"big")+bytes([8,4*c-10,0,0,0])
    return b"\\x89PNG\\r\\n\\x1a\\n"+chunk(b"IHDR",head)+chunk(b"IDAT",zlib.compress(rows,9))+chunk(b"IEND",b"")
if __name__=="__main__":
    if len(sys.argv)not in(2,4):sys.exit("usage: %s picture.png [width height]"%sys.argv[0])
    w,h=map(int,sys.argv[2:]or(@width@,@height@))
    data=encode(sys.argv[1],render(w,h),w,h)
    with open(sys.argv[1],"wb")as file:file.write(data)
'''

_BLEND = "        p=bytes((p[i]*p[i|3]+255*(255-p[i|3])+127)//255 for i in range(len(p))if i&3<3)  # onto white\n"

_NETWORK = """\
D,N=@inputs@,@neurons@
@decode@
F=[(@functions@)[int(c)]for c in"@digits@"]
W,i=[],0
for n in range(N):
    W+=[[L[i+k]*(@steps@)[(k>0)+(k>=D)]for k in range(D+n)]]
    i+=D+n
def inputs(x,y):
    a=[x*0+1,x,y]
@extra@    return a
def nodes(x,y):
    a=inputs(x,y)
    if np is None:
        for w,f in zip(W,F):a.append(f(sum(map(mul,w,a))))
        return a
    A=np.empty((D+N,len(x)))
    A[:D]=a
    for n in range(N):A[D+n]=F[n](np.dot(W[n],A[:D+n]))
    return A
"""


def source(program: Program) -> str:
    """The program's text."""
    functions = [f"lambda z:{spelled(name, 'python')}" for name in program.used]
    network = fill(
        _NETWORK,
        inputs=program.inputs,
        neurons=program.neurons,
        decode=_decode(program),
        functions=",".join(functions) + ",",
        digits=program.digits,
        steps=",".join(number(step) for step in program.steps),
        extra=_extra(program),
    )
    return shell(
        program,
        network,
        x=f"{number(program.x.slope)}*(l+(r-l)*(i+.5)/width){signed(program.x.offset)}",
        y=f"{number(program.y.slope)}*(t+(b-t)*(j+.5)/height){signed(program.y.offset)}",
        gain="256*",
        first=-program.channels,
        points=32768,
    )


def shell(
    picture: Picture,
    network: str,
    *,
    x: str = "l+(r-l)*(i+.5)/width",
    y: str = "t+(b-t)*(j+.5)/height",
    gain: str = "",
    first: int = 0,
    points: int,
) -> str:
    """A program around a text that defines ``nodes(x, y)``.

    x, y    coordinates of column i and row j of the region l, t, r, b
    gain    what makes bytes of a node
    first   where in the nodes the outputs begin
    points  how many nodes(x, y) computes at a time, with numpy
    """
    return fill(
        _SHELL,
        network=network,
        width=picture.size[0],
        height=picture.size[1],
        pixel="red green blue alpha" if picture.alpha else "red green blue",
        pixel_bytes=len(picture.shown),
        shown=str([first + i for i in picture.shown]).replace(" ", ""),
        blend=_BLEND if picture.alpha else "",
        x=x,
        y=y,
        gain=gain,
        points=points,
        **_imports(network),
    )


def _imports(text: str) -> dict[str, str]:
    """The functions that a text calls, out of numpy or made of what Python has."""
    called = set(re.findall(r"\b([a-z]+)\(", text))
    both = sorted(called & {"cos", "exp", "log", "sin", "sqrt", "tanh"})
    numpy = both + sorted(called & {"maximum", "minimum", "sign"})
    math = f"    from math import {','.join(both)}\n" if both else ""
    math += "    maximum,minimum=max,min\n" if called & {"maximum", "minimum"} else ""
    math += "    def sign(z):return(z>0)-(z<0)\n" if "sign" in called else ""
    return {"numpy": f"    from numpy import {','.join(numpy)}\n" if numpy else "", "math": math}


def _decode(program: Program) -> str:
    levels = program.levels
    if not all(isinstance(level, int) for level in levels):
        return f"L=[{values(levels)}]"
    packed = pack([int(level) for level in levels])
    digits = f'[ord(c)-35-(c>"<")-(c>"?")-(c>"\\\\")for c in"{packed.text}"]'
    if packed.width == 1:
        return f"L=[c{signed(packed.low)} for c in{digits}]"
    terms = "+".join(f"L[i+{j}]*{BASE**j}" for j in range(packed.width))
    return f"L={digits}\nL=[{packed.low}+{terms} for i in range(0,len(L),{packed.width})]"


def _extra(program: Program) -> str:
    lines = "    a+=[sqrt(x*x+y*y)]\n" if program.radius else ""
    if program.octaves:
        lines += f"    for k in range({program.octaves}):\n"
        lines += "        for c in(x,y):a+=[sin(3.141592653589793*2**k*c),cos(3.141592653589793*2**k*c)]\n"
    return lines
