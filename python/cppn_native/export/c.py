"""A model as a C99 program of one file that writes the picture to its standard output."""

from __future__ import annotations

from .expression import Program
from .packing import BASE, fill, number, pack, signed, values
from .spelling import spelled

__all__ = ["source"]

_LONGEST = 3996
"""Characters of one string literal: C99 promises 4095, and this is a multiple of every width of a number."""

_TEMPLATE = """\
/* A picture of @width@ x @height@ pixels, computed. Made by cppn_native.
   cc -O2 THIS.c -lm && ./a.out [width height] > picture.@suffix@ */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
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
static void put(double v){putchar(v>0?v<255?(int)v:255:0);}
int main(int c,char**v){
int W=c>2?atoi(v[1]):@width@,H=c>2?atoi(v[2]):@height@,i,j;
if(W<1||H<1)return fprintf(stderr,"usage: %s [width height] > picture.@suffix@\\n",v[0]),2;
decode();
printf("@header@",W,H);
for(j=0;j<H;j++)for(i=0;i<W;i++){
nodes(@sx@*(i+.5)/W@ox@,@sy@*(j+.5)/H@oy@);
@store@
}
return fflush(stdout)||ferror(stdout);
}
"""

_PPM = "P6 %d %d 255\\n"
_PAM = "P7\\nWIDTH %d\\nHEIGHT %d\\nDEPTH 4\\nMAXVAL 255\\nTUPLTYPE RGB_ALPHA\\nENDHDR\\n"  # PPM knows no alpha


def source(program: Program) -> str:
    """The program's text."""
    data, decode = _weights(program)
    first = program.inputs + program.neurons - program.channels
    return fill(
        _TEMPLATE,
        width=program.size[0],
        height=program.size[1],
        suffix="pam" if program.alpha else "ppm",
        header=_PAM if program.alpha else _PPM,
        inputs=program.inputs,
        neurons=program.neurons,
        weights=len(program.levels),
        data=data,
        decode=decode,
        digits=program.digits,
        steps=",".join(number(step) for step in program.steps),
        extra=_extra(program),
        cases="\n".join(_case(i, spelled(name, "c")) for i, name in enumerate(program.used)),
        store="".join(f"put(256*a[{first + i}]);" for i in program.shown),
        sx=number(program.x.slope),
        ox=signed(program.x.offset),
        sy=number(program.y.slope),
        oy=signed(program.y.offset),
    )


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
    parts = [packed.text[i : i + _LONGEST] for i in range(0, len(packed.text), _LONGEST)]
    strings = ",\n".join(f'"{part}"' for part in parts)
    data = f"static const char*const L[]={{{strings}}};"
    decode = (
        "const char*const*l=L,*s=*l;\n"
        f"{loop}{{\nint j,m=1,t={packed.low};\n"
        f"if(!*s)s=*++l;\nfor(j={packed.width};j--;m*={BASE}){{int c=*s++;t+=m*(c-35-(c>60)-(c>63)-(c>92));}}\n"
        f"w[i++]=t*{scale};\n}}"
    )
    return data, decode


def _extra(program: Program) -> str:
    text = "a[3]=sqrt(x*x+y*y);\n" if program.radius else ""
    if program.octaves:
        text += (
            f"for(k=0;k<{program.octaves};k++){{\n"
            f"double p=ldexp(3.141592653589793,k),*b=a+{3 + int(program.radius)}+4*k;\n"
            "b[0]=sin(p*x);b[1]=cos(p*x);b[2]=sin(p*y);b[3]=cos(p*y);\n}\n"
        )
    return text
