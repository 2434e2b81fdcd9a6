"""Random pictures as programs: what they show is compared with the formula in float64 (tests/reference/layers.py)."""

import base64
import io
import re
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from browser import REGION, SHADER, SHADERTOY, read
from cppn_native import ExportError, export
from cppn_native.activations import ACROSS
from cppn_native.art.latent import Latent
from cppn_native.art.painter import Painter
from cppn_native.export import dense, spelling, verify
from cppn_native.export.dense import across, glsl, html
from cppn_native.layers import Inputs, Layer
from cppn_native.plane import Plane, Term
from PIL import Image
from reference import layers as reference

WHOLE = (0.0, 0.0, 1.0, 1.0)


class Stretched:
    """Layers over a plane, each channel from its least value to its greatest, as the painters are."""

    def __init__(self, layers, plane, size=(21, 13)):
        self.size, self._layers, self._plane = size, layers, plane

    def layers(self):
        return self._layers

    def plane(self, size=None):
        return self._plane

    def span(self, size):
        flat = reference.evaluate(self._layers, self._plane.inputs(size)).reshape(-1, self._layers[-1].weights.shape[1])
        return flat.min(axis=0).astype(np.float32), flat.max(axis=0).astype(np.float32)

    def render(self, size=None):
        return formula(self, self.size if size is None else size)


class Plain(Stretched):
    """The same without a span: floor(256 v)."""

    span = None


def random_layers(*stages, seed=1):
    """From (outputs, nonlinearity, further arguments of ``Layer``); float32, as programs hold them."""
    rng, layers, features = np.random.default_rng(seed), [], stages[0]
    for outputs, name, *more in stages[1:]:
        weights = np.float32(rng.standard_normal((features, outputs)) * (3 if not layers else 1.5 / features**0.5))
        bias = np.float32(rng.standard_normal(outputs)) if len(layers) % 2 == 0 else None
        layers.append(Layer(weights.astype(float), bias, name, **dict(*more)))
        features = outputs
    return layers


def shared_layers():
    first, hidden, last = random_layers(2, (11, "sin"), (11, "tanh"), (3, "identity"))
    return [first, hidden, replace(hidden, nonlinearity="gaussian"), hidden, last]


FLAT = Plane((Term(2.0, -1.0),), (Term(2.0, -1.0),))
WAVES = Plane(
    (Term(1.0, -0.5, "sin", 0.8), Term(1.0, -0.5, "cos", 0.8), Term(3.0)),
    (Term(1.0, -0.5, "sin", 0.8), Term(1.0, 0.25, "cos")),
    (Term(2.0, -1.0), Term(0.5, -0.25, "sin", 1.5)),
)
SINES = ((13, "sin"), (3, "identity"))

PICTURES = {
    "sort": Stretched(random_layers(2, (9, "sort"), (9, "sin"), (10, "sort", {"residual": False}), (3, "tanh")), FLAT),
    "softmax": Stretched(random_layers(2, (7, "softmax"), (6, "logsoftmax"), (5, "sine"), (3, "softmax")), FLAT),
    "normalized": Stretched(
        random_layers(2, (9, "tanh", {"normalize": "before"}), (9, "softplus", {"normalize": "after"}), *SINES), FLAT
    ),
    "residual": Stretched(
        random_layers(2, (9, "cos"), (9, "tanh", {"residual": True}), (9, "sort", {"residual": True}), *SINES), FLAT
    ),
    "shared": Stretched(shared_layers(), FLAT),
    "waves": Plain(random_layers(6, (12, "gelu"), (8, "softplus"), (3, "sigmoid")), WAVES),
    "grey": Plain(random_layers(2, (5, "gaussian"), (1, "sigmoid")), FLAT, (17, 23)),
    "rgba": Plain(random_layers(2, (5, "sin"), (4, "sine")), FLAT, (24, 24)),
    "one-layer": Stretched(random_layers(2, (3, "identity")), FLAT),
    "painter": Painter((20, 15), hidden_size=14, nonlin="random_every_time", nr_channel=3, coord_bias=True, seed=17),
    "latent": Latent(3, net_size=10, variant="residual"),
}
PICTURES["latent"].size = (24, 18)


