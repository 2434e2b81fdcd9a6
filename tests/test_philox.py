"""Counter-based random numbers: the reference against the published vectors, the native code against it."""

import numpy as np
import pytest
from cppn_native import _core
from reference import philox
from reference.cascade import KAPPA, Network
from reference.cases import native_shape

PUBLISHED = [  # Random123 1.14, tests/kat_vectors, philox4x32 10: counter, key, result
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def hexadecimal(text):
    return tuple(int(word, 16) for word in text.split())


@pytest.mark.parametrize("counter, key, result", PUBLISHED)
def test_the_reference_gives_the_published_vectors(counter, key, result):
    assert philox.philox4x32(hexadecimal(counter), hexadecimal(key)) == hexadecimal(result)


def test_seed_step_block_and_stream_have_their_places_in_key_and_counter():
    counter, key, result = map(hexadecimal, PUBLISHED[2])
    block, stream, low, high = counter
    assert philox.words(key[0] | key[1] << 32, low | high << 32, block, stream) == result


def test_uniforms_are_the_upper_24_bits_of_the_words_in_their_order():
    words = [*philox.words(7, 3, 0), *philox.words(7, 3, 1)]
    expected = [np.float32(word >> 8) * np.float32(2**-24) for word in words]
    np.testing.assert_array_equal(philox.uniforms(7, 3, 7), expected[:7])
    assert np.all((philox.uniforms(7, 3, 999) >= 0) & (philox.uniforms(7, 3, 999) < 1))


def observed_noise(backend, neurons, k, seed, step):
    """The weight k that one step of descent draws around zero, out of Adam's first moment.

    The hidden neurons are bumps exp(-0) = 1 and the last one is the identity. With all weights zero but k,
    one pixel at (1, 1) and zero to aim at, the gradient is 2 kappa w[k]; without momentum m is the gradient.
    """
    net = Network(("gaussian",) * (neurons - 1) + ("identity",))
    grid = np.zeros(net.weights, np.float32)
    grid[k] = 1
    plan = _core.DescentPlan()
    plan.draw, plan.noise, plan.b1, plan.seed = _core.Draw.noise, 1.0, 0.0, seed
    start = _core.DescentState()
    start.u, start.step = np.zeros(net.weights), step
    task = _core.Task(backend, native_shape(net), [1], [1], False, np.zeros((1, 1)))
    descent = _core.Descent(task, plan, grid, np.ones_like(grid), start)
    descent.run(1)
    return descent.state().m[k]


@pytest.mark.parametrize("seed", [0, 1, 2**32 + 5, 2**64 - 1])
@pytest.mark.parametrize("step", [0, 1, 2**33 + 7])
def test_the_native_noise_is_the_reference_to_the_last_bit(backend, seed, step):
    """u + 1 * (r - 1/2) is exact in float32, so the one rounding is that of the product with 2 kappa."""
    twice_kappa = np.float32(2) * np.float32(KAPPA)
    for neurons in (1, 9, 45):
        net = Network(("identity",) * neurons)
        first = net.row(neurons - 1)  # the weights of the last neuron
        uniforms = philox.uniforms(seed, step, net.weights).astype(np.float32)
        for k in range(first, net.weights, 1 if neurons < 45 else 5):
            expected = (uniforms[k] - np.float32(0.5)) * twice_kappa
            assert observed_noise(backend, neurons, k, seed, step) == expected, f"weight {k} of {net.weights}"
