"""Exported programs are run, and show what the model shows: every byte within 1 of ``model.render``."""

import io
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from browser import REGION, SHADER, SHADERTOY, WEBGL, read
from cppn_native import Cascade, CascadeConfig, ExportError, export, load
from cppn_native.export import packing, spelling, verify
from PIL import Image

EXAMPLE = Path(__file__).parents[1] / "examples" / "starry_night.cppn"
COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]


def cascade(config, size=(21, 13), seed=1, high=40, quantized=True, steps=(0.02, 0.04, 0.01)):
    """Random levels, of a strength that trained networks have: chaos would amplify the last bit of any sine."""
    rng = np.random.default_rng(seed)
    levels = rng.integers(-high, high + 1, config.weights)
    model = Cascade(config, size, levels, np.array(steps) * (40 / high))
    return model if quantized else model.with_levels(levels + rng.uniform(-0.4, 0.4, config.weights))


MIXED = ("sine", "gaussian", "identity", "tanh", "sine", "sigmoid")

STEEP = ("log_abs", "log_square", "log_relu", "sgn")
"""Infinitely steep at zero, or nearly, where the last bit of a float becomes a visible step."""

MIXES = {  # what hidden neurons have in turn, and the outputs: all activations, at most ten a model
    "smooth": (("sigmoid", "gaussian", "identity", "tanh", "cos", "sin", "softplus", "square", "hard_sigmoid"), "sine"),
    "folded": (("log_abs", "relu", "abs", "log_square", "sgn", "log_abs_p1", "gelu"), "sigmoid"),
    "x-log-x": (("xlogx_abs", "xlogx_square", "log_relu", "xlogx_relu", "xlogx_abs_p1", "xlogx_relu_p1"), "abs_tanh"),
}


def mixed(hidden, output):
    """Three neurons of each. Those of ``STEEP`` see x and y alone, and lie 0.05 or more from zero in every part of the
    plane that these tests look at, the first above it, the second below."""
    config = CascadeConfig(3 * len(hidden) + 3, 3, 3 * hidden, output)
    model = cascade(config, steps=(0.02, 0.04, 0.012))
    levels, start = model.levels.copy(), 0
    for n, name in enumerate(config.activation_names):
        row = levels[start : start + 3 + n]
        if name in STEEP:
            row[0], row[3:] = 40 * (-1) ** (n // len(hidden)), 0  # of 0.02; x, y reach 1 and 1.24, by 8 of 0.04
            row[1:3] //= 5
        start += 3 + n
    return model.with_levels(levels)


MODELS = {
    **{name: mixed(*mix) for name, mix in MIXES.items()},
    "all-sine": cascade(CascadeConfig(9, 3, "sine", "sine")),
    "grey": cascade(CascadeConfig(7, 1, MIXED, "sigmoid"), (17, 31)),
    "grey-alpha": cascade(CascadeConfig(8, 2, MIXED, "sigmoid")),
    "rgba": cascade(CascadeConfig(10, 4, MIXED, "sigmoid"), (24, 24)),
    "outputs-only": cascade(CascadeConfig(3, 3, output_activation="sigmoid")),
    "seed-coords": cascade(CascadeConfig(12, 3, coords="seed"), (301, 7)),
    "radius": cascade(CascadeConfig(12, 3, radius=True)),
    "octaves": cascade(CascadeConfig(12, 3, octaves=3)),
    "all-inputs": cascade(CascadeConfig(9, 3, MIXED, "sigmoid", "seed", True, 7), (40, 23)),
    "floats": cascade(CascadeConfig(9, 3, MIXED, octaves=1), quantized=False),
    "two-digits": cascade(CascadeConfig(12, 3), high=2000),
    "three-digits": cascade(CascadeConfig(60, 3), high=32767, steps=(0.005, 0.01, 0.002)),  # several C literals
    "starry-night": load(EXAMPLE),
}


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]


def sizes_of(model):
    """The fitted size unless that is large, an odd one, one pixel."""
    width, height = model.size
    return [model.size if width * height < 3000 else (47, 39), (19, 11), (1, 1)]


