"""The point classifier against the formula and PyTorch, as an estimator, and what it draws.

Tolerances: float32 against float64. With weights of 0.3, where no tanh saturates, the largest difference found over
twelve networks after 320 steps was 1.3e-5. With the post's N(0, 1), slopes 1 - h^2 near 0 lose digits, which Adam makes
as large as a step: there 3e-3, and PyTorch's float32 was as far from float64 (1.4e-2 at worst).
"""

import json
import pickle
import re
from pathlib import Path

import cppn_native as cn
import numpy as np
import pytest
from cppn_native import _core
from cppn_native.classify import network as network_module
from cppn_native.classify import random_points
from cppn_native.classify.network import Descent, Network
from cppn_native.cli import main
from cppn_native.image import load_image
from PIL import Image
from reference import classifier as reference

POST = (2, 16, 16, 16, 16, 1)
SHAPES = [POST, (5, 7, 20, 3), (1, 1), (3, 33, 2)]


def case(widths, seed=0, samples=32):
    random = np.random.RandomState(seed)
    network = Network(widths)
    params = network.draw(random)
    x = random.uniform(size=(samples, widths[0])).astype(np.float32)
    y = (random.uniform(size=(samples, widths[-1])) > 0.5).astype(np.float32)
    return network, params, x, y


def trained(network, params, x, y, epochs, batch=0):
    *_, (_, last) = found = list(Descent(network, x, y, batch, 0.001, 0.01, 0).epochs(params, epochs))
    return last, [loss for loss, _ in found]


def flat(layers):
    return np.concatenate([part.ravel() for layer in layers for part in layer])


def clusters(classes=3, count=90, seed=0):
    random = np.random.RandomState(seed)
    numbers = np.arange(count) % classes
    turn = 2 * np.pi * numbers / classes
    return 0.5 + 0.3 * np.stack([np.cos(turn), np.sin(turn)], 1) + random.normal(0, 0.05, (count, 2)), numbers


# the formula ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("widths", SHAPES)
@pytest.mark.parametrize("samples", [1, 3, 9, 128, 130, 257])
def test_the_gradient_of_any_number_of_samples_is_the_formulas(cpu, widths, samples):
    """Tiles of 128 rows, whole and ragged: only the rows with samples are visited."""
    network, params, x, y = case(widths, samples=samples)
    params *= np.float32(0.5)
    got_loss, got = _core.Perceptron(cpu, widths[0], network.native(), samples).gradient(params, x, y, "l1")
    found = [reference.gradient(network.unpack(params.astype(np.float64)), *row) for row in zip(x, y, strict=True)]
    want = np.mean([flat(grads) for _, grads in found], axis=0)
    assert got_loss == pytest.approx(np.mean([loss for loss, _ in found]), rel=1e-5)
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-5 * np.abs(want).max() + 1e-7)


@pytest.mark.parametrize("widths", SHAPES)
def test_hundreds_of_steps_are_the_formulas(widths):
    network, params, x, y = case(widths)
    params *= np.float32(0.3)
    got, curve = trained(network, params, x, y, 10)
    layers, want = reference.fit(network.unpack(params), x, y, 10)
    np.testing.assert_allclose(got, flat(layers), rtol=0, atol=1e-4)
    np.testing.assert_allclose(curve, want, rtol=0, atol=1e-5)
    assert np.abs(got - params).max() > 0.01, "and they lead somewhere"


@pytest.mark.parametrize("seed", range(3))
def test_the_posts_training_begins_as_the_formulas(seed):
    network, params, x, y = case(POST, seed)
    got, curve = trained(network, params, x, y, 10)
    layers, want = reference.fit(network.unpack(params), x, y, 10)
    np.testing.assert_allclose(got, flat(layers), rtol=0, atol=2e-2)
    np.testing.assert_allclose(curve, want, rtol=0, atol=5e-3)


