"""From picture to picture: the ends are the pictures, the way between is smooth, a loop closes."""

import json
import re
from pathlib import Path

import cppn_native as cn
import numpy as np
import pytest
from cppn_native.cli import main
from cppn_native.motion import Morphable, _along
from cppn_native.video import MOVING
from PIL import Image

SIZE = (24, 18)
RNG = np.random.default_rng(0)


def cascade(seed=0, size=(24, 16), **options):
    config = cn.CascadeConfig(**{"neurons": 6} | options)
    levels = np.random.default_rng(seed).integers(-20, 21, config.weights)
    return cn.Cascade(config, size, levels, (0.01 * (seed + 1),) * 3)


class Fade:
    """The least that can be morphed: one level of grey."""

    size = (3, 2)

    def __init__(self, level):
        self.level = level

    def blend(self, other, t):
        return Fade((1 - t) * self.level + t * other.level)

    def render(self, size=None, *, supersample=1):
        width, height = size or self.size
        return np.full((height, width, 3), round(self.level), np.uint8)


def levels(frames):
    return [int(frame[0, 0, 0]) for frame in frames]


# morph ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b"), [(cn.Latent(1), cn.Latent(2)), (cn.Latent(1), cn.Latent(1, z=[0.0] * 8)), (cascade(0), cascade(1))]
)
def test_it_begins_at_one_and_ends_at_the_other(a, b):
    assert isinstance(a, Morphable)
    frames = cn.morph(a, b, 5, size=SIZE, loop=False)
    assert len(frames) == 5 and {frame.shape for frame in frames} == {(18, 24, 3)}
    np.testing.assert_array_equal(frames[0], a.render(SIZE))
    np.testing.assert_array_equal(frames[2], a.blend(b, 0.5).render(SIZE))
    np.testing.assert_array_equal(frames[4], b.render(SIZE))
    looped = cn.morph(a, b, 8, size=SIZE)
    np.testing.assert_array_equal(looped[0], a.render(SIZE))
    np.testing.assert_array_equal(looped[4], b.render(SIZE))
    for k in (1, 2, 3):
        np.testing.assert_array_equal(looped[k], looped[8 - k])


def test_the_pace_is_that_of_the_ease():
    a, b = Fade(0), Fade(200)
    assert levels(cn.morph(a, b, 5, ease="linear", loop=False)) == [0, 50, 100, 150, 200]
    assert levels(cn.morph(a, b, 5, loop=False)) == [0, 29, 100, 171, 200]
    assert levels(cn.morph(a, b, 3, ease=lambda t: t * t, loop=False)) == [0, 50, 200]
    assert levels(cn.morph(a, b, 3, ease=lambda t: 3 * t - 1, loop=False)) == [0, 100, 200], "held within [0, 1]"
    assert levels(cn.morph(a, b, 4, ease="linear")) == [0, 100, 200, 100]


def test_sizes_are_those_asked_for_or_of_the_first():
    assert cn.morph(Fade(0), Fade(9), 2)[0].shape == (2, 3, 3)
    a, b = cascade(0, (20, 10)), cascade(1, (10, 30))
    assert {frame.shape for frame in cn.morph(a, b, 4)} == {(10, 20, 3)}
    fine = cn.morph(a, b, 2, size=SIZE, supersample=3)
    np.testing.assert_array_equal(fine[1], b.render(SIZE, supersample=3))


def test_between_cascades_lie_their_weights():
    a, b = cascade(0, (20, 10)), cascade(1, (10, 30))
    between = a.blend(b, 0.25)
    np.testing.assert_allclose(between.weights, 0.75 * a.weights + 0.25 * b.weights, rtol=0, atol=1e-7)
    assert between.size == (18, 15) and between.config == a.config and not between.quantized
    assert a.blend(b, 0) is a and a.blend(b, 1) is b


