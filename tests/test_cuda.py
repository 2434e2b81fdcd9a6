"""What only a GPU has to show: cut into blocks and bursts it computes the same, and when it fails it says so.

The tests of every backend run on the first GPU as well (`pytest -k cuda`). These here run on a real one or on the
emulated one that test_emulated_gpu.py builds; the emulated one fails on request, see its cuda_runtime.h.
`compute-sanitizer pytest tests/test_cuda.py -k sanitizer` touches every kernel in a few short tests.
"""

import re

import numpy as np
import pytest
from cppn_native import _core
from reference import cascade
from reference.cascade import KAPPA, Network
from reference.cases import Case, bounded, mixed, relative_error
from reference.descent import Plan
from test_descent import levels_and_grid, native_plan, started

TOLERANCE = 1e-5
"""Of test_cascade.py: of the largest number expected in float64. The worst seen here, a single
neuron's share of the gradient, is 4.0e-6."""
FOLLOWED = 5e-6
"""Of the largest level after 1000 steps. The emulated GPU, which fuses no multiply-adds, was 3.6e-7 at most from the
CPU kernels; theirs, of which some fuse, were 4.3e-7 from each other. A real GPU fuses others: ten times as much."""
RECUT = 1e-6
"""Of the largest level after 30 steps whose sums were added up in another order; 6.9e-8 was the worst seen."""

DRAWS = {
    "plain": Plan(rate=0.05, rate_floor=0.1, steps=1000),
    "noise": Plan(draw="noise", rate=0.05, rate_floor=0.1, steps=1000, noise=1.0, noise_rise=0.2, seed=3),
    "stochastic": Plan(draw="stochastic", rate=0.05, quantize_first=0.2, quantize_rate=0.02, seed=5),
}
every_draw = pytest.mark.parametrize("plan", DRAWS.values(), ids=DRAWS)

PICTURE = Case(Network(("sine",) * 9 + ("sigmoid",) * 3, channels=3), (24, 16))
SMALL = Case(Network(mixed(4), channels=3), (7, 5))
ONE_TILE = Case(Network(("sine", "sigmoid")), (8, 8), seed=2)  # the smallest block works on 64 pixels


@pytest.fixture
def emulated(gpu, monkeypatch):
    """Changes a setting of the emulated GPU for this test."""
    if not is_emulated():
        pytest.skip("a real GPU does not fail on request")
    return lambda what, value: monkeypatch.setenv(f"CPPN_EMULATED_{what}", str(value))


def is_emulated():
    return _core.cuda_devices()[0].name.startswith("Emulated")


FIELDS = ("u", "m", "v", "best_u", "step", "q", "loss", "floating", "best_loss", "has_best")


def bits_of(state):
    return {name: np.asarray(getattr(state, name)).tobytes() for name in FIELDS}


def past_of(state):
    return {name: getattr(state, name) for name in FIELDS if name != "u"}


def ran(task, plan, u, grid, *cuts, mask=None, **past):
    """The bits of the state after steps in calls of so many."""
    loop = started(task, plan, u, grid, mask, **past)
    for count in cuts:
        assert loop.run(count) == count
    return bits_of(loop.state())


# -- the same steps as the CPU -----------------------------------------------------------------------------


@pytest.mark.parametrize("plan", [DRAWS["plain"], DRAWS["noise"]], ids=["plain", "noise"])
@pytest.mark.parametrize("net", [PICTURE.net, Network(mixed(12), channels=3)], ids=["sine", "mixed"])
def test_1000_steps_of_cuda_end_where_the_cpu_ends(gpu, plan, net):
    case = Case(net, (24, 16))
    loops = [started(case.task(backend), plan, *levels_and_grid(case)) for backend in (gpu, _core.Cpu())]
    for _ in range(10):
        for loop in loops:
            loop.run(100)
        ours, theirs = (loop.state() for loop in loops)
        assert relative_error(ours.u, theirs.u) < FOLLOWED
        assert ours.loss == pytest.approx(theirs.loss, rel=FOLLOWED)
        assert (ours.step, ours.q, ours.floating) == (theirs.step, theirs.q, theirs.floating)