def test_training_is_pytorchs():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (pip install torch==2.13.0)")
    network, params, x, y = case(POST)
    params *= np.float32(0.3)
    weights = [torch.tensor(part, requires_grad=True) for layer in network.unpack(params) for part in layer]
    optimizer = torch.optim.AdamW(weights, lr=0.001)
    for _ in range(10):
        for sample, target in zip(torch.tensor(x), torch.tensor(y), strict=True):
            h = sample
            for w, b in zip(weights[::2], weights[1::2], strict=True):
                h = torch.tanh(w @ h + b)
            optimizer.zero_grad()
            (h - target).abs().mean().backward()
            optimizer.step()
    got, _ = trained(network, params, x, y, 10)
    np.testing.assert_allclose(got, np.concatenate([w.detach().numpy().ravel() for w in weights]), rtol=0, atol=1e-4)


def test_the_classifier_is_that_network_on_labels_zero_and_one():
    points, labels = random_points(20, 4)
    got = cn.PointClassifier(epochs=2, random_state=7).fit(points, labels)
    random = np.random.RandomState(7)
    drawn = Network(POST).draw(random)
    np.testing.assert_array_equal(got.snapshots_[0], drawn)
    last, curve = trained(Network(POST), drawn, points.astype(np.float32), labels[:, None].astype(np.float32), 2)
    np.testing.assert_array_equal(got.snapshots_[-1], last)
    assert got.loss_curve_ == curve
    layers = [(w.T, b) for w, b in zip(got.coefs_, got.intercepts_, strict=True)]
    np.testing.assert_array_equal(flat(layers), last)
    want = [reference.outputs(layers, point)[-1][0] for point in points]
    np.testing.assert_allclose(got.decision_function(points), np.array(want) - 0.5, atol=1e-5)
    np.testing.assert_allclose(got.predict_proba(points)[:, 1], np.clip(want, 0, 1), atol=1e-5)


def test_weights_are_drawn_as_the_post_draws_them():
    layers = Network((50, 400, 1)).unpack(Network((50, 400, 1)).draw(np.random.RandomState(0)))
    (w, b), (last, bias) = layers
    assert w.shape == (400, 50) and last.shape == (1, 400) and bias.shape == (1,)
    assert w.mean() == pytest.approx(0, abs=0.03) and w.std() == pytest.approx(1, abs=0.03)
    assert np.abs(b).max() <= 50**-0.5 and b.std() == pytest.approx((3 * 50) ** -0.5, rel=0.1)


def test_random_points_with_random_labels_are_mostly_learned():
    """Of 200 seeds the mean over points of |e| was 0.211 with a deviation of 0.066; it begins above 1/2."""
    fits = [cn.PointClassifier(random_state=seed).fit(*random_points(32, seed)) for seed in range(8)]
    assert np.mean([fit.loss_curve_[-1] for fit in fits]) == pytest.approx(0.211, abs=4 * 0.066 / 8**0.5)
    assert np.mean([fit.score(*random_points(32, seed)) for seed, fit in enumerate(fits)]) > 0.7


# batches, seeds, threads ------------------------------------------------------------------------------------


def test_a_sample_a_step_goes_in_order_and_batches_are_drawn():
    points, labels = clusters(2, 60)
    turned = np.arange(60)[::-1]
    for batch, alike in (("sample", False), (60, True)):  # of all samples at once, the order is nothing
        a = cn.PointClassifier(batch=batch, epochs=5).fit(points, labels)
        b = cn.PointClassifier(batch=batch, epochs=5).fit(points[turned], labels[turned])
        assert np.allclose(a.coefs_[0], b.coefs_[0], atol=1e-4) == alike
    one = cn.PointClassifier(batch=1, epochs=5).fit(points, labels)
    assert one.loss_curve_ != cn.PointClassifier(epochs=5).fit(points, labels).loss_curve_


@pytest.mark.parametrize(("batch", "rate"), [(1, 0.001), (7, 0.01), (200, 0.01), (1000, 0.01)])
def test_batches_learn(batch, rate):
    points, labels = clusters(2, 300)
    fit = cn.PointClassifier(batch=batch, epochs=40, learning_rate=rate).fit(points, labels)
    assert fit.score(points, labels) > 0.9 and fit.loss_curve_[-1] < 0.5 * fit.loss_curve_[0]


