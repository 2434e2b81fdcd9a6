"""Small cascades for the tests of Pyth programs, and what has to be true of a program."""

import numpy as np
import pyth_evaluator
from cppn_native import Cascade, CascadeConfig, kaseorg
from cppn_native.models.cascade import SEED_STEP


def cascade(neurons=6, channels=3, hidden="sigmoid", output="sigmoid", coords="seed", size=(5, 4), **options):
    """A model with random weights in +-``limit`` levels."""
    limit, steps = options.get("limit", 20), options.get("steps", (SEED_STEP,) * 3)
    config = CascadeConfig(
        neurons=neurons, channels=channels, activation=hidden, output_activation=output, coords=coords
    )
    levels = np.random.default_rng(options.get("seed", 1)).integers(-limit, limit, config.weights, endpoint=True)
    return Cascade(config, size, levels, steps)


def same(a, b):
    assert np.array_equal(a.levels, b.levels)
    assert (a.size, a.steps, a.config.coords) == (b.size, b.steps, b.config.coords)
    assert a.config.activation_names == b.config.activation_names


def check_runs(model, form=None):
    """The program comes back as the model, and the evaluator paints what ``kaseorg.render`` does."""
    program = kaseorg.encode(model, form=form)
    same(kaseorg.decode(program), model)
    painted = np.array(pyth_evaluator.run(program))
    assert np.array_equal(painted, kaseorg.render(program))
    assert np.abs(painted - model.render()).max() <= 1