def test_60_steps_of_cuda_leave_the_weights_float_that_the_cpu_leaves_float(gpu):
    """Levels of the two are 7e-8 of the largest apart: rarely enough to bring a weight over a probability."""
    plan = DRAWS["stochastic"]
    loops = [started(PICTURE.task(backend), plan, *levels_and_grid(PICTURE)) for backend in (gpu, _core.Cpu())]
    seen = set()
    for step in range(60):
        for loop in loops:
            loop.run(1)
        ours, theirs = (loop.state() for loop in loops)
        assert ours.floating == theirs.floating, f"step {step}"
        assert relative_error(ours.u, theirs.u) < FOLLOWED, f"step {step}"
        assert ours.loss == pytest.approx(theirs.loss, rel=FOLLOWED), f"step {step}"
        seen.add(ours.floating)
    assert len(seen) > 20  # there was something to decide


# -- the same bits, however it is cut ----------------------------------------------------------------------


@every_draw
def test_two_cuda_runs_of_one_seed_have_the_same_bits_and_of_two_seeds_not(gpu, plan):
    u, grid = levels_and_grid(PICTURE)
    first, second = (ran(PICTURE.task(gpu), plan, u, grid, 50) for _ in range(2))
    assert first == second
    plan = Plan(**{**vars(plan), "seed": 77})
    assert (ran(PICTURE.task(gpu), plan, u, grid, 50) == first) == (plan.draw == "plain")


@pytest.mark.parametrize(
    "cuts",
    [(1,) * 3 + (97,), (32, 32, 32, 4), (31, 33, 0, 36), (64, 1, 35), (65, 35)],
    ids=lambda cuts: "+".join(map(str, cuts)),
)
@every_draw
def test_cuda_steps_may_be_asked_for_in_any_portions(gpu, plan, cuts):
    """32 steps are one captured graph; what is left of a call is launched step by step."""
    u, grid = levels_and_grid(SMALL)
    assert ran(SMALL.task(gpu), plan, u, grid, *cuts) == ran(SMALL.task(gpu), plan, u, grid, 100)


@every_draw
def test_100_cuda_steps_one_by_one_are_100_at_once(gpu, plan):
    u, grid = levels_and_grid(SMALL)
    assert ran(SMALL.task(gpu), plan, u, grid, *[1] * 100) == ran(SMALL.task(gpu), plan, u, grid, 100)


def test_more_cuda_steps_than_a_burst_are_the_same_steps(gpu):
    """A burst is 512 steps at most; two tables of them are filled in turn, so a third burst meets the first's."""
    u, grid = levels_and_grid(ONE_TILE)
    task, plan = ONE_TILE.task(gpu), DRAWS["noise"]
    assert ran(task, plan, u, grid, 1100) == ran(task, plan, u, grid, 511, 2, 500, 87)


def test_reading_between_cuda_steps_changes_nothing(gpu):
    u, grid = levels_and_grid(SMALL)
    loop = started(SMALL.task(gpu), DRAWS["noise"], u, grid)
    for _ in range(5):
        loop.run(8)
        assert bits_of(loop.state()) == bits_of(loop.state())
    assert bits_of(loop.state()) == ran(SMALL.task(gpu), DRAWS["noise"], u, grid, 40)


@pytest.mark.parametrize("first", [1, 8, 37])
@every_draw
def test_a_resumed_cuda_run_equals_an_unbroken_one(gpu, plan, first):
    u, grid = levels_and_grid(SMALL)
    begun = started(SMALL.task(gpu), plan, u, grid)
    begun.run(first)
    state = begun.state()
    again = ran(SMALL.task(gpu), plan, state.u, grid, 50 - first, **past_of(state))
    assert again == ran(SMALL.task(gpu), plan, u, grid, 50)


# -- states ------------------------------------------------------------------------------------------------