@pytest.mark.parametrize("suffix", set(MOVING) - {".mp4"})
def test_a_path_gets_the_frames(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    options = {"size": SIZE, "ease": "linear"}
    assert cn.morph(cn.Latent(1), cn.Latent(2), 6, str(path), fps=10, quality=100, **options) == path
    with Image.open(path) as picture:
        picture.load()
        assert picture.n_frames == 6 and picture.info["duration"] == 100 and picture.size == SIZE
        if suffix != ".gif":
            picture.seek(3)
            want = cn.morph(cn.Latent(1), cn.Latent(2), 6, **options)[3]
            np.testing.assert_array_equal(np.asarray(picture.convert("RGB")), want)


@pytest.mark.parametrize(
    ("a", "b", "options", "words"),
    [
        (cn.Latent(0), cn.Latent(0, depth=2), {}, "other must have depth 3, got 2"),
        (cn.Latent(0), cascade(), {}, "other must be a Latent too, got Cascade"),
        (cascade(), cn.Latent(0), {}, "other must be a Cascade too, got Latent"),
        (cascade(), cascade(neurons=7), {}, "other must have neurons 6, got 7"),
        (cascade(), cascade(activation="tanh"), {}, "other must have activation sine, got tanh"),
        ("a.cppn", cascade(), {}, r"a must have blend\(\) and render\(\), as Latent and Cascade have, got str"),
        (Fade(0), Fade(1), {"frames": 1}, "frames must be an integer from 2 to 100000, got 1"),
        (Fade(0), Fade(1), {"frames": 2.5}, "frames must be an integer"),
        (Fade(0), Fade(1), {"ease": "bounce"}, "ease must be one of smooth, linear, or a function, got 'bounce'"),
        (Fade(0), Fade(1), {"ease": None}, "ease must be one of"),
        (Fade(0), Fade(1), {"path": "a.avi"}, "path must end in one of"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_rendered(monkeypatch, a, b, options, words):
    monkeypatch.setattr(Fade, "render", lambda *_, **__: pytest.fail("rendered"))
    with pytest.raises(ValueError, match=f"^{words}"):
        cn.morph(a, b, **options)


# a walk -----------------------------------------------------------------------------------------------------


def test_a_walk_passes_every_stop_in_turn():
    latent = cn.Latent(1)
    frames = cn.latent_walk(latent, 3, 12, seed=7, reach=1, size=SIZE)
    others = np.random.RandomState(7).uniform(-1, 1, (2, 8))
    np.testing.assert_array_equal(frames[0], latent.render(SIZE))
    for k, z in ((4, others[0]), (8, others[1])):
        np.testing.assert_array_equal(frames[k], latent.with_z(z).render(SIZE))
    assert len(frames) == 12
    way = cn.latent_walk(latent, 3, 9, seed=7, loop=False, reach=0.5, size=SIZE)
    for k, z in ((0, latent.z), (4, (latent.z + others[0]) / 2), (8, (latent.z + others[1]) / 2)):
        np.testing.assert_array_equal(way[k], latent.with_z(z).render(SIZE))


def test_a_looped_walk_closes():
    latent = cn.Latent(1, contrast=0.3)
    frames = np.array(cn.latent_walk(latent, 4, 128, size=SIZE)).astype(float)
    steps = np.abs(np.diff(frames, axis=0, append=frames[:1])).mean(axis=(1, 2, 3))
    assert steps[-1] <= steps[:-1].max() < 0.5 * np.abs(frames[0] - frames[64]).mean()


@pytest.mark.parametrize("loop", [True, False])
def test_the_curve_has_no_corners(loop):
    """Catmull-Rom: at a point b between a and c, the speed is (c - a) / 2 for each stretch, on both sides."""
    points = RNG.standard_normal((5, 3))
    stretches = 5 if loop else 4
    h = 1e-6
    for k in range(5) if loop else range(1, 4):
        at = k / stretches
        np.testing.assert_allclose(_along(points, at, loop), points[k], atol=1e-12)
        after = (_along(points, at + h, loop) - points[k]) / (h * stretches)
        before = (points[k] - _along(points, (at - h) % 1, loop)) / (h * stretches)
        want = (points[(k + 1) % 5] - points[k - 1]) / 2
        np.testing.assert_allclose([before, after], [want, want], atol=1e-3)


def test_an_open_walk_of_two_stops_is_a_straight_line():
    points = RNG.standard_normal((2, 3))
    for t in (0, 0.1, 0.5, 0.8, 1):
        np.testing.assert_allclose(_along(points, t, False), (1 - t) * points[0] + t * points[1], atol=1e-12)


def test_a_walk_says_how_long_it_is(tmp_path):
    assert len(cn.latent_walk(cn.Latent(1), 2, size=(2, 2))) == 48
    assert len(cn.latent_walk(cn.Latent(1), 2, loop=False, size=(2, 2))) == 25
    path = cn.latent_walk(cn.Latent(1), 3, 5, path=tmp_path / "a.png", size=SIZE, fps=5)
    with Image.open(path) as picture:
        assert picture.n_frames == 5 and picture.info["duration"] == 200


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((cascade(),), "latent must be a Latent, got Cascade"),
        ((cn.Latent(0), 1), "stops must be an integer from 2 to 10000, got 1"),
        ((cn.Latent(0), 3, 0), "frames must be an integer from 2"),
        ((cn.Latent(0), 3, 5, -1), "seed must be an integer from 0"),
        ({"latent": cn.Latent(0), "reach": 0}, "reach must be a positive number"),
    ],
)
def test_a_walk_refuses_by_name(given, words):
    with pytest.raises(ValueError, match=f"^{words}"):
        cn.latent_walk(**given) if isinstance(given, dict) else cn.latent_walk(*given)


# the command line -------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cascade(0).save("a.cppn")
    cascade(1).save("b.safetensors")
    cascade(2, neurons=7).save("other.cppn")
    return tmp_path


def frames_of(path):
    with Image.open(path) as picture:
        for n in range(picture.n_frames):
            picture.seek(n)
            yield np.asarray(picture.convert("RGB"))


def test_the_command_morphs(folder, capsys):
    options = ["--frames", "5", "--fps", "10", "--size", "30x20", "--ease", "linear", "--one-way", "--supersample", "2"]
    assert main(["morph", "a.cppn", "b.safetensors", *options, "-o", "m.png", "-o", "m.gif"]) == 0
    out, err = capsys.readouterr()
    assert re.fullmatch(r"30 x 20 pixels · 5 frames · [\d.]+ s · m\.png, m\.gif\n", out) and err == ""
    want = cn.morph(cascade(0), cascade(1), 5, size=(30, 20), ease="linear", loop=False, supersample=2)
    np.testing.assert_array_equal(list(frames_of("m.png")), want)
    assert len(list(frames_of("m.gif"))) == 5


def test_the_command_without_options_goes_there_and_back(folder, capsys):
    assert main(["morph", "a.cppn", "b.safetensors", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["files"] == ["morph.gif"] and said["frames"] == 48 and said["size"] == [24, 16]
    assert len(list(frames_of("morph.gif"))) == 48


def test_the_command_walks(folder, capsys):
    options = ["--seed", "3", "--channels", "1", "--walk", "3", "--walk-seed", "5", "--frames", "6", "--size", "12x10"]
    options += ["--reach", "0.8"]
    assert main(["latent", *options, "-o", "w.png"]) == 0
    assert " · 6 frames · " in capsys.readouterr().out
    want = cn.latent_walk(cn.Latent(3, channels=1), 3, 6, seed=5, reach=0.8, size=(12, 10))
    np.testing.assert_array_equal(list(frames_of("w.png")), want)
    assert main(["latent", "--size", "2x2", "-o", "w.gif"]) == 0, "a .gif walks without being told"
    assert main(["latent", "--size", "2x2", "--walk", "--frames", "3"]) == 0
    assert len(list(frames_of("latent-0.gif"))) == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["a.cppn", "other.cppn"], "other.cppn: must have neurons 6, got 7"),
        (["a.cppn", "none.cppn"], "none.cppn: No such file"),
        (["a.cppn", "b.safetensors", "-o", "m.jpg"], "-o m.jpg: must end in one of .gif"),
        (["a.cppn", "b.safetensors", "-o", "m.gif", "--fps", "90"], "--fps must be a number from 0.1 to 50"),
        (["a.cppn", "b.safetensors", "--frames", "1"], "--frames must be an integer from 2"),
    ],
)
def test_the_command_refuses_in_one_line(folder, capsys, arguments, words):
    before = set(Path().iterdir())
    assert main(["morph", *arguments]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.startswith(f"cppn: error: {words}") and err.count("\n") == 1, err
    assert set(Path().iterdir()) == before


def test_an_interrupt_leaves_no_file(folder, capsys, monkeypatch):
    taken = []

    def render(*_, **__):
        taken.append(1)
        if len(taken) > 3:
            raise KeyboardInterrupt
        return np.zeros((16, 24, 3), np.uint8)

    monkeypatch.setattr(cn.Cascade, "render", render)
    before = set(Path().iterdir())
    assert main(["morph", "a.cppn", "b.safetensors"]) == 130
    assert capsys.readouterr().err == "cppn: interrupted\n" and set(Path().iterdir()) == before