@pytest.fixture(params=PICTURES)
def picture(request):
    return PICTURES[request.param]


def formula(picture, size, region=WHOLE):
    """(H, W, 3), or (H, W, 4) with opacity: the picture as its program for ``picture.size`` has to show it."""
    plane = picture.plane(picture.size)
    ends = zip(size, (region[::2], region[1::2]), strict=True)
    x, y = (a + (b - a) * (np.arange(n) + 0.5) / n for n, (a, b) in ends)
    columns, rows = (np.stack([f(at) for f in terms]) for terms, at in ((plane.columns, x), (plane.rows, y)))
    radius = plane.radius and (plane.radius[0](x), plane.radius[1](y))
    layers = [replace(a, weights=np.float32(a.weights), bias=None if a.bias is None else np.float32(a.bias))
              for a in picture.layers()]  # fmt: skip
    v = reference.evaluate(layers, Inputs(columns, rows, radius))
    if getattr(picture, "span", None):
        low, high = (np.float64(end) for end in picture.span(picture.size))
        shown = 255 * (v - low) / (high - low + 1e-8)
    else:
        shown = 256 * v
    pixels = np.clip(np.floor(shown), 0, 255).astype(np.uint8)
    return pixels if pixels.shape[2] > 2 else np.repeat(pixels, 3, axis=2)


def assert_shows(got, picture, size, region=WHOLE):
    want = formula(picture, size, region)
    assert got.shape[:2] == want.shape[:2]
    if got.shape[2] > want.shape[2]:
        assert (got[:, :, 3] == 255).all()
    off = np.abs(got[:, :, : want.shape[2]].astype(int) - want[:, :, : got.shape[2]])
    assert off.max() <= 1, f"{(off > 1).sum()} of {off.size} bytes differ, by up to {off.max()}"
    edges = np.count_nonzero(off)
    assert edges <= 3 + 0.01 * off.size, f"{edges} of {off.size} bytes differ by 1"


def run(*command, cwd):
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, timeout=60)
    assert done.returncode == 0 and not done.stderr, done.stderr.decode()
    return done.stdout


def test_these_pictures_are_pictures(picture):
    """So that a wrong program is seen."""
    pixels = formula(picture, picture.size)
    assert len(np.unique(pixels[:, :, 0])) > 20 and np.abs(pixels.astype(int) - picture.render(picture.size)).max() <= 1


# every language ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flags", [[], ["-S"]], ids=["numpy", "plain"])
def test_python(picture, flags, tmp_path):
    export.export(picture, tmp_path / "out.py", verify=False)
    for size in [picture.size, (9, 11)]:
        run(sys.executable, "-IBW", "error", *flags, "out.py", "out.png", *size, cwd=tmp_path)
        assert_shows(np.asarray(Image.open(tmp_path / "out.png")), picture, size)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_c(picture, compiler, tmp_path):
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    export.export(picture, tmp_path / "out.c", verify=False)
    strict = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Wconversion", "-Wno-float-conversion", "-Werror"]
    run(compiler, *strict, "-O1", "out.c", "-o", "out", "-lm", cwd=tmp_path)
    for size in [picture.size, (9, 11)]:
        data = run(tmp_path / "out", *size, cwd=tmp_path)
        channels = 4 if data.startswith(b"P7") else 3
        pixels = np.frombuffer(data[-size[0] * size[1] * channels :], np.uint8).reshape(size[1], size[0], channels)
        assert_shows(pixels, picture, size)
        if channels == 3:
            assert Image.open(io.BytesIO(data)).size == size


