"""Pictures of shapes as models: values, sizes, files, training from end to end, the command."""

import json
from dataclasses import replace

import cppn_native as cn
import numpy as np
import pytest
from cppn_native import _core
from cppn_native.cli import main
from cppn_native.coords import axes, line
from cppn_native.fit.shapes import ShapesRun
from cppn_native.fit.shapes_state import first_parameters, loss_weights
from cppn_native.image import load_image, save_image
from cppn_native.models.shapes import KINDS
from PIL import Image
from reference import shapes as reference
from safetensors.numpy import save_file

QUICK = {"steps": 60, "progress": False, "n": 40}


def picture(size=(48, 32)):
    """A red disc on a slope of blue, a green stripe."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    shown = np.stack([40 + 0 * x, 30 + 2 * x, 90 + 3 * y], axis=2).astype(np.uint8)
    shown[(x - width / 3) ** 2 + (y - height / 2) ** 2 < (height / 4) ** 2] = (220, 40, 30)
    shown[:, width * 3 // 4 : width * 7 // 8] = (30, 170, 60)
    return shown


@pytest.fixture(scope="module")
def fitted():
    return cn.train(picture(), "shapes", snapshots=4, **QUICK)


def drawn(kind="fourier", size=(40, 30), n=20, **options):
    config = cn.ShapesConfig(kind, n, **options)
    parameters = first_parameters(config, size, 3)
    rng = np.random.default_rng(5)
    if "colour" in parameters:
        parameters["colour"] = rng.normal(0, 1, parameters["colour"].shape).astype(np.float32)
    return cn.Shapes(config, size, parameters)


# -- the model -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_values_are_the_maps_of_the_raw_parameters(kind):
    model = drawn(kind)
    raw = {name: array.astype(np.float64) for name, array in model.parameters.items()}
    for name, expected in reference.values(kind, raw).items():
        np.testing.assert_allclose(model.values()[name], expected, rtol=1e-6, atol=1e-12)
    assert model.n_params == sum(array.size for array in raw.values()) == len(model.packed())


@pytest.mark.parametrize(
    ("kind", "channels"), [("fourier", 1), ("depth", 4), ("stroke", 3), ("point", 1), ("article", 4)]
)
def test_a_render_is_the_formula_at_pixel_centres(kind, channels):
    size = (32, 32)
    model = drawn(kind, size, channels=channels)
    centres = (np.arange(32) + 0.5) / 32
    x, _ = axes("unit", size, size)
    np.testing.assert_array_equal(x, centres.astype(np.float32))
    raw = {name: array.astype(np.float64) for name, array in model.parameters.items()}
    expected = reference.picture(kind, "notebook", raw, centres, centres, 32, channels=channels)
    shown = model.render_float()
    assert shown.shape == (32, 32, channels)
    assert np.median(np.abs(shown - expected)) < 1e-5 and np.quantile(np.abs(shown - expected), 0.99) < 1e-3
    assert model.render().shape == (32, 32, 3 if channels == 1 else channels)


def test_of_an_oblong_picture_the_long_side_is_1_and_the_short_one_lies_in_the_middle():
    x, y = axes("unit", (40, 20), (4, 2))
    np.testing.assert_allclose(x, [0.125, 0.375, 0.625, 0.875])
    np.testing.assert_allclose(y, [0.375, 0.625])
    for which, found in enumerate(axes("unit", (40, 20), (8, 6), (0.25, 0, 1, 0.5))):
        slope, offset = line("unit", (40, 20), which)
        place = (0.25 + 0.75 * (np.arange(8) + 0.5) / 8) if which == 0 else 0.5 * (np.arange(6) + 0.5) / 6
        np.testing.assert_allclose(found, slope * place + offset, rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_every_size_region_and_supersample_shows_the_same_picture(kind):
    model = drawn(kind)
    whole = model.render_float((80, 60))
    part = model.render_float((40, 30), region=(0.5, 0.5, 1, 1))
    np.testing.assert_allclose(part, whole[30:, 40:], atol=2e-4)
    np.testing.assert_array_equal(model.render((80, 60), threads=1), model.render((80, 60), threads=3))
    averaged = np.clip(whole.reshape(30, 2, 40, 2, 3).mean((1, 3)), 0, 1)
    np.testing.assert_allclose(model.render(supersample=2, dtype="float32"), averaged, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_the_model(kind, tmp_path):
    model = drawn(kind)
    model.save(tmp_path / "a.safetensors")
    again = cn.load(tmp_path / "a.safetensors")
    assert isinstance(again, cn.Shapes) and again.config == model.config and again.size == model.size
    np.testing.assert_array_equal(again.render(), model.render())
    assert model.nbytes == (tmp_path / "a.safetensors").stat().st_size


def test_hostile_files_are_refused(tmp_path):
    model, path = drawn(), tmp_path / "a.safetensors"
    state, facts = model.state_dict(), model._metadata()

    def refused(state=state, **changed):
        save_file(
            state, path, metadata={key: value for key, value in {**facts, **changed}.items() if value is not None}
        )
        with pytest.raises(cn.FormatError):
            cn.load(path)

    refused({name: array for name, array in state.items() if name != "posx"})
    refused({**state, "extra": state["posx"]})
    refused({**state, "posx": state["posx"][:-1].copy()})
    refused({**state, "posx": np.full_like(state["posx"], np.nan)})
    refused({**state, "posx": np.full(len(state["posx"]), 1e300)})
    refused(size=None)
    refused(size="[0, 4]")
    refused(size="7")
    refused(config="not JSON")
    refused(config=json.dumps({"kind": "square"}))
    refused(config=json.dumps({"kind": "fourier", "n": 10**12}))
    refused(config=json.dumps({"kind": "fourier", "n": 20, "secret": 1}))
    refused(config=json.dumps([1, 2]))
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(cn.FormatError):
        cn.load(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "square"}, "kind must be one of fourier, depth, stroke, point, article, got 'square'"),
        ({"n": 0}, "n must be an integer from 1 to 65536, got 0"),
        ({"n": 2.5}, "n must be an integer"),
        ({"n": True}, "n must be an integer"),
        ({"terms": 0}, "terms must be an integer from 1 to 16, got 0"),
        ({"channels": 2}, "channels must be 1, 3 or 4, got 2"),
        ({"formula": "verse"}, "formula must be one of notebook, prose, got 'verse'"),
        ({"kind": "stroke", "formula": "prose"}, "formula must be notebook for kind stroke"),
        ({"kind": "point", "resolution": 0}, "resolution must be an integer"),
        ({"loss": "l3"}, "loss must be one of rmse, l1, variance, brightness, got 'l3'"),
        ({"rate": 0}, "rate must be a positive number"),
        ({"rate": float("nan")}, "rate must be a positive number"),
        ({"decay": -1}, "decay must be a number"),
        ({"steps": -1}, "steps must be"),
        ({"epochs": -1}, "steps must be"),
        ({"epochs": 3, "steps": 3}, "epochs is another name"),
        ({"minutes": 0}, "minutes must be"),
        ({"seed": -1}, "seed must be"),
        ({"max_bytes": 3}, "max_bytes must be"),
        ({"snapshots": -1}, "snapshots must be"),
        ({"fit_pixels": 0}, "fit_pixels must be"),
        ({"init": 3}, "init must be Shapes"),
        ({"background": "no colour"}, "background must be"),
    ],
)
def test_training_refuses_in_the_callers_words(options, message):
    with pytest.raises(ValueError, match=message):
        cn.train(picture(), "shapes", progress=False, **options)


def test_training_refuses_what_is_no_picture_and_what_it_does_not_know():
    with pytest.raises(ValueError, match="image has 1 NaN"):
        cn.train(np.array([[0.0, np.nan]]), "shapes", progress=False)
    with pytest.raises(ValueError, match="image is empty"):
        cn.train(np.zeros((0, 3)), "shapes", progress=False)
    with pytest.raises(TypeError, match="unknown option 'colour'"):
        cn.train(picture(), "shapes", progress=False, colour=3)
    with pytest.raises(cn.DeviceError, match="cannot run shapes yet"):
        cn.train(picture(), "shapes", progress=False, device="cuda", steps=1)
    with pytest.raises(cn.DeviceError, match="cannot run shapes yet"):
        drawn().render(device="cuda")


# -- training --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_training_learns_the_picture(kind):
    options = QUICK | ({"n": 300} if kind in ("stroke", "point") else {})  # of which one covers little
    before, after = (
        cn.train(picture(), "shapes", kind=kind, **(options | {"steps": steps})).score(picture()) for steps in (1, 60)
    )
    assert after < 0.9 * before


def test_a_run_is_a_function_of_its_seed(fitted):
    assert fitted.stopped == "finished" and fitted.history[-1][0] == 60 and len(fitted.snapshots) == 4
    again = cn.train(picture(), cn.ShapesConfig(n=40), steps=60, progress=False, threads=1)
    other = cn.train(picture(), "shapes", seed=1, **QUICK)
    for name, array in fitted.state_dict().items():
        np.testing.assert_array_equal(array, again.state_dict()[name])
    assert (other.render() != fitted.render()).any()


def test_the_initial_values_are_the_notebooks():
    raw = first_parameters(cn.ShapesConfig("fourier"), (256, 256), 0)
    assert not (raw["w_sin"].any() or raw["w_cos"].any() or raw["colour"].any() or raw["rotate"].any())
    assert raw["radius"].std() == pytest.approx(3, rel=0.15) and raw["posx"].std() == pytest.approx(1, rel=0.15)
    raw = first_parameters(cn.ShapesConfig("depth"), (256, 256), 0)
    assert all(a.min() >= 0 and a.max() < 1 for name, a in raw.items() if name not in ("radius", "colour"))
    raw = first_parameters(cn.ShapesConfig("point"), (256, 128), 0)
    assert raw["posx"].max() > 0.9 and raw["posy"].min() >= 0.25 and raw["posy"].max() <= 0.75


def test_losses_weigh_what_they_are_named_after():
    target = np.full((60, 40, 3), 0.5, np.float32)
    target[:20] = np.random.default_rng(0).uniform(0, 1, (20, 40, 3))
    flat = loss_weights(target, "rmse")
    busy = loss_weights(target, "variance")
    assert (flat == 1).all() and busy.min() > 0 and busy.mean() == pytest.approx(1, rel=1e-5)
    assert busy[5:15].mean() > 5 * busy[45:].mean()
    bright = loss_weights(target, "brightness")
    np.testing.assert_allclose(bright[0, 0], 3 * np.array([0.241, 0.691, 0.068]), rtol=1e-6)
    # A window of 21 x 21, cut at the edge, as NumPy does it one by one.
    k, l = 3, 20  # noqa: E741
    window = target[0 : k + 11, l - 10 : l + 11].astype(np.float64)
    from cppn_native.fit.shapes_state import _local_mean

    np.testing.assert_allclose(_local_mean(target)[k, l], window.mean((0, 1)), rtol=1e-6)


@pytest.mark.parametrize("loss", ["l1", "variance", "brightness"])
def test_other_losses_learn_too(loss):
    assert cn.train(picture(), "shapes", loss=loss, **QUICK).psnr(picture()) > 9


def test_a_checkpoint_is_continued_bit_for_bit(fitted, tmp_path):
    path = tmp_path / "run.npz"
    stop = lambda report: report.step >= 20  # noqa: E731
    cut = cn.train(picture(), "shapes", snapshots=4, checkpoint=path, callback=stop, **QUICK)
    assert cut.stopped == "callback" and cut.history[-1][0] < 60
    whole = cn.train(picture(), "shapes", snapshots=4, checkpoint=path, **QUICK)
    for name, array in fitted.state_dict().items():
        np.testing.assert_array_equal(array, whole.state_dict()[name])
    for a, b in zip(fitted.snapshots, whole.snapshots, strict=True):
        np.testing.assert_array_equal(a.packed(), b.packed())
    with pytest.raises(ValueError, match="another picture"):
        cn.train(picture()[::-1], "shapes", checkpoint=path, **QUICK)
    with pytest.raises(ValueError, match="another plan"):
        cn.train(picture(), "shapes", checkpoint=path, decay=0.5, **QUICK)
    with pytest.raises(ValueError, match="another network"):
        cn.train(picture(), "shapes", checkpoint=path, **(QUICK | {"n": 41}))
    with pytest.raises(cn.FormatError, match="not one of a training of kind perceptron"):
        cn.train(picture(), "mysterynet", checkpoint=path, steps=3, progress=False)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(cn.FormatError, match="damaged or not a checkpoint"):
        cn.train(picture(), "shapes", checkpoint=path, **QUICK)


def test_minutes_are_measured_once_and_kept_in_the_checkpoint(tmp_path):
    path = tmp_path / "run.npz"
    plans = []
    stop = lambda report: plans.append(report.steps) or True  # noqa: E731
    options = {"minutes": 0.01, "progress": False, "n": 10, "checkpoint": path}
    cn.train(picture(), "shapes", callback=stop, **options)
    model = cn.train(picture(), "shapes", callback=lambda report: plans.append(report.steps), **options)
    assert len(set(plans)) == 1 and plans[0] > 5 and model.stopped in ("finished", "minutes")


def test_ctrl_c_keeps_the_best_so_far():
    raised = []

    def interrupt(report):
        if report.step >= 20 and not raised:
            raised.append(report.step)
            raise KeyboardInterrupt

    model = cn.train(picture(), "shapes", callback=interrupt, **QUICK)
    assert model.stopped == "interrupt" and model.psnr(picture()) > 5


def test_the_best_step_is_what_is_returned():
    """At a rate that makes the loss jump about."""
    losses = []
    model = cn.train(picture(), "shapes", rate=0.5, callback=lambda r: losses.append(r.score), **QUICK)
    assert model.score(picture()) <= 1.02 * min(losses)


def test_a_training_that_diverges_hands_over_its_best(monkeypatch):
    """A learning rate beyond all floats, once some steps are taken."""
    seen = []

    def explode(report):
        seen.append(report.step)
        run.plan = replace(run.plan, rate=3e38)

    made = ShapesRun.__init__

    def keep(self, *arguments, **options):
        nonlocal run
        made(self, *arguments, **options)
        run = self

    run = None
    monkeypatch.setattr(ShapesRun, "__init__", keep)
    with pytest.raises(cn.DivergedError, match="diverged at step") as raised:
        cn.train(picture(), "shapes", kind="stroke", callback=explode, **QUICK)
    assert seen and isinstance(raised.value.model, cn.Shapes)
    assert np.isfinite(raised.value.model.render_float()).all()


def test_training_begins_from_a_model(fitted):
    again = cn.train(picture(), "shapes", init=fitted, steps=0, progress=False)
    np.testing.assert_array_equal(again.packed(), fitted.packed())
    assert cn.train(picture(), "shapes", init=fitted, steps=40, progress=False).score(picture()) <= fitted.score(
        picture()
    )
    with pytest.raises(ValueError, match="init must be Shapes of the same config"):
        cn.train(picture(), "shapes", init=fitted, kind="depth", progress=False)


def test_transparency_is_put_on_the_background_or_learned():
    image = np.dstack([picture(), np.full((32, 48), 255, np.uint8)])
    image[:, :20, 3] = 0
    flat = cn.train(image, "shapes", background=(0, 0, 0), **QUICK)
    on_black = image[:, :, :3] * (image[:, :, 3:] // 255)
    assert flat.psnr(on_black) > flat.psnr(image[:, :, :3])
    deep = cn.train(image, "shapes", kind="depth", channels=4, **(QUICK | {"steps": 300, "rate": 0.02}))
    assert deep.render().shape == (32, 48, 4)
    assert deep.render()[:, :16, 3].mean() < 100 < 150 < deep.render()[:, 26:, 3].mean()


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (200, 3)])
@pytest.mark.parametrize("kind", KINDS)
def test_awkward_sizes_train_and_show(kind, size):
    model = cn.train(picture(size), "shapes", kind=kind, n=1, steps=3, progress=False)
    assert model.render().shape == (size[1], size[0], 3) and np.isfinite(model.render_float()).all()


def test_large_pictures_are_averaged_down_and_keep_their_size():
    small = cn.train(picture((96, 64)), "shapes", fit_pixels=24 * 16, **QUICK)
    assert small.size == (96, 64) and small.render().shape == (64, 96, 3)
    dots = cn.train(picture((96, 64)), "shapes", kind="point", n=9, steps=1, fit_pixels=24 * 16, progress=False)
    assert dots.config.resolution == 24


def test_a_timelapse_shows_the_snapshots(fitted, tmp_path):
    fitted.timelapse(tmp_path / "a.gif", fps=10, size=(96, 64))
    with Image.open(tmp_path / "a.gif") as movie:
        assert movie.n_frames > 3 and movie.size == (96, 64)
    with pytest.raises(ValueError, match="needs snapshots"):
        drawn().timelapse(tmp_path / "b.gif")


def test_every_instruction_set_learns_alike(monkeypatch):
    scores = []
    for isa in _core.isas():
        monkeypatch.setenv("CPPN_ISA", isa)
        scores.append(cn.train(picture(), "shapes", **QUICK).score(picture()))
    assert max(scores) < 1.02 * min(scores)


# -- the command -----------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_image("photo.png", picture())
    return tmp_path


def test_the_command_writes_pictures_models_and_the_training(folder, capsys):
    options = ["--kind", "stroke", "-n", "12", "--steps", "8", "--seed", "3", "--frames", "3"]
    outputs = ["-o", "a.png", "-o", "a.gif", "-o", "a.safetensors"]
    assert main(["shapes", "photo.png", *options, *outputs, "--scale", "2", "--json", "--quiet"]) == 0
    found = json.loads(capsys.readouterr().out)
    model = cn.load("a.safetensors")
    assert found["kind"] == model.config.kind == "stroke" and found["n"] == model.config.n == 12
    np.testing.assert_array_equal(load_image("a.png").astype(np.uint8), model.render((96, 64)))
    with Image.open("a.gif") as movie:
        assert movie.n_frames >= 3 and movie.size == (96, 64)
    assert main(["shapes", "photo.png", "--steps", "2", "-n", "4", "--quiet"]) == 0
    assert load_image("photo-fourier.png").shape == (32, 48, 3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-o", "a.txt"], "must end in one of"),
        (["-o", "photo.png"], "would overwrite the input"),
        (["-n", "0"], "--n must be an integer"),
        (["--scale", "0"], "--scale must be"),
        (["--frames", "0", "-o", "a.gif"], "--frames must be"),
        (["--fps", "0", "-o", "a.gif"], "fps must be"),
        (["--device", "cuda"], "cannot run shapes yet"),
    ],
)
def test_the_command_refuses_in_a_line(folder, capsys, arguments, words):
    assert main(["shapes", "photo.png", "--steps", "1", "--quiet", *arguments]) == 1
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1


def test_the_command_goes_on_from_a_checkpoint(folder, capsys):
    for steps in ("4", "4"):
        assert main(["shapes", "photo.png", "-n", "5", "--steps", steps, "--checkpoint", "run.npz", "--quiet"]) == 0
    assert main(["shapes", "photo.png", "-n", "6", "--steps", "4", "--checkpoint", "run.npz", "--quiet"]) == 1
    assert "belongs to another network" in capsys.readouterr().err
