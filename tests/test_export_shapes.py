"""Shapes and paintings as vector graphics, shaders and pages, drawn by a browser and compared with ``render()``."""

import io
import shutil
import subprocess
import xml.etree.ElementTree as ET

import cppn_native as cn
import numpy as np
import pytest
from browser import REGION, SHADER, SHADERTOY, read
from cppn_native import export
from cppn_native.models.genetic import Genetic, GeneticConfig
from cppn_native.models.shapes import Shapes, ShapesConfig
from PIL import Image

SIZE = (60, 40)
OUTLINED = ("fourier", "depth", "article")
FORMULAS = {"fourier": ("notebook", "prose"), "depth": ("notebook", "prose")}


def shapes(kind, formula="notebook", channels=3, n=14, size=SIZE):
    """Random shapes that overlap, their waves and colours far from 0."""
    config = ShapesConfig(kind, n, terms=5, channels=channels, formula=formula)
    rng, parameters = np.random.default_rng(5), {}
    for name, shape in config.shapes().items():
        drawn = rng.normal(size=shape)
        if name == "radius" and kind != "stroke":
            drawn *= 3
        if name in ("posx", "posy") and kind in ("stroke", "point"):
            drawn = 0.5 + 0.3 * drawn
        parameters[name] = drawn.astype(np.float32)
    if formula == "prose":
        parameters["w_cos"][0] += 3
    return Shapes(config, size, parameters)


def painting(shape="mixed", channels=3, n=30, size=SIZE):
    config = GeneticConfig(n=n, shape=shape, vertices=6, channels=channels, points=512, alphas=16)
    rng = np.random.default_rng(7)
    rows = np.zeros((n, config.row), np.int32)
    rows[:, 0], rows[:, 1] = rng.choice(config.corners, n), rng.integers(16, size=n)
    end = 2 + 2 * config.room
    rows[:, 2:end] = np.repeat(rng.integers(-50, 560, (n, 1)), end - 2, axis=1) + rng.integers(-150, 150, (n, end - 2))
    rows[:, end:] = rng.integers(256, size=(n, channels))
    rows[:, 2:end] = np.clip(rows[:, 2:end], -256, 768)
    ellipse = rows[:, 0] == 0
    for high, low in ((4, 2), (7, 3)):
        rows[ellipse, high] = np.maximum(rows[ellipse, high], rows[ellipse, low])
    rows[ellipse, 5] = rows[ellipse, 3]
    return Genetic(config, size, [128] * channels, rows)


MODELS = {
    **{f"{kind}-{formula}-{channels}": shapes(kind, formula, channels) for kind in ("fourier", "depth", "stroke",
       "point", "article") for formula in FORMULAS.get(kind, ("notebook",)) for channels in (1, 3)},
    **{f"{shape}-{channels}": painting(shape, channels) for shape in ("ellipse", "triangle", "polygon", "mixed")
       for channels in (1, 3)},
}  # fmt: skip


def psnr(got, want):
    error = np.square((got.astype(float) - want) / 255).mean()
    return 10 * np.log10(1 / max(error, 1e-10))


@pytest.fixture
def drawn(chromium, tmp_path):
    """What Chromium makes of an SVG at a size, (H, W, 3)."""
    contexts = []

    def draw(text, size):
        path = tmp_path / "out.svg"
        path.write_text(text)
        contexts.append(chromium.new_context(viewport={"width": size[0], "height": size[1]}))
        page = contexts[-1].new_page()
        page.goto(path.as_uri())
        return np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))

    yield draw
    for context in contexts:
        context.close()


# Measured with these shapes, in dB: fourier 37 and more (prose 29), depth 33.8 (prose 18), article 31 and more (a pixel
# of an edge that is not soft counts), paintings 37 and more; of pictures that were fitted, docs/exporting.md.
LEAST = {"fourier-notebook": 35, "fourier-prose": 28, "depth-notebook": 33, "depth-prose": 17, "article-notebook": 30}


@pytest.mark.parametrize("name", [name for name in MODELS if name.partition("-")[0] not in ("stroke", "point")])
def test_an_svg_shows_nearly_what_the_model_does(drawn, name):
    model = MODELS[name]
    text = model.export(target="svg")
    assert ET.fromstring(text).get("width") == "60"
    found = psnr(drawn(text, SIZE), model.render())
    assert found > LEAST.get(name.rpartition("-")[0], 36)
    assert found > psnr(model.render().mean(axis=(0, 1)), model.render()) + 1 or name.startswith("depth-prose")


@pytest.mark.parametrize("name", ["fourier-notebook-3", "mixed-3"])
def test_an_svg_is_as_large_as_asked_for(drawn, name):
    model, size = MODELS[name], (90, 60)
    assert psnr(drawn(model.export(target="svg", size=size), size), model.render(size)) > 36


