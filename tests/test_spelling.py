"""The table of spellings: every activation in every language computes what the formula says."""

import json
import math
import re
import shutil
import subprocess

import numpy as np
import pytest
from cppn_native import export
from cppn_native.activations import ACTIVATIONS
from cppn_native.export import glsl, spelling
from cppn_native.export.onnx import Graph, activated
from reference.activations import ACTIVATIONS as FORMULAS
from test_export import MIXES, MODELS

Z = np.array([0.0, 1e-4, 1e-3, 0.3, 1.0, 2.0, 2.6, 7.5, 30.0, 88.0, 100.0, 1000.0])
Z = np.concatenate([-Z[::-1], Z]).astype(np.float32).astype(np.float64)
NAMES = list(spelling.SPELLING)
WANT = {name: FORMULAS[name](Z)[0] for name in NAMES}


def assert_near(got, name, relative, absolute):
    """Programs have 1e-8 where we have the float nearest to it, 6e-9 of it away; gelu's polynomial is 5e-9 |z| away."""
    absolute = max(absolute, 3e-8) if name == "gelu" else absolute
    assert np.isfinite(got).all(), f"{name} is not finite at z = {Z[~np.isfinite(got)]}"
    np.testing.assert_allclose(got, WANT[name], relative, absolute, err_msg=name)


def test_every_activation_is_spelled_in_every_language():
    assert set(spelling.SPELLING) == set(ACTIVATIONS)
    for name, row in spelling.SPELLING.items():
        assert set(row) == set(spelling.LANGUAGES), name
        for language in spelling.LANGUAGES:
            assert spelling.spelled(name, language) == row[language]


def test_an_activation_that_nobody_spelled_is_named(monkeypatch):
    monkeypatch.delitem(spelling.SPELLING["gaussian"], "js")
    with pytest.raises(ValueError, match=r"'gaussian' cannot be exported to js"):
        export.export(MODELS["smooth"], target="js")


def test_the_sine_of_the_shader_is_one():
    t = np.linspace(-3, 3, 10001)
    formula = re.search(r"return (.*?);", glsl.HELPERS["wave"])[1]
    t = t - np.floor(t + 0.5)
    assert np.abs(eval(formula, {"t": t, "q": t * t}) - np.sin(2 * np.pi * t)).max() < 1e-7


# values ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_python_by_numpy_and_by_math(name):
    text = spelling.spelled(name, "python")
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert_near(eval(text, {**vars(np), "z": Z, "abs": abs}), name, 1e-8, 1e-15)
    own = {**vars(math), "maximum": max, "minimum": min, "sign": lambda z: (z > 0) - (z < 0)}
    assert_near([eval(text, {**own, "z": float(z)}) for z in Z], name, 1e-8, 1e-15)


def test_js(tmp_path):
    if shutil.which("node") is None:
        pytest.skip("no Node is installed")
    functions = ",".join(f"{name}:z=>{spelling.spelled(name, 'js')}" for name in NAMES)
    (tmp_path / "main.mjs").write_text(
        f"const r={{}};for(const[k,f]of Object.entries({{{functions}}}))r[k]={Z.tolist()}.map(f);"
        "console.log(JSON.stringify(r))"
    )
    found = json.loads(subprocess.run(["node", tmp_path / "main.mjs"], capture_output=True, check=True).stdout)
    for name in NAMES:
        assert_near(np.array(found[name], np.float64), name, 1e-8, 1e-15)


def test_c(tmp_path):
    compiler = next((c for c in ("gcc", "clang", "cc") if shutil.which(c)), None)
    if compiler is None:
        pytest.skip("no C compiler is installed")
    loops = "".join(
        f'for(i=0;i<{len(Z)};i++){{double z=Z[i];z={spelling.spelled(name, "c")};printf("%.17g ",z);}}\n'
        for name in NAMES
    )
    values = ",".join(map(repr, Z.tolist()))
    (tmp_path / "a.c").write_text(
        f"#include<math.h>\n#include<stdio.h>\nint main(void){{double Z[]={{{values}}};int i;\n{loops}return 0;}}"
    )
    subprocess.run([compiler, "-std=c99", "-o", tmp_path / "a", tmp_path / "a.c", "-lm"], check=True)
    found = subprocess.run([tmp_path / "a"], capture_output=True, check=True).stdout.split()
    for name, got in zip(NAMES, np.array(found, np.float64).reshape(len(NAMES), -1), strict=True):
        assert_near(got, name, 1e-8, 1e-15)


