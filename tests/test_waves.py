"""Waves: the formula, the file there and back, damage, and what ``cn.train(image, "waves")`` makes of a picture."""

import hashlib

import cppn_native as cn
import numpy as np
import pytest
from cppn_native import _core
from cppn_native.devices import open_cpu
from cppn_native.fit.waves import _bits
from reference import waves as reference
from test_codec import with_checksum


def waves(size=(40, 30), step=90, counts=(200, 60, 7), spread=2.0, seed=0, filter_code=0, strength=64):
    rng = np.random.default_rng(seed)
    mean, angles = rng.integers(256, size=len(counts)).tolist(), rng.integers(256, size=3).tolist()
    levels = np.rint(rng.laplace(0, spread, sum(counts))).astype(np.int32)
    return cn.Waves(size, step, mean, angles, counts, levels, filter=filter_code, strength=strength)


MODELS = [
    waves(),
    waves(counts=(150,)),
    waves(counts=(0, 0, 0)),
    waves(filter_code=100, strength=90),
    waves(filter_code=201, counts=(300, 0, 0), size=(31, 40), seed=3),
    waves(filter_code=150, counts=(90,), strength=255),
    waves(filter_code=30, counts=(300, 20, 9), seed=4),
    waves(size=(1, 1), counts=(0, 0, 0)),
    waves(size=(31, 31), counts=(0, 300, 960), seed=1),
    waves(size=(65535, 1), counts=(50, 3, 0)),
    waves(size=(2, 500), counts=(999, 0, 1)),
    waves(spread=200, seed=2, counts=(40, 40, 40)),
]


def picture(width=96, height=64):
    y, x = np.mgrid[0:height, 0:width] / height
    return np.stack([0.5 + 0.4 * np.sin(9 * x * y), 0.5 + 0.4 * np.cos(7 * x), y], axis=2).astype(np.float32)


