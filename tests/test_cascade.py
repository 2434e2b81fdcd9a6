"""The cascade on every instruction set, alone and with threads, against the float64 reference.

TOLERANCE, 1e-5 of the largest number expected: float32 carries 6e-8 and a polynomial exp or sin 1e-7; sums of
up to 160 terms and the later neurons magnify that. The worst seen on AVX-512, AVX2 and SSE2 is below 4e-6.
"""

import hashlib

import numpy as np
import pytest
from cppn_native import _core
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import cascade, seed
from reference.activations import ACTIVATIONS, EVERYDAY
from reference.cascade import KAPPA, Network
from reference.cases import CASES, SMALL, TINY, Case, bounded, mixed, native_shape, relative_error

TOLERANCE = 1e-5
NORMAL = 5e-5
"""Of the normal matrix, whose float32 sums run over 8192 pixels in a row; the worst seen is 1.3e-5."""
FINE = 1e-7
"""Of central differences in float64 with a step of 1e-5: h^2 for the formula, 1e-16 / h for the rounding."""

every_case = pytest.mark.parametrize("case", CASES, ids=str)
every_small_case = pytest.mark.parametrize("case", SMALL, ids=str)
every_tiny_case = pytest.mark.parametrize("case", TINY, ids=str)


def central_differences(f, w, h=1e-5):
    """df/dw_k for every k, stacked along the first axis."""
    steps = h * np.eye(len(w))
    return np.array([(f(w + step) - f(w - step)) / (2 * h) for step in steps])


def one_neuron(name):
    """A shape whose only neuron is f(x): weights (0, 1, 0)."""
    return native_shape(Network((name,))), np.array([0, 1, 0], np.float32)


# -- the reference itself ----------------------------------------------------------------------------------


def test_the_reference_renders_the_1020_byte_program_as_its_author_published_it(shared):
    levels = seed.levels(next((shared / "seeds").glob("000*")).read_text())
    x, y = cascade.grid(np.arange(386) / 256, np.arange(320) / 256)
    picture = cascade.render(Network(("sigmoid",) * 45, channels=3), np.array(levels) * seed.SCALE, x, y)
    shown = np.floor(256 * picture).astype(np.uint8)
    digest = hashlib.sha256(shown.tobytes()).hexdigest()
    assert digest == "5b50d4a2e5e53f449aff3382812d244befa35e102ea83030631ea7e67f098f21"


@every_tiny_case
def test_the_reference_gradient_is_the_slope_of_the_reference_loss(case):
    net, w, x, y = case.exact
    slope = central_differences(lambda w: cascade.loss(net, w, x, y, case.target), w)
    assert relative_error(case.loss_and_gradient[1], slope) < FINE


@every_tiny_case
def test_the_reference_jacobian_is_the_slope_of_every_output(case):
    net, w, x, y = case.exact
    slope = central_differences(lambda w: cascade.render(net, w, x, y).T.ravel(), w)
    assert relative_error(cascade.jacobian(net, w, x, y), slope) < FINE


# -- forward -----------------------------------------------------------------------------------------------


@every_case
def test_every_neuron_agrees_with_the_reference(backend, case):
    seen = backend.activations(case.shape(), case.w, *case.place)
    assert seen.dtype == np.float32
    assert relative_error(seen, case.nodes[case.net.inputs :]) < TOLERANCE


@every_case
def test_a_rendered_picture_is_the_last_neurons_pixel_by_pixel(backend, case):
    picture = backend.render(case.shape(), case.w, *case.place)
    neurons = backend.activations(case.shape(), case.w, *case.place)
    assert picture.dtype == np.float32
    np.testing.assert_array_equal(picture, neurons[-case.net.channels :].T)