def test_a_painting_of_a_photograph_keeps_40_decibels(drawn, shared):
    picture = np.asarray(Image.open(shared / "images" / "starry_night_386x320.png").convert("RGB").resize((193, 160)))
    model = cn.train(picture, "shapes", kind="genetic", n=60, shape="mixed", rounds=0, population=32, generations=8,
                     survivors=6, progress=False)  # fmt: skip
    assert psnr(drawn(model.export(target="svg"), model.size), model.render()) > 40


@pytest.mark.parametrize("kind", ["webgl", "2d"])
@pytest.mark.parametrize("name", MODELS)
def test_a_page_shows_what_the_model_does(open_page, name, kind):
    model = MODELS[name]
    page = open_page(model, kind)
    if isinstance(model, Genetic):  # its page has no shader: a canvas fills outlines
        assert psnr(read(page, "2d")[:, :, :3], model.render()) > 36
        return
    off = np.abs(read(page, kind)[:, :, :3].astype(int) - model.render())
    assert off.max() <= 1 and np.mean(off > 0) < 0.02


@pytest.mark.parametrize("name", ["depth-notebook-3", "mixed-3"])
def test_a_page_zooms(open_page, name):
    model = MODELS[name]
    page = open_page(model, "2d" if name == "mixed-3" else "webgl")
    page.keyboard.press("+")
    page.keyboard.press("ArrowLeft")
    shown = read(page, "2d" if name == "mixed-3" else "webgl")[:, :, :3]
    region = tuple(page.evaluate(REGION))
    assert region[0] < 0.2 < region[2] - region[0] < 0.9
    assert psnr(shown, model.render(region=region)) > 36


@pytest.mark.parametrize("name", ["fourier-prose-3", "depth-notebook-1", "stroke-notebook-3", "point-notebook-1"])
@pytest.mark.parametrize("dialect", ["webgl", "shadertoy"])
def test_a_shader_shows_what_the_model_does(chromium, name, dialect):
    source = MODELS[name].export(target="glsl")
    if dialect == "shadertoy":
        source = SHADERTOY % source.partition("\n")[2]
    page = chromium.new_page()
    got = np.array(page.evaluate(SHADER, [source, *SIZE, [0, 0, 1, 1]]), np.uint8).reshape(40, 60, 4)[::-1, :, :3]
    page.close()
    assert np.abs(got.astype(int) - MODELS[name].render()).max() <= 1


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
@pytest.mark.parametrize("name", [name for name in MODELS if isinstance(MODELS[name], Shapes)])
def test_a_javascript_module_shows_what_the_model_does(name, tmp_path):
    MODELS[name].export(tmp_path / "out.mjs", target="js")
    (tmp_path / "run.mjs").write_text("import{render}from'./out.mjs';process.stdout.write(render(60,40))")
    data = subprocess.run(["node", "run.mjs"], cwd=tmp_path, capture_output=True, check=True).stdout
    got = np.frombuffer(data, np.uint8).reshape(40, 60, 4)[:, :, :3]
    assert np.abs(got.astype(int) - MODELS[name].render()).max() <= 1


def test_opacity_is_shown_by_a_page_and_not_by_an_svg(open_page):
    model = shapes("fourier", channels=4)
    off = np.abs(read(open_page(model), "webgl").astype(int) - model.render())
    assert off.max() <= 1
    with pytest.raises(ValueError, match="svg: shapes with opacity cannot be drawn"):
        model.export(target="svg")


def test_empty_paintings_and_many_shapes():
    empty = Genetic(GeneticConfig(), (5, 4), [1, 2, 3], np.zeros((0, 11), np.int32))
    assert "<rect" in empty.export(target="svg") and "const E=[]" in empty.export(target="html")
    with pytest.raises(ValueError, match="a shader holds up to 585 such shapes"):
        shapes("depth", n=600).export(target="glsl")


def test_what_cannot_be_is_said():
    for kind in ("stroke", "point"):
        with pytest.raises(ValueError, match=f"svg: shapes of kind '{kind}' have no outline; html"):
            shapes(kind).export(target="svg")
    with pytest.raises(ValueError, match="a Shapes cannot become 'c'; it can js, glsl, html, svg"):
        shapes("fourier").export(target="c")
    with pytest.raises(ValueError, match="a Genetic cannot become 'py'; it can svg, html"):
        painting().export(target="py")
    with pytest.raises(ValueError, match="a Latent cannot become 'svg'"):
        cn.Latent(1).export(target="svg")
    with pytest.raises(ValueError, match="size must be"):
        painting().export(target="svg", size=(0, 1))
    assert set(export.sizes(painting())) == {"svg", "html"}
    assert set(export.sizes(shapes("stroke"))) == {"js", "glsl", "html"}
