"""Convolutions: every instruction set against float64, and all of them against each other, to the bit."""

import numpy as np
import pytest
from cppn_native import _core
from reference import convolution
from reference.cases import relative_error

SIZES = [(1, 1), (1, 40), (40, 1), (2, 5), (6, 6), (7, 7), (16, 16), (17, 33), (19, 64), (33, 83), (48, 128)]
CHANNELS = [(1, 1), (1, 4), (2, 2), (3, 1), (5, 3), (4, 5), (2, 7), (1, 9), (3, 13)]


def case(inputs, filters, height, width, pictures=1, seed=0):
    rng = np.random.default_rng([seed, inputs, filters, height, width])
    x = rng.normal(size=(pictures, inputs, height, width)).astype(np.float32)
    return x, rng.normal(size=(filters, inputs, 7, 7)).astype(np.float32)


def assert_near(native, x, w):
    """Of n products and n additions in float32, each rounded once: (n + 1) 2^-24 sum |w x| bounds their error."""
    n = w[0].size
    bound = (n + 1) * 2.0**-24 * convolution.correlate(np.abs(x), np.abs(w))
    assert np.all(np.abs(native - convolution.convolve(x, [(w, False)])) <= bound)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_any_picture_however_small(cpu, size):
    x, w = case(2, 3, *size)
    assert_near(_core.convolve(cpu, x, [(w, False)]), x, w)


@pytest.mark.parametrize("channels", CHANNELS, ids=lambda channels: f"{channels[0]}to{channels[1]}")
def test_any_number_of_channels(cpu, channels):
    x, w = case(*channels, 21, 37, pictures=2)
    assert_near(_core.convolve(cpu, x, [(w, False)]), x, w)


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (18, 24)])
def test_a_stack_with_pixels_doubled_within_and_at_the_end(cpu, size):
    rng = np.random.default_rng(3)
    x = rng.integers(0, 2, (3, 4, *size)).astype(np.float32)
    depths = [4, 5, 2, 3, 1]
    layers = [
        (rng.normal(size=(b, a, 7, 7)).astype(np.float32) / 7, doubled)
        for a, b, doubled in zip(depths[:-1], depths[1:], (True, False, True, True), strict=True)
    ]
    native = _core.convolve(cpu, x, layers)
    assert native.shape == (3, 1, 8 * size[0], 8 * size[1])
    assert relative_error(native, convolution.convolve(x, layers)) < 2e-6, "some float32 roundings"


@pytest.mark.parametrize("size", [(8, 8), (9, 10), (20, 26)])
def test_what_wider_layers_left_behind_is_not_seen_by_later_ones(cpu, size):
    """Planes are used again for other sizes; the zeros around a picture are then where numbers were."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(1, 9, *size)).astype(np.float32)
    depths = [9, 16, 1, 2, 1]
    layers = [
        (rng.normal(size=(b, a, 7, 7)).astype(np.float32) / 7, doubled)
        for a, b, doubled in zip(depths[:-1], depths[1:], (False, True, False, False), strict=True)
    ]
    native = _core.convolve(cpu, x, layers)
    assert relative_error(native, convolution.convolve(x, layers)) < 2e-6, "some float32 roundings"


def test_no_layers_give_the_pictures_back(cpu):
    x, _ = case(2, 1, 9, 21, pictures=2)
    assert np.array_equal(_core.convolve(cpu, x, []), x)


@pytest.mark.parametrize("row, column", [(0, 0), (3, 3), (6, 2)])
def test_a_single_tap_shifts_the_picture_and_what_is_negative_is_gone(cpu, row, column):
    """Cross-correlation: the tap above and left of the middle fetches what is above and left."""
    x, w = case(1, 1, 12, 19)
    w[:] = 0
    w[0, 0, row, column] = 1
    shifted = np.zeros_like(x)
    for y in range(12):
        for c in range(19):
            if 0 <= y + row - 3 < 12 and 0 <= c + column - 3 < 19:
                shifted[0, 0, y, c] = x[0, 0, y + row - 3, c + column - 3]
    assert np.array_equal(_core.convolve(cpu, x, [(w, False)]), np.maximum(shifted, 0))


def test_the_bits_are_those_of_a_plain_sum_in_order(cpu):
    """Input by input, row by row, column by column, every product and every sum rounded to float32."""
    x, w = case(3, 6, 23, 50)
    padded = np.pad(x[0], [(0, 0), (3, 3), (3, 3)])
    total = np.zeros((6, 23, 50), np.float32)
    for c in range(3):
        for i in range(7):
            for j in range(7):
                total += w[:, c, i, j][:, None, None] * padded[c, i : i + 23, j : j + 50]
    assert total.dtype == np.float32
    assert np.array_equal(_core.convolve(cpu, x, [(w, False)])[0], np.maximum(total, 0))


def test_numbers_too_small_for_a_normal_float_are_kept(cpu):
    """Networks of twenty layers get near them."""
    x, w = case(1, 2, 8, 20)
    tiny = (x * 1e-40).astype(np.float32)
    native = _core.convolve(cpu, tiny, [(np.abs(w), False)])
    assert 0 < native.max() < 1e-37
    assert np.array_equal(native, _core.convolve(_core.Cpu(_core.isas()[0], 1), tiny, [(np.abs(w), False)]))


def test_pictures_in_a_batch_do_not_see_each_other(cpu):
    x, w = case(2, 3, 17, 30, pictures=4)
    together = _core.convolve(cpu, x, [(w, True)])
    for k in range(4):
        assert np.array_equal(together[k], _core.convolve(cpu, x[k : k + 1], [(w, True)])[0])


@pytest.mark.parametrize(
    "pictures, weights, words",
    [
        ((2, 3, 4), (1, 3, 7, 7), "pictures"),
        ((1, 3, 0, 4), (1, 3, 7, 7), "pictures"),
        ((1, 3, 4, 4), (1, 2, 7, 7), "weights"),
        ((1, 3, 4, 4), (1, 3, 7, 5), "weights"),
        ((1, 3, 4, 4), (0, 3, 7, 7), "weights"),
        ((1, 1, 1, 65536), (1, 1, 7, 7), "too large"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(pictures, weights, words):
    layers = [(np.zeros(weights, np.float32), True)]
    with pytest.raises(ValueError, match=words):
        _core.convolve(_core.Cpu(), np.zeros(pictures, np.float32), layers)