@pytest.mark.parametrize("octaves", range(8))
@pytest.mark.parametrize("radius", [False, True])
def test_the_inputs_are_what_the_formula_says(backend, radius, octaves):
    """Seen through one identity neuron, one input at a time.

    ATOL: float32 holds the phase 2^k pi x to some 1e-7 of itself, and it reaches 2^6 pi 1.5 = 300 radians.
    """
    net = Network(("identity",), radius=radius, octaves=octaves)
    x, y = cascade.grid(np.float32([-1.0, -0.31, 0, 0.5, 1.5]), np.float32([-0.9, 0, 0.25, 1.1]))
    expected = cascade.inputs(net, x, y)
    atol = 3e-7 * max(1, 2.0 ** (octaves - 1) * np.pi * 1.5)
    for i, one_hot in enumerate(np.eye(net.inputs)):
        (seen,) = backend.activations(native_shape(net), one_hot, x, y, False)
        np.testing.assert_allclose(seen, expected[i], rtol=2e-7, atol=atol if i >= 3 + radius else 0)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_each_activation_and_its_slope_follow_the_textbook(backend, name):
    """ATOL: 1e-7 of the polynomials, a few roundings of the value, and for waves 1e-7 of the phase z."""
    shape, w = one_neuron(name)
    z = np.linspace(-30, 30, 241).astype(np.float32)
    value, slope = ACTIVATIONS[name](z.astype(np.float64))
    phase = 1e-7 * np.abs(z) if name in ("sine", "sin", "cos") else 0
    (seen,) = backend.activations(shape, w, z, np.zeros_like(z), False)
    assert np.all(np.abs(seen - value) <= 5e-7 * np.maximum(1, np.abs(value)) + 2 * phase)

    aim = -40.0  # below all values, so that 2 kappa (value - aim) slope, the gradient, can be divided
    atol = 5e-7 * np.maximum(1, np.abs(slope)) + 2 * phase
    for k in range(len(z)):
        task = _core.Task(backend, shape, z[k : k + 1], np.zeros(1), False, np.full((1, 1), aim))
        _, gradient = task.gradient(w)
        assert abs(gradient[0] / (2 * KAPPA * (value[k] - aim)) - slope[k]) <= atol[k], f"z = {z[k]}"


def test_a_list_of_the_pixels_of_a_grid_gives_the_same_bits_as_the_grid(backend):
    case = Case(Network(mixed(7), channels=3, radius=True, octaves=2), (67, 31))
    as_grid = backend.render(case.shape(), case.w, *case.axes, True)
    as_list = backend.render(case.shape(), case.w, *case.points, False)
    np.testing.assert_array_equal(as_grid, as_list)


# -- loss and gradient -------------------------------------------------------------------------------------


@every_case
def test_the_loss_agrees_with_the_reference(backend, case):
    assert case.task(backend).loss(case.w) == pytest.approx(case.loss_and_gradient[0], rel=TOLERANCE)


@every_case
def test_the_gradient_agrees_with_the_reference(backend, case):
    _, gradient = case.task(backend).gradient(case.w)
    assert gradient.dtype == np.float32
    assert relative_error(gradient, case.loss_and_gradient[1]) < TOLERANCE


@every_case
def test_every_neurons_share_of_the_gradient_agrees_however_small_it_is(backend, case):
    _, gradient = case.task(backend).gradient(case.w)
    shares = zip(case.net.rows(gradient), case.net.rows(case.loss_and_gradient[1]), strict=True)
    assert max(relative_error(*share) for share in shares) < TOLERANCE


@every_case
def test_the_gradient_call_reports_the_loss_of_the_loss_call(backend, case):
    task = case.task(backend)
    assert task.gradient(case.w)[0] == task.loss(case.w)


def test_any_number_of_pixels_gives_the_loss_and_gradient_of_just_those(backend):
    """Every tail of a tile, and the edges of the first few. Expected are running sums of the reference."""
    counts = [*range(1, 141), *(128 * tiles + more for tiles in (2, 3, 4, 8, 16, 32) for more in (-1, 0, 1))]
    case = Case(Network(mixed(6), channels=2), max(counts))
    error = case.nodes[-2:] - case.target  # (C, P)
    j = cascade.jacobian(*case.exact).reshape(case.net.weights, *error.shape)
    gradients = np.cumsum(2 * KAPPA * np.einsum("kcp,cp->kp", j, error), axis=1)
    losses = np.cumsum(KAPPA * np.sum(error**2, axis=0))
    x, y = case.axes
    for count in counts:
        target = np.ascontiguousarray(case.target[:, :count])
        task = _core.Task(backend, case.shape(), x[:count], y[:count], False, target)
        loss, gradient = task.gradient(case.w)
        assert loss == pytest.approx(losses[count - 1], rel=TOLERANCE), f"{count} pixels"
        assert relative_error(gradient, gradients[:, count - 1]) < TOLERANCE, f"{count} pixels"