def test_js(picture, tmp_path):
    if shutil.which("node") is None:
        pytest.skip("no Node is installed")
    export.export(picture, tmp_path / "out.mjs", "js", verify=False)
    shots = [(picture.size, WHOLE), ((9, 11), WHOLE), ((13, 9), (0.25, -0.5, 0.5, 1.5))]
    calls = ";".join(f"process.stdout.write(render({w},{h},{list(r)}))" for (w, h), r in shots)
    (tmp_path / "main.mjs").write_text(f"import {{render}} from './out.mjs';{calls}")
    data = run("node", "main.mjs", cwd=tmp_path)
    for (width, height), region in shots:
        count = width * height * 4
        got, data = np.frombuffer(data[:count], np.uint8).reshape(height, width, 4), data[count:]
        assert_shows(got, picture, (width, height), region)


def test_onnx(picture):
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(export.export(picture, target="onnx", verify=False))
    for width, height in [picture.size, (9, 11)]:
        (got,) = session.run(["picture"], {"width": np.array(width), "height": np.array(height)})
        assert_shows(got if got.shape[2] > 1 else np.repeat(got, 3, axis=2), picture, (width, height))


@pytest.mark.parametrize("name", ["sort", "softmax", "normalized", "waves", "grey"])
def test_glsl(name, chromium):
    """What differs from the page's is where the weights are, and the uniforms."""
    picture = PICTURES[name]
    shader, page = export.export(picture, target="glsl", verify=False), chromium.new_page()
    for (width, height), region in [(picture.size, WHOLE), ((11, 14), (0.25, -0.5, 0.5, 1.5))]:
        data = page.evaluate(SHADER, [shader, width, height, region])
        assert_shows(np.array(data, np.uint8).reshape(height, width, 4)[::-1], picture, (width, height), region)
    page.close()


def test_glsl_on_shadertoy(chromium):
    picture, page = PICTURES["sort"], chromium.new_page()
    body = export.export(picture, target="glsl", verify=False).partition("\n")[2]
    (width, height) = picture.size
    data = page.evaluate(SHADER, [SHADERTOY % body, width + 6, height, [0, 0, 1, 1]])
    page.close()
    got = np.array(data, np.uint8).reshape(height, width + 6, 4)[::-1]
    assert_shows(got[:, 3:-3], picture, picture.size)


def test_page_shows_the_picture(picture, open_page):
    assert_shows(read(open_page(picture), "webgl"), picture, picture.size)


@pytest.mark.parametrize("name", ["softmax", "waves", "grey"])
def test_page_without_webgl_shows_the_picture(name, open_page):
    """By the same code as the module's, so that a few will do."""
    assert_shows(read(open_page(PICTURES[name], "2d"), "2d"), PICTURES[name], PICTURES[name].size)


def test_page_draws_a_large_network_in_bands(open_page, monkeypatch):
    """Hidden 100 x 5: 40600 numbers, in a texture of ten rows."""
    monkeypatch.setattr(export.html, "_BUDGET", "1e6")
    monkeypatch.setattr(export.html, "_PATIENCE", 1e9)  # of whatever machine tests this
    arguments = {"hidden_size": 100, "nr_hidden": 4, "nr_channel": 3, "coord_bias": True, "seed": 42}
    painter = Painter((21, 17), nonlin="random_every_time", **arguments)
    page = open_page(painter)
    assert_shows(read(page, "webgl"), painter, painter.size)
    page.mouse.move(5, 5)
    page.mouse.wheel(0, -600)
    pixels = read(page, "webgl")
    assert_shows(pixels, painter, painter.size, page.evaluate(REGION))


def test_page_leaves_what_is_slow_to_the_canvas(open_page, monkeypatch):
    monkeypatch.setattr(export.html, "_BUDGET", "1e3")
    monkeypatch.setattr(export.html, "_PATIENCE", -1)
    assert_shows(read(open_page(PICTURES["shared"]), "2d"), PICTURES["shared"], PICTURES["shared"].size)