def wanted(model, size, region=None):
    """RGBA, (H, W, 4)."""
    pixels = model.render(size, region=region)
    if pixels.shape[2] == 2:
        return pixels[:, :, [0, 0, 0, 1]]
    return pixels if pixels.shape[2] == 4 else np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])


def assert_shows(got, model, size, region=None):
    want = wanted(model, size, region)[:, :, : got.shape[2]]
    assert got.shape == want.shape
    off = np.abs(got.astype(int) - want)
    assert off.max() <= 1, f"{(off > 1).sum()} of {off.size} bytes differ, by up to {off.max()}"
    edges = np.count_nonzero(off)  # few bytes are that near an edge; 255 a, or rounding, would move many more
    assert edges <= 2 + 0.01 * off.size, f"{edges} of {off.size} bytes differ by 1"


def run(*command, cwd):
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    assert not done.stderr, done.stderr.decode()
    return done.stdout


# numbers as text ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("low, high, width", [(0, 0, 1), (-3, 85, 1), (-3, 86, 2), (-32767, 32767, 3)])
def test_packed_numbers_come_back(low, high, width):
    levels = [low, high, *range(low, high, 97)]
    packed = packing.pack(levels)
    assert packed.width == width and len(packed.text) == width * len(levels)
    assert not set(packed.text) & set('<?\\"')
    digits = [c - 35 - (c > 60) - (c > 63) - (c > 92) for c in packed.text.encode()]
    groups = [digits[i : i + width] for i in range(0, len(digits), width)]
    assert [packed.low + sum(d * packing.BASE**j for j, d in enumerate(group)) for group in groups] == levels


def test_every_digit_survives_every_language(tmp_path):
    config = CascadeConfig(30, 3)
    levels = np.resize(np.arange(-44, 45), config.weights)
    plain = Cascade(config, (9, 9), levels, (0.004,) * 3)
    assert len(set(packing.pack(levels.tolist()).text)) == packing.BASE
    for target in ("py", "js", "c"):
        verify.run_and_compare(plain, target, export.export(plain, target=target, verify=False))


# what runs anywhere ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flags", [[], ["-S"]], ids=["numpy", "plain"])
def test_python(model, flags, tmp_path):
    export.export(model, tmp_path / "out.py", verify=False)
    check = "import importlib.util as u;print(u.find_spec('numpy') is not None)"
    assert run(sys.executable, "-I", *flags, "-c", check, cwd=tmp_path).split() == [str(not flags).encode()]
    for size in sizes_of(model):
        run(sys.executable, "-IBW", "error", *flags, "out.py", "out.png", *size, cwd=tmp_path)
        with Image.open(tmp_path / "out.png") as picture:
            assert_shows(np.asarray(picture), model, size)


@pytest.mark.parametrize("name", ["grey", "all-sine", "rgba"])
def test_python_writes_ppm_of_the_default_size(name, tmp_path):
    model = MODELS[name]
    export.export(model, tmp_path / "out.py", verify=False, size=(15, 8))
    run(sys.executable, "-IB", "out.py", "out.ppm", cwd=tmp_path)
    got = np.asarray(Image.open(tmp_path / "out.ppm")).astype(int)
    want = wanted(model, (15, 8)).astype(int)
    alpha = want[:, :, 3:]
    on_white = (want[:, :, :3] * alpha + 255 * (255 - alpha) + 127) // 255
    assert got.shape == (8, 15, 3) and np.abs(got - on_white).max() <= 2


def test_python_refuses_wrong_arguments(tmp_path):
    export.export(MODELS["grey"], tmp_path / "out.py", verify=False)
    done = subprocess.run([sys.executable, "-IB", "out.py"], cwd=tmp_path, capture_output=True)
    assert done.returncode == 1 and b"usage" in done.stderr