@pytest.mark.parametrize("batch", ["sample", 8, 300])
def test_a_seed_is_a_classifier_whatever_the_threads(batch, monkeypatch):
    points, labels = clusters(3, 600)
    made = []
    for threads in (1, 3):
        monkeypatch.setattr(network_module, "open_cpu", lambda _, n=threads: _core.Cpu(_core.isas()[0], n))
        made.append(cn.PointClassifier(batch=batch, epochs=3, random_state=5).fit(points, labels))
    np.testing.assert_array_equal(made[0].snapshots_, made[1].snapshots_)
    other = cn.PointClassifier(batch=batch, epochs=3, random_state=6).fit(points, labels)
    assert (other.coefs_[0] != made[0].coefs_[0]).any()


def test_work_in_pieces_changes_nothing(monkeypatch):
    points, labels = clusters(3, 100)
    want = cn.PointClassifier(epochs=4).fit(points, labels)
    monkeypatch.setattr(network_module, "WORK_AT_ONCE", 7 * 1000)
    monkeypatch.setattr(network_module, "POINTS_AT_ONCE", 13)
    got = cn.PointClassifier(epochs=4).fit(points, labels)
    np.testing.assert_array_equal(got.snapshots_, want.snapshots_)
    np.testing.assert_allclose(got.loss_curve_, want.loss_curve_, rtol=1e-12)
    np.testing.assert_allclose(got.predict_proba(points), want.predict_proba(points), atol=1e-6)


