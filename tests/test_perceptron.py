"""Perceptrons: gradient through batch normalization, training, recipes, files that PyTorch reads and writes."""

import json

import cppn_native as cn
import numpy as np
import pytest
from cppn_native import _core
from cppn_native.activations import ACTIVATIONS
from cppn_native.coords import axes
from cppn_native.fit import perceptron_state as fitting
from cppn_native.fit.perceptron import _blurred
from cppn_native.layers import evaluate
from cppn_native.models.foreign import WIDTH, from_tensors
from cppn_native.models.perceptron import PRESETS, Perceptron, PerceptronConfig
from PIL import Image
from reference import perceptron as reference
from safetensors.numpy import load_file, save_file

TOLERANCE = 1e-4
"""Of the largest element: what the sums of float32 through four batch normalizations leave (measured: 7e-6)."""

MYSTERY = PerceptronConfig().layers
NETWORKS = {
    "mysterynet": MYSTERY,
    "one": ((1, 1, "tanh", False),),
    "ragged": ((3, 17, "tanh", False), (17, 33, "sigmoid", True), (33, 5, "gelu", False), (5, 2, "identity", False)),
    "norms": ((2, 20, "sine", True), (20, 16, "softplus", True), (16, 15, "sin", True), (15, 4, "sigmoid", False)),
    "wide": ((70, 130, "gelu", False), (130, 40, "tanh", True), (40, 3, "identity", False)),
}


def native(layers):
    return [(outputs, ACTIVATIONS[name].number, norm) for _, outputs, name, norm in layers]


def random_params(layers, rng):
    parts = []
    for inputs, outputs, _, norm in layers:
        parts += [rng.normal(0, inputs**-0.5, inputs * outputs), rng.normal(0, 0.5, outputs)]
        parts += [rng.normal(1, 0.2, outputs), rng.normal(0, 0.3, outputs)] if norm else []
    return np.concatenate(parts).astype(np.float32)


def batch(layers, pixels, rng):
    x = rng.uniform(-1, 1, (pixels, layers[0][0])).astype(np.float32)
    return x, rng.uniform(0, 1, (pixels, layers[-1][1])).astype(np.float32)


def error(actual, expected):
    return np.abs(actual - expected).max() / max(np.abs(expected).max(), 1e-30)


@pytest.fixture(params=_core.isas())
def cpu(request):
    return _core.Cpu(request.param, 2)


@pytest.mark.parametrize("loss", ["mse", "l1"])
@pytest.mark.parametrize("pixels", [1, 2, 127, 128, 129, 1000])
@pytest.mark.parametrize("name", NETWORKS)
def test_loss_gradient_and_moments_follow_the_formulas(cpu, name, pixels, loss):
    layers = NETWORKS[name]
    if pixels == 1 and any(norm for *_, norm in layers):
        pixels = 3  # one pixel has no deviation
    rng = np.random.default_rng(pixels)
    params, (x, y) = random_params(layers, rng), batch(layers, pixels, rng)
    task = _core.Perceptron(cpu, layers[0][0], native(layers), pixels)
    value, grad = task.gradient(params, x, y, loss)
    exact = [array.astype(np.float64) for array in (params, x, y)]
    expected_value, expected_grad, moments = reference.gradient(layers, *exact, loss)
    assert value == pytest.approx(expected_value, rel=1e-5)
    # Two pixels of a feature that hardly differ are normalized to +-1 all the same, and so are their roundings.
    assert error(grad, expected_grad) < (TOLERANCE if pixels > 100 else 20 * TOLERANCE)
    for found, wanted in zip(task.moments(), moments, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)


