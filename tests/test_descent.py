"""The training loop against the reference, step for step: draws, Adam, schedules, the seed's quantization.

TOLERANCE, 5e-5 of the largest number after 25 steps: Adam divides by sqrt(v), which brings up what float32
loses in small gradients; the worst seen is 1.3e-5, at a rate of half a level. One step is held to STEP, 1e-5.
"""

from dataclasses import fields, replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from cppn_native import _core
from reference import adam, cascade, descent, philox, quantize
from reference.cascade import KAPPA, Network
from reference.cases import Case, mixed, native_shape, relative_error
from reference.descent import Plan

TOLERANCE = 5e-5
STEP = 1e-5


def native_plan(plan):
    native = _core.DescentPlan()
    for field in fields(plan):
        value = getattr(plan, field.name)
        setattr(native, field.name, getattr(_core.Draw, value) if field.name == "draw" else value)
    return native


def as_stored(plan):
    """The plan with its numbers as the native one holds them, in float32: 1 - 0.999f is 1.3e-5 off 0.001."""
    native = native_plan(plan)
    return replace(plan, **{f.name: getattr(native, f.name) for f in fields(plan) if f.name != "draw"})


def levels_and_grid(case):
    """The weights of a case in levels, four steps in turn; powers of two, so that u * grid is exact."""
    grid = 2.0 ** -(2 + np.arange(case.net.weights) % 4)
    return case.w / grid, grid


def started(task, plan, u, grid, mask=None, **state):
    """A native loop at levels ``u``; ``state`` may give it a past."""
    start = _core.DescentState()
    start.u = u
    for name, value in state.items():
        setattr(start, name, value)
    return _core.Descent(task, native_plan(plan), grid, np.ones(len(u)) if mask is None else mask, start)


@cache
def expected_after(case, plan, steps):
    u, grid = levels_and_grid(case)
    plan = as_stored(plan)
    begin = descent.begin(plan, u)
    return descent.run(case.net, *case.points, case.target, plan, grid, np.ones_like(u), begin, steps)


def steps_of(loop, count):
    """The state before the first step and after each."""
    yield loop.state()
    for _ in range(count):
        loop.run(1)
        yield loop.state()


# -- whole runs --------------------------------------------------------------------------------------------

CASES = [
    Case(Network(mixed(1)), 1),
    Case(Network(mixed(5), channels=2), (11, 9)),
    Case(Network(mixed(13), channels=3, radius=True, octaves=1), 50),
    Case(Network(("sine",) * 50 + ("sigmoid",) * 3, channels=3), (9, 7)),
]
PLANS = {
    "plain": Plan(rate=0.05),
    "warmup and cosine": Plan(rate=0.25, rate_floor=0.125, warmup=5, steps=20),
    "other moments": Plan(rate=0.02, b1=0.5, b2=0.9, eps=1e-3),
    "decay": Plan(rate=0.05, decay=0.5),
    "clip": Plan(rate=0.5, limit=4.0),
    "noise": Plan(draw="noise", rate=0.125, noise=1.0, noise_rise=0.5, steps=25, seed=3),
    "stochastic": Plan(draw="stochastic", rate=0.05, quantize_first=0.3, quantize_rate=0.03, seed=5),
}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_25_steps_end_where_the_reference_ends(backend, case, plan):
    expected = expected_after(case, plan, 25)
    loop = started(case.task(backend), plan, *levels_and_grid(case))
    assert loop.run(25) == 25
    state = loop.state()
    for name in "umv":
        assert relative_error(getattr(state, name), getattr(expected, name)) < TOLERANCE, name
    assert state.loss == pytest.approx(expected.loss, rel=TOLERANCE)
    assert (state.step, state.floating) == (expected.step, expected.floating)


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_each_of_the_first_steps_is_the_references_from_the_same_state(backend, plan):
    """Errors do not add up here, so a wrong factor has nowhere to hide."""
    case = CASES[1]
    u, grid = levels_and_grid(case)
    loop = started(case.task(backend), plan, u, grid)
    picture = case.net, *case.points, case.target
    for before, after in pairwise(steps_of(loop, 8)):
        past = descent.State(before.u, before.m, before.v, before.step, before.q)
        expected = descent.step(*picture, as_stored(plan), grid, np.ones_like(u), past)
        for name in "umv":
            assert relative_error(getattr(after, name), getattr(expected, name)) < STEP, name
        assert after.loss == pytest.approx(expected.loss, rel=STEP)
        assert after.floating == expected.floating