@pytest.mark.parametrize("size", [(40, 30), (31, 31), (1, 90), (90, 1), (7, 200), (200, 3)])
def test_waves_are_in_the_order_of_their_frequency(size):
    count = size[0] * size[1] - 1
    for n in (0, count // 3, count):
        np.testing.assert_array_equal(
            _core.wave_order(*size, n), np.array(reference.order(*size, n), np.int32).reshape(-1, 2)
        )


def test_axes_are_turned_as_the_formula_says():
    for angles in ([0, 0, 0], [10, 200, 77], [255, 128, 64]):
        np.testing.assert_allclose(_core.wave_axes(angles), reference.axes(angles), atol=1e-6)


@pytest.mark.parametrize("model", MODELS[:9], ids=repr)
@pytest.mark.parametrize("region", [(0, 0, 1, 1), (0.25, -0.1, 0.8, 1.5)])
def test_the_picture_is_the_formula(model, region):
    step = _core.step_grid(model.step)
    parts = (model.mean, model.angles, model.counts, model.levels)
    for shown in ((40, 30), (13, 50)):
        filtering = (model.filter, model.strength, _core.filter_layers())
        expected = reference.render(model.size, step, *parts, shown, region, *filtering)
        np.testing.assert_allclose(model.render_float(shown, region=region), expected, atol=2e-5)


@pytest.mark.parametrize("axes", [1, 3])
def test_the_gradient_of_the_filter_is_that_of_the_formula(axes):
    rng, code, strength = np.random.default_rng(5), 150, 100
    shape = _core.filter_shape(31, 22, code)
    levels, targets = rng.normal(0, 2, (2, 3, *shape)).astype(np.float32)

    def distortion(planes):
        shown = planes + strength / 64 * reference.filtered(planes, _core.filter_layers())
        return ((shown - targets)[:axes] ** 2).sum()

    found = _core.WavesFilter(open_cpu(2), 31, 22, code)
    value, gradient = found.gradient(levels, targets, strength, axes)
    assert value == pytest.approx(distortion(levels.astype(float)), rel=1e-5)
    for c, v, u in ((0, 0, 0), (0, 3, 5), (1, 2, 7), (2, shape[0] - 1, shape[1] - 1)):
        step = np.zeros(levels.shape)
        step[c, v, u] = 1e-4
        slope = (distortion(levels + step) - distortion(levels - step)) / 4e-4
        assert gradient[c, v, u] == pytest.approx(slope, abs=2e-3)


def test_influence_is_what_a_level_does_to_the_others():
    """To first order: against all bits counted anew, over many levels."""
    model = waves(size=(40, 30), counts=(300, 100, 20), spread=0.6, seed=6)

    def others(levels, n):
        counted = cn.Waves(model.size, model.step, model.mean, model.angles, model.counts, levels)
        bits = _bits(np.abs(levels)[None], counted.odds()[None].astype(float))[0]
        return bits.sum() - bits[n]

    for way in (0, 1):
        expected, said = [], []
        for n in range(0, 420, 3):
            changed, size = model.levels.copy(), abs(int(model.levels[n]))
            if size - way < 0:
                continue
            changed[n] = (1 if model.levels[n] >= 0 else -1) * (size + (-1 if way else 1))
            expected.append((others(changed, n) - others(model.levels, n)) * (-1 if way else 1))
            said.append(model.influence()[n, way])
        assert np.corrcoef(expected, said)[0, 1] > 0.9
        assert np.abs(np.subtract(expected, said)).mean() < 0.3 * np.abs(expected).mean() + 0.05


@pytest.mark.parametrize("model", [m for m in MODELS if m.size[0] < 100], ids=repr)
def test_a_decoder_expects_what_the_models_say(model):
    if len(model.levels):
        expected = reference.odds(model.size, model.counts, model.levels)
        np.testing.assert_allclose(model.odds(), expected, atol=2e-3, rtol=1e-4)


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_every_model_comes_back(model, tmp_path):
    for again in (
        cn.load(model.to_bytes()),
        saved(model, tmp_path / "w.safetensors"),
        saved(model, tmp_path / "w.cppn"),
    ):
        assert isinstance(again, cn.Waves)
        for name in ("size", "step", "filter", "strength", "mean", "counts"):
            assert getattr(again, name) == getattr(model, name)
        np.testing.assert_array_equal(again.levels, model.levels)
        np.testing.assert_array_equal(again.render((20, 10)), model.render((20, 10)))


def saved(model, path):
    model.save(path)
    return cn.load(path)


def test_the_bytes_of_a_file_and_of_its_picture_stay_as_they_are():
    model = waves(seed=7, filter_code=140)
    digests = [hashlib.sha256(data).hexdigest()[:16] for data in (model.to_bytes(), model.render((50, 40)).tobytes())]
    assert digests == ["eba8b378204671be", "18095d7ef39933eb"]


def test_threads_and_bands_change_nothing():
    model = waves(size=(300, 200), counts=(900, 300, 30), filter_code=60)
    one = model.render_float((2100, 50), threads=1)
    np.testing.assert_array_equal(model.render_float((2100, 50), threads=2), one)


def test_damage_is_a_format_error_or_another_picture():
    rng, body = np.random.default_rng(0), waves().to_bytes()[:-2]
    for n in range(len(body)):
        with pytest.raises(cn.FormatError):
            cn.load(body[:n] + b"\0\0")
    refused = 0
    for _ in range(1500):
        damaged = bytearray(body[: rng.integers(2, len(body) + 1)])
        for at in rng.integers(1, len(damaged), 3):
            damaged[at] = rng.integers(256)
        damaged[1] = (3 << 4) | damaged[1] & 15  # the kind is still waves
        try:
            assert isinstance(cn.load(with_checksum(bytes(damaged))), cn.Waves)
        except cn.FormatError:
            refused += 1
    assert refused > 500


def test_bytes_after_the_levels_are_refused():
    with pytest.raises(cn.FormatError, match="bytes after the levels"):
        cn.load(with_checksum(waves().to_bytes()[:-2] + b"\1" * 12))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"step": 256}, "step"),
        ({"mean": [0, 0]}, "mean"),
        ({"mean": [0, 0, 256]}, "mean"),
        ({"angles": [0, 0, -1]}, "angles"),
        ({"counts": [4, 0, 0]}, "levels do not fit"),
        ({"counts": [9999, 0, 0]}, "counts"),
        ({"levels": np.full(3, 2048)}, "levels must be"),
        ({"filter": 256}, "filter must be"),
        ({"strength": -1}, "strength must be"),
        ({"filter": 255, "size": (5000, 5000)}, "grid is too large"),
        ({"counts": [1, 2], "mean": [1, 2]}, "channels"),
    ],
)
def test_what_no_file_can_hold_is_a_value_error(change, message):
    good = {
        "size": (9, 9),
        "step": 9,
        "mean": [1, 2, 3],
        "angles": [0, 0, 0],
        "counts": [1, 1, 1],
        "levels": [1, 0, -1],
    }
    cn.Waves(**good)
    with pytest.raises(ValueError, match=message):
        cn.Waves(**{**good, **change})