@pytest.mark.parametrize("compiler", [*COMPILERS, *(["none"] if not COMPILERS else [])])
def test_c(model, compiler, tmp_path):
    if compiler == "none":
        pytest.skip("no C compiler is installed")
    export.export(model, tmp_path / "out.c", verify=False)
    strict = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Wconversion", "-Wno-float-conversion", "-Werror"]
    run(compiler, *strict, "-O1", "out.c", "-o", "out", "-lm", cwd=tmp_path)
    for size in sizes_of(model):
        data = run(tmp_path / "out", *size, cwd=tmp_path)
        channels = 4 if model.config.channels in (2, 4) else 3
        head, pixels = data[: -size[0] * size[1] * channels], data[-size[0] * size[1] * channels :]
        assert_shows(np.frombuffer(pixels, np.uint8).reshape(size[1], size[0], channels), model, size)
        if channels == 3:
            assert Image.open(io.BytesIO(data)).size == size
        else:
            assert head.startswith(b"P7\nWIDTH %d\nHEIGHT %d\nDEPTH 4\n" % size) and head.endswith(b"ENDHDR\n")


def test_c_refuses_sizes_that_are_none(tmp_path):
    if not COMPILERS:
        pytest.skip("no C compiler is installed")
    export.export(MODELS["grey"], tmp_path / "out.c", verify=False, size=(5, 4))
    run(COMPILERS[0], "out.c", "-o", "out", "-lm", cwd=tmp_path)
    assert run(tmp_path / "out", cwd=tmp_path).startswith(b"P6 5 4 255\n")
    done = subprocess.run([tmp_path / "out", "0", "5"], capture_output=True)
    assert done.returncode == 2 and b"usage" in done.stderr and not done.stdout


def test_js(model, tmp_path):
    if shutil.which("node") is None:
        pytest.skip("no Node is installed")
    export.export(model, tmp_path / "out.mjs", "js", verify=False)
    region = (0.25, -0.5, 0.5, 1.5)
    shots = [(size, (0, 0, 1, 1)) for size in sizes_of(model)] + [((13, 9), region)]
    calls = ";".join(f"process.stdout.write(render({w},{h},{list(r)}))" for (w, h), r in shots)
    (tmp_path / "main.mjs").write_text(f"import {{render}} from './out.mjs';{calls}")
    data = run("node", "main.mjs", cwd=tmp_path)
    for (width, height), where in shots:
        count = width * height * 4
        got, data = np.frombuffer(data[:count], np.uint8).reshape(height, width, 4), data[count:]
        assert_shows(got, model, (width, height), where)
    assert not data


# the door ----------------------------------------------------------------------------------------------------------


def test_onnx(model):
    """By onnxruntime, whose sine may be off by more than ours in a phase of many turns: see docs/exporting.md."""
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(export.export(model, target="onnx", verify=False))
    for width, height in sizes_of(model):
        (got,) = session.run(["picture"], {"width": np.array(width), "height": np.array(height)})
        shown = model.render((width, height))
        off = np.abs(got.astype(int) - shown[:, :, : got.shape[2]])
        assert got.shape == (height, width, model.config.channels) and off.max() <= 1


def test_onnx_without_its_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'cppn-native\[onnx\]'"):
        export.export(MODELS["grey"], target="onnx")
    assert "onnx" not in export.sizes(MODELS["grey"])


@pytest.mark.parametrize("target", export.TARGETS)
def test_export_writes_what_it_returns(target, tmp_path):
    if target == "onnx":
        pytest.importorskip("onnx")
    model = MODELS["all-sine" if target == "pyth" else "grey"]  # Pyth programs have one kind of hidden neuron
    path = tmp_path / f"out.{target}"
    text = export.export(model, path)
    data = text.encode() if isinstance(text, str) else text
    assert path.read_bytes() == data and text == export.export(model, target=f".{target.upper()}")
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_export_names_the_targets_there_are(tmp_path):
    model = MODELS["grey"]
    with pytest.raises(ValueError, match=r"target must be one of py, js, c, glsl, html.*, got 'rs'"):
        export.export(model, target="rs")
    with pytest.raises(ValueError, match=r"path must end in one of \.py, \.js, .*got '.*out\.rs'"):
        export.export(model, tmp_path / "out.rs")
    with pytest.raises(ValueError, match="a path or a target"):
        export.export(model)
    with pytest.raises(ValueError, match="size must be"):
        export.export(model, target="py", size=(0, 3))
    with pytest.raises(ValueError, match=r"only cascades, perceptrons, .* got str"):
        export.export("model", target="py")
    with pytest.raises(ValueError, match="activation"):  # the Pyth programs have a table of their own
        export.export(MODELS["folded"], target="pyth")