@every_draw
def test_before_any_step_a_cuda_state_is_what_was_handed_in(gpu, plan):
    """And what the CPU gives back, which hands over to a GPU and takes over from it."""
    u, grid = levels_and_grid(SMALL)
    rng = np.random.default_rng(0)
    K = len(u)
    past = {"m": rng.normal(size=K), "v": rng.uniform(size=K), "best_u": rng.normal(size=K), "step": 7, "q": 0.25}
    past |= {"loss": 3.5, "floating": 2, "best_loss": 1.25, "has_best": True}
    for handed_in in ({}, past):
        states = [started(SMALL.task(backend), plan, u, grid, **handed_in).state() for backend in (gpu, _core.Cpu())]
        for name in FIELDS:
            np.testing.assert_array_equal(*(getattr(state, name) for state in states), err_msg=name)
    state = states[0]
    assert (state.step, state.q, state.loss, state.best_loss, state.has_best) == (7, 0.25, 3.5, 1.25, True)
    for name in ("m", "v", "best_u"):
        np.testing.assert_array_equal(getattr(state, name), past[name].astype(np.float32))


@every_draw
def test_no_cuda_steps_change_nothing(gpu, plan):
    u, grid = levels_and_grid(SMALL)
    assert ran(SMALL.task(gpu), plan, u, grid, 0, 0) == ran(SMALL.task(gpu), plan, u, grid)
    assert ran(SMALL.task(gpu), plan, u, grid, 5, 0, 5) == ran(SMALL.task(gpu), plan, u, grid, 10)


def test_a_cuda_run_can_be_taken_over_by_the_cpu_and_back(gpu):
    u, grid = levels_and_grid(SMALL)
    plan, state = DRAWS["noise"], None
    for backend in (gpu, _core.Cpu(), gpu):
        loop = started(SMALL.task(backend), plan, u, grid, **(past_of(state) if state else {}))
        loop.run(11)
        state = loop.state()
        u = state.u
    alone = started(SMALL.task(_core.Cpu()), plan, *levels_and_grid(SMALL))
    alone.run(33)
    assert state.step == 33
    assert relative_error(state.u, alone.state().u) < FOLLOWED


# -- many pictures -----------------------------------------------------------------------------------------


def pictures(case, count):
    """Another target and other levels for each, and a mask for all."""
    rng = np.random.default_rng(9)
    targets = rng.uniform(0, 1, (count, *case.target.shape)).astype(np.float32)
    u, grid = levels_and_grid(case)
    levels = [u + rng.normal(0, 1, len(u)) for _ in range(count)]
    return targets, levels, grid, (rng.uniform(size=len(u)) < 0.8).astype(np.float32)


def task_of(backend, case, target):
    return _core.Task(backend, case.shape(), *case.place, target)


def state_at(u, **past):
    state = _core.DescentState()
    for name, value in {"u": u, **past}.items():
        setattr(state, name, value)
    return state


@every_draw
@pytest.mark.parametrize("count", [2, 5])
def test_cuda_pictures_of_one_tile_side_by_side_are_what_they_are_alone(gpu, plan, count):
    """A picture of one tile cannot be cut, so that its sums are added in the same order: to the bit."""
    targets, levels, grid, mask = pictures(ONE_TILE, count)
    plan = Plan(**{**vars(plan), "quantize_first": 0.8, "quantize_rate": 0.0, "rate": 0.2})
    together = _core.Descent(
        task_of(gpu, ONE_TILE, targets), native_plan(plan), grid, mask, [state_at(u) for u in levels]
    )
    together.run(70)
    states = [together.state(i) for i in range(count)]
    for state, target, u in zip(states, targets, levels, strict=True):
        assert bits_of(state) == ran(task_of(gpu, ONE_TILE, target), plan, u, grid, 70, mask=mask)
        np.testing.assert_array_equal(state.u[mask == 0], u[mask == 0].astype(np.float32))
    assert len({state.u.tobytes() for state in states}) == count
    if plan.draw == "stochastic":
        assert all(state.has_best for state in states)
        assert len({state.best_loss for state in states}) == count


@every_draw
def test_larger_cuda_pictures_side_by_side_are_near_what_they_are_alone(gpu, plan):
    """On two multiprocessors, as the emulated GPU has, three of them are cut into fewer parts than one alone."""
    case = Case(PICTURE.net, (40, 30))
    targets, levels, grid, mask = pictures(case, 3)
    together = _core.Descent(task_of(gpu, case, targets), native_plan(plan), grid, mask, [state_at(u) for u in levels])
    together.run(30)
    for i in range(3):
        alone = started(task_of(gpu, case, targets[i]), plan, levels[i], grid, mask)
        alone.run(30)
        ours, theirs = together.state(i), alone.state()
        assert relative_error(ours.u, theirs.u) < RECUT
        assert ours.loss == pytest.approx(theirs.loss, rel=RECUT)
        assert ours.floating == theirs.floating