def test_the_gradient_is_the_slope_of_the_loss():
    """Central differences in float64 of the reference, so that both are not wrong alike."""
    layers = NETWORKS["norms"]
    rng = np.random.default_rng(5)
    params, (x, y) = random_params(layers, rng).astype(np.float64), batch(layers, 40, rng)
    _, grad, _ = reference.gradient(layers, params, x, y)
    for k in rng.choice(len(params), 60, replace=False):
        ends = []
        for sign in (1, -1):
            moved = params.copy()
            moved[k] += sign * 1e-5
            ends.append(reference.gradient(layers, moved, x, y)[0])
        assert (ends[0] - ends[1]) / 2e-5 == pytest.approx(grad[k], rel=1e-4, abs=1e-8)


def test_any_number_of_threads_gives_the_same_bits():
    rng = np.random.default_rng(1)
    params, (x, y) = random_params(MYSTERY, rng), batch(MYSTERY, 5000, rng)
    found = []
    for threads in (1, 2, 5):
        task = _core.Perceptron(_core.Cpu(_core.isas()[0], threads), 2, native(MYSTERY), 5000)
        found.append(task.gradient(params, x, y))
    for value, grad in found[1:]:
        assert value == found[0][0]
        np.testing.assert_array_equal(grad, found[0][1])


def descent(layers, x, y, params, threads=2, alone=False, start=None, **options):
    features = sum(outputs for _, outputs, _, norm in layers if norm)
    running = np.concatenate([np.repeat((0.0, 1.0), o) for _, o, _, norm in layers if norm] or [np.empty(0)])
    assert len(running) == 2 * features
    state = start or (0, params, np.zeros_like(params), np.zeros_like(params), running)
    cpu = _core.Cpu(_core.isas()[0], threads)
    return _core.PerceptronDescent(cpu, x.shape[1], native(layers), x, y, state, alone=alone, **options)


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_steps_are_adams_with_decoupled_decay_and_pytorchs_running_moments(decay):
    layers, rng = NETWORKS["norms"], np.random.default_rng(2)
    params, (x, y) = random_params(layers, rng), batch(layers, 300, rng)
    made = descent(layers, x, y, params, decay=decay)
    made.run([0.01, 0.02, 0.005])
    step, actual, _, _, running = made.state()
    expected, m, v = params.astype(np.float64), 0.0, 0.0
    moments = [[np.zeros(o), np.ones(o)] for _, o, _, norm in layers if norm]
    for t, rate in enumerate((0.01, 0.02, 0.005), 1):
        _, grad, seen = reference.gradient(layers, expected, x, y)
        expected, m, v = reference.adamw(expected, m, v, grad, t, rate, decay)
        for mine, (mean, var) in zip(moments, seen, strict=True):
            mine[0], mine[1] = 0.9 * mine[0] + 0.1 * mean, 0.9 * mine[1] + 0.1 * var * 300 / 299
    assert step == 3
    np.testing.assert_allclose(actual, expected, atol=2e-4)
    np.testing.assert_allclose(
        running, np.concatenate([np.concatenate(pair) for pair in moments]), rtol=1e-4, atol=1e-6
    )


def test_an_epoch_visits_every_row_once():
    """A linear neuron, the rate zero: the loss of a batch is the mean of its targets' squares, which tell the rows."""
    x, y = np.zeros((12, 1), np.float32), (2.0 ** np.arange(12))[:, None].astype(np.float32)
    layers = ((1, 1, "identity", False),)
    made = descent(layers, x, np.sqrt(y), np.zeros(2, np.float32), batch=4, seed=3)
    sums = [4 * made.run([0.0]) for _ in range(6)]
    assert sum(sums[:3]) == pytest.approx(4095) and sum(sums[3:]) == pytest.approx(4095)
    assert len({round(s) for s in sums}) > 3
    ordered = descent(layers, x, np.sqrt(y), np.zeros(2, np.float32), batch=4, in_order=True)
    assert [4 * ordered.run([0.0]) for _ in range(3)] == pytest.approx([15, 240, 3840])