def test_sizes_are_those_of_the_exports():
    model = MODELS["starry-night"]
    found = export.sizes(model)
    assert {"py", "js", "c", "glsl", "html"} <= set(found) <= set(export.TARGETS)
    for target, size in found.items():
        text = export.export(model, target=target, verify=False)
        assert size == len(text.encode() if isinstance(text, str) else text)
    assert found["c"] < 3500 and found["html"] < 10000


# verification ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["py", "js", "c"])
def test_verify_refuses_a_program_of_another_model(target, tmp_path):
    model = MODELS["radius"]
    other = model.with_levels(model.levels + (np.arange(len(model.levels)) == 40) * 9)
    text = export.export(other, target=target, verify=False)
    assert verify.run_and_compare(other, target, text).difference <= 1
    if not verify.run_and_compare(other, target, text).ran:
        pytest.skip("nothing here runs it")
    with pytest.raises(ExportError, match=r"differs from the model in \d+ of \d+ bytes by more than 1: by \d+ at x="):
        verify.run_and_compare(model, target, text)


def test_export_writes_nothing_that_failed(tmp_path, monkeypatch):
    monkeypatch.setitem(spelling.SPELLING["sine"], "python", ".5+.4*sin(z)")
    with pytest.raises(ExportError, match="py by python differs"):
        export.export(MODELS["all-sine"], tmp_path / "out.py")
    monkeypatch.setitem(spelling.SPELLING["sine"], "python", "no_such_name(z)")
    with pytest.raises(ExportError, match="no_such_name"):
        export.export(MODELS["all-sine"], tmp_path / "out.py")
    assert not list(tmp_path.iterdir())


def test_verify_says_what_it_could_not_run(monkeypatch):
    model = MODELS["grey"]
    for target in ("glsl", "html"):
        record = export.run_and_compare(model, target, export.export(model, target=target))
        assert record.ran == () and record.skipped and record.difference == -1
    monkeypatch.setattr(verify.shutil, "which", lambda name: None)
    assert export.run_and_compare(model, "c", "").skipped == ("no C compiler is installed",)
    assert export.run_and_compare(model, "js", "").skipped == ("no Node is installed",)
    monkeypatch.setattr(verify, "SECONDS", 0.001)
    assert "longer than" in export.run_and_compare(model, "py", "").skipped[0]


def test_verify_runs_python_with_and_without_numpy():
    model = MODELS["starry-night"]
    record = export.run_and_compare(model, "py", export.export(model, target="py", verify=False))
    assert record.ran == ("python", "python without numpy") and record.difference <= 1


# in a browser ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [None, (35, 27)], ids=["fitted", "other"])
def test_glsl(model, size, chromium):
    shader = export.export(model, target="glsl", verify=False)
    page = chromium.new_page()
    for (width, height), region in [(size or model.size, (0, 0, 1, 1)), ((11, 14), (0.25, -0.5, 0.5, 1.5))]:
        data = page.evaluate(SHADER, [shader, width, height, region])
        got = np.array(data, np.uint8).reshape(height, width, 4)[::-1]
        assert_shows(got, model, (width, height), region)
    page.close()


def test_glsl_on_shadertoy(model, chromium):
    body = export.export(model, target="glsl", verify=False).partition("\n")[2]
    (width, height), page = model.size, chromium.new_page()
    data = page.evaluate(SHADER, [SHADERTOY % body, width + 6, height, [0, 0, 1, 1]])
    page.close()
    got = np.array(data, np.uint8).reshape(height, width + 6, 4)[::-1]
    assert_shows(got[:, 3:-3], model, model.size)
    assert (got[:, [0, 1, 2, -3, -2, -1]] == [0, 0, 0, 255]).all()


