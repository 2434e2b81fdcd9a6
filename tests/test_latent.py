"""Latent pictures against the formula, and what they promise: any size, any number of threads, no seams.

Tolerance: float32 against float64 through five layers, where the largest difference found over 48 networks was 6e-5.
"""

import io
import json
import re
from pathlib import Path

import cppn_native as cn
import numpy as np
import pytest
from cppn_native import layers as layers_module
from cppn_native.art.latent import VARIANTS
from cppn_native.cli import main
from cppn_native.image import load_image
from PIL import Image
from reference import latent as reference

ATOL = 3e-4
PINNED = [
    [[255, 255, 255], [254, 202, 255], [158, 248, 244]],
    [[255, 255, 255], [104, 255, 255], [86, 255, 214]],
]
"""``Latent(0)`` at 3 x 2; none of the numbers behind it is within 0.09 of another byte."""
SHAPES = [(1, 1), (7, 1), (1, 6), (37, 50), (64, 33)]


def same(options, size, seed=5):
    got = cn.Latent(seed, **options).render_float(size)
    want = reference.picture(seed, size, **options)
    assert got.dtype == np.float32 and got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=0, atol=ATOL)


# the formula ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tile", [False, True])
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("size", SHAPES)
def test_it_is_the_formula(variant, tile, size):
    same({"variant": variant, "tile": tile}, size)


@pytest.mark.parametrize(
    "options",
    [
        {"z": [0.5, -1, 2], "z_dim": 3},
        {"z_dim": 1, "net_size": 1, "depth": 1, "channels": 1},
        {"net_size": 13, "depth": 6, "scale": 2.5},
        {"variant": "softplus", "depth": 2, "contrast": 0.3},
        {"variant": "residual", "net_size": 50, "channels": 1, "scale": 1},
        {"variant": "sine", "contrast": 0.1, "tile": True, "scale": 3.0},
    ],
)
def test_every_option_is_the_formulas(options):
    same(options, (30, 21))


def test_a_seed_is_the_same_picture_in_every_release():
    assert cn.Latent(0).render((3, 2)).tolist() == PINNED


def test_a_given_z_does_not_change_the_weights():
    drawn = cn.Latent(4)
    np.testing.assert_array_equal(cn.Latent(4, z=drawn.z).render((20, 20)), drawn.render((20, 20)))
    moved = cn.Latent(4, z=-drawn.z)
    np.testing.assert_array_equal(moved.render((20, 20)), drawn.with_z(-drawn.z).render((20, 20)))
    assert (moved.render((20, 20)) != drawn.render((20, 20))).any()


def test_the_layers_hold_z_and_the_plane_gives_the_inputs():
    latent = cn.Latent(1, tile=True, variant="sine")
    layers, plane = latent.layers(), latent.plane((40, 30))
    assert plane.count == len(layers[0].weights) == 5
    assert [layer.nonlinearity for layer in layers] == ["tanh", "softplus", "tanh", "softplus", "sine"]
    got = layers_module.evaluate(layers, plane.inputs((40, 30)))
    np.testing.assert_array_equal(got, latent.render_float((40, 30)))
    biases = [layers[0].bias, latent.with_z(latent.z + 1).layers()[0].bias]
    assert (biases[0] != biases[1]).all()


# sizes, regions, tiles --------------------------------------------------------------------------------------


def test_circles_stay_circles_and_the_long_side_reaches_the_scale():
    inputs = cn.Latent(0, scale=8.0).inputs((80, 20))
    x, y = inputs.columns[0], inputs.rows[0]
    np.testing.assert_allclose(np.diff(x), 0.2)
    np.testing.assert_allclose(np.diff(y), 0.2)
    np.testing.assert_allclose([x[0] - 0.1, x[-1] + 0.1, y[0] - 0.1, y[-1] + 0.1], [-8, 8, -2, 2])
    np.testing.assert_array_equal(inputs.radius[0], x)
    np.testing.assert_array_equal(inputs.radius[1], y)


@pytest.mark.parametrize("tile", [False, True])
def test_a_region_is_a_part_of_the_picture(tile):
    latent = cn.Latent(2, tile=tile)
    whole = latent.render_float((80, 40))
    part = latent.render_float((40, 10), region=(0.25, 0.5, 0.75, 0.75))
    np.testing.assert_allclose(part, whole[20:30, 20:60], atol=1e-4)


def test_supersampling_averages_points_of_the_same_picture():
    latent = cn.Latent(3)
    fine = latent.render_float((90, 60)).astype(np.float64)
    want = fine.reshape(20, 3, 30, 3, 3).mean(axis=(1, 3))
    got = latent.render((30, 20), supersample=3, dtype="float32")
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-6)
    shown = np.minimum(np.floor(256 * got), 255)
    np.testing.assert_array_equal(latent.render((30, 20), supersample=3), shown)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("size", [(64, 64), (50, 31)])
