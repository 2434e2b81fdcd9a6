"""Paintings of entities: coverage and error against the definition, the search, the model and its files."""

import json

import cppn_native as cn
import numpy as np
import pytest
from cppn_native import _core
from cppn_native.cli import main
from PIL import Image
from reference import genetic as reference
from safetensors.numpy import load_file, save_file

WHOLE = (0.0, 0.0, 1.0, 1.0)
SIZES = [(1, 1), (1, 9), (23, 1), (17, 13), (40, 26)]


def random_entities(grid, corners, count, rng):
    vertices, channels, points, colours, alphas = grid
    rows = np.zeros((count, 2 + 2 * vertices + channels), np.int32)
    rows[:, 0] = rng.choice(corners, count)
    rows[:, 1] = rng.integers(alphas, size=count)
    rows[:, 2 : 2 + 2 * vertices] = rng.integers(-(points // 2), points + points // 2 + 1, (count, 2 * vertices))
    ellipse = rows[:, 0] == 0
    rows[ellipse, 4] = np.maximum(rows[ellipse, 2], rows[ellipse, 4])
    rows[ellipse, 7] = np.maximum(rows[ellipse, 3], rows[ellipse, 7])
    rows[ellipse, 5] = rows[ellipse, 3]
    rows[:, 2 + 2 * vertices :] = rng.integers(colours, size=(count, channels))
    return rows


def random_background(grid, rng):
    return rng.integers(grid[3], size=grid[1]).astype(np.int32)


def cpu(threads=2):
    return _core.Cpu(_core.isas()[0], threads)


def search(grid, target, background, entities, corners=(0, 3), threads=2, population=12, generations=4, seed=0):
    return _core.GeneticSearch(
        cpu(threads), grid, target, background, entities, list(corners), population, generations, 4, seed
    )


@pytest.mark.parametrize("corners", [(0,), (3,), (8,), (0, 3, 6)])
@pytest.mark.parametrize("size", SIZES)
def test_a_painting_is_the_definition(size, corners):
    grid = (8, 3, 64, 256, 16)
    rng = np.random.default_rng(size[0])
    entities, background = random_entities(grid, corners, 20, rng), random_background(grid, rng)
    for region in (WHOLE, (0.2, -0.3, 0.7, 0.9)):
        shown = _core.paint_entities(cpu(), grid, background, entities, *size, region)
        expected = reference.paint(grid, background, entities, size, region)
        np.testing.assert_allclose(shown, expected, atol=2e-6)  # 20 blends in float32


def test_coverage_is_nearly_the_area():
    """Of a disc, whose area is known, to what eight lines a pixel leave of it."""
    grid, size = (3, 1, 4096, 256, 1), (61, 47)
    circle = [0, 0, 2048, 2048, 2048 + 4096 * 20 // 61, 2048, 2048, 2048 + 4096 * 20 // 47, 255]
    shown = _core.paint_entities(cpu(), grid, [0], np.array([circle], np.int32), *size, WHOLE)
    share = (shown - 0.5 / 256) / (255 / 256)
    assert share.sum() == pytest.approx(np.pi * 400, rel=2e-3)
    assert ((share > 0.01) & (share < 0.99)).sum() > 80


@pytest.mark.parametrize("channels", [1, 3])
def test_the_change_of_the_error_and_the_best_colours_are_those_of_painting_it(channels):
    """On top and below others; a candidate and its place are one of four of each."""
    grid, size = (5, channels, 32, 16, 8), (19, 14)
    rng = np.random.default_rng(channels)
    target = rng.uniform(0, 1, (size[1], size[0], channels)).astype(np.float32)
    entities, background = random_entities(grid, (0, 3, 5), 4, rng), random_background(grid, rng)
    found = search(grid, target, background, entities)
    for row in random_entities(grid, (0, 3, 5), 4, rng):
        for place in (4, 0, 2):
            change, colours = found.weigh(row[None], place)
            expected, best = reference.weigh(grid, background, entities.tolist(), row.tolist(), place, target)
            if reference.masks(grid, [row], size)[0].sum() < 1e-6:
                continue  # nothing is seen of it, so no colour is the best
            assert change == pytest.approx(expected, abs=2e-5)
            assert colours.tolist() == best


def test_the_error_is_what_is_shown_and_never_rises():
    grid, size = (3, 3, 512, 256, 256), (33, 27)
    target = to_target(picture(size))
    background = np.array([100, 100, 100], np.int32)
    found = search(grid, target, background, np.zeros((0, 11), np.int32))
    errors = [found.error]
    for step in range(30):
        grown = found.add(step)
        assert (found.error < errors[-1]) == grown
        errors.append(found.error)
    for step in range(30):
        changed = found.refine(step, 30 + step)
        assert (found.error < errors[-1]) == changed and found.error <= errors[-1]
        errors.append(found.error)
    assert errors[-1] < errors[30] < 0.2 * errors[0]
    assert found.add(60) and found.error < errors[-1]
    shown = _core.paint_entities(cpu(), grid, background, found.entities(), *size, WHOLE)
    assert ((shown.astype(float) - target) ** 2).sum() == pytest.approx(found.error, rel=1e-9)


def test_any_number_of_threads_finds_and_paints_the_same():
    grid, target = (4, 3, 512, 256, 256), to_target(picture((50, 40)))
    found = []
    for threads in (1, 2, 5):
        made = search(grid, target, np.zeros(3, np.int32), np.zeros((0, 13), np.int32), (0, 3, 4), threads)
        for step in range(8):
            made.add(step)
        made.refine(3, 8)
        entities = made.entities()
        shown = _core.paint_entities(cpu(threads), grid, np.zeros(3, np.int32), entities, 70, 90, WHOLE)
        found.append((made.error, entities.tobytes(), shown.tobytes()))
    assert len(set(found)) == 1


def test_more_survive_than_luck_brings():
    """The same number of candidates, drawn at random or bred: breeding is what finds the better ones."""
    grid, target = (3, 3, 4096, 256, 256), to_target(picture((64, 48)))
    errors = []
    for population, generations in ((240, 0), (24, 9)):
        made = search(grid, target, np.zeros(3, np.int32), np.zeros((0, 11), np.int32),
                      population=population, generations=generations)  # fmt: skip
        for step in range(12):
            made.add(step)
        errors.append(made.error)
    assert errors[1] < 0.9 * errors[0]


def test_the_native_door_refuses_what_does_not_fit():
    grid, target = (3, 3, 64, 256, 16), np.zeros((4, 5, 3), np.float32)
    none, black = np.zeros((0, 11), np.int32), np.zeros(3, np.int32)
    with pytest.raises(ValueError, match="vertices"):
        search((9, 3, 64, 256, 16), target, black, none)
    with pytest.raises(ValueError, match="target"):
        search(grid, target[:, :, :1], black, none)
    with pytest.raises(ValueError, match="corners"):
        search(grid, target, black, none, corners=(5,))
    for column, value in ((0, 1), (0, 4), (1, 16), (2, 97), (3, -33), (5, 1), (4, -1), (8, 256), (10, -1)):
        row = np.zeros((1, 11), np.int32)
        row[0, column] = value
        with pytest.raises(ValueError, match=r"out of range|one form"):
            search(grid, target, black, row)
        with pytest.raises(ValueError, match=r"out of range|one form"):
            _core.paint_entities(cpu(), grid, black, row, 4, 4, WHOLE)
    with pytest.raises(ValueError, match="no such entity"):
        search(grid, target, black, none).refine(0, 0)


# -- the model -----------------------------------------------------------------------------------------------


def picture(size=(40, 26)):
    """Three bands, a disc and a slope of grey."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    found = np.array([[206, 17, 38], [252, 209, 22], [0, 107, 63]], np.uint8)[y * 3 // height]
    found[(x - width / 2) ** 2 + (y - height / 2) ** 2 < (height / 4) ** 2] = (10, 20, 60)
    found[: height // 4] = (found[: height // 4] * np.linspace(0, 1, width)[None, :, None]).astype(np.uint8)
    return found


def to_target(pixels):
    return ((pixels + 0.5) / 256).astype(np.float32)


def paint(image, model="shapes", **options):
    return cn.train(image, model, **({"kind": "genetic"} if model == "shapes" else {}), progress=False, **options)


QUICK = {"n": 24, "population": 32, "generations": 8, "survivors": 6}


@pytest.fixture(scope="module")
def painted():
    return paint(picture(), shape="mixed", **QUICK)


def test_painting_learns_the_picture(painted):
    assert isinstance(painted, cn.Genetic) and len(painted) == 24 and painted.stopped == "finished"
    assert painted.psnr(picture()) > 20 > paint(picture(), **QUICK, steps=2).psnr(picture())
    assert painted.history[-1][1] == pytest.approx(painted.score(picture()), rel=0.02)
    assert {row[0] for row in painted.entities.tolist()} == {0, 3, 5}


@pytest.mark.parametrize("shape", ["ellipse", "triangle", "polygon"])
def test_every_shape_is_found(shape):
    made = paint(picture(), shape=shape, vertices=6, rounds=0, **QUICK)
    assert set(made.entities[:, 0].tolist()) == {{"ellipse": 0, "triangle": 3, "polygon": 6}[shape]}
    assert made.psnr(picture()) > 17


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (30, 1), (200, 3)])
@pytest.mark.parametrize("channels", [1, 3])
def test_awkward_pictures(size, channels):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)
    made = paint(pixels, **(QUICK | {"n": 8}), channels=channels)
    assert made.size == size and made.render().shape == (size[1], size[0], 3)
    assert made.history[-1][1] <= made.history[0][1] if made.history else True
    assert size != (1, 1) or made.score(pixels) < 1e-4 * channels


def test_a_flat_picture_needs_no_entities():
    made = paint(np.full((9, 12, 3), 77, np.uint8), **QUICK)
    assert len(made) == 0 and made.stopped == "finished"
    assert (made.render() == 77).all()
    with pytest.raises(ValueError, match="needs entities"):
        made.timelapse("none.gif")


def test_the_same_seed_paints_the_same(painted):
    again = paint(picture(), shape="mixed", **QUICK, threads=1)
    np.testing.assert_array_equal(again.entities, painted.entities)
    assert (paint(picture(), shape="mixed", **QUICK, seed=1).render() != painted.render()).any()


def test_large_pictures_are_searched_smaller():
    large = np.asarray(Image.fromarray(picture()).resize((400, 260), Image.Resampling.NEAREST))
    made = paint(large, fit_pixels=1040, **QUICK)
    assert made.size == (400, 260) and made.psnr(large) > 18
    small = made.render((40, 26)).astype(float) - picture()
    assert made.history[-1][1] == pytest.approx(100 * ((small / 255) ** 2).sum(), rel=0.02)


def test_a_part_is_that_part_and_more_pixels_the_same_picture(painted):
    whole = painted.render((160, 104), dtype="float32")
    part = painted.render((80, 52), region=(0.25, 0.25, 0.75, 0.75), dtype="float32")
    np.testing.assert_allclose(part, whole[26:78, 40:120], atol=1e-6)
    smaller = whole.reshape(26, 4, 40, 4, 3).mean(axis=(1, 3))
    assert np.abs(smaller - painted.render(dtype="float32")).mean() < 0.01  # blended first, or averaged first


def test_a_checkpoint_is_continued_bit_for_bit(painted, tmp_path):
    path = tmp_path / "run.npz"
    options = {"shape": "mixed", **QUICK, "checkpoint": path}
    for end in (13, 30):
        cut = paint(picture(), **options, callback=lambda report, end=end: report.step >= end)
        assert cut.stopped == "callback" and cut.history[-1][0] == end
    np.testing.assert_array_equal(paint(picture(), **options).entities, painted.entities)
    with pytest.raises(ValueError, match="another picture"):
        paint(picture()[::-1], **options)
    with pytest.raises(ValueError, match="another config"):
        paint(picture(), **(options | {"n": 25}))
    with pytest.raises(ValueError, match="another plan"):
        paint(picture(), **options, seed=3)
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(cn.FormatError, match="damaged or not a checkpoint"):
        paint(picture(), **options)


def test_minutes_end_a_search_and_a_start_is_gone_on_from(painted):
    made = paint(picture(), minutes=0.01, shape="mixed", init=painted, model=painted.config)
    assert made.stopped == "minutes" and made.score(picture()) < painted.score(picture())
    with pytest.raises(ValueError, match="init must be a Genetic"):
        paint(picture(), init=painted, n=5)


def test_a_timelapse_is_built_entity_by_entity(painted, tmp_path):
    painted.timelapse(tmp_path / "built.gif", fps=10)
    with Image.open(tmp_path / "built.gif") as movie:
        assert movie.n_frames > 20 and movie.size == (40, 26)
    assert painted.first(0).psnr(picture()) < painted.first(12).psnr(picture()) < painted.psnr(picture())


def saved(model, folder):
    path = folder / "painted.safetensors"
    model.save(path)
    return path


def test_a_file_holds_the_painting(painted, tmp_path):
    path = saved(painted, tmp_path)
    again = cn.load(path)
    assert isinstance(again, cn.Genetic) and again.config == painted.config and again.size == (40, 26)
    np.testing.assert_array_equal(again.render(), painted.render())
    assert json.loads(again.recipe)["population"] == 32
    other = painted.first(3)
    other.load_state_dict(painted.state_dict())
    np.testing.assert_array_equal(other.entities, painted.entities)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("corners", lambda a: a + 1),
        ("alphas", lambda a: a + 256),
        ("points", lambda a: a - 9000),
        ("points", lambda a: a[:, :2]),
        ("points", lambda a: a + (np.arange(a[0].size) == 3).reshape(a[0].shape).astype(np.int32)),
        ("colours", lambda a: a - 256),
        ("colours", lambda a: a.astype(np.float32)),
        ("background", lambda a: a[:2]),
        ("alphas", lambda a: a[:-1]),
        ("alphas", None),
    ],
)
def test_a_hostile_file_is_refused(painted, tmp_path, name, change):
    path = saved(painted, tmp_path)
    tensors, metadata = load_file(path), painted._metadata()
    if change is None:
        del tensors[name]
    else:
        tensors[name] = np.ascontiguousarray(change(tensors[name]))
    save_file(tensors, path, metadata)
    with pytest.raises(cn.FormatError):
        cn.load(path)


@pytest.mark.parametrize("key", ["n", "shape", "vertices", "points", "width"])
def test_hostile_metadata_is_refused(painted, tmp_path, key):
    path = saved(painted, tmp_path)
    metadata = painted._metadata()
    if key == "width":
        metadata["size"] = "[0, 5]"
    else:
        metadata["config"] = json.dumps(json.loads(metadata["config"]) | {key: 10**9})
    save_file(load_file(path), path, metadata)
    with pytest.raises(cn.FormatError):
        cn.load(path)


def test_the_command_line_paints(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(picture()).save("flag.png")
    outputs = ("flag.svg", "flag.gif", "flag.cppn", "painted.png")
    command = ["shapes", "flag.png", "--kind", "genetic", "--shape", "triangle", "-n", "6", "--json", "--quiet"]
    assert main([*command, *(part for path in outputs for part in ("-o", path))]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["kind"] == "genetic" and found["n"] == 6 and found["bytes"] == (tmp_path / "flag.cppn").stat().st_size
    assert main(["shapes", "flag.png", "--kind", "genetic", "--max-bytes", "90", "--quiet", "-o", "small.cppn"]) == 0
    assert (tmp_path / "small.cppn").stat().st_size <= 90
    assert main(["info", "flag.cppn", "small.cppn"]) == 0
    assert "genetic, 6 shapes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shape": "star"}, "shape must be one of"),
        ({"n": 0}, "n must be an integer from 1"),
        ({"vertices": 9}, "vertices must be an integer from 3 to 8"),
        ({"channels": 4}, "channels must be 1 or 3"),
        ({"population": 1}, "population must be"),
        ({"survivors": 97}, "survivors must be an integer from 1 to 96"),
        ({"rounds": -1}, "rounds must be"),
        ({"seed": -1}, "seed must be"),
        ({"minutes": 0}, "minutes must be"),
        ({"fit_pixels": 0}, "fit_pixels must be"),
        ({"device": "cuda:0"}, "cannot run paintings"),
    ],
)
def test_bad_orders_are_refused_in_the_callers_words(options, message):
    with pytest.raises((ValueError, cn.DeviceError), match=message):
        paint(picture(), **options)
    with pytest.raises(TypeError, match="unknown option 'colour'"):
        paint(picture(), colour=3)
