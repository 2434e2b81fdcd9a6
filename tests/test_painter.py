"""Random pictures after Neural Painter: its draws, its published pictures to the bit, and ours beside them."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import cppn_native as cn
import numpy as np
import pytest
from cppn_native.art import painter as art
from cppn_native.art.contact import contact_sheet
from cppn_native.art.drawing import PainterConfig, draw_layers
from cppn_native.art.nonlinearities import PICKS, TABLE
from cppn_native.cli import main
from PIL import Image
from reference import layers as reference

WILD = {"nonlin": "random_every_time", "nr_channel": 3, "coord_bias": True}


def every_published(shared):
    return json.loads((shared / "golden" / "neural_painter.json").read_text())["images"]


def arguments_of(record):
    return {name: record[name] for name in PainterConfig.__dataclass_fields__ if name in record}


@pytest.mark.parametrize("which", range(4))
def test_the_published_pictures_come_out_to_the_bit(shared, which):
    record = every_published(shared)[which]
    width, height = map(int, record["image_size"].split("x"))
    picture = cn.paint((width, height), orientation="compat", **arguments_of(record))
    assert picture.shape == tuple(record["shape"])
    assert hashlib.sha256(picture.tobytes()).hexdigest() == record["sha256_rgb"]


@pytest.mark.parametrize(
    ("hidden_size", "nr_hidden", "seed", "picks"),
    [
        (42, 3, 0, "abs_tanh log_square xlogx_square xlogx_abs"),
        (42, 3, 17, "sort sin xlogx_abs_p1 xlogx_relu"),
        (100, 4, 42, "sigmoid xlogx_abs_p1 abs_tanh sin softplus"),
    ],
)
def test_the_picks_are_the_originals(hidden_size, nr_hidden, seed, picks):
    painter = cn.Painter(hidden_size=hidden_size, nr_hidden=nr_hidden, seed=seed, **WILD)
    assert painter.picks == tuple(picks.split())


def test_draws_come_in_the_originals_order():
    """W_in, b_in, W and b once for all hidden layers, W_out, b_out, and before them all the one pick."""
    config = PainterConfig(5, 2, "random_once", 3, use_bias=True, recurrent=True, coord_bias=True, seed=9)
    rng = np.random.RandomState(9)
    pick = PICKS[rng.randint(0, 24)]
    arrays = [rng.randn(*shape) for shape in ((3, 5), (5,), (5, 5), (5,), (5, 3), (3,))]
    first, second, third, last = draw_layers(config)
    for layer, weights, bias in ((first, 0, 1), (second, 2, 3), (third, 2, 3), (last, 4, 5)):
        np.testing.assert_array_equal(layer.weights, arrays[weights])
        np.testing.assert_array_equal(layer.bias, arrays[bias])
    assert [layer.nonlinearity for layer in (first, second, third, last)] == [pick] * 3 + ["identity"]
    assert cn.Painter((9, 9), **vars(config)).n_params == sum(a.size for a in arrays)


def test_the_tables_float64_nonlinearities_are_the_textbooks():
    z = np.random.default_rng(1).normal(0, 3, (50, 7))
    z[0] = 0
    for name, f in TABLE.items():
        np.testing.assert_allclose(f(z), reference.function(name, z), rtol=1e-6, atol=1e-7, err_msg=name)


def shown(painter, size):
    """(H, W, 3) from the formula: the layers in float64, each channel from its least to its greatest value."""
    v = reference.evaluate(painter.layers(), painter.plane(size).inputs(size))
    low, high = v.min(axis=(0, 1)), v.max(axis=(0, 1))
    return np.broadcast_to(((v - low) / (high - low + 1e-8) * 255).astype(np.uint8), (*v.shape[:2], 3))


@pytest.mark.parametrize("name", TABLE)
def test_both_orientations_show_the_picture_of_the_formula(name):
    """But for single pixels: jumps and poles amplify the roundings of float32, and a byte may fall to either side."""
    painter = cn.Painter((61, 34), hidden_size=20, nonlin=name, nr_channel=3, coord_bias=True, seed=4)
    natural, compat = painter.render(), painter.render((61, 34), orientation="compat")
    expected = shown(painter, (61, 34)).astype(int)
    assert compat.shape == (61, 34, 3) and natural.shape == (34, 61, 3)
    assert (np.abs(compat.transpose(1, 0, 2) - expected) > 1).mean() < 0.01
    assert (np.abs(natural - expected) > 1).mean() < 0.01


@pytest.mark.parametrize(
    "arguments",
    [
        {"coord_bias": False},
        {"use_bias": True},
        {"use_bias": True, "coord_bias": True, "recurrent": True},
        {"batch_norm": True, "coord_bias": True},
        {"coord_bias": True, "batch_norm": True, "batch_norm_position": "after_nonlin", "nonlin": "sin"},
        {"nr_hidden": 0},
        {"hidden_size": 1},
        {"nr_channel": 1},
        {"output_nonlin": "sort"},
        {"output_nonlin": "softmax"},
        {"output_nonlin": "sin"},
    ],
    ids=str,
)
def test_both_orientations_agree_whatever_the_arguments(arguments):
    painter = cn.Painter((40, 25), **{"hidden_size": 16, "nr_channel": 3, "seed": 3, **arguments})
    natural, compat = painter.render().astype(int), painter.render((40, 25), orientation="compat")
    assert np.ptp(natural) > 100
    assert (np.abs(natural - compat.transpose(1, 0, 2)) > 1).mean() < 0.01


def test_one_channel_shows_grey():
    picture = cn.paint((30, 20), seed=1)
    assert picture.shape == (20, 30, 3) and np.ptp(picture[:, :, 0]) > 100
    assert (picture == picture[:, :, :1]).all()


def test_supersampling_averages_the_finer_picture():
    painter = cn.Painter((24, 15), nonlin="sin", nr_channel=3, seed=2)
    fine = painter.render((72, 45)).reshape(15, 3, 24, 3, 3).astype(float).mean(axis=(1, 3))
    assert np.abs(painter.render(supersample=3) - fine).max() <= 1.5


def test_a_poster_is_the_picture_that_was_held_in_memory(monkeypatch):
    painter = cn.Painter((301, 57), **WILD, seed=3)
    held = painter.render(), painter.render((50, 19), supersample=2)
    monkeypatch.setattr(art, "HELD_POINTS", 0)
    again = painter.render(), painter.render((50, 19), supersample=2)
    for a, b in zip(held, again, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_poster_holds_its_bytes_and_little_else():
    """Two bands of floats, one of which numpy is about to drop, and the threads' tiles: under 100 MB."""
    code = """
import resource, cppn_native as cn
painter = cn.Painter((4000, 4000), hidden_size=4, nr_hidden=1, nr_channel=3)
painter.render((8, 8))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
picture = painter.render()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, picture.nbytes)
"""
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    kilobytes, picture = map(int, said.split())
    assert 1024 * kilobytes < picture + 100e6