def test_a_tile_goes_on_where_it_ends(variant, size):
    latent = cn.Latent(1, variant=variant, tile=True, scale=4)
    picture = latent.render_float(size)
    for region in ((1, 0, 2, 1), (0, -1, 1, 0), (-3, 2, -2, 3)):
        np.testing.assert_allclose(latent.render_float(size, region=region), picture, rtol=0, atol=ATOL)
    for axis in (0, 1):
        inside, seam = steps(picture, axis)
        assert seam <= inside.max()


def test_a_picture_that_is_no_tile_has_a_seam():
    """Found by the same measure."""
    inside, seam = steps(cn.Latent(1, scale=4).render_float((64, 64)), 1)
    assert seam > 2 * inside.max()


def steps(picture, axis):
    """Mean difference between neighbouring rows or columns, and that between the last and the first."""
    lines = np.moveaxis(np.abs(np.diff(picture, axis=axis, append=picture.take([0], axis))), axis, 0)
    means = lines.reshape(len(lines), -1).mean(axis=1)
    return means[:-1], means[-1]


def test_a_tile_is_no_mirror_image():
    picture = cn.Latent(1, tile=True).render_float((64, 64))
    for axis in (0, 1):
        for shift in range(64):
            turned = np.roll(np.flip(picture, axis), shift, axis)
            assert np.abs(turned - picture).mean() > 0.02


@pytest.mark.parametrize("supersample", [1, 3])
def test_bands_and_threads_change_nothing(monkeypatch, supersample):
    latent = cn.Latent(7, variant="softplus")
    want = latent.render((40, 33), supersample=supersample)
    monkeypatch.setattr(layers_module, "BAND_POINTS", 500)
    for threads in (1, 3):
        got = latent.render((40, 33), supersample=supersample, threads=threads)
        np.testing.assert_array_equal(got, want)


def test_grey_is_shown_in_three_equal_channels():
    latent = cn.Latent(0, channels=1)
    a, shown = latent.render_float((20, 10)), latent.render((20, 10))
    assert a.shape == (10, 20, 1) and shown.shape == (10, 20, 3) and shown.dtype == np.uint8
    np.testing.assert_array_equal(shown, np.repeat(np.minimum(np.floor(256 * a), 255), 3, axis=2))


def test_a_notebook_shows_it():
    picture = Image.open(io.BytesIO(cn.Latent(0)._repr_png_()))
    np.testing.assert_array_equal(np.asarray(picture), cn.Latent(0).render())
    assert picture.size == (512, 512)


# between pictures -------------------------------------------------------------------------------------------


def test_between_two_z_of_one_network_lies_the_straight_line():
    a = cn.Latent(3, z=[1.0] * 8)
    b = a.with_z([-1.0, 3.0] * 4)
    between = a.blend(b, 0.25)
    np.testing.assert_allclose(between.z, [0.5, 1.5] * 4)
    for mine, theirs in zip(between.weights, a.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert a.blend(b, 0) is a and a.blend(b, 1) is b


def test_between_two_networks_the_weights_stay_normal():
    a, b = cn.Latent(1, net_size=100, scale=2), cn.Latent(2, net_size=100, scale=32)
    between = a.blend(b, 0.5)
    assert between.scale == pytest.approx(8)
    for weights in between.weights:
        if weights.size > 1000:
            assert weights.std() == pytest.approx(1, abs=0.05), "a straight line would give 0.71"
    back = b.blend(a, 0.7).render((30, 30)).astype(int)
    assert np.abs(back - a.blend(b, 0.3).render((30, 30))).max() <= 1


@pytest.mark.parametrize(
    "options", [{"variant": "sine"}, {"net_size": 31}, {"z_dim": 7}, {"depth": 2}, {"channels": 1}, {"tile": True}]
)
def test_networks_of_different_shapes_do_not_blend(options):
    name = next(iter(options))
    with pytest.raises(ValueError, match=rf"^other must have {name} .*, got {options[name]}"):
        cn.Latent(0).blend(cn.Latent(0, **options), 0.5)


# refusals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seed": -1}, "seed must be an integer from 0 to 4294967295, got -1"),
        ({"seed": 1.5}, "seed must be an integer"),
        ({"seed": True}, "seed must be an integer"),
        ({"variant": "cosine"}, "variant must be one of tanh, softplus, residual, sine, got 'cosine'"),
        ({"variant": ["sine"]}, "variant must be one of tanh, softplus, residual, sine, got ['sine']"),
        ({"z": [1, 2]}, "z must be 8 finite numbers, got [1, 2]"),
        ({"z": [np.nan] * 8}, "z must be 8 finite numbers"),
        ({"z": "random"}, "z must be 8 finite numbers"),
        ({"z_dim": 0}, "z_dim must be an integer from 1"),
        ({"net_size": 0}, "net_size must be an integer from 1"),
        ({"depth": 0}, "depth must be an integer from 1"),
        ({"scale": 0}, "scale must be a positive number"),
        ({"scale": float("nan")}, "scale must be a positive number"),
        ({"contrast": "high"}, "contrast must be a positive number"),
        ({"channels": 2}, "channels must be 1 or 3, got 2"),
        ({"channels": [3]}, "channels must be 1 or 3, got [3]"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(options, words):
    with pytest.raises(ValueError, match=f"^{re.escape(words)}"):
        cn.Latent(**options)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"size": (0, 5)}, "size"),
        ({"size": (1 << 20, 1 << 20)}, "size"),
        ({"supersample": 0}, "supersample"),
        ({"dtype": "uint16"}, "dtype"),
        ({"region": (1, 0, 0, 1)}, "region"),
    ],
)
def test_what_cannot_be_rendered_is_refused_by_name(options, name):
    with pytest.raises(ValueError, match=f"^{name} "):
        cn.Latent(0).render(**options)