def test_page_of_a_network_too_wide_for_shaders_uses_the_canvas(open_page, monkeypatch):
    monkeypatch.setattr(html, "WIDEST", 12)
    assert_shows(read(open_page(PICTURES["residual"]), "2d"), PICTURES["residual"], PICTURES["residual"].size)


def test_page_survives_the_loss_of_its_gpu(open_page):
    picture = PICTURES["shared"]
    page = open_page(picture)
    lose = "()=>{window.x=document.querySelector('canvas').getContext('webgl2').getExtension('WEBGL_lose_context');"
    page.evaluate(lose + "x.loseContext()}")
    page.wait_for_timeout(200)
    page.evaluate("()=>{delete document.querySelector('canvas').dataset.done;x.restoreContext()}")
    assert_shows(read(page, "webgl"), picture, picture.size)


# the numbers -------------------------------------------------------------------------------------------------------


def test_numbers_are_held_once_and_to_the_bit():
    picture = PICTURES["shared"]
    form = dense.dense_program(picture)
    first, hidden, *_, last = picture.layers()
    held = np.frombuffer(base64.b64decode(form.text()), "<f4")
    assert (
        len(held)
        == 3 * 11 + 12 * 11 + 12 * 3
        == sum(a.weights.size + a.weights.shape[1] for a in (first, hidden, last))
    )
    rows = form.rows()
    assert rows[1].start == rows[2].start == rows[3].start == 33 and rows[4].start == 33 + 132
    np.testing.assert_array_equal(held[33:165].reshape(11, 12)[:, :11], np.float32(hidden.weights.T))
    np.testing.assert_array_equal(held[:33].reshape(11, 3)[:, 2], np.float32(first.bias))


def test_across_is_written_in_every_language():
    assert set(across.DEFINED) == {*ACROSS, "normalized"}
    for name, row in across.DEFINED.items():
        assert set(row) == set(spelling.LANGUAGES) - {"onnx"}, name


def run_everywhere(picture, shows):
    """Python with and without numpy, JavaScript, C and ONNX, where they are."""
    for target in verify.RUNNERS:
        try:
            text = export.export(picture, target=target, verify=False)
        except ImportError:
            continue
        record = verify.run_and_compare(picture, target, text)
        assert record.share == 0 and record.difference <= 1, target
    np.testing.assert_array_equal(np.unique(picture.render()), shows)


def test_a_channel_that_is_the_same_everywhere_is_black():
    """Its greatest value is its least; rounding errors must not be stretched to a picture."""
    layers = random_layers(2, (30, "sgn"), (9, "tanh"), (3, "identity"))
    layers[0] = replace(layers[0], bias=np.full(30, 50.0))
    picture = Painter((8, 8))
    picture._layers = layers
    run_everywhere(picture, [0])


def test_no_number_is_black():
    """Features that are all the same have no deviation to be divided by."""
    layers = random_layers(2, (5, "relu", {"normalize": "after"}), (3, "identity"))
    layers[0] = replace(layers[0], bias=np.full(5, -50.0))
    picture = Painter((8, 8))
    picture._layers = layers
    with np.errstate(invalid="ignore"):
        run_everywhere(picture, [0])


# the door ----------------------------------------------------------------------------------------------------------


def test_export_by_suffix_and_sizes(tmp_path):
    painter = PICTURES["painter"]
    text = painter.export(tmp_path / "out.js")
    assert (tmp_path / "out.js").read_text() == text == export.export(painter, target="js")
    found = export.sizes(painter)
    assert {"py", "js", "c", "glsl", "html"} <= set(found) <= set(dense.TARGETS)
    assert found["js"] == len(text)


