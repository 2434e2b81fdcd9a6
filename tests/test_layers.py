"""Dense layers over the plane: the native code against the formula in float64."""

import numpy as np
import pytest
from cppn_native import _core
from cppn_native import layers as art
from cppn_native.layers import NONLINEARITIES, Inputs, Layer, evaluate, evaluate_bands
from cppn_native.plane import Plane, Term
from reference import layers as reference
from reference.activations import ACTIVATIONS

TOLERANCE = 2e-5
"""Of the largest value: sums of up to 131 float32 products after one another, through up to five layers."""


def weights(rng, *shape):
    """Of variance 1 / fan-in, which keeps sums near one."""
    return rng.normal(0, shape[0] ** -0.5, shape)


def plane(size, radius=False):
    x, y = (np.linspace(-1.3, 1.1, length) for length in size)
    return Inputs(np.stack([x, np.cos(2 * x)]), y[None], (x, y) if radius else None)


def network(rng, widths, name="tanh", inputs=3, **options):
    shapes = zip((inputs, *widths[:-1]), widths, strict=True)
    return [Layer(weights(rng, *shape), rng.normal(0, 1, shape[1]), name, **options) for shape in shapes]


def agree(layers, inputs, tolerance=TOLERANCE, **options):
    expected = reference.evaluate(layers, inputs)
    actual = evaluate(layers, inputs, **options)
    assert actual.dtype == np.float32 and actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * np.abs(expected).max())


@pytest.fixture(params=_core.isas())
def isa(request, monkeypatch):
    monkeypatch.setenv("CPPN_ISA", request.param)
    return request.param


@pytest.mark.parametrize("size", [(1, 1), (3, 1), (1, 67), (63, 1), (64, 1), (13, 11), (257, 9)])
@pytest.mark.parametrize("widths", [(1,), (3,), (4, 1), (5, 3), (7, 8, 9), (33, 33, 3), (100, 101, 102, 2), (131, 6)])
def test_any_widths_and_sizes_follow_the_formula(isa, size, widths):
    agree(network(np.random.default_rng(len(widths)), widths), plane(size))


@pytest.mark.parametrize("name", NONLINEARITIES)
def test_every_nonlinearity_follows_the_formula(isa, name):
    """ATOL: of the largest value, 1e-3 where a log of nearly nothing or a jump makes much of a rounding."""
    rng = np.random.default_rng(5)
    steep = name in ("log_abs", "log_square", "log_relu", "sgn")
    layers = [*network(rng, (24,), "tanh"), Layer(weights(rng, 24, 17), None, name)]
    inputs = plane((41, 23), radius=False)
    expected, actual = reference.evaluate(layers, inputs), evaluate(layers, inputs)
    far = np.abs(actual - expected) > TOLERANCE * np.abs(expected).max()
    assert far.mean() < (1e-3 if steep else 1e-9)


def test_the_tables_of_both_sides_name_the_same():
    assert list(NONLINEARITIES) == [*ACTIVATIONS, *reference.ACROSS]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 16, 17, 31, 33, 100, 128, 129, 257])
def test_sort_puts_any_number_of_features_in_order(isa, count):
    rng = np.random.default_rng(count)
    layers = [Layer(rng.normal(size=(3, count)), rng.normal(size=count), "sort")]
    agree(layers, plane((19, 5)))


@pytest.mark.parametrize("position", ["before", "after"])
@pytest.mark.parametrize("name", ["tanh", "sort", "softmax", "softplus"])
def test_normalization_stands_before_or_after_the_nonlinearity(isa, name, position):
    agree(network(np.random.default_rng(2), (20, 20, 3), name, normalize=position), plane((31, 8)), 1e-4)


def test_residual_layers_add_what_they_were_given(isa):
    rng = np.random.default_rng(3)
    more = network(rng, (16, 16), "softplus", inputs=16, residual=True)
    agree([*network(rng, (16,)), *more], plane((31, 8)))


def test_the_radius_is_the_last_input(isa):
    agree(network(np.random.default_rng(4), (9, 2), inputs=4), plane((31, 18), radius=True))


def test_softmax_of_huge_sums_is_finite():
    layers = [Layer(1e4 * np.eye(3), None, "softmax"), Layer(1e4 * np.eye(3), None, "logsoftmax")]
    assert np.isfinite(evaluate(layers, plane((9, 9)))).all()


def test_any_number_of_threads_and_any_bands_give_the_same_bits(monkeypatch):
    layers, inputs = network(np.random.default_rng(1), (50, 51, 3), "sine"), plane((301, 57))
    whole = evaluate(layers, inputs, threads=1)
    for threads in (2, 3, 5):
        np.testing.assert_array_equal(evaluate(layers, inputs, threads=threads), whole)
    monkeypatch.setattr(art, "BAND_POINTS", 301 * 7)
    np.testing.assert_array_equal(evaluate(layers, inputs), whole)
    for top, band in evaluate_bands(layers, inputs, multiple=3):
        assert top % 3 == 0 and len(band) == min(6, 57 - top)


def test_the_native_door_refuses_what_does_not_fit():
    w, b = np.zeros((4, 3)), np.zeros(4)
    cpu = _core.Cpu(_core.isas()[-1], 1)
    for wrong in (
        [],
        [(w, np.zeros(3), 0, 0, False)],
        [(w, b, 99, 0, False)],
        [(w, b, -1, 0, False)],
        [(w, b, 0, 3, False)],
        [(w, b, 0, 0, True)],
        [(w, b, 0, 0, False), (w, b, 0, 0, False)],
    ):
        with pytest.raises(ValueError, match=r"expected|out of range|unknown|residual|takes what"):
            _core.Layers(wrong)
    made = _core.Layers([(w, b, 0, 0, False)])
    for columns, rows, radius in (
        (np.zeros((1, 5)), np.zeros((1, 5)), None),
        (np.zeros((2, 0)), np.zeros((1, 5)), None),
        (np.zeros((1, 5)), np.zeros((1, 4)), (np.zeros(4), np.zeros(4))),
        (np.zeros(5), np.zeros((1, 5)), None),
    ):
        with pytest.raises(ValueError, match=r"expected|radius"):
            made.forward(cpu, columns, rows, radius)


def test_a_plane_is_its_formulas_at_the_middles_of_pixels():
    made = Plane((Term(2.0, -1.0), Term(1.0, 0.25, "sin", 3.0)), (Term(1.0, 0.0, "cos"),), (Term(2.0), Term(1.0)))
    x, y = (np.arange(4) + 0.5) / 4, (np.arange(3) + 0.5) / 3
    inputs = made.inputs((4, 3))
    assert made.count == 4 and inputs.size == (4, 3)
    np.testing.assert_allclose(inputs.columns, [2 * x - 1, 3 * np.sin(2 * np.pi * (x + 0.25))])
    np.testing.assert_allclose(inputs.rows, [np.cos(2 * np.pi * y)])
    np.testing.assert_allclose(inputs.radius[0], 2 * x)