# the command line -------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pixels(path):
    return load_image(path).astype(np.uint8)


def test_the_command_paints_what_the_class_does(folder, capsys):
    options = ["--seed", "6", "--variant", "sine", "--contrast", "0.2", "--scale", "5", "--net-size", "20"]
    more = ["--depth", "2", "--tile", "--z=-1,0.5", "--size", "60x40", "--supersample", "2", "-o", "a.png"]
    assert main(["latent", *options, *more, "-o", "b.bmp"]) == 0
    assert re.fullmatch(r"60 x 40 pixels · [\d.]+ s · a\.png, b\.bmp\n", capsys.readouterr().out)
    latent = cn.Latent(6, variant="sine", contrast=0.2, scale=5, net_size=20, depth=2, tile=True, z=[-1, 0.5], z_dim=2)
    np.testing.assert_array_equal(pixels("a.png"), latent.render((60, 40), supersample=2))
    np.testing.assert_array_equal(pixels("b.bmp"), pixels("a.png"))


def test_the_command_without_options_paints_seed_0(folder, capsys):
    assert main(["latent", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["files"] == ["latent-0.png"] and said["size"] == [512, 512]
    np.testing.assert_array_equal(said["z"], cn.Latent(0).z)
    np.testing.assert_array_equal(pixels("latent-0.png"), cn.Latent(0).render())


def test_a_sheet_shows_a_seed_in_each_place(folder):
    assert main(["latent", "--seed", "4", "--size", "40x30", "--sheet", "3x2", "--channels", "1", "-o", "s.png"]) == 0
    sheet = pixels("s.png")
    for seed in range(4, 10):
        tile = cn.Latent(seed, channels=1).render((40, 30))
        windows = np.lib.stride_tricks.sliding_window_view(sheet, (30, 40), axis=(0, 1))
        assert (windows.transpose(0, 1, 3, 4, 2) == tile).all(axis=(2, 3, 4)).any(), seed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-o", "a.txt"], "-o a.txt: must end in one of .png"),
        (["--walk", "3", "-o", "a.jpg"], "-o a.jpg: must end in one of .gif"),
        (["--walk", "1", "-o", "a.gif"], "stops must be an integer from 2"),
        (["--sheet", "2x2", "-o", "a.gif"], "--sheet is a still picture"),
        (["--net-size", "0"], "--net-size must be an integer from 1"),
        (["--z", "1,nan"], "--z must be 2 finite numbers"),
        (["-o", "a.gif", "--fps", "60"], "--fps must be a number from 0.1 to 50 in .gif"),
        (["-o", "no/a.png"], "-o no/a.png: its folder does not exist"),
    ],
)
def test_the_command_refuses_in_one_line(folder, capsys, arguments, words):
    assert main(["latent", *arguments]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.startswith(f"cppn: error: {words}") and err.count("\n") == 1, err
    assert not list(Path().iterdir())


@pytest.mark.parametrize("arguments", [["--size", "0x5"], ["--size", "x"], ["--sheet", "3"], ["--z", "1,a"]])
def test_the_command_calls_wrong_usage_wrong(folder, capsys, arguments):
    with pytest.raises(SystemExit) as exit_:
        main(["latent", *arguments])
    assert exit_.value.code == 2 and arguments[0] in capsys.readouterr().err