def test_losses_and_gradients_of_many_cuda_pictures_are_the_references(gpu):
    targets, levels, grid, _ = pictures(PICTURE, 4)
    w = np.array([u * grid for u in levels], np.float32)
    losses, gradients = task_of(gpu, PICTURE, targets).gradient(w)
    np.testing.assert_array_equal(losses, task_of(gpu, PICTURE, targets).loss(w))
    for i in range(4):
        loss, gradient = cascade.gradient(PICTURE.net, w[i].astype(float), *PICTURE.points, targets[i].astype(float))
        assert losses[i] == pytest.approx(loss, rel=TOLERANCE)
        assert relative_error(gradients[i], gradient) < TOLERANCE


@pytest.mark.parametrize("first", [36, 37])
def test_the_best_of_every_cuda_picture_survives_a_break_after_an_even_or_odd_step(gpu, first):
    """The record of a best has two places that take turns: the one written last must be the one read."""
    targets, levels, grid, mask = pictures(ONE_TILE, 3)
    plan = native_plan(Plan(draw="stochastic", rate=0.2, quantize_first=0.8, quantize_rate=0.0, seed=6))
    task = task_of(gpu, ONE_TILE, targets)

    def loop(states):
        return _core.Descent(task, plan, grid, mask, states)

    begun, unbroken = loop([state_at(u) for u in levels]), loop([state_at(u) for u in levels])
    begun.run(first)
    unbroken.run(90)
    resumed = loop([begun.state(i) for i in range(3)])
    resumed.run(90 - first)
    for i in range(3):
        assert bits_of(resumed.state(i)) == bits_of(unbroken.state(i))
        assert begun.state(i).has_best
        assert resumed.state(i).best_loss <= begun.state(i).best_loss
    later = [resumed.state(i).best_loss < begun.state(i).best_loss for i in range(3)]
    assert any(later)  # the second part had something to record


def test_the_best_of_every_cuda_picture_can_be_read_after_every_step(gpu):
    targets, levels, grid, mask = pictures(ONE_TILE, 3)
    plan = native_plan(Plan(draw="stochastic", rate=0.2, quantize_first=0.8, quantize_rate=0.0, seed=6))
    loop = _core.Descent(task_of(gpu, ONE_TILE, targets), plan, grid, mask, [state_at(u) for u in levels])
    best, improved = [np.inf] * 3, set()
    for step in range(60):
        loop.run(1)
        for i in range(3):
            state = loop.state(i)
            if state.floating == 0 and state.loss < best[i]:
                best[i] = state.loss
                improved.add(step % 2)
            assert state.has_best == np.isfinite(best[i])
            assert not state.has_best or state.best_loss == best[i]
    assert improved == {0, 1}


def test_cuda_pictures_that_are_resumed_with_different_pasts_keep_them_apart(gpu):
    targets, levels, grid, mask = pictures(ONE_TILE, 3)
    plan = Plan(draw="stochastic", rate=0.2, quantize_first=0.8, quantize_rate=0.0, seed=6)
    rng = np.random.default_rng(3)
    past = {"step": 3, "q": 0.8}
    states = [
        state_at(levels[0], **past),
        state_at(levels[1], **past, m=rng.normal(0, 0.1, len(grid)), v=rng.uniform(0, 0.1, len(grid))),
        state_at(levels[2], **past, best_u=np.full(len(grid), 5), best_loss=0.001, has_best=True),
    ]
    together = _core.Descent(task_of(gpu, ONE_TILE, targets), native_plan(plan), grid, mask, states)
    together.run(40)
    for i, state in enumerate(states):
        alone = _core.Descent(task_of(gpu, ONE_TILE, targets[i]), native_plan(plan), grid, mask, state)
        alone.run(40)
        assert bits_of(together.state(i)) == bits_of(alone.state())
    assert together.state(2).best_loss == 0.001 and np.all(together.state(2).best_u == 5)