def test_no_steps_change_nothing(backend):
    case = CASES[1]
    u, grid = levels_and_grid(case)
    loop = started(case.task(backend), PLANS["plain"], u, grid)
    assert loop.run(0) == 0
    state = loop.state()
    assert state.step == 0
    np.testing.assert_array_equal(state.u, u.astype(np.float32))
    assert not state.m.any() and not state.v.any()


def test_the_reported_loss_is_that_of_the_weights_before_the_update(backend):
    case = CASES[1]
    u, grid = levels_and_grid(case)
    task = case.task(backend)
    loop = started(task, PLANS["plain"], u, grid)
    loop.run(1)
    assert loop.state().loss == task.loss(u * grid)


# -- the parts of a step -----------------------------------------------------------------------------------


def test_weights_stay_within_the_limit_and_come_to_rest_on_it(backend):
    case = CASES[2]
    u, grid = levels_and_grid(case)
    plan = Plan(rate=1.0, limit=2.5)
    loop = started(case.task(backend), plan, 3 * u, grid)  # many begin outside
    loop.run(1)
    assert np.abs(loop.state().u).max() == 2.5
    loop.run(30)
    u = loop.state().u
    assert np.abs(u).max() == 2.5
    assert np.sum(u == 2.5) > 3 and np.sum(u == -2.5) > 3


def test_decay_pulls_at_weights_the_picture_does_not_see(backend):
    """At the pixel (0, 0) the weights of x and y have no gradient: decay alone moves them, by Adam's rule."""
    net = Network(("identity",))
    task = _core.Task(backend, native_shape(net), [0], [0], False, np.full((1, 1), 0.5))
    u, plan = np.float32([1.0, 8.0, -6.0]), Plan(rate=0.25, decay=0.5)
    loop = started(task, plan, u, np.ones(3))
    loop.run(1)
    state = loop.state()
    pulled = adam.update(u, 0, 0, g=0, t=1, rate=0.25, decay=0.5)
    for name, expected in zip("umv", pulled, strict=True):
        np.testing.assert_allclose(getattr(state, name)[1:], expected[1:], rtol=2e-5)  # v: see as_stored
    still = started(task, replace(plan, decay=0.0), u, np.ones(3))
    still.run(5)
    np.testing.assert_array_equal(still.state().u[1:], u[1:])


@pytest.mark.parametrize("draw", ["plain", "noise", "stochastic"])
def test_masked_weights_and_their_moments_stand_still_to_the_bit(backend, draw):
    case = CASES[2]
    u, grid = levels_and_grid(case)
    rng = np.random.default_rng(0)
    mask = rng.integers(0, 2, len(u))
    m, v = rng.normal(0, 1, len(u)), rng.uniform(0, 1, len(u))
    plan = Plan(draw=draw, rate=0.1, decay=0.1, noise=1.0, quantize_first=0.5, limit=1.0)
    loop = started(case.task(backend), plan, u, grid, mask, m=m, v=v)
    loop.run(10)
    state, still = loop.state(), mask == 0
    assert np.abs(u[still]).max() > 1.0  # not even clipped
    for before, after in ((u, state.u), (m, state.m), (v, state.v)):
        np.testing.assert_array_equal(after[still], before[still].astype(np.float32))
        assert np.all(after[~still] != before[~still].astype(np.float32))


def test_masked_weights_are_drawn_like_the_others(backend):
    """They stand still in u; what the network sees of them is noisy or rounded as the step demands."""
    case, plan = CASES[1], Plan(draw="stochastic", quantize_first=1.0)
    u, grid = levels_and_grid(case)
    task = case.task(backend)
    loop = started(task, plan, np.trunc(u) + 0.25, grid, np.zeros(len(u)))
    loop.run(1)
    assert loop.state().floating == 0
    assert loop.state().loss == task.loss(np.trunc(u) * grid)


# -- schedules ---------------------------------------------------------------------------------------------

SCHEDULES = [  # numbers that float32 holds exactly, so that only float64 roundings are between the two
    Plan(rate=0.25, rate_floor=1.0, steps=100),
    Plan(rate=0.25, rate_floor=0.125, steps=100),
    Plan(rate=0.5, rate_floor=0.0, steps=7, warmup=3),
    Plan(rate=0.5, rate_floor=0.5, steps=10, warmup=40),  # still rising when the cosine has ended
    Plan(rate=0.5, rate_floor=0.25, steps=0),
    Plan(rate=0.25, noise=1.0, noise_rise=0.0, steps=100),
    Plan(rate=0.25, noise=1.0, noise_rise=0.25, steps=100),
    Plan(rate=0.25, noise=0.75, noise_rise=1.0, steps=7),
    Plan(rate=0.25, noise=0.75, noise_rise=1.0, steps=0),
]