def test_ctrl_c_is_heard_between_pieces(monkeypatch):
    monkeypatch.setattr("cppn_native.classify.classifier.counted", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cn.PointClassifier(verbose=True).fit(*random_points())


def interrupted(items, count, what):
    yield next(iter(items))
    raise KeyboardInterrupt


def test_progress_is_shown_when_asked_for(capsys, monkeypatch):
    monkeypatch.setattr("time.monotonic", iter(range(0, 1000, 7)).__next__)
    cn.PointClassifier(epochs=3, verbose=True).fit(*random_points())
    out, err = capsys.readouterr()
    assert out == "" and re.search(r"epochs, \d of 3\n", err)


# the estimator ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("labels", [[5, -3], ["no", "yes"], [False, True], [0.0, 1.0], ["a", "b", "c"], range(7)])
def test_labels_of_any_kind_come_back(labels):
    points, numbers = clusters(len(labels), 140)
    y = np.array(labels)[numbers]
    fit = cn.PointClassifier(epochs=150, learning_rate=0.005).fit(points, y)
    np.testing.assert_array_equal(fit.classes_, np.unique(y))
    found = fit.predict(points)
    assert found.dtype == y.dtype and fit.score(points, y) > 0.8 and fit.score(points, y) == (found == y).mean()
    shares, scores = fit.predict_proba(points), fit.decision_function(points)
    assert shares.shape == (140, len(labels)) and (shares >= 0).all()
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(fit.classes_[shares.argmax(axis=1)], found)
    assert scores.shape == ((140,) if len(labels) == 2 else (140, len(labels)))


def test_probabilities_say_something_where_no_output_is_positive():
    from cppn_native.classify.classifier import probabilities

    shares = probabilities(np.array([[-0.2, -0.9, -1.0], [0.5, 0.25, -0.5], [-1.0, -1.0, -1.0]]))
    np.testing.assert_allclose(shares, [[0.8 / 0.9, 0.1 / 0.9, 0], [2 / 3, 1 / 3, 0], [1 / 3] * 3], atol=1e-5)


def test_one_feature_or_many():
    random = np.random.RandomState(0)
    for features in (1, 40):
        x = random.normal(size=(80, features))
        fit = cn.PointClassifier(epochs=60, learning_rate=0.005).fit(x, x[:, 0] > 0)
        assert fit.score(x, x[:, 0] > 0) > 0.9 and fit.n_features_in_ == features and fit.snapshots_ is None
        assert fit.score(x, x[:, 0] > 0, sample_weight=x[:, 0] > 0) == fit.predict(x)[x[:, 0] > 0].mean()


def test_parameters_are_kept_and_shown():
    made = cn.PointClassifier(epochs=3, hidden_layer_sizes=(4,), batch=2)
    assert repr(made) == "PointClassifier(batch=2, epochs=3, hidden_layer_sizes=(4,))"
    assert cn.PointClassifier(**made.get_params()).get_params() == made.get_params()
    assert made.set_params(epochs=5, random_state=None) is made and made.epochs == 5
    with pytest.raises(ValueError, match=r"^depth is no parameter of PointClassifier; it has batch, decay"):
        made.set_params(depth=3)


def test_none_is_another_classifier_every_time_and_a_generator_goes_on():
    points, labels = random_points()
    for given in (None, np.random.RandomState(1)):
        estimator = cn.PointClassifier(epochs=1, random_state=given)
        curves = [estimator.fit(points, labels).loss_curve_ for _ in range(2)]
        assert curves[0] != curves[1]


def test_it_can_be_pickled():
    points, labels = clusters()
    fit = cn.PointClassifier(epochs=3).fit(points, labels)
    again = pickle.loads(pickle.dumps(fit))
    np.testing.assert_array_equal(again.decision_function(points), fit.decision_function(points))
    np.testing.assert_array_equal(again.boundary(20), fit.boundary(20))


def test_scikit_learns_checks_pass():
    checks = pytest.importorskip("sklearn.utils.estimator_checks", reason="scikit-learn is not installed")
    results = checks.check_estimator(cn.PointClassifier(), on_skip=None, on_fail=None)
    assert len(results) > 40
    assert {r["check_name"]: r["exception"] for r in results if r["status"] not in ("passed", "skipped")} == {}


def test_scikit_learn_searches_and_clones():
    base = pytest.importorskip("sklearn.base", reason="scikit-learn is not installed")
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    points, labels = clusters()
    search = GridSearchCV(cn.PointClassifier(epochs=20), {"learning_rate": [1e-5, 0.01]}, cv=3).fit(points, labels)
    assert search.best_params_ == {"learning_rate": 0.01}
    assert make_pipeline(StandardScaler(), cn.PointClassifier()).fit(points, labels).score(points, labels) > 0.9
    copy = base.clone(search.best_estimator_)
    assert copy.learning_rate == 0.01 and not hasattr(copy, "classes_") and base.is_classifier(copy)


# refusals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"hidden_layer_sizes": (16, 0)}, "hidden_layer_sizes must be integers from 1 to 1024, got (16, 0)"),
        ({"hidden_layer_sizes": 16}, "hidden_layer_sizes must be integers"),
        ({"hidden_layer_sizes": "16"}, "hidden_layer_sizes must be integers"),
        ({"hidden_layer_sizes": (1,) * 64}, "hidden_layer_sizes must be at most 63 layers, got 64"),
        ({"learning_rate": 0}, "learning_rate must be a number above 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be a number above 0"),
        ({"decay": -0.1}, "decay must be a number at least 0"),
        ({"decay": True}, "decay must be a number at least 0"),
        ({"batch": 0}, 'batch must be "sample" or a positive integer, got 0'),
        ({"batch": "all"}, 'batch must be "sample" or a positive integer'),
        ({"epochs": 0}, "epochs must be a positive integer, got 0"),
        ({"epochs": 2.5}, "epochs must be a positive integer"),
        ({"random_state": -1}, "random_state must be an integer from 0 to 4294967295"),
    ],
)
def test_parameters_that_do_not_fit_are_refused_by_name(options, words):
    with pytest.raises(ValueError, match=f"^{re.escape(words)}"):
        cn.PointClassifier(**options).fit(*random_points())


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        ([1, 2], [0, 1], r"X must be \(samples, features\), got the shape \(2,\)"),
        (np.ones((0, 2)), [], r"X must hold numbers: 0 sample\(s\)"),
        ([[1, np.nan], [2, 3]], [0, 1], "X must hold numbers up to 1e.30"),
        ([[1, 1e31], [2, 3]], [0, 1], "X must hold numbers up to 1e.30"),
        ([["a", "b"], ["c", "d"]], [0, 1], "X must hold numbers"),
        (np.ones((2, 1025)), [0, 1], "X must have at most 1024 features, got 1025"),
        ([[1, 2], [3, 4]], [0, 1, 1], "y should be a 1d array of 2 labels"),
        ([[1, 2], [3, 4]], [[0, 1], [1, 0]], "y should be a 1d array of 2 labels"),
        ([[1, 2], [3, 4]], None, "y should be a 1d array, got None"),
        ([[1, 2], [3, 4]], [1, 1], r"y must hold 2 to 1024 classes, got 1 class"),
        ([[1, 2], [3, 4]], [0.5, 1], "Unknown label type: continuous"),
        ([[1, 2], [3, 4]], [0, np.inf], "y must hold labels, got NaN or inf"),
        ([[1, 2], [3, 4]], np.array([0, "a"], object), "Unknown label type"),
    ],
)
def test_data_that_do_not_fit_are_refused_by_name(x, y, words):
    with pytest.raises(ValueError, match=f"^{words}"):
        cn.PointClassifier(epochs=1).fit(x, y)