# -- loss and gradient, whatever the sizes -----------------------------------------------------------------


def test_every_edge_of_a_cuda_tile_gives_the_loss_and_gradient_of_just_those_pixels(gpu):
    """A block works on 64, 128, ... or 512 pixels at a time. Expected are running sums of the reference."""
    edges = [
        tile * times + more for tile in (64, 128, 192, 256, 320, 512) for times in (1, 2, 3) for more in (-1, 0, 1)
    ]
    case = Case(Network(mixed(6), channels=2), max(edges))
    error = case.nodes[-2:] - case.target  # (C, P)
    j = cascade.jacobian(*case.exact).reshape(case.net.weights, *error.shape)
    gradients = np.cumsum(2 * KAPPA * np.einsum("kcp,cp->kp", j, error), axis=1)
    losses = np.cumsum(KAPPA * np.sum(error**2, axis=0))
    x, y = case.axes
    for count in (1, 2, 3, *edges):
        target = np.ascontiguousarray(case.target[:, :count])
        loss, gradient = _core.Task(gpu, case.shape(), x[:count], y[:count], False, target).gradient(case.w)
        assert loss == pytest.approx(losses[count - 1], rel=TOLERANCE), f"{count} pixels"
        assert relative_error(gradient, gradients[:, count - 1]) < TOLERANCE, f"{count} pixels"


def test_a_picture_of_more_tiles_than_cuda_blocks_gives_the_references_gradient(gpu):
    """A multiprocessor holds 32 blocks at most, and 1024 blocks at most share a picture."""
    blocks = min(1024, 32 * _core.cuda_devices()[0].multiprocessors)
    case = Case(Network(("sine", "sigmoid"), channels=2), 512 * blocks + 513)
    loss, gradient = case.task(gpu).gradient(case.w)
    assert loss == pytest.approx(case.loss_and_gradient[0], rel=TOLERANCE)
    assert relative_error(gradient, case.loss_and_gradient[1]) < TOLERANCE


