"""A random picture as a C99 program of one file that writes it to its standard output."""

from __future__ import annotations

from ...activations import ACROSS
from .. import c
from ..packing import fill
from ..spelling import spelled
from .across import definitions
from .program import DenseProgram
from .terms import Words, inputs, outputs

__all__ = ["source"]

_WORDS = Words("sin(6.283185307179586*({}))", "cos(6.283185307179586*({}))", "hypot({x},{y})")

# base64 holds the lowest byte of a number first, whatever this machine does.
_NETWORK = """\
#include <stdint.h>
#include <string.h>
#define N @count@
#define WIDEST @widest@
@data@
static const int T[][6]={@rows@};
static float w[N];
static double store[2][WIDEST],*h=store[0],*g=store[1];
static int digit(int c){return c>='a'?c-71:c>='A'?c-65:c>='0'?c+4:c=='+'?62:63;}
static void decode(void){
const char*const*l=L,*s=*l;
uint32_t bits=0,u=0;
int k=0,have=0,bytes=0;
while(k<N){
if(!*s)s=*++l;
bits=bits<<6|(uint32_t)digit(*s++);have+=6;
if(have<8)continue;
have-=8;u|=(bits>>have&255)<<8*bytes;
if(++bytes<4)continue;
memcpy(w+k++,&u,4);bytes=0;u=0;
}
}
@across@static void apply(int f,int n){
switch(f){
@cases@
}
}
static void network(double x,double y){
unsigned t;
@inputs@
for(t=0;t<sizeof T/sizeof*T;t++){
int m=T[t][0],n=T[t][1],i,j;
const float*v=w+T[t][5];
double*swap;
for(i=0;i<n;i++){double z=0;for(j=0;j<m;j++)z+=*v++*h[j];g[i]=z+*v++;}
@call@
if(T[t][4])for(i=0;i<n;i++)g[i]+=h[i];
swap=h;h=g;g=swap;
}
}
"""


def source(program: DenseProgram) -> str:
    """The program's text."""
    network = fill(
        _NETWORK,
        count=len(program.numbers()),
        widest=program.widest,
        data=c.strings(program.text()),
        rows=",".join(row.text("{}") for row in program.rows()),
        across=definitions(program.used, program.normalizes, "c"),
        cases="\n".join(_case(i, name) for i, name in enumerate(program.used)),
        inputs="".join(f"h[{i}]={text};" for i, text in enumerate(inputs(program.plane, _WORDS))),
        call=_NORMALIZED if program.normalizes else "apply(T[t][2],n);",
    )
    values = outputs(program)
    return c.shell(program, network, "network((i+.5)/W,(j+.5)/H);", [values[i] for i in program.shown])


_NORMALIZED = "if(T[t][3]==1)normalized(g,n);\napply(T[t][2],n);\nif(T[t][3]==2)normalized(g,n);"


def _case(number: int, name: str) -> str:
    if name in ACROSS:
        return f"case {number}:{name}(g,n);break;"
    return f"case {number}:for(int i=0;i<n;i++){{double z=g[i];g[i]={spelled(name, 'c')};}}break;"
