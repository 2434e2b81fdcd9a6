"""Rounding against the plain version: dense solves, freezing with compensation, single integer moves."""

from functools import cache

import numpy as np
import pytest
from cppn_native import _core
from reference import rounding
from reference.cases import relative_error

ROUNDING = 1e-9
"""float64 carries 1e-16; the matrices here have condition number 1e3 and a freeze is 40 updates long."""
SIZES = [1, 2, 3, 7, 63, 64, 65, 127, 130]  # around the panels of 64
FREE = np.zeros((1, 1))  # a table in which all levels cost nothing


@cache
def spd(n, seed=0, condition=1e3):
    """A random symmetric positive definite matrix with eigenvalues from 1 to 1 / condition."""
    rng = np.random.default_rng([seed, n])
    q, _ = np.linalg.qr(rng.normal(size=(n, n)))
    a = (q * np.geomspace(1, 1 / condition, n)) @ q.T
    return (a + a.T) / 2


def problem(n, seed=0, tables=2, spread=3.0):
    """A matrix, levels, and a coder's prices: every kind of weight has a table that rises as it likes."""
    rng = np.random.default_rng([seed, n, 1])
    u = rng.normal(0, spread, n)
    bits = np.cumsum(rng.uniform(0.2, 1.5, (tables, 8)), axis=1)
    return spd(n, seed), u, bits, rng.integers(0, tables, n).astype(np.int32)


# -- solve and inverse -------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", SIZES)
def test_solve_agrees_with_numpy(cpu, n):
    a, b = spd(n), np.random.default_rng(n).normal(size=n)
    assert relative_error(_core.solve(cpu, a, b), np.linalg.solve(a, b)) < ROUNDING


@pytest.mark.parametrize("n", SIZES)
def test_inverse_agrees_with_numpy_and_is_symmetric_to_the_bit(cpu, n):
    a = spd(n)
    inverse = _core.inverse(cpu, a)
    assert relative_error(inverse, np.linalg.inv(a)) < ROUNDING
    np.testing.assert_array_equal(inverse, inverse.T)


def test_solving_leaves_the_callers_arrays_alone(cpu):
    a, b = spd(65), np.ones(65)
    kept = a.copy(), b.copy()
    _core.solve(cpu, a, b)
    _core.inverse(cpu, a)
    _core.freeze(cpu, a, b, 9, 55.0, FREE, np.zeros(65, np.int32), 0.0)
    np.testing.assert_array_equal(a, kept[0])
    np.testing.assert_array_equal(b, kept[1])


@pytest.mark.parametrize("n", [1, 5, 64, 100])
def test_what_is_not_positive_definite_has_no_solution(cpu, n):
    indefinite = spd(n).copy()
    indefinite[-1, -1] = -1.0  # found only in the last column
    for a in (indefinite, np.zeros((n, n)), np.full((n, n), np.nan)):
        assert _core.solve(cpu, a, np.ones(n)) is None
        assert _core.inverse(cpu, a) is None


def test_strided_views_are_read_as_numpy_reads_them(cpu):
    big = np.zeros((22, 33))
    big[::2, ::3] = spd(11)
    b = np.arange(22.0)[::-2]
    assert relative_error(_core.solve(cpu, big[::2, ::3], b), np.linalg.solve(spd(11), b)) < ROUNDING


def test_sizes_that_do_not_fit_are_refused(cpu):
    kind = np.zeros(3, np.int32)
    with pytest.raises(ValueError):
        _core.solve(cpu, np.eye(3), np.ones(4))
    with pytest.raises(ValueError):
        _core.inverse(cpu, np.ones((3, 4)))
    with pytest.raises(ValueError):
        _core.freeze(cpu, np.eye(4), np.ones(3), 1, 55.0, FREE, kind, 0.0)
    with pytest.raises(ValueError):
        _core.freeze(cpu, np.eye(3), np.ones(3), 1, 55.0, FREE, kind + 1, 0.0)
    with pytest.raises(ValueError):
        _core.integer_moves(np.eye(3), np.ones(4), np.ones(3), 1, 55.0, FREE, kind, 0.0)


# -- freeze ------------------------------------------------------------------------------------------------


def both_freeze(cpu, n, count, limit, price, seed=0, spread=3.0):
    h, u, bits, kind = problem(n, seed, spread=spread)
    native = _core.freeze(cpu, np.linalg.inv(h), u, count, limit, bits, kind, price)
    return native, rounding.freeze(h, u, count, limit, bits, kind, price)


@pytest.mark.parametrize("price", [0.0, 0.03, 1.0])
@pytest.mark.parametrize("n", [1, 2, 3, 8, 17, 40])
def test_freezing_all_weights_gives_the_references_integers(cpu, n, price):
    for seed in range(5):
        (u, fixed), (expected, expected_fixed) = both_freeze(cpu, n, n, 55.0, price, seed)
        assert relative_error(u, expected) < ROUNDING
        np.testing.assert_array_equal(fixed, expected_fixed)
        assert fixed.all() and np.all(u == np.rint(u))


@pytest.mark.parametrize("price", [0.0, 0.03])
@pytest.mark.parametrize("count", [0, 1, 2, 11, 19, 20, 99])
def test_freezing_some_weights_moves_the_others_as_the_reference_does(cpu, count, price):
    (u, fixed), (expected, expected_fixed) = both_freeze(cpu, 20, count, 55.0, price)
    np.testing.assert_array_equal(fixed, expected_fixed)
    assert fixed.sum() == min(count, 20)
    assert relative_error(u, expected) < ROUNDING
    assert np.all(u[fixed == 1] == np.rint(u[fixed == 1]))
    assert not np.any(u[fixed == 0] == np.rint(u[fixed == 0]))