def test_before_fit_and_with_other_features_there_is_no_answer():
    with pytest.raises(ValueError, match=r"^this PointClassifier is not fitted yet: call fit first"):
        cn.PointClassifier().predict([[1, 2]])
    fit = cn.PointClassifier(epochs=1).fit(*random_points())
    with pytest.raises(ValueError, match=r"^X has 3 features, but PointClassifier is expecting 2 features"):
        fit.predict([[1, 2, 3]])


def test_points_of_any_size_are_survived():
    """The largest numbers there may be saturate every tanh and overflow every square."""
    points, labels = random_points()
    fit = cn.PointClassifier(epochs=3).fit(1e30 * points - 5e29, labels)
    assert np.isfinite(fit.predict_proba(1e30 * points)).all() and fit.boundary(10).shape == (10, 10, 3)


# pictures ---------------------------------------------------------------------------------------------------


def plain_boundary(fit, width, height, region=(0, 0, 1, 1)):
    """Without the points: red is the output, clamped, blue what is left, at pixel centres."""
    left, top, right, bottom = region
    x = left + (right - left) * (np.arange(width) + 0.5) / width
    y = top + (bottom - top) * (np.arange(height) + 0.5) / height
    red = fit.predict_proba(np.stack([np.tile(x, height), np.repeat(y, width)], 1))[:, 1].reshape(height, width)
    return np.minimum(256 * np.stack([red, 0 * red, 1 - red], 2), 255)


def test_the_boundary_is_red_and_blue_with_black_and_white_points():
    points, labels = np.array([[0.25, 0.5], [0.75, 0.25]]), np.array(["a", "b"])
    fit = cn.PointClassifier().fit(points, labels)
    picture = fit.boundary(128)
    assert picture.shape == (128, 128, 3) and picture.dtype == np.uint8
    assert picture[64, 32].tolist() == [0, 0, 0] and picture[32, 96].tolist() == [255, 255, 255]
    want = plain_boundary(fit, 128, 128)
    j, i = np.mgrid[:128, :128]
    away = np.ones((128, 128), bool)
    for x, y in 128 * points:
        away &= np.hypot(i + 0.5 - x, j + 0.5 - y) > 2.5
    assert 128 * 128 - 60 < away.sum() < 128 * 128
    assert np.abs(picture[away] - np.floor(want[away])).max() <= 1
    assert np.abs(picture[~away] - np.floor(want[~away])).max() > 100


def test_a_boundary_shows_any_size_and_region():
    fit = cn.PointClassifier(epochs=20).fit(*random_points(2))
    region = (0.3, -1.0, 0.31, 3.0)
    picture = fit.boundary((30, 20), region=region)
    assert picture.shape == (20, 30, 3)
    np.testing.assert_allclose(picture, np.floor(plain_boundary(fit, 30, 20, region)), atol=1)


def test_points_outside_the_unit_square_are_all_shown():
    points, labels = random_points(10, 3)
    fit = cn.PointClassifier(epochs=2).fit(100 * points - 300, labels)
    dark = (fit.boundary(300).max(axis=2) == 0).sum()
    light = (fit.boundary(300).min(axis=2) == 255).sum()
    assert min(dark, light) > 30
    box = np.stack([fit._points.min(axis=0), fit._points.max(axis=0)])
    margin = (box[1] - box[0]) / 20
    region = (*(box[0] - margin), *(box[1] + margin))
    shown, want = (picture.astype(int) for picture in (fit.boundary(300), fit.boundary(300, region=region)))
    assert np.abs(shown - want).max() <= 1