def test_onnx():
    """In float32, whose 1 - tanh(z) and z + 1 - 1 lose what is far below one."""
    onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    graph = Graph()
    helper, float32 = onnx.helper, onnx.TensorProto.FLOAT
    ends = [graph("Identity", activated(graph, name, "z"), into=name) for name in NAMES]
    made = helper.make_graph(
        graph._nodes,
        "all",
        [helper.make_tensor_value_info("z", float32, [None])]
        + [helper.make_tensor_value_info(side, onnx.TensorProto.INT64, []) for side in ("width", "height")],
        [helper.make_tensor_value_info(end, float32, [None]) for end in ends],
        graph._constants,
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    session = runtime.InferenceSession(model.SerializeToString())
    sides = dict.fromkeys(("width", "height"), np.array(1))
    for name, got in zip(NAMES, session.run(NAMES, {"z": Z.astype(np.float32), **sides}), strict=True):
        assert_near(got, name, 2e-6, 2e-6)


SHADE = """([source,zs]) => {
const c=document.createElement("canvas"),gl=c.getContext("webgl2"),p=gl.createProgram();
if(!gl.getExtension("EXT_color_buffer_float"))return null;
const w=zs.length,h=%d,t=gl.createTexture(),d=new Float32Array(4*w*h);
for(const[k,s]of[[gl.VERTEX_SHADER,"#version 300 es\\nvoid main(){gl_Position=vec4(gl_VertexID==1?3:-1,\
gl_VertexID==2?3:-1,0,1);}"],[gl.FRAGMENT_SHADER,source]]){
const o=gl.createShader(k);gl.shaderSource(o,s);gl.compileShader(o);
if(!gl.getShaderParameter(o,gl.COMPILE_STATUS))throw Error(gl.getShaderInfoLog(o));
gl.attachShader(p,o)}
gl.linkProgram(p);gl.useProgram(p);
gl.uniform1fv(gl.getUniformLocation(p,"zs"),zs);
gl.bindTexture(gl.TEXTURE_2D,t);gl.texStorage2D(gl.TEXTURE_2D,1,gl.RGBA32F,w,h);
gl.bindFramebuffer(gl.FRAMEBUFFER,gl.createFramebuffer());
gl.framebufferTexture2D(gl.FRAMEBUFFER,gl.COLOR_ATTACHMENT0,gl.TEXTURE_2D,t,0);
gl.viewport(0,0,w,h);gl.drawArrays(gl.TRIANGLES,0,3);
gl.readPixels(0,0,w,h,gl.RGBA,gl.FLOAT,d);
return[...d]}"""


def test_glsl(chromium):
    """Of numbers and of vectors, up to the largest floats: those may be cut, but not infinite."""
    big = np.float32([1e15, 1e19, 1e30, 3e38])
    z = np.concatenate([Z, -big, big]).astype(np.float32).astype(np.float64)
    cases = "".join(f"case {i}:o=vec4(f{i}(z),g{i}(vec4(z,z,z,z)).xyz);break;\n" for i in range(len(NAMES)))
    vectors = re.sub(r"\bf(\d+)\(", r"g\1(", glsl.functions(NAMES, "vec4"))
    page = chromium.new_page()
    data = page.evaluate(SHADE % len(NAMES), [
        "#version 300 es\nprecision highp float;\n" + glsl.functions(NAMES) + vectors + f"uniform float zs[{len(z)}];"
        "out vec4 o;\nvoid main(){float z=zs[int(gl_FragCoord.x)];switch(int(gl_FragCoord.y)){\n" + cases + "}}",
        z.tolist(),
    ])  # fmt: skip
    page.close()
    if data is None:
        pytest.skip("this browser has no float textures to draw into")
    found = np.array(data, np.float64).reshape(len(NAMES), len(z), 4)
    assert np.isfinite(found).all()
    for name, got in zip(NAMES, found, strict=True):
        for k in range(4):
            assert_near(got[: len(Z), k], name, 3e-6, 2e-4 if name in ("sine", "sin", "cos") else 3e-6)


# the mixed models --------------------------------------------------------------------------------------------------


def test_the_mixed_models_have_every_activation():
    assert {name for hidden, output in MIXES.values() for name in (*hidden, output)} == set(ACTIVATIONS)


@pytest.mark.parametrize("mix, name", [(mix, f) for mix, (hidden, out) in MIXES.items() for f in (*hidden, out)])
def test_no_activation_of_a_mixed_model_could_be_wrong_unseen(mix, name, monkeypatch):
    """So the comparisons of programs with models in test_export.py say something about each."""
    row = spelling.SPELLING[name]
    monkeypatch.setitem(row, "python", f"({row['python']})*.9")
    space = {"__name__": "program"}
    exec(export.export(MODELS[mix], target="py", verify=False), space)
    size = MODELS[mix].size
    got = np.frombuffer(space["render"](*size), np.uint8).astype(int)
    assert np.abs(got - MODELS[mix].render(size).ravel()).max() > 1