def test_export_refuses_what_cannot_be_reached():
    with pytest.raises(ValueError, match=r"a Painter cannot become 'pyth'; it can py, js, c, glsl, html"):
        export.export(PICTURES["painter"], target="pyth")
    with pytest.raises(ValueError, match=r"holds up to 16384 weights, this network needs 31204: a page \(html\)"):
        export.export(Painter((9, 9), hidden_size=100), target="glsl")
    assert "glsl" not in export.sizes(Painter((9, 9), hidden_size=100))
    with pytest.raises(ValueError, match="1 to 4 channels, this network has 5"):
        export.export(Plain(random_layers(2, (5, "sin")), FLAT), target="py")
    with pytest.raises(ValueError, match="size must be"):
        export.export(PICTURES["latent"], target="py", size=(0, 3))


def test_a_size_is_the_picture_of_that_size():
    """The span and the place of the pixels of a Painter depend on it."""
    painter = Painter((200, 100), hidden_size=6, nr_channel=3, seed=5)
    text = export.export(painter, target="py", size=(12, 7))
    space = {"__name__": "program"}
    exec(text, space)
    got = np.frombuffer(space["render"](), np.uint8).astype(int).reshape(7, 12, 3)
    assert np.abs(got - painter.render((12, 7))).max() <= 1


@pytest.mark.parametrize("target", ["py", "js", "c", "onnx"])
def test_verify_refuses_a_program_of_another_network(target):
    painter = Painter((30, 20), hidden_size=12, nr_channel=3, seed=1)
    try:
        text = export.export(painter, target=target, verify=False)
    except ImportError:
        pytest.skip("onnx is not installed")
    if not verify.run_and_compare(painter, target, text).ran:
        pytest.skip("nothing here runs it")
    other = Painter((30, 20), hidden_size=12, nr_channel=3, seed=2)
    with pytest.raises(ExportError, match=r"differs from the model in \d+ of 1800 bytes by more than 1"):
        verify.run_and_compare(other, target, text)


def test_verify_tolerates_few_bytes_of_a_picture_with_jumps(monkeypatch):
    """In doubles a jump may lie on the other side of a pixel."""
    picture = PICTURES["waves"]
    text = export.export(picture, target="py", verify=False)
    honest = verify.run_and_compare(picture, "py", text)
    assert honest.ran == ("python", "python without numpy") and honest.share == 0
    want = verify._expected(picture, None)[1].astype(np.uint8)
    for wrong, passes in ((want.size // 20, True), (want.size // 20 + 1, False)):
        data = want.copy().reshape(-1)
        data[:wrong] ^= 128
        runner = (lambda *_, data=data: ("nothing", data.tobytes()),)
        monkeypatch.setitem(verify.RUNNERS, "py", runner)
        if passes:
            assert verify.run_and_compare(picture, "py", text).share == wrong / want.size
        else:
            with pytest.raises(ExportError, match="differs from the model"):
                verify.run_and_compare(picture, "py", text)


@pytest.mark.parametrize("name", ["painter", "latent"])
def test_programs_are_compared_with_what_the_model_renders(name):
    picture = PICTURES[name]
    form = dense.dense_program(picture)
    np.testing.assert_array_equal(form.render(picture.size)[:, :, list(form.shown)], picture.render())


def test_texels_of_the_page_are_those_of_the_shader(tmp_path):
    if shutil.which("node") is None:
        pytest.skip("no Node is installed")
    picture = PICTURES["shared"]
    page = export.export(picture, target="html", verify=False)
    core = re.search(r"const L=.*?;\n", page, re.S)[0]
    upload = re.search(r"function upload.*?return 1}", page, re.S)[0]
    gl = "{getParameter:()=>9,bindTexture(){},createTexture(){},texParameteri(){},texImage2D(...a){found=a}}"
    (tmp_path / "main.mjs").write_text(
        f"let found;{core}{upload}upload({gl});process.stdout.write(new Uint8Array(found[8].buffer))"
    )
    data = np.frombuffer(run("node", "main.mjs", cwd=tmp_path), np.float32).reshape(-1, 4)
    table = glsl.texels(dense.dense_program(picture))
    np.testing.assert_array_equal(data[: len(table)], table)
    assert not data[len(table) :].any()