def test_of_three_classes_every_one_has_its_colour():
    points, labels = clusters(3)
    fit = cn.PointClassifier(epochs=200, learning_rate=0.005).fit(points, labels)
    picture = fit.boundary(200)
    middles = [picture[tuple((200 * points[labels == k].mean(axis=0)).astype(int)[::-1])].astype(int) for k in range(3)]
    assert min(np.abs(a - b).sum() for a, b in zip(middles, middles[1:] + middles[:1], strict=True)) > 30
    assert plane_hues(picture) == 3


def plane_hues(picture):
    """How many of the three pure hues fill at least a tenth of it."""
    strongest = picture.argmax(axis=2)[picture.max(axis=2) > 200]
    return int((np.bincount(strongest, minlength=3) > 0.1 * strongest.size).sum())


def test_only_two_features_make_a_picture(tmp_path):
    fit = cn.PointClassifier(epochs=1).fit(np.eye(3), [0, 1, 1])
    for draw in (fit.boundary, lambda: fit.timelapse(tmp_path / "a.gif")):
        with pytest.raises(ValueError, match=r"^only two features make a picture, this classifier has 3$"):
            draw()
    fit = cn.PointClassifier(epochs=1).fit(*random_points())
    for options, name in (({"size": 0}, "size"), ({"size": "big"}, "size"), ({"region": (1, 0, 0, 1)}, "region")):
        with pytest.raises(ValueError, match=f"^{name} "):
            fit.boundary(**options)


def test_a_timelapse_begins_with_chance_and_ends_with_the_boundary(tmp_path):
    fit = cn.PointClassifier(epochs=12).fit(*random_points())
    with Image.open(fit.timelapse(tmp_path / "a.png", fps=10, size=(40, 30))) as film:
        assert film.n_frames == 13 and film.size == (40, 30) and film.info["duration"] == 100
        film.seek(12)
        np.testing.assert_array_equal(np.asarray(film.convert("RGB")), fit.boundary((40, 30)))
        film.seek(0)
        assert (np.asarray(film.convert("RGB")) != fit.boundary((40, 30))).any()


def test_snapshots_are_bounded(monkeypatch):
    module = "cppn_native.classify.classifier"
    fit = cn.PointClassifier(epochs=1000, hidden_layer_sizes=(2,)).fit(*random_points(4))
    assert fit.snapshots_.shape == (257, 9)
    monkeypatch.setattr(f"{module}.SNAPSHOT_BYTES", 4 * 9 * 10)
    fit = cn.PointClassifier(epochs=1000, hidden_layer_sizes=(2,)).fit(*random_points(4))
    assert fit.snapshots_.shape == (11, 9)
    np.testing.assert_array_equal(fit.snapshots_[-1][:4].reshape(2, 2), fit.coefs_[0].T)
    halfway = cn.PointClassifier(epochs=500, hidden_layer_sizes=(2,)).fit(*random_points(4))
    np.testing.assert_array_equal(fit.snapshots_[5], halfway.snapshots_[-1])


# the command line -------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def table(points, labels, heading=""):
    rows = "".join(f"{x!r},{y!r},{label}\n" for (x, y), label in zip(points.tolist(), labels, strict=True))
    Path("points.csv").write_text(heading + rows, encoding="utf-8")


@pytest.mark.parametrize("heading", ["", "x,y,label\n", "\ufeff x, y, class\n\n"])
def test_the_command_does_what_the_class_does(folder, capsys, heading):
    points, labels = random_points(12, 3)
    table(points, labels, heading)
    options = ["--epochs", "9", "--seed", "4", "--hidden-layer-sizes", "5,6", "--batch", "3", "--learning-rate", "0.01"]
    more = ["--decay", "0.1", "--size", "50x40", "-o", "a.png", "-o", "b.gif", "--quiet"]
    assert main(["classify", "points.csv", *options, *more]) == 0
    out, err = capsys.readouterr()
    assert err == "" and re.fullmatch(
        r"12 points · 2 classes · loss [\d.]+ · [\d.]+% right · [\d.]+ s · a\.png, b\.gif\n", out
    )
    want = cn.PointClassifier(
        epochs=9, random_state=4, hidden_layer_sizes=(5, 6), batch=3, learning_rate=0.01, decay=0.1
    ).fit(points, labels)
    np.testing.assert_array_equal(load_image("a.png").astype(np.uint8), want.boundary((50, 40)))
    with Image.open("b.gif") as film:
        assert film.size == (50, 40) and film.n_frames > 5


