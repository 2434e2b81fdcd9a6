"""Sheets show every neuron once, in order, truly; and two pictures side by side whatever their size."""

import warnings

import numpy as np
import pytest
from cppn_native import Cascade, CascadeConfig
from cppn_native.sheets import BACKGROUND, BORDER, GUTTER, LABEL, OUTPUTS, activation_sheet, side_by_side

RNG = np.random.default_rng(0)


def model(neurons=7, size=(30, 20), scale=20, **config):
    config = CascadeConfig(neurons=neurons, coords="centered", **config)
    return Cascade(config, size, RNG.integers(-scale, scale + 1, config.weights), (0.1, 0.1, 0.1))


def tile(sheet, n, columns, size):
    left = GUTTER + n % columns * (size[0] + GUTTER)
    top = GUTTER + n // columns * (size[1] + BORDER + LABEL + GUTTER)
    return sheet[top : top + size[1], left : left + size[0]]


def ink(pixels):
    return int((pixels != np.array(BACKGROUND)).any(axis=2).sum())


def same_colour(sheet, colour):
    return (sheet == np.array(colour)).all(axis=2)


def test_tiles_are_the_means_of_the_activations_in_the_order_of_the_neurons():
    m, size = model(7), (60, 40)
    sheet = activation_sheet(m, columns=3, size=size)
    maps = m.activations((240, 160)).reshape(7, 40, 4, 60, 4).mean(axis=(2, 4), dtype=np.float64)
    assert sheet.dtype == np.uint8
    for n, want in enumerate(maps):
        shown = tile(sheet, n, 3, size)
        assert (shown == shown[:, :, :1]).all(), "grey"
        np.testing.assert_allclose(shown[:, :, 0], 255 * want, atol=0.51)


def test_the_last_tiles_are_framed_in_the_colours_of_their_outputs():
    for channels, marks in OUTPUTS.items():
        m, size = model(6, channels=channels), (64, 48)
        sheet = activation_sheet(m, columns=6, size=size)
        for k, (_, colour) in enumerate(marks):
            left = GUTTER + (6 - channels + k) * (64 + GUTTER)
            frame = sheet[GUTTER - BORDER : GUTTER + 48 + BORDER, left - BORDER : left + 64 + BORDER]
            assert same_colour(frame, colour)[:BORDER].all()
            assert same_colour(frame, colour)[:, :BORDER].all()
        first = sheet[GUTTER - BORDER : GUTTER, GUTTER : GUTTER + 64]
        assert same_colour(first, BACKGROUND).all(), "a hidden neuron has no frame"


def test_a_neuron_beyond_0_and_1_is_stretched_to_its_own_range_and_says_so():
    weights = np.array([0, 9, 0, 0, 0, 0, 0], np.int32)  # neuron 0 is 9 x / 10, the output 1/2 everywhere
    config = CascadeConfig(2, 1, activation="identity", coords="centered")
    m = Cascade(config, (20, 20), weights, (0.1,) * 3)
    size = (160, 80)
    sheet = activation_sheet(m, columns=2, size=size)
    ramp, output = tile(sheet, 0, 2, size), tile(sheet, 1, 2, size)
    assert (ramp[:, 0].max(), ramp[:, -1].min()) == (0, 255)
    assert (np.diff(ramp[0, :, 0].astype(int)) >= 0).all()
    assert set(output.ravel()) == {128}, "what stays in 0..1 is not stretched"
    plain = activation_sheet(model(2, channels=1), columns=2, size=size)
    with_range, number = (ink(tile(s[80 + BORDER :], 0, 2, (160, LABEL))) for s in (sheet, plain))
    assert with_range > 3 * number > 0


@pytest.mark.parametrize("offset", [-10, 10, 0])
def test_leaving_0_and_1_on_one_side_is_enough_to_be_stretched(offset):
    weights = np.array([offset, 9, 0, 0, 0, 0, 0], np.int32)  # x runs from -1 to 1
    m = Cascade(CascadeConfig(2, 1, "identity", coords="centered"), (20, 20), weights, (0.1,) * 3)
    ramp = tile(activation_sheet(m, columns=2, size=(80, 80)), 0, 2, (80, 80))
    assert (ramp.min(), ramp.max()) == (0, 255)
    assert len(np.unique(ramp)) == 80


def test_outputs_are_named_in_their_colour_below_their_tiles():
    m, size = model(4), (100, 40)
    sheet = activation_sheet(m, columns=4, size=size)
    below = sheet[GUTTER + 40 + BORDER :]
    for k, (_, colour) in enumerate(OUTPUTS[3]):
        label = below[:, GUTTER + (1 + k) * 110 :][:, :100]
        assert same_colour(label, colour).any()
        assert np.ptp(np.flatnonzero((label != BACKGROUND).any(axis=(0, 2)))) > 25, "a word, not only a number"


def test_a_runaway_neuron_is_drawn_without_a_warning():
    config = CascadeConfig(8, 3, activation="identity", output_activation="identity")
    m = Cascade(config, (9, 9), np.full(config.weights, 2**30), (1e5,) * 3)
    assert not np.isfinite(m.activations()).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert activation_sheet(m).any()


