"""Paintings and quantized shapes in .cppn files: there and back, the specification, golden bytes, damage."""

import hashlib
import re
from pathlib import Path

import cppn_native as cn
import numpy as np
import pytest
from cppn_native import _core
from cppn_native.models.genetic import Genetic, GeneticConfig
from cppn_native.models.quantized import QuantizedShapes
from cppn_native.models.shapes import ShapesConfig

ROOT = Path(__file__).resolve().parents[1]
SHAPES = ("ellipse", "triangle", "polygon", "mixed")
KINDS = ("fourier", "depth", "stroke", "point", "article")


def painting(shape="mixed", n=30, channels=3, vertices=6, points=128, colours=32, alphas=8, seed=0, size=(60, 40)):
    config = GeneticConfig(max(n, 1), shape, vertices, channels, points, colours, alphas)
    rng = np.random.default_rng(seed)
    rows, end = np.zeros((n, config.row), np.int32), 2 + 2 * config.room
    rows[:, 0], rows[:, 1] = rng.choice(config.corners, n), rng.integers(alphas, size=n)
    rows[:, 2:end] = rng.integers(-(points // 2), points + points // 2 + 1, (n, end - 2))
    rows[:, end:] = rng.integers(colours, size=(n, channels))
    ellipse = rows[:, 0] == 0
    for high, low in ((4, 2), (7, 3)):
        rows[ellipse, high] = np.maximum(rows[ellipse, high], rows[ellipse, low])
    rows[ellipse, 5] = rows[ellipse, 3]
    return Genetic(config, size, rng.integers(colours, size=channels), rows)


def quantized(kind="fourier", n=20, terms=3, channels=3, spread=9.0, seed=0, formula="notebook", size=(60, 40)):
    config = ShapesConfig(kind, n, terms, channels, formula, **({"resolution": 60} if kind == "point" else {}))
    rng = np.random.default_rng(seed)
    row = config.params // n
    levels = np.clip(np.rint(rng.normal(0, spread, (n, row))), -8191, 8191).astype(np.int32)
    levels = levels[np.argsort(levels[:, 0], kind="stable")]
    return QuantizedShapes(config, size, levels, rng.integers(100, 190, len(config.shapes())).tolist())


def models():
    yield from (painting(shape, channels=channels) for shape in SHAPES for channels in (1, 3))
    yield from (painting(n=n) for n in (0, 1))
    yield painting("polygon", points=8192, colours=1024, alphas=1024, vertices=8)
    yield painting("triangle", points=2, colours=2, alphas=1, size=(65535, 1))
    yield from (quantized(kind, channels=channels) for kind in KINDS for channels in (1, 3, 4))
    yield quantized("depth", 1, 16, formula="prose")
    yield quantized(n=40, spread=4000)
    yield quantized(n=3, spread=0)


MODELS = list(models())


@pytest.fixture(params=range(len(MODELS)), ids=[repr(model)[1:-1] for model in MODELS])
def model(request):
    return MODELS[request.param]


def same(a, b):
    assert type(a) is type(b) and a.config == b.config and a.size == b.size
    if isinstance(a, Genetic):
        assert a.background.tolist() == b.background.tolist()
        np.testing.assert_array_equal(a.entities, b.entities)
    else:
        assert a.codes == b.codes
        np.testing.assert_array_equal(a.levels, b.levels)
        for name, array in a.state_dict().items():
            np.testing.assert_array_equal(array, b.state_dict()[name])


def test_every_model_comes_back(model):
    data = model.to_bytes()
    same(cn.load(data), model)
    assert model.nbytes == len(data) == cn.info(data)["file_bytes"]
    assert cn.info(data)["n"] == (len(model) if isinstance(model, Genetic) else model.config.count)


def test_the_specification_agrees(model):
    names = {}
    exec("\n".join(re.findall(r"```python\n(.*?)```", (ROOT / "docs/format.md").read_text(), re.S)), names)
    found = names["decode_list"](model.to_bytes())
    levels = model.entities if isinstance(model, Genetic) else model.levels
    assert found["levels"] == levels.tolist() and (found["width"], found["height"]) == model.size
    if isinstance(model, Genetic):
        assert found["background"] == model.background.tolist() and found["points"] == model.config.points
    else:
        assert found["steps"] == list(model.codes) and found["terms"] == model.config.terms


def test_files_keep_their_bytes():
    """Of these models, whose numbers are drawn without floats where it matters; a change is a new kind of file."""
    found = {name: hashlib.sha256(made.to_bytes()).hexdigest()[:16] for name, made in GOLDEN_MODELS.items()}
    assert found == GOLDEN
    assert GOLDEN_MODELS["small"].to_bytes().hex(" ") == SMALL


GOLDEN_MODELS = {
    "small": Genetic(GeneticConfig(1, "ellipse", 5, 3, 16, 8, 4), (9, 7), [1, 2, 3],
                     np.array([[0, 2, 3, 4, 8, 4, 5, 9, 7, 6, 0]], np.int32)),
    "painting": Genetic(GeneticConfig(40, "triangle", 5, 1, 64, 16, 4), (386, 320), [7],
                        np.array([[3, k % 4, *(k * j % 61 - 9 for j in (3, 5, 7, 11, 13, 17)), k * k % 16]
                                  for k in range(40)], np.int32)),
    "fourier": QuantizedShapes(ShapesConfig("fourier", 30, 2), (386, 320),
                               np.array([[k, *(k * j * j % 23 - 11 for j in range(1, 13))] for k in range(30)]),
                               [140, 141, 150, 170, 171, 150, 151, 130, 120]),
}  # fmt: skip
GOLDEN = {"small": "af0750060d1dbef9", "painting": "4cff77f5947daf5a", "fourier": "0fbe4f29dea9b626"}
SMALL = "c1 20 8e 18 33 09 e3 e2 c3 14 2d 00 11 c0 23 c0 49 00 49 40 47 00 92 80 80 09 38 09 2c 74 d6 55 4f"


# damage -----------------------------------------------------------------------------------------------------


def put_right(data):
    """With a checksum that fits."""
    names = {}
    exec(re.search(r"```python\n(import struct.*?)```", (ROOT / "docs/format.md").read_text(), re.S)[1], names)
    body = bytes(data[:-2])
    return body + names["checksum"](body).to_bytes(2, "big")


FILES = [painting(n=4).to_bytes(), quantized(n=3).to_bytes()]


@pytest.mark.parametrize("file", FILES, ids=["painting", "fourier"])
def test_every_flipped_bit_and_every_truncation_is_noticed(file):
    for bit in range(8 * len(file)):
        damaged = bytearray(file)
        damaged[bit // 8] ^= 0x80 >> bit % 8
        with pytest.raises(cn.FormatError):
            cn.load(bytes(damaged))
    for count in range(len(file)):
        with pytest.raises(cn.FormatError):
            cn.load(file[:count])
    with pytest.raises(cn.FormatError):
        cn.load(file + b"\1")


@pytest.mark.parametrize("file", FILES, ids=["painting", "fourier"])
def test_damage_behind_a_valid_checksum_is_decoded_or_refused(file):
    """Nothing but ``FormatError``; what is decoded can be encoded again."""
    rng, decoded = np.random.default_rng(1), 0
    cases = [(bit,) for bit in range(8 * (len(file) - 2))]
    cases += [tuple(rng.integers(8 * (len(file) - 2), size=rng.integers(2, 9))) for _ in range(1500)]
    for bits in cases:
        damaged = bytearray(file)
        for bit in bits:
            damaged[bit // 8] ^= 0x80 >> bit % 8
        try:
            model = cn.load(put_right(damaged))
        except cn.FormatError:
            continue
        if isinstance(model, Genetic | QuantizedShapes):
            decoded += 1
            same(cn.load(model.to_bytes()), model)
    assert decoded > 20


def test_a_header_that_promises_more_than_the_file_holds_is_refused():
    """65535 rows, and nothing behind: refused after some rows, not after 65535."""
    data = bytearray(painting("ellipse", n=1).to_bytes())
    bits = "".join(f"{byte:08b}" for byte in data[:-2])
    at = 8 + 4 + 4 + 2 + 4 + 2 * 6  # n = 1 stands there as 00001 1
    assert bits[at : at + 6] == "000011"
    bits = f"{bits[:at]}{16:05b}{65535:016b}{bits[at + 6 :]}"
    bits += "0" * (-len(bits) % 8)
    body = bytes(int(bits[k : k + 8], 2) for k in range(0, len(bits), 8))
    with pytest.raises(cn.FormatError):
        cn.load(put_right(body + b"\0\0"))


@pytest.mark.parametrize(
    ("field", "value"),
    [("type", 6), ("n", None), ("choices", 0), ("vertices", 2), ("points", 8193), ("colours", 1), ("alphas", 0),
     ("background", [1]), ("width", 0), ("channels", 4)],
)  # fmt: skip
def test_what_a_file_cannot_hold_is_refused_by_name(field, value):
    record = _core.decode_list(painting(n=2).to_bytes())
    if field == "n":
        record.levels = record.levels[:, :-1]
    else:
        setattr(record, field, value)
    with pytest.raises(ValueError):
        _core.encode_list(record)


def test_quantized_shapes_refuse_what_they_are_not():
    model = quantized()
    with pytest.raises(ValueError, match="levels must be within 8191"):
        QuantizedShapes(model.config, model.size, model.levels + 9000, model.codes)
    with pytest.raises(ValueError, match="codes must be 9 integers"):
        QuantizedShapes(model.config, model.size, model.levels, model.codes[1:])
    with pytest.raises(ValueError, match="keep their levels"):
        model.load_state_dict(model.state_dict())
    with pytest.raises(ValueError, match="points must be"):
        painting("ellipse", points=8200).to_bytes()


# under a budget ---------------------------------------------------------------------------------------------


def picture():
    y, x = np.mgrid[:26, :40]
    found = np.array([[206, 17, 38], [252, 209, 22], [0, 107, 63]], np.uint8)[y * 3 // 26]
    found[(x - 20) ** 2 + (y - 13) ** 2 < 40] = (10, 20, 60)
    return found


@pytest.mark.parametrize("kind", ["genetic", *KINDS])
def test_a_budget_is_kept(kind, tmp_path):
    options = {"rounds": 1, "population": 24, "generations": 6, "survivors": 4} if kind == "genetic" else {"steps": 40}
    model = cn.train(picture(), "shapes", kind=kind, max_bytes=300, progress=False, **options)
    model.save(tmp_path / "small.cppn")
    assert 200 < (tmp_path / "small.cppn").stat().st_size <= 300
    again = cn.load(tmp_path / "small.cppn")
    np.testing.assert_array_equal(again.render(), model.render())
    for threads in (1, 3):
        np.testing.assert_array_equal(again.render_float((77, 31), threads=threads), model.render_float((77, 31)))
    if kind in ("genetic", "fourier"):
        assert model.psnr(picture()) > 14


def test_rounded_shapes_are_trained_on(tmp_path):
    """To less error than rounding leaves, in the same bytes."""
    short, long = (cn.train(picture(), "shapes", kind="fourier", n=12, terms=2, max_bytes=160, steps=steps, seed=2,
                            progress=False) for steps in (1, 150))  # fmt: skip
    assert long.score(picture()) < short.score(picture()) and long.history[-1][0] > 150


def test_a_budget_that_nothing_fits_is_refused():
    with pytest.raises(ValueError, match="max_bytes must be at least"):
        cn.train(picture(), "shapes", kind="fourier", n=200, max_bytes=32, steps=2, progress=False)
    with pytest.raises(ValueError, match="max_bytes must be an integer"):
        cn.train(picture(), "shapes", max_bytes=3)