@pytest.mark.parametrize("plan", SCHEDULES)
def test_rate_and_noise_follow_their_formulas(plan):
    native = native_plan(plan)
    for step in (*range(12), 24, 25, 26, 49, 50, 99, 100, 101, 10**6):
        assert _core.descent_rate(native, step) == pytest.approx(descent.rate(plan, step), rel=1e-12)
        assert _core.descent_noise(native, step) == pytest.approx(descent.noise(plan, step), rel=1e-12)


def test_the_rate_begins_full_is_halfway_down_in_the_middle_and_ends_on_its_floor():
    plan = native_plan(Plan(rate=0.5, rate_floor=0.25, steps=100))
    landmarks = {0: 0.5, 50: 0.3125, 100: 0.125, 1000: 0.125}
    for step, rate in landmarks.items():
        assert _core.descent_rate(plan, step) == pytest.approx(rate, rel=1e-12)


def test_warmup_rises_in_equal_steps_to_the_full_rate():
    plan = native_plan(Plan(rate=0.5, warmup=4))
    assert [_core.descent_rate(plan, step) for step in range(6)] == [0.125, 0.25, 0.375, 0.5, 0.5, 0.5]


def test_noise_rises_from_nothing_to_its_full_width():
    plan = native_plan(Plan(noise=2.0, noise_rise=0.5, steps=8))
    assert [_core.descent_noise(plan, step) for step in range(6)] == [0.0, 0.5, 1.0, 1.5, 2.0, 2.0]


# -- stochastic quantization -------------------------------------------------------------------------------
# Five rules make it the seed's: Newton's solve, rounding half to even, no gradient where a weight was
# quantized, the schedule of q, and the best so far. Each has a test that fails without it.

MARGIN = 1e-5
"""A uniform this close to its probability may fall on either side: float32 knows it no better."""


def kept(backend, case, u, q, seed):
    """(K,) which weights one step leaves float, seen in the first moment: (1 - b1) g where live, else 0."""
    plan = Plan(draw="stochastic", quantize_first=q, seed=seed)
    loop = started(case.task(backend), plan, u, case.w / 8)
    loop.run(1)
    state = loop.state()
    assert state.floating == np.count_nonzero(state.m)
    return state.m != 0


def disagreements(live, u, q, seed, **newton):
    """How many weights the reference, perhaps with another Newton's method, would have left otherwise."""
    with np.errstate(all="ignore"):  # a wrong start may overflow
        probability = quantize.keep_probability(u.astype(np.float64), q, **newton)
    uniforms = philox.uniforms(seed, 0, len(u))
    clear = ~(np.abs(uniforms - probability) < MARGIN)
    return np.sum(clear & (live != (uniforms < probability)))


BROAD = Case(Network(mixed(60), channels=3), (3, 1))  # 1950 weights, little else


@pytest.mark.parametrize("q", [0.01, 0.1, 0.5, 0.9, 0.99])
def test_the_weights_left_float_are_those_of_newtons_solution(backend, q):
    u = np.random.default_rng(1).uniform(-13, 13, BROAD.net.weights).astype(np.float32)
    probability = quantize.keep_probability(u.astype(np.float64), q)
    assert np.sum(probability) == pytest.approx((1 - q) * len(u), rel=1e-9)  # 16 steps do solve it
    live = kept(backend, BROAD, u, q, seed=11)
    assert disagreements(live, u, q, seed=11) == 0


def test_three_newton_steps_or_another_start_would_be_noticed(backend):
    u = np.random.default_rng(1).uniform(-13, 13, BROAD.net.weights).astype(np.float32)
    live = kept(backend, BROAD, u, 0.9, seed=11)
    assert disagreements(live, u, 0.9, seed=11, newton_steps=3) > 100
    live = kept(backend, BROAD, u, 0.1, seed=11)
    assert disagreements(live, u, 0.1, seed=11, start=1.0) > 100


