"""Shapes as a fragment shader: WebGL 2 (GLSL ES 3.00) as it stands, Shadertoy without its first line. A function W(k)
gives the k-th four numbers of the rows, from a constant or from a texture."""

from __future__ import annotations

from .. import glsl
from ..packing import fill, real, signed, values
from .program import FigureProgram

__all__ = ["network", "source"]

MOST = 4096
"""Vectors that a shader can hold: compilers give up, or take minutes, at some number of constants."""

_NETWORK = """\
vec4 cppn(vec2 p){
float x=@sx@*p.x@ox@,y=@sy@*p.y@oy@,a=0.,k=.999;
vec4 o=vec4(0);
for(int i=0;i<@end@;i+=@stride@){
vec4 A=W(i),B=W(i+1);
float d=x-A.x,e=y-A.y,X=B.x*(A.z*d-A.w*e),Y=B.y*(A.w*d+A.z*e),R=sqrt(X*X+Y*Y);
if(R>B.z)continue;
@amount@
a+=f;o+=f*W(i+2);}
@finish@
@last@"""

_WAVES = """\
float q=X/(R+1e-4),n=sign(Y),C=n==0.?1.:q,S=-n*sqrt(max(0.,1.-q*q)),F=0.,c=C,z=S,g;
for(int j=0;j<@half@;j++){
vec4 V=W(i+4+j);
F+=V.x*z+V.y*c;g=c*C-z*S;z=z*C+c*S;c=g;
F+=V.z*z+V.w*c;g=c*C-z*S;z=z*C+c*S;c=g;}
float f=tanh(clamp(@edge@,-9.,9.));
if(f<=0.)continue;
f*=@times@;"""
_STROKE = """\
float q=X/(R+1e-4),h=B.w-R;
vec4 G=W(i+3);
float b=Y==0.?0.:1.-sqrt(max(0.,.5+.5*q)),f=G.x*(b>0.?exp(G.z*log(b)-G.y*h*h):0.);"""
_POINT = "float f=exp(-@unit@*R);"
_ARTICLE = "float f=tanh(clamp(5.-25.*R,-9.,9.));if(f<=0.)continue;f*=k;k*=.001;"


def source(program: FigureProgram) -> str:
    """The shader's text; ``ValueError`` for more shapes than one can hold."""
    table = program.rows.reshape(-1, 4)
    if len(table) > MOST:
        each = program.rows.shape[1] // 4
        raise ValueError(
            f"glsl: a shader holds up to {MOST // each} such shapes, these are {len(program.rows)}; "
            "a page (html) has them in a texture"
        )
    rows = ",\n".join(f"vec4({values(row.tolist())})" for row in table)
    held = f"const vec4 w[{len(table)}]=vec4[{len(table)}](\n{rows});\n#define W(k) w[k]\n"
    return glsl.shell(program, held + network(program))


def network(program: FigureProgram) -> str:
    """``vec4 cppn(vec2 p)``, where W(k) is."""
    stride = program.rows.shape[1] // 4
    return fill(
        _NETWORK,
        sx=real(program.x.slope),
        ox=signed(program.x.offset, real),
        sy=real(program.y.slope),
        oy=signed(program.y.offset, real),
        stride=stride,
        end=stride * len(program.rows),
        amount=_amount(program),
        finish=_finish(program.kind),
        last=glsl.end(program),
    )


def _amount(program: FigureProgram) -> str:
    if program.kind in ("fourier", "depth"):
        edge = "16.*(1.+.1*F-R/B.w)" if program.formula == "notebook" else "B.w*F-R"
        times = "f" if program.kind == "fourier" else "W(i+3).x"
        return fill(_WAVES, half=(program.terms + 1) // 2, edge=edge, times=times)
    return {"stroke": _STROKE, "point": fill(_POINT, unit=real(2 * program.unit)), "article": _ARTICLE}[program.kind]


def _finish(kind: str) -> str:
    if kind == "fourier":
        return ""
    if kind == "point":
        return "o=vec4(exp(-4.*a));"
    return f"o/=a+{'1e-4' if kind == 'article' else '1e-5'};"