def test_one_backend_serves_networks_of_all_sizes_in_any_order(backend):
    """Its buffers grow, shrink in use and grow again; what a larger network left in them must not be seen."""
    order = np.random.default_rng(0).permutation(len(SMALL))
    for case in (SMALL[i] for i in (*order, *reversed(order))):
        _, gradient = case.task(backend).gradient(case.w)
        assert relative_error(gradient, case.loss_and_gradient[1]) < TOLERANCE
        picture = backend.render(case.shape(), case.w, *case.place)
        assert relative_error(picture, case.nodes[-case.net.channels :].T) < TOLERANCE


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    isa=st.sampled_from(_core.isas()),
    threads=st.integers(1, 4),
    activations=st.lists(st.sampled_from([*EVERYDAY, "cos", "sin", "softplus"]), min_size=1, max_size=22),
    channels=st.integers(1, 4),
    radius=st.booleans(),
    octaves=st.integers(0, 7),
    size=st.one_of(st.integers(1, 400), st.tuples(st.integers(1, 40), st.integers(1, 40))),
    number=st.integers(0, 1000),
)
def test_whatever_the_shape_loss_and_gradient_agree_with_the_reference(
    isa, threads, activations, channels, radius, octaves, size, number
):
    net = Network(tuple(activations), min(channels, len(activations)), radius, octaves)
    case = Case(net, size, seed=number, gain=1.0)
    loss, gradient = case.task(_core.Cpu(isa, threads)).gradient(case.w)
    assert loss == pytest.approx(case.loss_and_gradient[0], rel=TOLERANCE)
    assert relative_error(gradient, case.loss_and_gradient[1]) < TOLERANCE


# -- the normal matrix -------------------------------------------------------------------------------------


@every_small_case
def test_the_normal_matrix_is_the_jacobian_times_its_transpose(cpu, case):
    hessian = case.task(cpu).normal(case.w)
    assert hessian.dtype == np.float64
    assert relative_error(hessian, case.normal) < NORMAL


def test_the_normal_matrix_of_the_default_network_agrees_over_more_pixels_than_one_block(cpu):
    """Blocks are 8192 pixels; 10 neurons keep it short and 8193 + 96 pixels end in a ragged panel."""
    case = Case(Network(("sine",) * 7 + ("sigmoid",) * 3, channels=3), 8289)
    assert relative_error(case.task(cpu).normal(case.w), case.normal) < NORMAL


def test_the_normal_matrix_of_45_neurons_agrees(cpu):
    case = Case(Network(mixed(45), channels=3), (13, 11))
    assert relative_error(case.task(cpu).normal(case.w), case.normal) < NORMAL


def test_the_normal_matrix_equals_its_transpose_to_the_bit(cpu):
    case = Case(Network(mixed(9), channels=3, octaves=1), (21, 10))
    hessian = case.task(cpu).normal(case.w)
    np.testing.assert_array_equal(hessian, hessian.T)


# -- far out -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1e2, 1e3, 1e4])
@pytest.mark.parametrize("neurons", [5, 13, 45])
def test_saturated_neurons_give_finite_gradients(backend, neurons, size):
    """A file's weights stay below 10; a diverging fit's do not, and its way back must stay open."""
    case = Case(Network(bounded(neurons), channels=3), (7, 9))
    loss, gradient = case.task(backend).gradient((size * np.sign(case.w)).astype(np.float32))
    assert np.isfinite(loss) and np.isfinite(gradient).all()


def test_saturated_neurons_give_a_finite_normal_matrix(cpu):
    case = Case(Network(bounded(45), channels=3), (7, 9))
    assert np.isfinite(case.task(cpu).normal((100 * np.sign(case.w)).astype(np.float32))).all()


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "gaussian"])
def test_a_saturated_neuron_shows_its_limit_and_passes_no_gradient(backend, name):
    shape, w = one_neuron(name)
    for z in np.float32([-1e30, -1e4, -150, 150, 1e4, 1e30]):
        (seen,) = backend.activations(shape, w, [z], [0], False)
        limit = ACTIVATIONS[name](np.clip(np.float64(z), -1e3, 1e3))[0]
        assert seen == pytest.approx(limit, abs=1e-37)
        _, gradient = _core.Task(backend, shape, [z], [0], False, np.full((1, 1), 0.5)).gradient(w)
        assert abs(gradient[0]) < 1e-7, f"z = {z}"


@pytest.mark.parametrize("huge", [1e10, 1e30, 3e38])
def test_bounded_activations_stay_in_their_range_however_huge_the_weights(backend, huge):
    """Sums overflow to infinity and cancel to NaN; a decoder shows something all the same, never a NaN."""
    case = Case(Network(bounded(24), channels=3), (5, 5))
    seen = backend.activations(case.shape(), (huge * np.sign(case.w)).astype(np.float32), *case.place)
    assert np.all((seen >= -1) & (seen <= 1))