NEURONS = [*range(1, 17), *range(31, 34), 45, 54, *range(63, 67), 127, 128]
KINDS = {
    "mixed": mixed,
    "sine": lambda n: ("sine",) * n,
    "sigmoid": lambda n: ("sigmoid",) * n,
    "sine then sigmoid": lambda n: ("sine",) * max(0, n - 3) + ("sigmoid",) * min(3, n),
    "sigmoid then others": lambda n: ("sigmoid",) * (n - n // 3) + bounded(n // 3),
}


@pytest.mark.parametrize("neurons", NEURONS)
@pytest.mark.parametrize("kind", KINDS)
def test_any_number_of_cuda_neurons_gives_the_references_nodes_loss_and_gradient(gpu, kind, neurons):
    """Around the fours that weights are read in, the eights of the gradient's tiles and the panels of 64."""
    case = Case(Network(KINDS[kind](neurons), min(3, neurons), radius=neurons % 2 == 1), (11, 7))
    nodes = gpu.activations(case.shape(), case.w, *case.place)
    assert relative_error(nodes, case.nodes[case.net.inputs :]) < TOLERANCE
    loss, gradient = case.task(gpu).gradient(case.w)
    assert loss == pytest.approx(case.loss_and_gradient[0], rel=TOLERANCE)
    shares = zip(case.net.rows(gradient), case.net.rows(case.loss_and_gradient[1]), strict=True)
    assert max(relative_error(*share) for share in shares) < TOLERANCE


@pytest.mark.parametrize("octaves", range(8))
@pytest.mark.parametrize("neurons", [5, 54, 100, 128])
def test_any_number_of_cuda_inputs_gives_the_references_gradient(gpu, neurons, octaves):
    """The gradient's tiles begin at the tile of the first neuron, in the middle of which it may lie."""
    case = Case(Network(bounded(neurons), 3, octaves % 2 == 0, octaves), 70)
    loss, gradient = case.task(gpu).gradient(case.w)
    assert loss == pytest.approx(case.loss_and_gradient[0], rel=TOLERANCE)
    assert relative_error(gradient, case.loss_and_gradient[1]) < TOLERANCE


# -- pictures ----------------------------------------------------------------------------------------------


def same_pictures(gpu, shape, w, *place):
    """Floats, bytes and neurons have the CPU's bits."""
    cpu = _core.Cpu()
    with np.errstate(invalid="ignore"):
        for name in ("render", "render_bytes", "activations"):
            ours, theirs = (getattr(backend, name)(shape, w, *place) for backend in (gpu, cpu))
            assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
            assert ours.tobytes() == theirs.tobytes(), name


@pytest.mark.parametrize("size", [1, 63, 64, 65, 129, 513, (1, 1), (65, 1), (1, 65), (43, 3), (67, 31)], ids=str)
@pytest.mark.parametrize("neurons", [1, 2, 3, 4, 5, 8, 13, 45, 64, 65, 100, 128])
def test_a_cuda_picture_has_the_bits_of_the_cpus(gpu, neurons, size):
    net = Network(mixed(neurons), min(4, neurons), radius=neurons % 2 == 0, octaves=neurons % 8)
    case = Case(net, size)
    same_pictures(gpu, case.shape(), case.w, *case.place)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("neurons", [7, 54, 70])
def test_a_cuda_picture_of_any_kind_of_neurons_has_the_bits_of_the_cpus(gpu, neurons, kind):
    case = Case(Network(KINDS[kind](neurons), 3), (19, 9))
    same_pictures(gpu, case.shape(), case.w, *case.place)


@pytest.mark.parametrize("huge", [1e5, 1e20, 3e38, np.inf, np.nan, -np.inf, 1e-40])
@pytest.mark.parametrize("kind", ["mixed", "sine", "sigmoid then others"])
def test_a_cuda_picture_has_the_cpus_bits_where_sums_overflow_or_are_not_numbers(gpu, kind, huge):
    """A decoder shows something all the same, and the same everywhere."""
    case = Case(Network(KINDS[kind](17), 3), (9, 7))
    w = case.w.copy()
    w[:: 1 if np.isfinite(huge) else 5] = (np.sign(case.w) * np.float32(huge))[:: 1 if np.isfinite(huge) else 5]
    same_pictures(gpu, case.shape(), w, *case.place)


def test_a_picture_too_large_for_one_piece_has_the_cpus_bits_on_cuda(gpu):
    """A piece is 2^24 values: 131072 pixels of 128 neurons."""
    case = Case(Network(bounded(128), 3), (331, 397))  # 131407
    ours = gpu.activations(case.shape(), case.w, *case.place)
    assert ours.tobytes() == _core.Cpu().activations(case.shape(), case.w, *case.place).tobytes()


# -- what a GPU is asked that it cannot do -----------------------------------------------------------------


def test_the_normal_matrix_is_refused_on_cuda_in_words(gpu):
    with pytest.raises(Exception, match="normal matrix is computed on the CPU"):
        SMALL.task(gpu).normal(SMALL.w)


def test_there_is_no_cuda_device_number_999(gpu):
    for index in (-1, 999):
        with pytest.raises(_core.DeviceError, match=rf"no GPU number {index}; CUDA sees \d+"):
            _core.open_cuda(index)


def test_every_cuda_device_has_a_name_an_architecture_and_multiprocessors(gpu):
    device = _core.cuda_devices()[0]
    assert device.name and not device.why
    assert re.fullmatch(r"sm_\d+", device.architecture)
    assert device.multiprocessors > 0
    assert gpu.name == f"cuda/{device.architecture}"


# -- failures ----------------------------------------------------------------------------------------------

WORDS = r"the GPU (failed while [a-z ]+: .+|is out of memory: [\d.]+ MB wanted, [\d.]+ MB of \d+ MB are free)"
LEAST = {"malloc": 25, "mallochost": 4, "memcpy": 35, "launch": 37, "graph": 2, "sync": 15}
"""How often at least a short fit and a decoded picture do it; 32 of the launches are captured."""


def short_fit(gpu, plan):
    """Everything that a fit asks of a GPU, and the answers."""
    u, grid = levels_and_grid(ONE_TILE)
    task = ONE_TILE.task(gpu)
    loss, gradient = task.gradient(ONE_TILE.w)
    loop = started(task, plan, u, grid)
    loop.run(34)
    state = loop.state()
    pictures = [
        getattr(gpu, how)(ONE_TILE.shape(), ONE_TILE.w, *ONE_TILE.place)
        for how in ("render", "render_bytes", "activations")
    ]
    answers = [loss, task.loss(ONE_TILE.w), gradient.tobytes(), bits_of(state), *(p.tobytes() for p in pictures)]
    return answers, (task, loop)  # which may not go yet: going asks the GPU as well


def live_bytes(gpu, emulated):
    """Memory in use on the device, from a constant on: the smallest device on which a picture finds room."""
    too_small, enough = 0, 1 << 26
    while enough - too_small > 1:
        middle = (too_small + enough) // 2
        emulated("MEMORY", middle)
        try:
            SMALL.task(gpu)
            enough = middle
        except _core.DeviceError:
            too_small = middle
    emulated("MEMORY", 1 << 30)
    return enough


@pytest.mark.parametrize("what", LEAST)
def test_whichever_cuda_call_fails_it_is_said_and_the_next_fit_goes_well(gpu, emulated, what):
    """The first such call of a fit fails, in another fit the second, ... until a fit no longer has so many."""
    plan = DRAWS["noise"]
    expected, kept = short_fit(gpu, plan)
    del kept
    before, said = live_bytes(gpu, emulated), []
    while True:
        emulated("FAIL", f"{what}:{len(said) + 1}")
        try:
            _, kept = short_fit(gpu, plan)
            break
        except _core.DeviceError as error:
            said.append(str(error))
        emulated("FAIL", "")
        assert re.fullmatch(WORDS, said[-1])
        assert ONE_TILE.task(gpu).gradient(ONE_TILE.w)[1].tobytes() == expected[2]
    del kept
    emulated("FAIL", "")
    assert len(said) >= LEAST[what]
    assert short_fit(gpu, plan)[0] == expected
    assert live_bytes(gpu, emulated) == before  # what had been reserved was given back


@pytest.mark.parametrize("what", ["launch", "sync", "memcpy"])
def test_whichever_call_of_stochastic_cuda_steps_fails_it_is_said_and_the_next_fit_goes_well(gpu, emulated, what):
    """As above, but for one thing: what fails in run() or state() may be asked for again, and does not crash."""
    plan, (u, grid) = DRAWS["stochastic"], levels_and_grid(ONE_TILE)
    task = ONE_TILE.task(gpu)
    expected = ran(task, plan, u, grid, 1, 2)
    failures = 0
    while True:
        loop = started(task, plan, u, grid)
        emulated("FAIL", f"{what}:{failures + 1}")
        try:
            loop.run(1), loop.run(2), loop.state()
            break
        except _core.DeviceError as error:
            assert re.fullmatch(WORDS, str(error))
            failures += 1
        emulated("FAIL", "")
        loop.run(2), loop.state()
        assert ran(task, plan, u, grid, 1, 2) == expected
    emulated("FAIL", "")
    assert failures >= {"launch": 9, "sync": 7, "memcpy": 9}[what]


@pytest.mark.parametrize("what", ["launch", "sync", "graph", "memcpy", "malloc"])
def test_a_cuda_device_that_stays_broken_lets_everything_go(gpu, emulated, what):
    loop = started(ONE_TILE.task(gpu), DRAWS["plain"], *levels_and_grid(ONE_TILE))
    loop.run(40)
    emulated("FAIL", f"{what}:1+")
    with pytest.raises(_core.DeviceError):
        loop.run(40)
        loop.state()
        ONE_TILE.task(gpu)
    del loop
    with pytest.raises(_core.DeviceError):
        short_fit(gpu, DRAWS["plain"])


def test_too_little_cuda_memory_is_said_in_numbers(gpu, emulated):
    emulated("MEMORY", 4_000_000)
    with pytest.raises(
        _core.DeviceError, match=r"^the GPU is out of memory: 12\.0 MB wanted, [0-4]\.\d MB of 4 MB are"
    ):
        Case(Network(("sine",) * 3, 3), (1000, 1000)).task(gpu)
    SMALL.task(gpu)  # there is room for this one


def test_cuda_kernels_that_were_not_compiled_for_a_device_are_named_when_it_is_opened(emulated):
    emulated("FAIL", "image:1")
    with pytest.raises(_core.DeviceError, match=r"the GPU failed while setting up a kernel: no kernel image"):
        _core.open_cuda(0)


@pytest.mark.parametrize(
    "what, value, why",
    [
        ("DEVICES", "0", r"no NVIDIA GPU was found \(or CUDA_VISIBLE_DEVICES hides it\)"),
        ("DEVICES", "nodriver", "no NVIDIA driver is installed"),
        ("CAPABILITY", "6.1", r"its compute capability 6\.1 is older than 7\.5, the oldest that the kernels run on"),
        ("CAPABILITY", "7.0", r"its compute capability 7\.0 is older than 7\.5, the oldest that the kernels run on"),
    ],
)
def test_why_a_cuda_device_cannot_be_used_is_said_in_words(emulated, what, value, why):
    emulated(what, value)
    (device,) = _core.cuda_devices()
    assert re.fullmatch(why, device.why)
    assert bool(device.name) == (what == "CAPABILITY")
    with pytest.raises(_core.DeviceError, match=why):
        _core.open_cuda(0)


def test_each_of_several_cuda_devices_can_be_opened_and_computes_the_same(emulated):
    emulated("DEVICES", 3)
    assert [device.name for device in _core.cuda_devices()] == [f"Emulated device {i}" for i in range(3)]
    backends = [_core.open_cuda(i) for i in range(3)]
    tasks = [SMALL.task(backend) for backend in backends]
    u, grid = levels_and_grid(SMALL)
    loops = [started(task, DRAWS["noise"], u, grid) for task in tasks]
    for steps in (1, 33):  # in turn, so that a call that forgets to choose its device is found out
        for loop in loops:
            loop.run(steps)
    states = [bits_of(loop.state()) for loop in loops]
    assert states[0] == states[1] == states[2]
    gradients = [task.gradient(SMALL.w)[1].tobytes() for task in reversed(tasks)]
    assert gradients[0] == gradients[1] == gradients[2]
    del loops, tasks, backends


def test_cuda_does_not_lose_memory_over_many_fits(gpu, emulated):
    u, grid = levels_and_grid(SMALL)
    ran(SMALL.task(gpu), DRAWS["plain"], u, grid, 33)
    before = live_bytes(gpu, emulated)
    for plan in DRAWS.values():
        ran(SMALL.task(gpu), plan, u, grid, 33)
    assert live_bytes(gpu, emulated) == before


# -- short ones, for compute-sanitizer ---------------------------------------------------------------------


@pytest.mark.parametrize("neurons, octaves", [(5, 0), (54, 0), (65, 1), (128, 7)])
def test_sanitizer_watches_the_cuda_gradient(gpu, neurons, octaves):
    """The largest has its weights in global memory wherever a block has less than 200 KB."""
    case = Case(Network(bounded(neurons), 3, octaves=octaves), 131)
    loss, gradient = case.task(gpu).gradient(case.w)
    assert case.task(gpu).loss(case.w) == loss
    assert np.isfinite(gradient).all()


@every_draw
def test_sanitizer_watches_cuda_steps(gpu, plan):
    """Drawing, quantizing, the gradient and Adam, as a graph and one by one, for two pictures of two tiles."""
    case = Case(Network(("sine",) * 6 + ("sigmoid",) * 3, 3), (13, 11))
    targets, levels, grid, mask = pictures(case, 2)
    loop = _core.Descent(task_of(gpu, case, targets), native_plan(plan), grid, mask, [state_at(u) for u in levels])
    loop.run(35)
    assert all(np.isfinite(loop.state(i).u).all() for i in range(2))


@pytest.mark.parametrize("neurons, octaves", [(5, 0), (54, 2), (65, 1), (128, 7)])
def test_sanitizer_watches_cuda_pictures(gpu, neurons, octaves):
    case = Case(Network(mixed(neurons), 3, octaves=octaves), (17, 5))
    same_pictures(gpu, case.shape(), case.w, *case.place)


def test_sanitizer_watches_the_cuda_peak(gpu):
    assert gpu.peak(1e-6) > 0
