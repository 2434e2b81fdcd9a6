"""A model as a C99 program of one file that writes the picture to its standard output."""

from __future__ import annotations

from collections.abc import Sequence

from .expression import Picture, Program
from .packing import BASE, fill, number, pack, signed, values
from .spelling import spelled

__all__ = ["shell", "source", "strings"]

_LONGEST = 3996
"""Characters of one string literal: C99 promises 4095, and this is a multiple of every width of a number."""

_SHELL = """\
/* A picture of @width@ x @height@ pixels, computed. Made by cppn_native.
   cc -O2 THIS.c -lm && ./a.out [width height] > picture.@suffix@ */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
@network@static void put(double v){putchar(v>0?v<255?(int)v:255:0);}
int main(int c,char**v){
int W=c>2?atoi(v[1]):@width@,H=c>2?atoi(v[2]):@height@,i,j;
if(W<1||H<1)return fprintf(stderr,"usage: %s [width height] > picture.@suffix@\\n",v[0]),2;
decode();
printf("@header@",W,H);
for(j=0;j<H;j++)for(i=0;i<W;i++){
@compute@
@store@
}
return fflush(stdout)||ferror(stdout);
}
"""

_NETWORK = """\
#define D @inputs@
#define N @neurons@
@data@
static const char F[]="@digits@";
static const double S[]={@steps@};
static double w[@weights@],a[D+N];
static void decode(void){
int n,k,i=0;
@decode@
}
static void nodes(double x,double y){
int n,k,i=0;
a[0]=1;a[1]=x;a[2]=y;
@extra@for(n=0;n<N;n++){
double z=0;
for(k=0;k<D+n;k++)z+=w[i++]*a[k];
switch(F[n]){
@cases@
}
a[D+n]=z;
}
}
"""

_PPM = "P6 %d %d 255\\n"
_PAM = "P7\\nWIDTH %d\\nHEIGHT %d\\nDEPTH 4\\nMAXVAL 255\\nTUPLTYPE RGB_ALPHA\\nENDHDR\\n"  # PPM knows no alpha


def source(program: Program) -> str:
    """The program's text."""
    data, decode = _weights(program)
    network = fill(
        _NETWORK,
        inputs=program.inputs,
        neurons=program.neurons,
        weights=len(program.levels),
        data=data,
        decode=decode,
        digits=program.digits,
        steps=",".join(number(step) for step in program.steps),
        extra=_extra(program),
        cases="\n".join(_case(i, spelled(name, "c")) for i, name in enumerate(program.used)),
    )
    x = f"{number(program.x.slope)}*(i+.5)/W{signed(program.x.offset)}"
    y = f"{number(program.y.slope)}*(j+.5)/H{signed(program.y.offset)}"
    first = program.inputs + program.neurons - program.channels
    return shell(program, network, f"nodes({x},{y});", [f"256*a[{first + i}]" for i in program.shown])


def shell(picture: Picture, network: str, compute: str, shown: Sequence[str]) -> str:
    """A program around a text that defines ``decode()`` and what ``compute`` calls for column i and row j of W x H;
    ``shown`` are the bytes after it, not yet cut."""
    return fill(
        _SHELL,
        network=network,
        width=picture.size[0],
        height=picture.size[1],
        suffix="pam" if picture.alpha else "ppm",
        header=_PAM if picture.alpha else _PPM,
        compute=compute,
        store="".join(f"put({value});" for value in shown),
    )


def strings(text: str) -> str:
    """A long text as the array of strings L."""
    parts = [text[i : i + _LONGEST] for i in range(0, len(text), _LONGEST)]
    literals = ",\n".join(f'"{part}"' for part in parts)
    return f"static const char*const L[]={{{literals}}};"


def _case(number: int, expression: str) -> str:
    change = "" if expression == "z" else f"z={expression};"  # clang warns of z=z
    return f"case'{number}':{change}break;"


def _weights(program: Program) -> tuple[str, str]:
    """The numbers, and the loop that multiplies them with their steps."""
    scale = "S[(k>0)+(k>=D)]"
    loop = "for(n=0;n<N;n++)for(k=0;k<D+n;k++)"
    if not all(isinstance(level, int) for level in program.levels):
        return f"static const float L[]={{{values(program.levels)}}};", f"{loop}{{w[i]=L[i]*{scale};i++;}}"
    packed = pack([int(level) for level in program.levels])
    decode = (
        "const char*const*l=L,*s=*l;\n"
        f"{loop}{{\nint j,m=1,t={packed.low};\n"
        f"if(!*s)s=*++l;\nfor(j={packed.width};j--;m*={BASE}){{int c=*s++;t+=m*(c-35-(c>60)-(c>63)-(c>92));}}\n"
        f"w[i++]=t*{scale};\n}}"
    )
    return strings(packed.text), decode


def _extra(program: Program) -> str:
    text = "a[3]=sqrt(x*x+y*y);\n" if program.radius else ""
    if program.octaves:
        text += (
            f"for(k=0;k<{program.octaves};k++){{\n"
            f"double p=ldexp(3.141592653589793,k),*b=a+{3 + int(program.radius)}+4*k;\n"
            "b[0]=sin(p*x);b[1]=cos(p*x);b[2]=sin(p*y);b[3]=cos(p*y);\n}\n"
        )
    return text
