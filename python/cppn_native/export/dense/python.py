"""A random picture as a Python program: the standard library, and numpy where there is one."""

from __future__ import annotations

from ...activations import ACROSS
from .. import python
from ..packing import fill
from ..spelling import spelled
from .across import definitions
from .program import DenseProgram
from .terms import Words, inputs, outputs

__all__ = ["source"]

_POINTS_AT_A_TIME = 1 << 21
"""Features of pixels that numpy computes at a time: some tens of megabytes."""

_WORDS = Words("sin(6.283185307179586*({}))", "cos(6.283185307179586*({}))", "sqrt(({x})**2+({y})**2)")

_NETWORK = """\
import struct
from base64 import b64decode
L=b64decode("@text@")
L=struct.unpack("<%df"%(len(L)//4),L)
W=lambda i,m,n:[L[n+j*(i+1):][:i+1]for j in range(m)]
@across@F=[@functions@]
T=[(W(i,m,n)if np is None else np.array(W(i,m,n)),F[f],b,r)for i,m,f,b,r,n in(@rows@,)]
def network(x,y):
    h=[@inputs@]
    for w,f,b,r in T:
        g=list(h)+[x*0+1]
        z=[sum(map(mul,v,g))for v in w]if np is None else np.dot(w,g)
@normalized@        if r:z=[a+b for a,b in zip(h,z)]
        h=z
    return[@shown@]
def nodes(x,y):
    if np is None:
        try:return network(x,y)
        except(ArithmeticError,ValueError):return[0]*@channels@
    with np.errstate(all="ignore"):return np.array(network(x,y))
"""

_PLAIN = "        z=f(z)\n"
_NORMALIZED = "        if b==1:z=normalized(z)\n        z=f(z)\n        if b==2:z=normalized(z)\n"


def source(program: DenseProgram) -> str:
    """The program's text."""
    network = fill(
        _NETWORK,
        text=program.text(),
        across=definitions(program.used, program.normalizes, "python"),
        functions=",".join(_function(name) for name in program.used),
        rows=",".join(row.text("()") for row in program.rows()),
        inputs=",".join(inputs(program.plane, _WORDS)),
        normalized=_NORMALIZED if program.normalizes else _PLAIN,
        shown=",".join(outputs(program)),
        channels=program.channels,
    )
    return python.shell(program, network, points=max(64, _POINTS_AT_A_TIME // program.widest))


def _function(name: str) -> str:
    return name if name in ACROSS else f"lambda h:[{spelled(name, 'python')} for z in h]"