@pytest.mark.parametrize("price", [0.0, 0.1])
@pytest.mark.parametrize("limit", [0.0, 1.0, 3.0])
def test_freezing_respects_the_limit_and_still_is_the_references(cpu, limit, price):
    """Weights on the limit cost nothing to freeze: their order is left open, where they end is not."""
    for count in (7, 20):
        (u, fixed), (expected, _) = both_freeze(cpu, 20, count, limit, price, spread=4.0)
        assert fixed.sum() == count
        assert np.abs(u).max() == limit
        np.testing.assert_allclose(u, expected, rtol=0, atol=ROUNDING)


def test_independent_weights_are_rounded_to_the_nearest(cpu):
    n = 50
    u = np.random.default_rng(0).normal(0, 5, n)
    frozen, _ = _core.freeze(cpu, np.eye(n), u, n, 55.0, FREE, np.zeros(n, np.int32), 0.0)
    np.testing.assert_array_equal(frozen, np.rint(u))


def test_a_high_price_makes_every_weight_take_its_cheaper_neighbour(cpu):
    """Bits rise with |level|, so the cheaper of the two integers around a weight is the one nearer zero."""
    n = 50
    u = np.random.default_rng(0).normal(0, 5, n)
    bits = np.arange(40.0)[None]
    frozen, _ = _core.freeze(cpu, np.eye(n), u, n, 55.0, bits, np.zeros(n, np.int32), 1e6)
    np.testing.assert_array_equal(frozen, np.trunc(u))


def test_levels_beyond_the_table_cost_as_much_as_its_last(cpu):
    """Among 7.6, 8 and 9, all beyond a table of five levels, no choice is cheaper: the nearest wins."""
    u, kind = np.array([7.4, 8.6, -9.3]), np.zeros(3, np.int32)
    frozen, _ = _core.freeze(cpu, np.eye(3), u, 3, 55.0, np.arange(5.0)[None], kind, 1e6)
    np.testing.assert_array_equal(frozen, [7, 9, -9])


def test_compensation_beats_rounding_to_nearest_on_the_quadratic_model(cpu):
    """The point of it all. Over these five problems a third of the error is left."""
    n, error, nearest = 60, 0.0, 0.0
    for seed in range(5):
        h, u, _, kind = problem(n, seed)
        frozen, _ = _core.freeze(cpu, np.linalg.inv(h), u, n, 55.0, FREE, kind * 0, 0.0)
        error += (frozen - u) @ h @ (frozen - u)
        nearest += (np.rint(u) - u) @ h @ (np.rint(u) - u)
    assert error < 0.5 * nearest


# -- integer moves -----------------------------------------------------------------------------------------


def both_move(n, most, limit, price, seed=0):
    _, u, bits, kind = problem(n, seed)
    h = spd(n, seed, condition=10)  # the best integers are some ten moves away
    g, u = np.random.default_rng(seed).normal(0, 1, n), np.clip(np.rint(u), -limit, limit)
    arguments = h, g, u, most, limit, bits, kind, price
    return _core.integer_moves(*arguments), rounding.integer_moves(*arguments), arguments


@pytest.mark.parametrize("price", [0.0, 0.05, 1.0])
@pytest.mark.parametrize("n", [1, 2, 5, 16])
def test_integer_moves_are_the_references(n, price):
    for seed in range(4):
        (u, moves, gain), (expected, expected_moves, expected_gain), _ = both_move(n, 40, 55.0, price, seed)
        np.testing.assert_array_equal(u, expected)
        assert moves == expected_moves
        assert gain == pytest.approx(expected_gain, rel=ROUNDING, abs=1e-12)


@pytest.mark.parametrize("most", [0, 1, 2, 5])
def test_no_more_moves_are_made_than_allowed(most):
    (u, moves, _), (expected, _, _), (_, _, start, *_) = both_move(16, most, 55.0, 0.05)
    assert moves == most == np.abs(u - start).sum()
    np.testing.assert_array_equal(u, expected)


@pytest.mark.parametrize("limit", [1.0, 2.0, 4.0])
def test_integer_moves_respect_the_limit(limit):
    (u, _, _), (expected, _, _), _ = both_move(16, 40, limit, 0.0)
    np.testing.assert_array_equal(u, expected)
    assert np.abs(u).max() == limit  # it is reached, and would be passed


def test_the_gain_is_what_the_model_fell_and_at_the_end_no_move_is_left():
    (u, moves, gain), _, (h, g, start, _, _, *prices) = both_move(16, 1000, 55.0, 0.05)
    assert 0 < moves < 1000
    fell = -rounding.model(h, g, start, u - start, *prices)
    assert gain == pytest.approx(fell, rel=ROUNDING)
    for step in np.vstack([np.eye(16), -np.eye(16)]):
        assert -rounding.model(h, g, start, u + step - start, *prices) <= fell + 1e-8


def test_where_nothing_falls_nothing_moves():
    u = np.array([3.0, -2.0])
    kind = np.zeros(2, np.int32)
    moved, moves, gain = _core.integer_moves(np.eye(2), np.zeros(2), u, 10, 55.0, FREE, kind, 0.0)
    assert (moves, gain) == (0, 0)
    np.testing.assert_array_equal(moved, u)
