"""A random picture as a fragment shader: WebGL 2 (GLSL ES 3.00) as it stands, Shadertoy without its first line.

Features lie in vectors of four, h[0], h[1], ...; a layer is a loop over the four by four blocks of its weights, which a
function W(k) gives by columns. ``texels`` is their order.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...activations import ACROSS
from .. import glsl
from ..packing import fill, real, values
from ..spelling import SPELLING
from .across import definitions
from .program import DenseProgram, Row, bias_of
from .terms import Words, inputs, outputs

__all__ = ["network", "source", "texels"]

MOST = 4096
"""Vectors of weights that a shader can hold: compilers give up, or take minutes, at some number of constants."""

_WORDS = Words("wave({})", "wave({}+.25)", "length(vec2({x},{y}))", real)

_NETWORK = """\
@functions@vec4 h[@widest@],g[@widest@];
#define A(i) g[(i)>>2][(i)&3]
@across@void layer(int k,int m,int n){for(int o=0;o<n;o++){
vec4 z=W(k);k++;
for(int i=0;i<m;i++,k+=4)z+=mat4(W(k),W(k+1),W(k+2),W(k+3))*h[i];
g[o]=z;}}
vec4 cppn(vec2 p){
float x=p.x,y=p.y;
@inputs@
@layers@
vec4 o=vec4(@outputs@);
@end@"""


def source(program: DenseProgram) -> str:
    """The shader's text; ``ValueError`` for a network that is too large for one."""
    table = texels(program)
    if len(table) > MOST:
        raise ValueError(
            f"a shader holds up to {4 * MOST} weights, this network needs {table.size}: "
            "a page (html) has them in a texture"
        )
    rows = ",\n".join(f"vec4({values(row.tolist())})" for row in table)
    held = f"const vec4 w[{len(table)}]=vec4[{len(table)}](\n{rows});\n#define W(k) w[k]\n"
    return glsl.shell(program, held + network(program))


def network(program: DenseProgram) -> str:
    """``vec4 cppn(vec2 p)``, where W(k) is."""
    names = [name if name in SPELLING else "identity" for name in program.used]  # fk is of program.used[k]
    ins = inputs(program.plane, _WORDS)
    ins += ["0."] * (-len(ins) % 4)
    stores = "".join(f"h[{i // 4}]=vec4({','.join(ins[i : i + 4])});" for i in range(0, len(ins), 4))
    outs = outputs(program, lambda c: f"h[0].{'xyzw'[c]}", real)
    outs += ["0."] * (4 - len(outs))
    return fill(
        _NETWORK,
        functions=glsl.helpers(stores, "float") + glsl.functions(names, "vec4"),
        widest=_blocks(program.widest),
        across=definitions(program.used, program.normalizes, "glsl"),
        inputs=stores,
        layers="\n".join(_layer(program, row, k) for row, k in zip(program.rows(), _starts(program), strict=True)),
        outputs=",".join(outs),
        end=glsl.end(program, gain=""),
    )


def texels(program: DenseProgram) -> NDArray[np.float32]:
    """(N, 4): for each layer and each four outputs the four biases, then for each input the four weights; what is
    missing to a multiple of four is zero."""
    parts = []
    for layer in program.distinct():
        m, n = (_blocks(side) for side in layer.weights.shape)
        padded = np.zeros((1 + 4 * m, 4 * n), np.float32)
        padded[0, : layer.weights.shape[1]] = bias_of(layer)
        padded[1 : 1 + layer.weights.shape[0], : layer.weights.shape[1]] = layer.weights
        parts.append(padded.reshape(1 + 4 * m, n, 4).transpose(1, 0, 2).reshape(-1, 4))
    return np.concatenate(parts)


def _starts(program: DenseProgram) -> list[int]:
    """Where in the texels each layer begins."""
    found: dict[int, int] = {}
    end = 0
    for row in program.rows():
        if row.start not in found:
            found[row.start] = end
            end += (1 + 4 * _blocks(row.inputs)) * _blocks(row.outputs)
    return [found[row.start] for row in program.rows()]


def _layer(program: DenseProgram, row: Row, start: int) -> str:
    n, blocks, name = row.outputs, _blocks(row.outputs), program.used[row.function]
    each = f"for(int i=0;i<{blocks};i++)"
    function = f"{name}({n});" if name in ACROSS else f"{each}g[i]=f{row.function}(g[i]);"
    before, after = (f"normalized({n});" if row.normalize == place else "" for place in (1, 2))
    end = f"{each}h[i]{'+=' if row.residual else '='}g[i];"
    return f"layer({start},{_blocks(row.inputs)},{blocks});{before}{function}{after}{end}"


def _blocks(features: int) -> int:
    return -(-features // 4)
