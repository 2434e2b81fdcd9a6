"""A model as a fragment shader: WebGL 2 (GLSL ES 3.00) as it stands, Shadertoy without its first line.

Nodes lie in vectors of four, each multiplied with the step of its kind, so that a neuron is a sum of dot products with
the bare levels. The code is straight: no loop and no indexed array, which many drivers would put into slow memory.
"""

from __future__ import annotations

from .expression import Program
from .packing import fill, number, real, signed, values
from .spelling import spelled

__all__ = ["begin", "end", "functions", "source"]

# sin(2 pi t), with the polynomials of csrc/core/math.h: a GPU's own sine may be wrong by 1/2000, and differs from
# maker to maker.
_WAVE = """\
float wave(float t){t-=floor(t+.5);float q=t*t;return 2.*t*(3.1415926369+q*(-5.1677096845+q*(2.5500697199+q*\
(-.59824208056+q*.077560285318))))*(.99999995346+q*(-4.9347928578+q*(4.0584118925+q*(-1.3318799996+q*.219696428))));}
"""

_TEMPLATE = """\
#version 300 es
// A picture of @width@ x @height@ pixels, computed. Made by cppn_native.
// WebGL 2: as it stands. uniform vec2 resolution: of the viewport in pixels; uniform vec4 region: left, top, right,
// bottom in fractions of the picture, (0, 0, 1, 1) for all of it. Shadertoy: paste all but the first line.
#ifndef HW_PERFORMANCE
precision highp float;
#endif
@functions@@begin@@neurons@
@end@
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
    return fill(
        _TEMPLATE,
        width=program.size[0],
        height=program.size[1],
        functions=functions(program),
        begin=begin(program),
        neurons="\n".join(_neuron(program, n) for n in range(program.neurons)),
        end=end(program),
    )


def functions(program: Program) -> str:
    """The activations: f0, f1, ... in the order of ``program.used``."""
    lines = [f"float f{i}(float z){{return {spelled(name, 'glsl')};}}\n" for i, name in enumerate(program.used)]
    text = "".join(lines)
    return _WAVE + text if "wave(" in text or program.octaves else text


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


def end(program: Program) -> str:
    """From the outputs o to what is shown, and the end of the function."""
    shown = {1: "vec4(o.xxx,1)", 2: "o.xxxy", 3: "vec4(o.xyz,1)", 4: "o"}[program.channels]
    return f"o=floor(clamp(256.*o,0.,255.))/255.;\nreturn {shown};\n}}"


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