def test_noise_has_the_deviation_asked_for_and_is_fresh_at_every_step():
    x, y = np.zeros((20_000, 1), np.float32), np.zeros((20_000, 3), np.float32)
    layers = ((1, 3, "identity", False),)
    made = descent(layers, x, y, np.zeros(6, np.float32))
    losses = [made.run([0.0], 0.5) for _ in range(3)]
    assert losses == pytest.approx([0.25] * 3, rel=0.02) and len(set(losses)) == 3
    assert made.run([0.0]) == 0


def test_a_descent_can_be_cut_anywhere_and_run_alone():
    rng = np.random.default_rng(7)
    params, (x, y) = random_params(MYSTERY, rng), batch(MYSTERY, 700, rng)
    whole = descent(MYSTERY, x, y, params, batch=200, seed=9)
    whole.run([0.01] * 7, 0.1)
    part = descent(MYSTERY, x, y, params, batch=200, seed=9, threads=1)
    part.run([0.01] * 3, 0.1)
    resumed = descent(MYSTERY, x, y, params, batch=200, seed=9, start=part.state())
    resumed.run([0.01] * 4, 0.1)
    alone = [descent(MYSTERY, x, y, params, batch=200, seed=9, alone=True) for _ in range(3)]
    _core.run_perceptrons(_core.Cpu(_core.isas()[0], 2), alone, [[0.01] * 7] * 3, [0.1] * 3)
    for other in (resumed, *alone):
        for a, b in zip(other.state(), whole.state(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_the_native_door_refuses_what_does_not_fit():
    cpu = _core.Cpu(_core.isas()[0], 1)
    for inputs, layers in (
        (2, []),
        (0, [(1, 0, False)]),
        (2, [(0, 0, False)]),
        (2, [(1, 99, False)]),
        (2, [(1, 0, True)]),
    ):
        with pytest.raises(ValueError, match=r"out of range|unknown|not normalized"):
            _core.Perceptron(cpu, inputs, layers, 5)
    task = _core.Perceptron(cpu, 2, [(1, 0, False)], 5)
    with pytest.raises(ValueError, match="do not fit"):
        task.gradient(np.zeros(2), np.zeros((4, 2)), np.zeros((4, 1)))
    with pytest.raises(ValueError, match="expected"):
        task.gradient(np.zeros(3), np.zeros((4, 3)), np.zeros((4, 1)))
    with pytest.raises(ValueError, match="at most"):
        task.gradient(np.zeros(3), np.zeros((6, 2)), np.zeros((6, 1)))


# -- the model -----------------------------------------------------------------------------------------------


def flag(size=(40, 26)):
    """Three bands and a disc."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    picture = np.array([[206, 17, 38], [252, 209, 22], [0, 107, 63]], np.uint8)[y * 3 // height]
    picture[(x - width / 2) ** 2 + (y - height / 2) ** 2 < (height / 5) ** 2] = (10, 20, 60)
    return picture


QUICK = {"steps": 300, "progress": False}


@pytest.fixture(scope="module")
def fitted():
    return cn.train(flag(), "mysterynet", **QUICK, batch=512, snapshots=5)


def test_training_learns_the_picture(fitted):
    assert isinstance(fitted, Perceptron) and fitted.n_params == 6675
    assert fitted.stopped == "finished" and fitted.history[-1][0] == 300
    assert fitted.psnr(flag()) > 18
    assert cn.train(flag(), "mysterynet", steps=1, progress=False).psnr(flag()) < 12


def test_the_render_is_the_reference_with_the_pictures_own_moments(fitted):
    """The running moments are those of the whole picture, so evaluation and training show the same."""
    x, y = axes("centered", (40, 26), (40, 26))
    points = np.stack([np.tile(x, 26), np.repeat(y, 40)], axis=1).astype(np.float64)
    params, running = fitting.pack(fitted)
    h = points
    for (_, _, name, norm), (w, b, gamma, beta) in zip(MYSTERY, reference.unpack(MYSTERY, params), strict=True):
        h = reference.ACTIVATIONS[name](h @ w.T + b)[0]
        if norm:
            mean, var = running[: len(b)], running[len(b) : 2 * len(b)]
            running = running[2 * len(b) :]
            np.testing.assert_allclose(mean, h.mean(axis=0), atol=1e-4)
            h = gamma * (h - mean) / np.sqrt(var + reference.EPS) + beta
    np.testing.assert_allclose(fitted.render_float().reshape(-1, 3), h, atol=1e-4)
    np.testing.assert_allclose(fitted(points), h, atol=1e-4)


def test_the_same_seed_gives_the_same_model(fitted):
    again = cn.train(flag(), "mysterynet", **QUICK, batch=512, threads=1)
    for name, array in fitted.state_dict().items():
        np.testing.assert_array_equal(array, again.state_dict()[name])
    other = cn.train(flag(), "mysterynet", **QUICK, batch=512, seed=1)
    assert (other.render() != fitted.render()).any()


@pytest.mark.parametrize("model", ["mlp", "siren", "fourier"])
def test_the_family_learns_too(model):
    assert cn.train(flag(), model, **QUICK, batch=512).psnr(flag()) > 13


@pytest.mark.parametrize("coords", ["centered", "seed"])
def test_layers_on_their_plane_are_the_model(coords):
    config = PerceptronConfig((12, 12), "tanh", 2, "sigmoid", octaves=3, coords=coords)
    model = cn.train(flag(), config, steps=3, progress=False)
    shown = evaluate(model.layers(), model.plane().inputs((40, 26)))
    np.testing.assert_allclose(shown, model.render_float(), atol=2e-5)
    with pytest.raises(ValueError, match="Fourier"):
        cn.train(flag(), "fourier", steps=1, progress=False).plane()


@pytest.mark.parametrize("target", ["py", "js", "c"])
def test_a_perceptron_becomes_a_program(fitted, target):
    """Run and compared where this machine can: ``ExportError`` otherwise."""
    assert len(fitted.export(target=target)) > 1000


def test_octaves_and_grey_pictures():
    config = PerceptronConfig((12, 12), "relu", 0, "sigmoid", channels=1, octaves=4)
    model = cn.train(flag(), config, **QUICK, batch=0, rate=0.01)
    assert model.render().shape == (26, 40, 3) and model.psnr(flag()[:, :, :1].repeat(3, axis=2)) > 8


def test_a_checkpoint_is_continued_bit_for_bit(fitted, tmp_path):
    path = tmp_path / "run.npz"
    seen = []
    stop = lambda report: seen.append(report.step) or report.step > 100  # noqa: E731
    cut = cn.train(flag(), "mysterynet", **QUICK, batch=512, snapshots=5, checkpoint=path, callback=stop)
    assert cut.stopped == "callback" and cut.history[-1][0] < 300
    whole = cn.train(flag(), "mysterynet", **QUICK, batch=512, snapshots=5, checkpoint=path)
    for name, array in fitted.state_dict().items():
        np.testing.assert_array_equal(array, whole.state_dict()[name])
    with pytest.raises(ValueError, match="another picture"):
        cn.train(flag()[::-1], "mysterynet", **QUICK, batch=512, checkpoint=path)
    with pytest.raises(ValueError, match="another plan"):
        cn.train(flag(), "mysterynet", **QUICK, batch=256, checkpoint=path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(cn.FormatError, match="damaged or not a checkpoint"):
        cn.train(flag(), "mysterynet", **QUICK, batch=512, checkpoint=path)


def test_minutes_end_a_training():
    model = cn.train(flag(), "mysterynet", minutes=0.01, progress=False)
    assert model.stopped in ("finished", "minutes") and model.history[-1][0] > 5


def test_a_timelapse_shows_the_snapshots(fitted, tmp_path):
    assert len(fitted.snapshots) == 5
    fitted.timelapse(tmp_path / "flag.gif", fps=10)
    with Image.open(tmp_path / "flag.gif") as movie:
        assert movie.n_frames > 4 and movie.size == (40, 26)
    with pytest.raises(ValueError, match="needs snapshots"):
        cn.load(saved(fitted, tmp_path)).timelapse(tmp_path / "none.gif")


def test_snapshots_are_normalized_by_their_own_moments(fitted):
    """An early network with the moments of the last one paints a picture that training never saw."""
    early = fitted.snapshots[0]
    points = np.stack(np.meshgrid(*axes("centered", (40, 26), (40, 26))), axis=-1).reshape(-1, 2).astype(np.float64)
    params, running = fitting.pack(early)
    *_, moments = reference.gradient(MYSTERY, params.astype(np.float64), points, np.zeros((len(points), 3)))
    np.testing.assert_allclose(
        running, np.concatenate([np.concatenate(pair) for pair in moments]), rtol=2e-4, atol=1e-5
    )


def saved(model, folder):
    path = folder / "flag.safetensors"
    model.save(path)
    return path


def test_a_file_holds_the_model_its_size_and_its_recipe(fitted, tmp_path):
    path = saved(fitted, tmp_path)
    again = cn.load(path)
    np.testing.assert_array_equal(again.render(), fitted.render())
    assert again.size == (40, 26) and again.config == fitted.config
    assert json.loads(again.recipe)["steps"] == 300
    assert set(load_file(path)) == set(fitted.shapes()) and fitted.nbytes == path.stat().st_size
    with pytest.raises(ValueError, match=r"\.cppn"):
        fitted.save(tmp_path / "flag.cppn")


@pytest.mark.parametrize("convention", ["unit", "signed", "pixels", "centred", "swapped"])
def test_coordinates_of_a_foreign_file_are_found_by_its_statistics(convention, tmp_path):
    """As PyTorch would save a net that was trained on such a grid; only the first normalization matters."""
    height = 200
    x, y = (np.arange(2, n, 5) for n in (WIDTH, height))  # every fifth pixel will do for the statistics
    grids = {
        "unit": (x / (WIDTH - 1), y / (height - 1)),
        "signed": (2 * x / (WIDTH - 1) - 1, 2 * y / (height - 1) - 1),
        "pixels": (x, y),
        "centred": [axis[2::5] for axis in axes("centered", (WIDTH, height), (WIDTH, height))],
        "swapped": [axis[2::5] for axis in axes("centered", (WIDTH, height), (WIDTH, height))],
    }
    u, v = (axis.astype(np.float64) for axis in grids[convention])
    points = np.stack([np.tile(u, len(v)), np.repeat(v, len(u))], axis=1)[:, :: -1 if convention == "swapped" else 1]
    rng = np.random.default_rng(3)
    params = random_params(MYSTERY, rng)
    if convention == "pixels":
        params[:32] /= 200
    _, _, moments = reference.gradient(MYSTERY, params.astype(np.float64), points, np.zeros((len(points), 3)))
    running = np.concatenate([np.concatenate(pair) for pair in moments])
    given = fitting.unpack(PerceptronConfig(), (WIDTH, height), params, running, 1)
    save_file(given.state_dict(), tmp_path / "foreign.safetensors", metadata={"format": "pt"})
    expected = given(points).reshape(len(v), len(u), 3)
    shown = cn.load(tmp_path / "foreign.safetensors", size=(WIDTH, height)).render_float()[2::5, 2::5]
    assert np.abs(shown - expected).mean() < 0.02 * np.ptp(expected)


def damaged(state, change):
    state = dict(state)
    change(state)
    return state


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("dense3.bias"), "lacks dense3.bias"),
        (lambda s: s.update({"extra": np.zeros(3, np.float32)}), "has extra"),
        (lambda s: s.update({"dense2.weight": np.zeros((3, 3), np.float32)}), "must have the shape"),
        (lambda s: s.update({"dense1.weight": np.full((16, 2), np.nan, np.float32)}), "finite"),
        (lambda s: s.update({"bn2.running_var": np.full(32, -1, np.float32)}), "negative"),
        (lambda s: s.update({"dense_head.weight": np.zeros(3, np.float32)}), "no dense1"),
        (lambda s: s.update({"dense1.weight": np.zeros((16, 3), np.float32)}), "two inputs"),
    ],
)
def test_files_of_another_shape_are_refused(fitted, tmp_path, change, message):
    save_file(damaged(fitted.state_dict(), change), tmp_path / "bad.safetensors", metadata={"format": "pt"})
    with pytest.raises(cn.FormatError, match=message):
        cn.load(tmp_path / "bad.safetensors")


def test_hostile_metadata_is_refused(fitted, tmp_path):
    for config in ("{", "[]", '{"hidden": [99999]}', '{"hidden": 5}', json.dumps({"hidden": [16] * 1000})):
        metadata = {"kind": "perceptron", "config": config, "size": "[40, 26]"}
        save_file(fitted.state_dict(), tmp_path / "bad.safetensors", metadata=metadata)
        with pytest.raises(cn.FormatError):
            cn.load(tmp_path / "bad.safetensors")


def test_statistics_of_no_known_grid_are_said_to_be_so(fitted):
    state = fitted.state_dict()
    state["bn2.running_mean"] = state["bn2.running_mean"] + 100
    with pytest.raises(ValueError, match="fit no known grid"):
        from_tensors(state)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_bytes": 2048}, "max_bytes is for models in .cppn files"),
        ({"steps": -1}, "steps must be"),
        ({"rate": 0}, "rate must be"),
        ({"batch": -1}, "batch must be"),
        ({"loss": "l2"}, "loss must be"),
        ({"decay": -1}, "decay must be"),
        ({"recipe": "mysterynet"}, "recipe must be a cn.Recipe"),
        ({"snapshots": -1}, "snapshots must be"),
        ({"hidden": (0,)}, "hidden must be"),
        ({"activation": "swish"}, "activation must be among"),
        ({"norm_every": -1}, "norm_every must be"),
        ({"coords": "polar"}, "coords must be one of"),
        ({"device": "abacus"}, "device must be"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        cn.train(flag(), "mysterynet", **{**QUICK, **options})


def test_a_gpu_by_name_cannot_train_a_perceptron_yet(fitted):
    with pytest.raises(cn.DeviceError, match='use device="cpu"'):
        cn.train(flag(), "mysterynet", **QUICK, device="cuda")
    with pytest.raises(cn.DeviceError, match='use device="cpu"'):
        fitted.render(device="cuda:0")


def test_a_rate_too_large_is_said_to_have_diverged():
    with pytest.raises(cn.DivergedError, match="try a smaller rate"):
        cn.train(flag(), PerceptronConfig((8, 8), "square", 0), **QUICK, rate=900.0)


def test_recipes_have_fractions_that_add_up():
    with pytest.raises(ValueError, match="add up to 1"):
        cn.Recipe((cn.Stage(0.5),))
    with pytest.raises(ValueError, match="fraction must be"):
        cn.Stage(0)
    with pytest.raises(ValueError, match="noise must be"):
        cn.Stage(1, noise=-1)
    assert cn.recipes.mysterynet().first_steps(100) == [0, 10, 25]


def test_blur_is_a_gaussians():
    plane = np.zeros((41, 41), np.float32)
    plane[20, 20] = 1
    y, x = np.mgrid[-20:21, -20:21]
    expected = np.exp(-(x**2 + y**2) / (2 * 2.5**2)) / (2 * np.pi * 2.5**2)
    np.testing.assert_allclose(_blurred(plane, 2.5), expected, atol=2e-6)


def test_presets_are_what_the_literature_says():
    assert PRESETS["mysterynet"].params == 6675
    siren = fitting.first_params(PRESETS["siren"], 0)
    assert np.abs(siren[:80]).max() == pytest.approx(15, rel=0.05)  # omega / fan-in
