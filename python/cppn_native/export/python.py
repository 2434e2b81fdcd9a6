"""A model as a Python program: the standard library, and numpy where there is one."""

from __future__ import annotations

from .expression import Program
from .packing import BASE, fill, number, pack, signed, values
from .spelling import spelled

__all__ = ["source"]

_TEMPLATE = '''\
"""A picture of @width@ x @height@ pixels, computed. Made by cppn_native.

python THIS.py picture.png [width height]     .png or .ppm, any size; numpy is used if there is one
render(width, height) -> bytes, row by row, @pixel@ a pixel
"""
import sys,zlib
from operator import mul
try:
    import numpy as np
    from numpy import cos,exp,sin,sqrt,tanh
except ImportError:
    np=None
    from math import cos,exp,sin,sqrt,tanh
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
def render(width=@width@,height=@height@,region=(0,0,1,1)):
    l,t,r,b=region
    X=[@sx@*(l+(r-l)*(i+.5)/width)@ox@ for i in range(width)]
    Y=[@sy@*(t+(b-t)*(j+.5)/height)@oy@ for j in range(height)]
    out=bytearray()
    if np is None:
        for y in Y:
            for x in X:
                a=nodes(x,y)
                out+=bytes(int(min(255,max(0,256*a[i])))for i in@shown@)
    else:
        m=max(1,32768//width)
        for j in range(0,height,m):
            y=Y[j:j+m]
            a=256*nodes(np.tile(X,len(y)),np.repeat(y,width))[@shown@]
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


def source(program: Program) -> str:
    """The program's text."""
    functions = [f"lambda z:{spelled(name, 'python')}" for name in program.used]
    return fill(
        _TEMPLATE,
        width=program.size[0],
        height=program.size[1],
        pixel="red green blue alpha" if program.alpha else "red green blue",
        pixel_bytes=len(program.shown),
        inputs=program.inputs,
        neurons=program.neurons,
        decode=_decode(program),
        functions=",".join(functions) + ",",
        digits=program.digits,
        steps=",".join(number(step) for step in program.steps),
        extra=_extra(program),
        shown=str([i - program.channels for i in program.shown]).replace(" ", ""),
        blend=_BLEND if program.alpha else "",
        sx=number(program.x.slope),
        ox=signed(program.x.offset),
        sy=number(program.y.slope),
        oy=signed(program.y.offset),
    )


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