@pytest.mark.parametrize("channels", [1, 3])
def test_train_fills_the_budget_and_never_exceeds_it(channels):
    image, scores = picture(), []
    if channels == 1:
        image = image[:, :, 0]
    for max_bytes in (32, 64, 200):
        model = cn.train(image, "waves", max_bytes=max_bytes, channels=channels, progress=False)
        assert model.nbytes <= max_bytes and model.stopped == "finished"
        scores.append(model.score(image))
        assert scores[-1] == pytest.approx(model.history[-1][1], rel=1e-5)
    assert scores[0] > 2 * scores[1] > 8 * scores[2]
    assert model.psnr(image) > 40 and model.nbytes > 120


def test_the_same_file_on_every_number_of_threads():
    files = {cn.train(picture(), "waves", max_bytes=100, threads=n, progress=False).to_bytes() for n in (1, 2, None)}
    assert len(files) == 1


def test_a_search_goes_on_where_its_checkpoint_was(tmp_path):
    def search(steps, name=None, **options):
        checkpoint = None if name is None else tmp_path / name
        options = {"max_bytes": 90, "progress": False, "seed": 3, "checkpoint": checkpoint} | options
        return cn.train(picture(), "best", steps=steps, **options)

    whole = search(20)
    search(6, "a.npz")
    assert search(20, "a.npz").to_bytes() == whole.to_bytes()
    search(14, "b.npz")
    assert search(20, "b.npz").to_bytes() == whole.to_bytes()
    for changed, message in (({"max_bytes": 99}, "max_bytes 90, not 99"), ({"seed": 4}, "seed 3, not 4")):
        with pytest.raises(ValueError, match=message):
            search(20, "a.npz", **changed)
    (tmp_path / "c.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:-40])
    with pytest.raises(cn.FormatError, match="damaged or not a checkpoint"):
        search(20, "c.npz")


def test_a_callback_or_few_steps_end_the_search_with_what_fits():
    seen = []
    model = cn.train(
        picture(), "waves", max_bytes=90, progress=False, callback=lambda p: seen.append(p) or len(seen) > 1
    )
    assert (
        model.stopped == "callback"
        and model.nbytes <= 90
        and len(seen) == 2
        and seen[1].best == pytest.approx(model.score(picture()))
    )
    assert len(cn.train(picture(), "waves", max_bytes=90, steps=3, progress=False).history) == 3
    assert cn.train(picture(), "waves", steps=0, progress=False).n_params == 0


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"max_bytes": None}, ValueError, "max_bytes must be given"),
        ({"max_bytes": 5}, ValueError, "at least 32"),
        ({"init": waves()}, ValueError, "init is not for waves"),
        ({"neurons": 5}, TypeError, "unknown option 'neurons'"),
        ({"channels": 4}, ValueError, "channels must be 1 or 3"),
        ({"device": "cuda"}, cn.DeviceError, "waves"),
    ],
)
def test_what_does_not_fit_is_said(options, error, message):
    with pytest.raises(error, match=message):
        cn.train(picture(), "waves", progress=False, **options)


def test_a_program_of_waves_is_refused_by_name():
    with pytest.raises(ValueError, match="no program yet"):
        waves().export(target="py")


def test_info_counts_waves():
    found = cn.info(waves().to_bytes())
    assert found["kind"] == "waves" and found["n"] == 267 and found["width"] == 40
    assert found["file_bytes"] == found["header_bytes"] + found["payload_bytes"] + 2