def test_the_same_seed_gives_the_same_picture_on_any_number_of_threads():
    first = cn.paint((90, 60), **WILD, seed=8, threads=1)
    np.testing.assert_array_equal(cn.paint((90, 60), **WILD, seed=8, threads=3), first)
    assert (cn.paint((90, 60), **WILD, seed=9) != first).mean() > 0.5


def test_a_blend_is_between_its_ends():
    first, last = (cn.Painter((30, 20), hidden_size=50, nr_hidden=1, use_bias=True, seed=seed) for seed in (1, 2))
    assert first.blend(last, 0) is first and first.blend(last, 1) is last
    near = first.blend(last, 0.001).render().astype(int)
    assert np.abs(near - first.render()).mean() < 3 < np.abs(near - last.render()).mean()
    assert first.blend(last, 0.5)._layers[1].weights.std() == pytest.approx(1, abs=0.05)
    assert len(cn.morph(first, last, frames=4)) == 4
    sines, plain = cn.Painter((9, 9), nonlin="sin"), cn.Painter((9, 9), nr_hidden=1)
    for other, message in ((sines, "nonlinearities"), (5, "Painter too"), (plain, "arguments")):
        with pytest.raises(ValueError, match=message):
            first.blend(other, 0.5)


def test_infinities_leave_the_rest_of_the_picture_to_be_seen():
    band = np.array([[[0.0], [np.inf], [1.0]], [[np.nan], [-np.inf], [0.5]]], np.float32)
    low, high = art._span([band])
    assert (low, high) == (0, 1)
    picture = art._stretched(band, low, np.float32(255) / (high - low))
    np.testing.assert_array_equal(picture[:, :, 0], [[0, 255, 255], [0, 0, 127]])
    assert [x.tolist() for x in art._span([np.full((1, 1, 1), np.nan, np.float32)])] == [[0], [1]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"nonlin": "swish"}, "nonlin must be one of sort, .*got 'swish'"),
        ({"output_nonlin": "random_once"}, "output_nonlin must be one of"),
        ({"hidden_size": 0}, "hidden_size must be an integer from 1 to 4096, got 0"),
        ({"hidden_size": 2.5}, "hidden_size must be an integer"),
        ({"nr_hidden": -1}, "nr_hidden must be an integer from 0"),
        ({"nr_channel": 2}, "nr_channel must be 1 or 3, got 2"),
        ({"seed": -1}, "seed must be an integer from 0"),
        ({"seed": 1 << 32}, "seed must be an integer from 0"),
        ({"batch_norm_position": "middle"}, "batch_norm_position must be before_nonlin or after_nonlin"),
        ({"batch_norm": True, "hidden_size": 1}, "hidden_size must be at least 2 with batch_norm"),
        ({"size": (0, 5)}, "size must be"),
        ({"size": (-5, 5)}, "size must be"),
        ({"orientation": "sideways"}, "orientation must be one of natural, compat"),
        ({"supersample": 0}, "supersample must be"),
        ({"supersample": 2, "orientation": "compat"}, "supersample must be 1 with"),
        ({"threads": 0}, "threads must be"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        cn.paint(**{"size": (9, 9), **arguments})


def test_an_unknown_argument_is_named():
    with pytest.raises(TypeError, match="no argument 'hiden_size'; it has hidden_size"):
        cn.paint((9, 9), hiden_size=3)


def test_a_sheet_holds_every_picture_and_its_caption():
    tiles = [np.full((10, 16, 3), 40 * n, np.uint8) for n in range(5)]
    sheet = contact_sheet(tiles, [f"seed {n}" for n in range(5)], 3, (16, 10))
    for n in range(5):
        assert (sheet == 40 * n).all(axis=2).sum() >= 160
    with pytest.raises(ValueError, match="sheet of 90000 x 1 pictures"):
        contact_sheet([], [""] * 90000, 90000, (4000, 4000))


# -- the command line --------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_paints_the_originals_picture_with_its_flags(folder, shared, capsys):
    record = every_published(shared)[0]
    flags = "--image_size 800x800 --hidden_size 42 --nr_hidden 3 --nonlin random_every_time --nr_channel 3 --coord_bias"
    assert main(["paint", *flags.split(), "-s", "0", "-o", "a.png", "-o", "b.webp", "--json"]) == 0
    picture = np.asarray(Image.open("a.png"))
    assert hashlib.sha256(picture.tobytes()).hexdigest() == record["sha256_rgb"]
    said = json.loads(capsys.readouterr().out)
    assert said["picks"] == ["abs_tanh", "log_square", "xlogx_square", "xlogx_abs"] and len(said["files"]) == 2


def test_defaults_are_the_originals(folder, capsys):
    assert main(["paint", "-o", "a.png"]) == 0
    np.testing.assert_array_equal(np.asarray(Image.open("a.png")), cn.paint((100, 100), orientation="compat"))
    assert "100 x 100 pixels · tanh" in capsys.readouterr().out


@pytest.mark.parametrize(("kind", "sign"), [("original", ":"), ("safe", "=")])
def test_auto_name_appends_the_arguments(folder, kind, sign):
    assert main(["paint", "--image_size", "12x8", "--coord_bias", "--auto_name", kind, "-o", "a.png"]) == 0
    (path,) = folder.iterdir()
    expected = (
        "a-batch_norm:False-batch_norm_position:before_nonlin-coord_bias:True-hidden_size:100-image_size:12x8"
        "-nonlin:tanh-nr_channel:1-nr_hidden:3-output_nonlin:identity-recurrent:False-seed:42-use_bias:False.png"
    )
    assert path.name == expected.replace(":", sign)
    assert np.asarray(Image.open(path)).shape == (12, 8, 3)


def test_a_picture_is_written_as_a_program_too(folder):
    assert main(["paint", "--image_size", "20x12", "--hidden_size", "8", "--natural", "-o", "a.png", "-o", "a.c"]) == 0
    assert "20" in Path("a.c").read_text() and Path("a.png").exists()
    assert main(["latent", "--size", "20x12", "--net-size", "8", "-o", "b.js"]) == 0
    assert Path("b.js").stat().st_size > 500


def test_natural_posters_and_sheets(folder):
    assert main(["paint", "--natural", "--image_size", "60x40", "-o", "a.png"]) == 0
    np.testing.assert_array_equal(np.asarray(Image.open("a.png")), cn.paint((60, 40)))
    assert (
        main(["paint", "--sheet", "3x2", "--seeds", "0-3,7", "--image_size", "30x20", "--natural", "-o", "s.png"]) == 0
    )
    sheet = np.asarray(Image.open("s.png"))
    first = cn.paint((30, 20), seed=0)
    assert any((sheet[y : y + 20, x : x + 30] == first).all() for y in range(20) for x in range(20))


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        ("--image_size 0x5", 2, "must be like 800x600"),
        ("--nonlin swish", 2, "invalid choice"),
        ("--hidden_size 0", 1, "--hidden-size must be|--hidden_size must be"),
        ("--sheet 1x1 --seeds 0-5", 1, "has no room for 6 seeds"),
        ("--seeds 5-1", 2, "must be like 0-23"),
        ("--output a.txt", 1, "must end in one of"),
    ],
)
def test_wrong_flags_are_explained(folder, capsys, flags, code, message):
    try:
        found = main(["paint", *flags.split(), *([] if "--output" in flags else ["-o", "a.png"])])
    except SystemExit as stop:
        found = stop.code
    assert found == code and re.search(message, capsys.readouterr().err)
    assert not list(Path().iterdir())