def test_the_demo_is_the_posts(folder, capsys):
    assert main(["classify", "--demo", "--seed", "2", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    fit = cn.PointClassifier(random_state=2).fit(*random_points(random_state=2))
    assert said["points"] == 32 and said["classes"] == [0, 1] and said["epochs"] == 256
    assert said["loss"] == fit.loss_curve_[-1] and said["files"] == ["demo-boundary.png"]
    np.testing.assert_array_equal(load_image("demo-boundary.png").astype(np.uint8), fit.boundary(256))


def test_labels_may_be_words(folder, capsys):
    Path("points.csv").write_text('0.1,0.2,"red, dark"\n0.5,0.5, blue\n.9,1e-1,10\n')
    assert main(["classify", "points.csv", "--json", "--epochs", "1"]) == 0
    assert json.loads(capsys.readouterr().out)["classes"] == ["10", "blue", "red, dark"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "points.csv: must have points of at least two labels, got 0 label(s)"),
        (b"1,2,a\n3,4,a\n", "points.csv: must have points of at least two labels, got 1 label(s)"),
        (b'1,2,"a\nb"\n3,b\n', "points.csv: line 3 must be x,y,label, got '3,b'"),
        (b"1,2,a\n\n3,b\n", "points.csv: line 3 must be x,y,label, got '3,b'"),
        (b"1,2,a\nx,y,b\n", "points.csv: line 2 must be x,y,label, got 'x,y,b'"),
        (b"1,2\n", "points.csv: line 1 must be x,y,label"),
        (b"1,nan,a\n", "points.csv: line 1 must be x,y,label"),
        (b"1,2,\n", "points.csv: line 1 must be x,y,label"),
        (b"1,2,a\n1,1e31,b\n", "points.csv: line 2 must be x,y,label"),
        (b"\xff\xfe1,2,a\n", "points.csv: is no text in UTF-8"),
        (b"1,2,a\n1,2," + b"b" * 200_000, "points.csv: line 2: field larger than"),
    ],
)
def test_a_damaged_table_is_refused_in_one_line(folder, capsys, text, words):
    Path("points.csv").write_bytes(text)
    assert main(["classify", "points.csv"]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.startswith(f"cppn: error: {words}") and err.count("\n") == 1, err
    assert [path.name for path in folder.iterdir()] == ["points.csv"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "a table of points or --demo is needed"),
        (["points.csv", "--demo"], "a table of points or --demo is needed, not both"),
        (["missing.csv"], "missing.csv: No such file"),
        (["--demo", "-o", "a.txt"], "-o a.txt: must end in one of .png"),
        (["--demo", "-o", "no/a.png"], "-o no/a.png: its folder does not exist"),
        (["--demo", "-o", "a.gif", "--fps", "60"], "--fps must be a number from 0.1 to 50 in .gif"),
        (["--demo", "--epochs", "0"], "--epochs must be a positive integer"),
        (["--demo", "--hidden-layer-sizes", "0"], "--hidden-layer-sizes must be integers"),
        (["--demo", "--seed", "-1"], "--seed must be an integer from 0"),
        (["--demo", "--learning-rate", "nan"], "--learning-rate must be a number above 0"),
    ],
)
def test_the_command_refuses_in_one_line(folder, capsys, arguments, words):
    assert main(["classify", *arguments]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.startswith(f"cppn: error: {words}") and err.count("\n") == 1, err
    assert not list(folder.iterdir())


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no /dev/zero")
def test_an_endless_file_is_refused(folder, capsys):
    assert main(["classify", "/dev/zero"]) == 1
    assert "is larger than 16 MB" in capsys.readouterr().err
