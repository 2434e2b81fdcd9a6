"""A model as a fragment shader: WebGL 2 (GLSL ES 3.00) as it stands, Shadertoy without its first line.

Nodes lie in vectors of four, each multiplied with the step of its kind, so that a neuron is a sum of dot products with
the bare levels. The code is straight: no loop and no indexed array, which many drivers would put into slow memory.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .expression import Picture, Program
from .packing import fill, number, real, signed, values
from .spelling import TAIL, spelled

__all__ = ["HELPERS", "begin", "end", "functions", "helpers", "preamble", "shell", "source"]

# What spellings call, for a float or a vector T. wave is sin(2 pi t), with the polynomials of csrc/core/math.h: a GPU's
# own sine may be wrong by 1/2000, and differs from maker to maker. The others stop before infinity.
HELPERS = {
    "wave": """\
T wave(T t){t-=floor(t+.5);T q=t*t;return 2.*t*(3.1415926369+q*(-5.1677096845+q*(2.5500697199+q*\
(-.59824208056+q*.077560285318))))*(.99999995346+q*(-4.9347928578+q*(4.0584118925+q*(-1.3318799996+q*.219696428))));}
""",
    "gelu": "T gelu(T z){T t=1./(1.+.28*abs(z));return max(z,0.)-abs(z)*t*" + TAIL + "*exp(-min(.5*z*z,80.));}\n",
    "square": "T square(T z){z=clamp(z,-1e18,1e18);return z*z;}\n",
    "xlogx": "T xlogx(T x){x=min(x,1e36);return x*log(x);}\n",
}

_SHELL = """\
#version 300 es
// A picture of @width@ x @height@ pixels, computed. Made by cppn_native.
// WebGL 2: as it stands. uniform vec2 resolution: of the viewport in pixels; uniform vec4 region: left, top, right,
// bottom in fractions of the picture, (0, 0, 1, 1) for all of it. Shadertoy: paste all but the first line.
#ifndef HW_PERFORMANCE
precision highp float;
#endif
@network@
#ifdef HW_PERFORMANCE
void mainImage(out vec4 c,in vec2 f){
vec2 s=vec2(@width@,@height@)*min(iResolution.x/@width@.,iResolution.y/@height@.),p=(f-.5*(iResolution.xy-s))/s;
c=p==clamp(p,0.,1.)?cppn(vec2(p.x,1.-p.y)):vec4(0,0,0,1);
}
#else
uniform vec2 resolution;
uniform vec4 region;
out vec4 color;
void main(){
vec2 p=gl_FragCoord.xy/resolution;
color=cppn(mix(region.xy,region.zw,vec2(p.x,1.-p.y)));
}
#endif
"""


def source(program: Program) -> str:
    """The shader's text."""
    neurons = "\n".join(_neuron(program, n) for n in range(program.neurons))
    return shell(program, f"{preamble(program)}{begin(program)}{neurons}\n{end(program)}")


def shell(picture: Picture, network: str) -> str:
    """A shader around a text that defines ``vec4 cppn(vec2 p)``, the colour of a place in fractions of the picture."""
    return fill(_SHELL, network=network, width=picture.size[0], height=picture.size[1])


def preamble(program: Program) -> str:
    """The activations, and the wave that octaves need."""
    text = functions(program.used)
    return text if "float wave(" in text or not program.octaves else helpers("wave(", "float") + text


def functions(names: Sequence[str], kind: str = "float") -> str:
    """f0, f1, ...: the activations of those names for a "float" or a "vec4", after what they call."""
    text = "".join(f"{kind} f{i}({kind} z){{return {spelled(name, 'glsl')};}}\n" for i, name in enumerate(names))
    return helpers(text, kind) + text


def helpers(text: str, kind: str) -> str:
    """Those of ``HELPERS`` that a text calls."""
    called = [body for name, body in HELPERS.items() if re.search(rf"\b{name}\(", text)]
    return re.sub(r"\bT\b", kind, "".join(called))


def begin(program: Program) -> str:
    """``vec4 cppn(vec2 p)`` up to the first neuron: nodes v0, v1, ... with the inputs in them; B is a neuron's step."""
    count = (program.inputs + program.neurons + 3) // 4
    one, other, neuron = (real(step) for step in program.steps)
    x = f"{real(program.x.slope)}*p.x{signed(program.x.offset, real)}"
    y = f"{real(program.y.slope)}*p.y{signed(program.y.offset, real)}"
    vectors = "".join(f",v{i}=vec4(0)" for i in range(count))
    inputs = [one] + [f"{other}*{value}" for value in _inputs(program)]
    stores = "".join(f"{_node(i)}={value};" for i, value in enumerate(inputs))
    return f"vec4 cppn(vec2 p){{\nconst float B={neuron};float x={x},y={y};vec4 o=vec4(0,0,0,1){vectors};\n{stores}\n"


def end(picture: Picture, gain: str = "256.*") -> str:
    """From the outputs o to what is shown, and the end of the function; ``gain`` makes bytes of o."""
    shown = {1: "vec4(o.xxx,1)", 2: "o.xxxy", 3: "vec4(o.xyz,1)", 4: "o"}[picture.channels]
    return f"o=floor(clamp({gain}o,0.,255.))/255.;\nreturn {shown};\n}}"


def _inputs(program: Program) -> list[str]:
    inputs = ["x", "y"]
    if program.radius:
        inputs.append("sqrt(x*x+y*y)")
    for k in range(program.octaves):
        frequency = real(0.5 * 2**k)
        for c in "xy":
            inputs += [f"wave({frequency}*{c})", f"wave({frequency}*{c}+.25)"]
    return inputs


def _node(index: int) -> str:
    return f"v{index // 4}.{'xyzw'[index % 4]}"


def _neuron(program: Program, n: int) -> str:
    row = program.row(n)
    texts = [number(v) if isinstance(v, int) else values([v]) for v in row]
    texts += ["0"] * (-len(texts) % 4)
    terms = [f"dot(v{i // 4},vec4({','.join(texts[i : i + 4])}))" for i in range(0, len(texts), 4)]
    value = f"f{program.digits[n]}({'+'.join(terms)})"
    output = n - (program.neurons - program.channels)
    node = _node(program.inputs + n)
    return f"{node}=B*{value};" if output < 0 else f"o.{'xyzw'[output]}={value};{node}=B*o.{'xyzw'[output]};"