@pytest.mark.parametrize("q", [0.5, 0.97, 0.999])
def test_where_most_weights_are_integers_the_solve_still_is_the_references(backend, q):
    """Rates of 1e6 make Newton's steps small, and 16 may not arrive: where they stop is part of it."""
    rng = np.random.default_rng(2)
    u = rng.uniform(-13, 13, BROAD.net.weights).astype(np.float32)
    u = np.where(rng.uniform(size=len(u)) < 0.9, np.rint(u), u)
    assert disagreements(kept(backend, BROAD, u, q, seed=12), u, q, seed=12) == 0


def test_the_weights_left_float_change_with_the_seed_and_with_the_step(backend):
    case = CASES[2]
    u, grid = levels_and_grid(case)
    plan = Plan(draw="stochastic", rate=0.0, quantize_first=0.5, quantize_rate=0.0)
    u[::2] = np.rint(u[::2]) + 0.5
    losses = {
        state.loss
        for seed in (1, 2, 2**40)
        for state in [*steps_of(started(case.task(backend), replace(plan, seed=seed), u, grid), 3)][1:]
    }
    assert len(losses) == 9


@pytest.mark.parametrize("u, level", [(-2.5, -2), (-1.5, -2), (-0.5, 0), (0.5, 0), (1.5, 2), (2.5, 2)])
def test_a_level_between_two_integers_is_rounded_to_the_even_one(backend, u, level):
    """One identity neuron at (0, 0) shows its first weight; aiming at -20, the loss tells what was drawn.

    All rates are 1 / (1/2 + 1e-6), so each Newton step divides what is kept by e: 3 exp(-16) are left.
    """
    task = _core.Task(backend, native_shape(Network(("identity",))), [0], [0], False, np.full((1, 1), -20.0))
    loop = started(task, Plan(draw="stochastic", quantize_first=1.0), np.array([u, 0.5, 0.5]), np.ones(3))
    loop.run(1)
    assert loop.state().floating == 0
    assert loop.state().loss == pytest.approx(KAPPA * (level + 20) ** 2, rel=1e-6)


def test_a_network_of_such_levels_is_drawn_as_the_reference_draws_it(backend):
    case, q = CASES[3], 0.7
    u, grid = levels_and_grid(case)
    u = np.trunc(u) + np.where(u < 0, -0.5, 0.5)
    loop = started(case.task(backend), Plan(draw="stochastic", quantize_first=q, seed=7), u, grid)
    loop.run(1)
    drawn, live = quantize.stochastic(u, q, philox.uniforms(7, 0, len(u)))
    assert loop.state().floating == live.sum()
    loss = cascade.loss(case.net, drawn * grid, *case.points, case.target)
    assert loop.state().loss == pytest.approx(loss, rel=STEP)


def test_a_quantized_weight_has_no_gradient_and_its_momentum_goes_on(backend):
    """RTOL: m, v and u are one float32 product or two from their neighbours."""
    case = CASES[3]
    u, grid = levels_and_grid(case)
    rng = np.random.default_rng(3)
    m, v = rng.normal(0, 1, len(u)).astype(np.float32), rng.uniform(1, 2, len(u)).astype(np.float32)
    plan = as_stored(Plan(draw="stochastic", rate=0.125, seed=4))
    loop = started(case.task(backend), plan, u, grid, m=m, v=v, step=9, q=0.6)
    loop.run(1)
    state = loop.state()

    drawn, live = quantize.stochastic(u, 0.6, philox.uniforms(4, 9, len(u)))
    assert state.floating == live.sum() and 100 < live.sum() < len(u) - 100
    quantized = ~live
    without = adam.update(u, m, v, g=0, t=10, rate=0.125, b1=plan.b1, b2=plan.b2, eps=plan.eps)
    for name, expected in zip("umv", without, strict=True):
        np.testing.assert_allclose(getattr(state, name)[quantized], expected[quantized], rtol=1e-6, atol=1e-7)
    assert np.all(state.u[quantized] != u[quantized].astype(np.float32))

    _, dw = cascade.gradient(case.net, drawn * grid, *case.points, case.target)
    with_gradient = adam.update(u, m, v, dw * grid, 10, 0.125, plan.b1, plan.b2, plan.eps)
    for name, expected in zip("umv", with_gradient, strict=True):
        assert relative_error(getattr(state, name)[live], expected[live]) < STEP, name
    assert np.all(state.m[live] != without[1][live].astype(np.float32))