@pytest.mark.parametrize("kind", WEBGL)
def test_page_shows_the_picture(model, kind, open_page):
    got = read(open_page(model, kind), kind)
    if kind == "2d" and model.config.channels in (2, 4):  # such a canvas stores colours multiplied with alpha
        want = wanted(model, model.size).astype(int)
        assert np.abs(got[:, :, 3].astype(int) - want[:, :, 3]).max() <= 1
        room = 2 + 255 / np.maximum(want[:, :, 3:], 1)
        assert (np.abs(got[:, :, :3].astype(int) - want[:, :, :3]) <= room).all()
    else:
        assert_shows(got, model, model.size)


@pytest.mark.parametrize("kind", WEBGL)
def test_page_fits_the_window_at_every_density(kind, open_page):
    model = MODELS["rgba" if kind == "webgl" else "grey"]  # 24 x 24, 17 x 31
    page = open_page(model, kind, (80, 31), device_scale_factor=2)
    got = read(page, kind)
    assert got.shape == (62, 160, 4)
    width = 62 if kind == "webgl" else 34
    left = (160 - width) // 2
    assert_shows(got[:, left : left + width], model, (width, 62))
    assert not got[:, :left].any() and not got[:, left + width :].any()
    page.set_viewport_size({"width": 40, "height": 50})
    assert read(page, kind).shape == (100, 80, 4)


@pytest.mark.parametrize("kind", WEBGL)
def test_page_zooms_about_the_pointer_and_pans(kind, open_page):
    model, size = MODELS["radius"], (84, 52)
    page = open_page(model, kind, size)
    home = page.evaluate(REGION)

    def now():
        pixels, region = read(page, kind), page.evaluate(REGION)
        assert_shows(pixels, model, size, region)
        return region

    page.mouse.move(21, 13)
    page.mouse.wheel(0, -600)
    wheel = now()
    assert wheel[2] - wheel[0] == pytest.approx((home[2] - home[0]) / np.exp(0.9))
    for axis, at in enumerate((1 / 4, 1 / 4)):  # within the pixel that the picture is laid on
        before, after = (r[axis] + at * (r[axis + 2] - r[axis]) for r in (home, wheel))
        assert after == pytest.approx(before, abs=1 / 52)
    page.mouse.down()
    page.mouse.move(41, 23)
    page.mouse.up()
    drag = now()
    step = (wheel[2] - wheel[0]) / 84
    assert drag[0] == pytest.approx(max(0, wheel[0] - 20 * step), abs=step)
    page.mouse.move(50, 50)  # no button: no drag
    assert page.evaluate(REGION) == drag
    page.keyboard.press("ArrowRight")
    assert now()[0] > drag[0]
    page.keyboard.press("ArrowDown")
    assert now()[1] > drag[1]
    page.keyboard.press("+")
    closer = now()
    assert closer[2] - closer[0] == pytest.approx((drag[2] - drag[0]) / 1.25)
    page.keyboard.press("-")
    page.keyboard.press("0")
    assert now() == home
    page.keyboard.press("-")
    assert now() == home  # the whole picture is as far away as one gets


def test_page_pinches(open_page):
    model, size = MODELS["starry-night"], (96, 80)
    page = open_page(model, "webgl", size, has_touch=True, is_mobile=True)
    home = page.evaluate(REGION)
    touch = page.context.new_cdp_session(page)

    def send(kind, *points):
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    send("touchStart", (40, 40))
    send("touchStart", (40, 40), (56, 40))
    send("touchMove", (32, 40), (64, 40))
    send("touchEnd")
    pixels, region = read(page, "webgl"), page.evaluate(REGION)
    assert region[2] - region[0] == pytest.approx((home[2] - home[0]) / 2, rel=0.05)
    assert_shows(pixels, model, size, region)


def test_page_survives_the_loss_of_its_gpu(open_page):
    model = MODELS["all-sine"]
    page = open_page(model)
    lose = "()=>{window.x=document.querySelector('canvas').getContext('webgl2').getExtension('WEBGL_lose_context');"
    page.evaluate(lose + "x.loseContext()}")
    page.wait_for_timeout(200)
    page.evaluate("()=>{delete document.querySelector('canvas').dataset.done;x.restoreContext()}")
    assert_shows(read(page, "webgl"), model, model.size)
