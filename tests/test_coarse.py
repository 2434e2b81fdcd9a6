"""The descent on the picture averaged down: what it sees, what it reports, when it changes to all pixels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cppn_native as cn
import numpy as np
import pytest
from cppn_native.fit.descent import Descender, coarse_picture
from cppn_native.fit.machine import open_machine
from cppn_native.fit.order import check_order
from cppn_native.fit.picture import averaged, stack, to_target, working_picture
from cppn_native.fit.run import first_state
from cppn_native.fit.state import FitState

STEPS = 40


@pytest.fixture(scope="module")
def image() -> Any:
    rng = np.random.default_rng(5)
    return (64 * rng.uniform(0, 4, (24, 36, 3))).astype(np.float32)


def descended(image: Any, whole: bool = False, **options: Any) -> FitState:
    order = check_order("cascade", 120, STEPS, None, 0, None, "white", None, {"neurons": 8, **options})
    picture = working_picture(image, None)
    if whole:
        picture = averaged(picture, 216)
    state = first_state(order.config, order.plan, picture)
    worker = Descender(picture, open_machine("cpu", 1))
    while state.step < STEPS:
        worker.advance([state])
    return state


def test_averaging_takes_the_mean_of_blocks(image: Any) -> None:
    small = averaged(working_picture(image, None), 216)
    assert small.size == (18, 12) and small.fitted == (36, 24)
    blocks = image.reshape(12, 2, 18, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(small.target, to_target(blocks), rtol=1e-6)
    pair = averaged(stack([working_picture(image, None), working_picture(255 - image, None)]), 216)
    np.testing.assert_array_equal(pair.target[0], small.target)
    assert averaged(small, 216) is small


def test_the_first_steps_are_those_on_the_averaged_picture(image: Any) -> None:
    """The averaged picture on its own, by itself all there is, gives the same weights."""
    coarse, alone = descended(image, coarse=216 / 52, fine=0.0), descended(image, whole=True, coarse=0.0)
    np.testing.assert_array_equal(coarse.u, alone.u)
    assert not np.array_equal(coarse.u, descended(image, coarse=0.0).u)


def test_the_last_steps_see_all_pixels(image: Any) -> None:
    """Ten averaged steps, then thirty whole ones, are those two descents one after the other."""
    state = descended(image, coarse=216 / 52, fine=0.75)
    order = check_order("cascade", 120, STEPS, None, 0, None, "white", None, {"neurons": 8})
    picture, machine = working_picture(image, None), open_machine("cpu", 1)
    by_hand = first_state(order.config, order.plan, picture)
    Descender(picture, machine).take([by_hand], 10, averaged(picture, 216))
    Descender(picture, machine).take([by_hand], 30, picture)
    np.testing.assert_array_equal(state.u, by_hand.u)


def test_the_score_reported_is_that_of_the_whole_picture(image: Any) -> None:
    """Exact where the network's colours do not change within what is averaged: here they do not change at all."""
    order = check_order("cascade", 120, STEPS, None, 0, None, "white", None, {"neurons": 3, "coarse": 18.0})
    picture, machine = working_picture(image, None), open_machine("cpu", 1)
    assert coarse_picture(picture, order.config, order.plan).size == (18, 12)
    scores = []
    for plan in (order.plan, replace(order.plan, coarse=0.0)):
        state = first_state(order.config, plan, picture)
        state.u = np.zeros_like(state.u)
        Descender(picture, machine).advance([state])
        scores.append(state.loss)
    assert scores[0] == pytest.approx(scores[1], rel=2e-5)


def test_a_small_picture_is_seen_whole(image: Any) -> None:
    order = check_order("cascade", 1024, None, None, 0, None, "white", None, {"coarse": 9.0})
    picture = working_picture(image, None)
    assert coarse_picture(picture, order.config, order.plan) is picture


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"coarse": -1.0}, "coarse must not be negative"),
        ({"fine": 1.5}, "fine must be a share from 0 to 1, got 1.5"),
        ({"method": "stochastic", "coarse": 9.0}, "coarse must be 0 with method"),
    ],
)
def test_what_makes_no_sense_is_refused(image: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cn.train(image / 255, progress=False, **options)