@pytest.mark.parametrize("neurons", [1, 2, 5, 54, 128])
@pytest.mark.parametrize("size", [(386, 320), (1, 1), (90, 300), (2000, 10), (1, 5000)])
def test_a_sheet_of_any_model_is_a_picture_people_can_open(neurons, size):
    sheet = activation_sheet(model(neurons, size, channels=min(neurons, 3)))
    height, width = sheet.shape[:2]
    assert width <= 1600 and height <= 4000
    assert (sheet[: GUTTER - BORDER] == BACKGROUND).all() and (sheet[:, -1] == BACKGROUND).all()


def test_a_sheet_keeps_the_aspect_of_the_picture():
    sheet = activation_sheet(model(3, (100, 200)), columns=3)
    columns = (sheet.shape[1] - GUTTER) / 3 - GUTTER
    rows = sheet.shape[0] - 2 * GUTTER - BORDER - LABEL
    assert rows / columns == pytest.approx(2, abs=1 / columns)


def test_more_columns_than_neurons_make_one_row():
    m = model(5)
    assert activation_sheet(m, 500).shape == activation_sheet(m, 5).shape


@pytest.mark.parametrize("columns", [0, -1, 2.5, "3", True])
def test_columns_that_are_none_are_refused(columns):
    with pytest.raises(ValueError, match=r"^columns must be a positive integer or None, got"):
        activation_sheet(model(), columns)


@pytest.mark.parametrize("size", [(0, 5), 7, (3, 4, 5), (2.5, 3)])
def test_a_tile_size_that_is_none_is_refused(size):
    with pytest.raises(ValueError, match=r"^size must be"):
        activation_sheet(model(), size=size)


def test_something_without_neurons_is_refused():
    with pytest.raises(ValueError, match=r"^model must be a Cascade, got str"):
        activation_sheet("photo.cppn")


# -- side by side --------------------------------------------------------------------------------------------

RED, BLUE = (200, 30, 30), (30, 30, 200)
CAPTIONS = ("original 386 x 320", "1023 bytes · 20.9 dB")


def plain(width, height, colour):
    return np.full((height, width, 3), colour, np.uint8)


def box(mask):
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((1, 1), (240, 240)),
        ((40, 60), (240, 360)),
        ((386, 320), (386, 320)),
        ((90, 400), (270, 1200)),
        ((1, 1000), (1, 1000)),
        ((1200, 300), (1200, 300)),
        ((3000, 2000), (1200, 800)),
        ((2, 5000), (1, 1200)),
    ],
)
def test_both_pictures_stand_side_by_side_at_the_same_size(size, shown):
    sheet = side_by_side(plain(*size, RED), plain(*size, BLUE), CAPTIONS)
    left, right = box(same_colour(sheet, RED)), box(same_colour(sheet, BLUE))
    for found in (left, right):
        assert (found[2] - found[0], found[3] - found[1]) == shown
    assert left[1] == right[1] and left[2] < right[0]
    assert left[0] == sheet.shape[1] - right[2], "equal margins"


@pytest.mark.parametrize("size", [(1, 1), (1, 1000), (90, 400), (386, 320), (3000, 2000)])
def test_captions_are_below_each_picture_and_nothing_of_them_is_cut(size):
    sheet = side_by_side(plain(*size, RED), plain(*size, BLUE), CAPTIONS)
    bottom = box(same_colour(sheet, RED))[3]
    ink = (sheet[bottom:] != np.array(BACKGROUND)).any(axis=2)
    assert ink.any() and not ink[[0, -1]].any() and not ink[:, [0, -1]].any()
    middle = sheet.shape[1] // 2
    assert ink[:, :middle].any() and ink[:, middle:].any() and not ink[:, middle - 2 : middle + 2].any()
    assert np.ptp(np.flatnonzero(ink.any(axis=1))) >= 10, "tall enough to read"
    other = side_by_side(plain(*size, RED), plain(*size, BLUE), ("one", "two"))
    assert not np.array_equal(sheet[bottom:], other[bottom:])


def test_small_pictures_are_enlarged_in_sharp_squares():
    dots = RNG.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    sheet = side_by_side(dots, plain(8, 8, BLUE), CAPTIONS)
    _, top, _, bottom = box(same_colour(sheet, BLUE))
    first = sheet[top:bottom, top : top + 240]
    assert np.array_equal(first, dots.repeat(30, axis=0).repeat(30, axis=1))


def test_what_is_no_pair_of_pictures_is_refused_by_name():
    a = plain(3, 2, RED)
    with pytest.raises(ValueError, match=r"^original must be \(H, W, 3\) uint8, got \(2, 3, 3\) float64"):
        side_by_side(a / 255, a, CAPTIONS)
    with pytest.raises(ValueError, match=r"^decoded must be \(H, W, 3\) uint8, got \(2, 3\)"):
        side_by_side(a, a[:, :, 0], CAPTIONS)
    with pytest.raises(ValueError, match=r"^original must be .* got \(0, 3, 3\)"):
        side_by_side(a[:0], a, CAPTIONS)
    with pytest.raises(ValueError, match=r"^decoded must have the shape of original \(2, 3, 3\), got \(3, 2, 3\)"):
        side_by_side(a, plain(2, 3, RED), CAPTIONS)
    for captions in ("ab", ("one",), ("a", "b", "c")):
        with pytest.raises(ValueError, match=r"^captions must be two strings"):
            side_by_side(a, a, captions)