def test_the_fraction_grows_by_the_seeds_rule_in_float64(backend):
    """After a thousand steps float64 is 1e-13 from the truth and float32 1e-5."""
    case = CASES[0]
    loop = started(case.task(backend), Plan(draw="stochastic"), *levels_and_grid(case))
    q, coarse = 0.0, np.float32(0)
    for _ in range(1000):
        q = (1 - 1e-4) * q + 1e-4
        coarse = np.float32(1 - 1e-4) * coarse + np.float32(1e-4)
    loop.run(1000)
    assert loop.state().q == pytest.approx(q, rel=1e-12)
    assert abs(coarse / q - 1) > 1e-8  # float32 would be noticed


def test_a_step_uses_the_fraction_before_it_grows(backend):
    case = CASES[1]
    plan = Plan(draw="stochastic", quantize_first=0.0, quantize_rate=1.0)
    u, grid = levels_and_grid(case)
    _, first, second = steps_of(started(case.task(backend), plan, np.trunc(u) + 0.3, grid), 2)
    assert (first.floating, first.q) == (len(u), 1.0)
    assert (second.floating, second.q) == (0, 1.0)


def best_of(trace, task, grid):
    """(loss, levels) by the rule, after each step: no weight left float, and better than all before."""
    best = None, None
    for before, after in pairwise(trace):
        if after.floating == 0 and (best[0] is None or after.loss < best[0]):
            best = after.loss, np.rint(before.u)
            assert task.loss((best[1] * grid).astype(np.float32)) == after.loss
        yield best


def test_the_best_is_recorded_only_when_no_weight_is_left_float_and_the_loss_is_the_lowest(backend):
    """Two in ten of seven weights stay float, so some steps draw integers only. The run has all temptations:
    a lower loss with a float in it, integers that come later and are worse, and better ones."""
    case = Case(Network(("sine", "sigmoid")), (5, 3), seed=2)
    u, grid = np.random.default_rng(5).uniform(-6, 6, case.net.weights), np.full(case.net.weights, 0.5)
    plan = Plan(draw="stochastic", rate=0.2, quantize_first=0.8, quantize_rate=0.0, seed=6)
    task = case.task(backend)
    trace = list(steps_of(started(task, plan, u, grid), 100))
    expected = list(best_of(trace, task, grid))
    for state, (loss, levels) in zip(trace[1:], expected, strict=True):
        assert state.has_best == (loss is not None)
        if state.has_best:
            assert state.best_loss == loss
            np.testing.assert_array_equal(np.rint(state.best_u), levels)

    integers = [state.loss for state in trace[1:] if state.floating == 0]
    floats = [state.loss for state in trace[1:] if state.floating > 0]
    assert min(floats) < min(integers) and integers[-1] > min(integers) < integers[0]


def test_nothing_is_recorded_while_any_weight_is_left_float(backend):
    case = CASES[2]
    plan = Plan(draw="stochastic", rate=0.05, quantize_first=0.9, quantize_rate=0.0)
    for state in steps_of(started(case.task(backend), plan, *levels_and_grid(case)), 20):
        assert state.step == 0 or state.floating > 0
        assert not state.has_best


@pytest.mark.parametrize("draw", ["plain", "noise"])
def test_other_draws_record_no_best(backend, draw):
    case = CASES[1]
    u, grid = levels_and_grid(case)
    loop = started(case.task(backend), Plan(draw=draw, noise=1.0, quantize_first=1.0), np.rint(u), grid)
    loop.run(5)
    assert not loop.state().has_best and loop.state().floating == len(u)


def test_a_best_that_was_handed_in_is_only_replaced_by_a_better_one(backend):
    """A resumed run: the record of the first part stands until it is beaten."""
    case = CASES[1]
    u, grid = levels_and_grid(case)
    task, plan = case.task(backend), Plan(draw="stochastic", rate=0.0)
    u = np.rint(u) + 0.25
    loss = task.loss((np.rint(u) * grid).astype(np.float32))
    for recorded, beaten in ((0.5 * loss, False), (2 * loss, True)):
        past = {"best_loss": recorded, "has_best": True, "best_u": np.full(len(u), 7), "step": 3, "q": 1.0}
        loop = started(task, plan, u, grid, **past)
        loop.run(1)
        state = loop.state()
        assert state.floating == 0
        assert state.best_loss == (loss if beaten else recorded)
        np.testing.assert_array_equal(np.rint(state.best_u), np.rint(u) if beaten else past["best_u"])
