"""Random pictures by sophistication and noise: the notebook's sizes, its weights, its pictures, and every bit."""

import hashlib
import json
import re
from fractions import Fraction
from itertools import pairwise
from math import log2
from pathlib import Path

import cppn_native as cn
import numpy as np
import pytest
from cppn_native import _core
from cppn_native.cli import main
from cppn_native.image import load_image
from cppn_native.progress import counted
from cppn_native.sophistication.colours import colour_table, stretched
from cppn_native.sophistication.draws import Draws
from cppn_native.sophistication.model import LEVELS, QUANTILES, RandomModel
from PIL import Image
from reference import sophistication as reference

S = cn.sophistication
U = 262144
STEP = 16383
GOLDEN = {
    (2, 2): (8, 3, 64, 7, (5, 4, 3, 3, 2, 2, 1, 1)),
    (8, 4): (11, 3, 64, 15, (12, 9, 7, 6, 4, 3, 3, 2, 2, 1, 1)),
    (14, 1): (20, 4, 32, 15, (13, 11, 10, 9, 8, 7, 6, 5, 4, 4, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1)),
    (11, 2): (5, 4, 32, 31, (16, 8, 4, 2, 1, 1)),
}
ATLAS = [(row, column) for row in range(1, 16) for column in range(1, 17 - row)]
SMALL = {"soph": 600, "noise": 200, "size": 32}
"""Two convolutions of one filter and of two, some milliseconds in float64."""


def at(row, column, **shape):
    return S.params(row * STEP, column * STEP, **shape)


def random_splits(count, **shape):
    return [S.split(seed, **shape) for seed in range(count)]


# -- sizes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", GOLDEN)
def test_the_published_sizes(place):
    p = at(*place)
    assert (p.depth, p.blocks, p.side, p.input_depth, p.filters) == GOLDEN[place]
    assert p.uncompressed == S.uncompressed() == U and (U - 2) // 16 == STEP


def test_all_sizes_are_those_of_the_notebooks_own_code(shared):
    adhoc_params = reference.notebook((shared / reference.NOTEBOOK).read_text(encoding="utf-8"))["adhoc_params"]
    for soph, noise in [(r * STEP, c * STEP) for r, c in ATLAS] + random_splits(150):
        want = reference.silent(adhoc_params, soph, noise)
        if want is None:
            with pytest.raises(ValueError, match=f"^No parameters associated with soph={soph} and noise={noise}\\.$"):
                S.params(soph, noise)
            continue
        p = S.params(soph, noise)
        assert (p.depth, p.blocks, p.side, p.input_depth) == (
            want.depth, want.numblocks, want.reshapesize, want.reshapedepth,
        )  # fmt: skip
        assert (p.block_depth, p.factor, p.filters) == (
            want.blockdepth, want.depthfactor, tuple(max(1, count) for count in reference.filters(want)),
        ), "no convolution without filters, which the notebook may ask for beyond its depth"  # fmt: skip


def test_two_places_of_the_atlas_build_a_convolution_more_than_their_depth():
    assert [place for place in ATLAS if len(at(*place).filters) != at(*place).depth] == [(11, 2), (12, 2)]


def test_blocks_end_with_a_doubling_but_for_the_last_and_the_picture_has_its_size():
    for soph, noise in random_splits(100):
        p = S.params(soph, noise, head="least")
        doubled = [layer.upsample for layer in p.layers]
        assert sum(doubled) == p.blocks - 1 and p.side << sum(doubled) == 256
        scales = [layer.scale for layer in p.layers]
        assert scales == sorted(scales) and set(scales) <= {(1 + (b + 1) / p.blocks) / 49 for b in range(p.blocks)}
        assert p.filters[-1] == p.channels


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [64, 128, 1024])
def test_other_sizes_and_colour_keep_the_promises_of_the_first(size, channels):
    bits = S.uncompressed(size, channels)
    assert bits == size * size * channels * 4
    for share in (0.2, 0.5):
        p = S.params(int(share * bits), int(0.2 * bits), size=size, channels=channels)
        assert p.filters[-1] == channels and p.side << (p.blocks - 1) == size
        assert (
            p.layers[-1].filters == channels
            and p.weights == S.account(int(share * bits), int(0.2 * bits), size=size, channels=channels).weights
        )


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"soph": -1, "noise": 5}, "soph must be a whole number of bits from 0 to 262144, got -1"),
        ({"soph": 5, "noise": 0.5}, "noise must be a whole number of bits from 0 to 262144, got 0.5"),
        ({"soph": True, "noise": 5}, "soph must be a whole number"),
        ({"soph": U, "noise": 1}, "soph and noise must be at most 262144 bits, got 262144 \\+ 1"),
        ({"soph": 5, "noise": 5, "size": 100}, "size must be a power of two from 16 to 1024, got 100"),
        ({"soph": 5, "noise": 5, "size": 8}, "size must be a power of two from 16 to 1024, got 8"),
        ({"soph": 5, "noise": 5, "channels": 2}, "channels must be 1 or 3, got 2"),
        ({"soph": 5, "noise": 5, "head": "some"}, "head must be one of none, least, half, all or a number"),
        ({"soph": 5, "noise": 5, "head": 2}, "a number from 0 to soph // 4 = 1, got 2"),
        ({"soph": 5, "noise": 5, "head": False}, "head must be"),
        ({"soph": 50_000, "noise": 0}, r"No parameters associated with soph=50000 and noise=0\."),
        ({"soph": 200_000, "noise": 3}, r"No parameters associated with soph=200000 and noise=3\."),
        ({"soph": 244, "noise": 100_000}, r"No parameters associated with soph=244 and noise=100000\."),
        ({"soph": 100, "noise": 0, "head": "least"}, r"No parameters associated with soph=100 and noise=0\."),
        ({"soph": 3, "noise": 3, "head": "all"}, r"No parameters associated with soph=3 and noise=3\."),
    ],
)
def test_what_is_no_picture_is_refused_in_the_notebooks_words(arguments, words):
    with pytest.raises(ValueError, match=words):
        S.params(**arguments)
    with pytest.raises(ValueError, match=words):
        S.sample(**arguments)


def test_a_random_split_leaves_a_whole_number_of_bits_to_each_part():
    parts = np.array(random_splits(400, size=16))
    bits = S.uncompressed(16)
    redundancy = bits - parts.sum(axis=1)
    assert (parts >= 1).all() and (redundancy >= 1).all()
    for part in (*parts.T, redundancy):
        assert abs(part.mean() - bits / 3) < bits / 3 / 5, "each has a third on average"


# -- bits ----------------------------------------------------------------------------------------------------


def test_accounts_add_up_to_the_bit():
    for head in ("none", "least", "half", "all"):
        for soph, noise in random_splits(40):
            a = S.account(soph, noise, head=head)
            p = S.params(soph, noise, head=head)
            assert a.soph + a.noise + a.redundancy == U == a.spent_soph + a.spent_noise + a.spent_redundancy
            assert (a.soph, a.noise) == (soph, noise)
            assert a.spent_soph == 5 * p.weights + 4 * p.head_weights and a.spent_noise == p.input_bits
            assert a.unspent_soph == soph - a.spent_soph and a.unspent_noise == noise - a.spent_noise
            assert p.input_bits + p.head_weights == p.side**2 * p.input_depth or head == "all"


def test_weights_are_near_the_number_that_sophistication_pays_for():
    """ "Reasonably close", says the notebook; in its atlas they are between 49 % and 96 %."""
    shares = [S.account(r * STEP, c * STEP).spent_soph / (r * STEP) for r, c in ATLAS]
    assert min(shares) > 0.49 and max(shares) < 0.96


def test_code_bits_are_the_fewest_that_tell_all_models_apart():
    for place in ((1, 1), (2, 2), (14, 1)):
        a = S.account(*(STEP * k for k in place))
        assert 2 ** (a.code_bits - 1) < QUANTILES**a.weights <= 2**a.code_bits
        assert a.code_bits == int(a.weights * log2(33)) + 1
    a = S.account(40, 0, head="all")
    assert (a.code_bits, a.head_weights) == (40, 10)


def test_the_head_alone_spends_every_bit_of_a_full_account():
    for soph in (0, 4, 100_000, U):
        a = S.account(soph, U - soph, head="all")
        assert (a.spent_soph, a.spent_noise, a.spent_redundancy) == (soph, U - soph, 0)


# -- weights and bits drawn --------------------------------------------------------------------------------------


def test_quantiles_are_the_notebooks(shared):
    scope = reference.notebook((shared / reference.NOTEBOOK).read_text(encoding="utf-8"))
    drawn = np.unique(scope["initializer_qlaplace"](5, 0.03)(20_000))
    assert np.array_equal(drawn, np.sort(S.quantiles(0.03)))


def test_quantiles_split_a_laplace_distribution_evenly():
    q = np.sort(S.quantiles(0.03))
    np.testing.assert_allclose(q, reference.laplace(0.03), rtol=1e-14)
    assert len(q) == 33 and q[16] == 0
    np.testing.assert_allclose(0.5 * np.exp(q[:17] / 0.03), np.arange(1, 18) / 34, rtol=1e-12)


def test_every_quantile_is_as_likely_in_every_layer():
    p = at(8, 4)
    model = S.random_model(p, 5)
    assert [w.shape for w in model.weights[:2]] == [(12, 15, 7, 7), (9, 12, 7, 7)]
    for w, layer in zip(model.weights, p.layers, strict=True):
        values = S.quantiles(layer.scale).astype(np.float32)
        assert np.isin(w, values).all()
    first = np.searchsorted(np.sort(S.quantiles(p.layers[0].scale).astype(np.float32)), model.weights[0].ravel())
    counts = np.bincount(first, minlength=33)
    mean = first.size / 33
    assert ((counts - mean) ** 2 / mean).sum() < 62.5, "chi-squared of 32 degrees of freedom: 1 in a thousand"


def test_draws_are_the_published_philox_and_never_change():
    """Words of Philox 4x64-10, key (seed, stream), counter (0, 0, soph, noise), as any implementation gives them."""
    words = Draws(7, 11, 13).words(3, 17)
    raw = np.random.Philox(key=7 + (17 << 64), counter=(11 << 128) + (13 << 192)).random_raw(3)
    assert [int(w) for w in words] == [int(w) for w in raw] == PHILOX
    halves = [int(w) >> shift & 0xFFFFFFFF for w in words for shift in (0, 32)]
    assert Draws(7, 11, 13).integers(33, 5, 17).tolist() == [half * 33 >> 32 for half in halves[:5]]
    bits = [int(w) >> k & 1 for w in words for k in range(64)]
    assert Draws(7, 11, 13).bits(150, 17).tolist() == bits[:150]


SUMS = "ec93c1242ad6123d0b716dd8386c27e805fe55863837eab51afa1cfd3d536e91"
PHILOX = [4391114683991741336, 7168863697015301596, 17344585984178763978]


@pytest.mark.parametrize("seed", [-1, 2**64, 0.5, None, True])
def test_a_seed_is_a_whole_number_of_64_bits(seed):
    with pytest.raises(ValueError, match="seed must be a whole number from 0 to 18446744073709551615"):
        S.sample(**SMALL, seed=seed)


def test_the_largest_seed_is_one():
    assert S.sample(**SMALL, seed=2**64 - 1).shape == (32, 32, 3)


# -- pictures ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shape",
    [
        SMALL,
        {"soph": 2 * STEP // 16, "noise": 2 * STEP // 16, "size": 64},
        {"soph": 9000, "noise": 1500, "size": 64, "channels": 3},
        {"soph": 3000, "noise": 0, "size": 32, "head": "half"},
        {"soph": 2000, "noise": 500, "size": 32, "head": 40},
    ],
)
def test_a_picture_is_that_of_the_plain_network(shape):
    p = S.params(**shape)
    model, bits = S.random_model(p, 3), S.random_bits(p, 3)
    entries = np.empty(p.side**2 * p.input_depth)
    due = [Fraction(i * p.input_bits, entries.size) // 1 for i in range(entries.size + 1)]
    noise = np.array([after > before for before, after in pairwise(due)])
    entries[noise], entries[~noise] = bits[0], model.head / 15
    layers = [(layer.scale, layer.upsample) for layer in p.layers]
    want = reference.picture(model.weights, layers, entries.reshape(p.input_depth, p.side, p.side))
    shown = S.sample(**shape, seed=3, normalize=False, colours=None)
    shown = shown[None] if p.channels == 1 else shown.transpose(2, 0, 1)
    assert want.min() >= 0.5 and np.ptp(want) > 1e-4, "there is something to compare"
    np.testing.assert_allclose(shown, want, atol=1e-6)


def test_normalized_pictures_run_from_0_to_1_even_where_a_float32_sigmoid_is_flat():
    p = at(13, 3)
    sums = -np.log(1 / (0.5 + 0.5 * S.random_model(p, 0).values(S.random_bits(p, 0))) - 1)
    assert sums.max() < 1e-12, "the notebook's sigmoid of this network is 1/2 everywhere"
    shown = S.sample(13 * STEP, 3 * STEP, colours=None)
    assert (shown.min(), shown.max()) == (0, 1) and len(np.unique(shown)) > 1000


def test_a_channel_of_one_value_is_black_and_others_are_stretched_each_for_itself():
    flat, ramp = np.full((4, 4), 0.3), np.linspace(0.2, 0.4, 16).reshape(4, 4)
    shown = stretched(np.stack([flat, ramp, 2 * ramp])[None])
    assert (shown[0, 0] == 0).all()
    np.testing.assert_allclose(shown[0, 1], np.linspace(0, 1, 16).reshape(4, 4), atol=1e-12)
    np.testing.assert_allclose(shown[0, 2], shown[0, 1], atol=1e-12)


def test_the_same_seed_gives_the_same_picture_whatever_threads_and_instructions(monkeypatch):
    one = S.sample(2 * STEP, 2 * STEP, seed=4, threads=1)
    for isa in _core.isas():
        monkeypatch.setenv("CPPN_ISA", isa)
        assert np.array_equal(S.sample(2 * STEP, 2 * STEP, seed=4, threads=3), one), isa
    assert not np.array_equal(S.sample(2 * STEP, 2 * STEP, seed=5), one)


def test_the_sums_of_a_picture_are_the_same_bits_on_every_machine():
    p = at(2, 2)
    start = S.random_bits(p, 1).astype(np.float32).reshape(1, p.input_depth, p.side, p.side)
    layers = [(w, layer.upsample) for w, layer in zip(S.random_model(p, 1).weights, p.layers, strict=True)]
    sums = _core.convolve(_core.Cpu(), start, layers)
    assert sums.max() > 0
    assert hashlib.sha256(sums.astype("<f4").tobytes()).hexdigest() == SUMS


def test_places_with_the_same_sizes_have_networks_of_their_own():
    one, other = at(11, 2), at(12, 2)
    assert one.filters == other.filters
    assert not np.array_equal(S.random_model(one).weights[0], S.random_model(other).weights[0])
    assert not np.array_equal(S.random_bits(one), S.random_bits(other))


def test_a_sheet_is_one_network_and_its_first_picture_the_sample():
    page = S.sheet(600, 200, 9, size=32, count=5, columns=2)
    assert page.shape == (3 * 40 + 8, 2 * 40 + 8, 3)
    tiles = [page[8 + r * 40 : 40 + r * 40, 8 + c * 40 : 40 + c * 40] for r in range(3) for c in range(2)]
    assert np.array_equal(tiles[0], S.sample(600, 200, 9, size=32))
    assert len({tile.tobytes() for tile in tiles}) == 6 and (tiles[5] == 255).all()
    p = S.params(600, 200, size=32)
    third = S.random_model(p, 9).values(S.random_bits(p, 9, 3)[2:])
    want = colour_table("viridis")[np.minimum(255, (256 * stretched(third)[0, 0]).astype(np.float32)).astype(int)]
    assert np.array_equal(tiles[2], want)


def test_without_noise_all_pictures_of_a_network_are_the_same():
    page = S.sheet(3000, 0, size=32, head="half", count=2, columns=2)
    assert np.array_equal(page[8:40, 8:40], page[8:40, 48:80]) and np.ptp(page[8:40, 8:40]) > 100


@pytest.mark.parametrize("what, words", [
    ({"levels": 1}, "levels must be a whole number from 2 to 256, got 1"),
    ({"colours": "jet"}, "colours must be None or one of viridis, grey, got 'jet'"),
    ({"threads": 0}, "threads must be"),
])  # fmt: skip
def test_a_look_that_is_none_is_refused(what, words):
    with pytest.raises(ValueError, match=words):
        S.sample(**SMALL, **what)


# -- levels and colours ----------------------------------------------------------------------------------------


def test_sixteen_levels_are_four_bits_of_every_value():
    smooth = S.sample(STEP, STEP, 1, colours=None)
    cut = S.sample(STEP, STEP, 1, colours=None, levels=16)
    assert len(np.unique(cut)) > 12
    np.testing.assert_allclose(cut, np.minimum(15, np.floor(16 * smooth.astype(np.float64))) / 15, atol=1e-6)


def test_levels_without_stretching_divide_what_a_sigmoid_after_a_relu_can_be():
    plain = S.sample(**SMALL, seed=2, normalize=False, colours=None).astype(np.float64)
    cut = S.sample(**SMALL, seed=2, normalize=False, colours=None, levels=256)
    np.testing.assert_allclose(cut, np.minimum(255, np.floor(256 * (2 * plain - 1) + 1e-4)) / 255, atol=1.01 / 255)
    assert len(np.unique(cut)) > 10


def test_viridis_is_matplotlibs_within_one_and_grey_is_grey():
    assert np.array_equal(colour_table("grey"), np.repeat(np.arange(256)[:, None], 3, axis=1))
    colormaps = pytest.importorskip("matplotlib", reason="matplotlib is not installed").colormaps
    theirs = colormaps["viridis"](np.arange(256), bytes=True)[:, :3]
    assert np.abs(colour_table("viridis").astype(int) - theirs).max() <= 1


def test_a_picture_is_what_matplotlib_shows():
    pyplot = pytest.importorskip("matplotlib.cm", reason="matplotlib is not installed")
    p = at(1, 1)
    shown = S.random_model(p, 1).values(S.random_bits(p, 1))[0, 0]
    theirs = pyplot.ScalarMappable(cmap="viridis").to_rgba(shown, bytes=True)[:, :, :3]
    ours = S.sample(STEP, STEP, 1)
    near = np.abs(ours.astype(int) - theirs).max(axis=2) <= 1
    assert near.mean() > 0.999, "but where float32 rounds to the next colour of 256"


def test_colour_is_shown_as_it_is():
    values = S.sample(9000, 1500, 1, size=64, channels=3, colours=None)
    assert values.shape == (64, 64, 3)
    assert np.array_equal(S.sample(9000, 1500, 1, size=64, channels=3), np.minimum(255, 256 * values).astype(np.uint8))
    assert (values.reshape(-1, 3).max(axis=0) == 1).all()


# -- the head --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
def test_every_picture_is_a_head_without_noise_of_as_many_bits(channels):
    """The first property: probability 2^-U, no input."""
    bits = S.uncompressed(32, channels)
    p = S.params(bits, 0, size=32, channels=channels, head="all")
    assert (p.head_weights, p.input_bits, p.weights, p.filters) == (bits // 4, 0, 0, ())
    picture = np.random.default_rng(0).integers(0, LEVELS, (32, 32, channels), np.uint8)
    values = RandomModel(p, (), picture.ravel()).values(np.empty((1, 0), np.uint8))
    assert np.array_equal(15 * values[0].transpose(1, 2, 0), picture)


@pytest.mark.parametrize("channels", [1, 3])
def test_every_picture_is_made_of_as_many_bits_of_noise_by_one_model(channels):
    """The second property."""
    bits = S.uncompressed(32, channels)
    p = S.params(0, bits, size=32, channels=channels, head="all")
    assert (p.head_weights, p.input_bits) == (0, bits)
    picture = np.random.default_rng(1).integers(0, LEVELS, (32, 32, channels), np.uint8)
    noise = np.unpackbits(picture.reshape(-1, 1), axis=1)[:, 4:].reshape(1, -1)
    values = S.random_model(p).values(noise)
    np.testing.assert_allclose(15 * values[0].transpose(1, 2, 0), picture, atol=1e-12)


def test_constants_and_noise_of_the_head_are_spread_evenly_and_none_is_lost():
    p = S.params(400, 1200, size=32, head="all")
    assert (p.head_weights, p.input_bits, p.side) == (100, 1200, 32)
    model = S.random_model(p, 1)
    same = (model.values(np.zeros((1, 1200), np.uint8)) == model.values(np.ones((1, 1200), np.uint8)))[0, 0]
    assert abs(same.mean() - 0.25) < 0.01, "a quarter of the values are constants"
    assert same[:16].sum() == pytest.approx(same[16:].sum(), abs=8), "above as below"
    each = model.values(np.eye(1200, dtype=np.uint8)[::4])
    assert (each != model.values(np.zeros((1, 1200), np.uint8))).any(axis=(1, 2, 3)).all(), "every number is seen"


def test_levels_of_the_head_survive_being_cut():
    values = S.sample(4096, 0, size=32, head="all", normalize=False, levels=16, colours=None)
    assert np.array_equal(values, S.sample(4096, 0, size=32, head="all", normalize=False, colours=None))


def test_the_least_head_is_none_where_the_notebook_has_a_network():
    assert S.params(STEP, STEP, head="least") == S.params(STEP, STEP) == S.params(STEP, STEP, head=0)


def test_the_least_head_is_the_smallest_that_does():
    p = S.params(100_000, 0, head="least")
    assert p.head_weights == 4 and p.input_bits == 0
    for head in range(4):
        with pytest.raises(ValueError, match="No parameters"):
            S.params(100_000, 0, head=head)


def test_half_of_the_sophistication_in_the_head():
    a = S.account(100_000, 20_000, head="half")
    assert 30_000 < a.head_bits <= 50_000 and 30_000 < a.weight_bits <= 50_000
    assert a.spent_noise == 20_000, "noise comes first: constants take the places that it leaves"


# -- the atlas -------------------------------------------------------------------------------------------------


def cells(page, n, side):
    """{(row, column): picture}, found by their place."""
    gutter, margin = max(2, side // 16), 3 * max(8, side // 4)
    corner = [margin + gutter + k * (side + gutter) for k in range(n - 1)]
    return {
        (r + 1, c + 1): page[y : y + side, x : x + side] for r, y in enumerate(corner) for c, x in enumerate(corner)
    }


def test_an_atlas_has_noise_to_the_right_and_sophistication_downward():
    page = S.atlas(5, size=32, seed=3, progress=False)
    step = (4096 - 2) // 5
    for (row, column), shown in cells(page, 5, 32).items():
        if row + column <= 5:
            assert np.array_equal(shown, S.sample(row * step, column * step, 3, size=32)), (row, column)
        elif row + column == 6:
            assert (shown == 255).all(), "beyond the diagonal there is no redundancy left"
    assert (page[: 3 * 8] != 255).any() and (page[:, : 3 * 8] != 255).any(), "numbers along both edges"


def test_a_place_without_a_network_is_grey():
    page = S.atlas(20, size=16, progress=False)
    shown = cells(page, 20, 16)
    with pytest.raises(ValueError, match="No parameters"):
        S.params((1024 - 2) // 20, (1024 - 2) // 20, size=16)
    assert (shown[1, 1] == 238).all()
    assert np.array_equal(shown[10, 3], S.sample(510, 153, size=16))


def test_an_atlas_is_written_as_a_page_of_20_inches_and_as_a_picture(tmp_path):
    paths = [tmp_path / "atlas.pdf", tmp_path / "atlas.png"]
    page = S.atlas(4, paths, size=32, cell=16, progress=False)
    assert np.array_equal(load_image(paths[1]), page)
    pdf = paths[0].read_bytes()
    assert pdf.startswith(b"%PDF-1.") and pdf.rstrip().endswith(b"%%EOF")
    box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", pdf)
    assert max(float(v) for v in box.groups()) == pytest.approx(1440), "points of 1/72 inch"
    body = pdf[pdf.index(b"\xff\xd8\xff") :]
    (tmp_path / "page.jpg").write_bytes(body[: body.index(b"\nendstream")])
    seen = load_image(tmp_path / "page.jpg")
    assert seen.shape == page.shape and np.abs(seen - page).mean() < 3


def test_a_smaller_cell_is_the_mean_of_the_picture():
    fine, small = (cells(S.atlas(3, size=64, cell=cell, progress=False), 3, cell)[1, 1] for cell in (64, 16))
    means = fine.reshape(16, 4, 16, 4, 3).mean(axis=(1, 3))
    assert np.abs(small - means).max() <= 1


@pytest.mark.parametrize(
    "what, words",
    [
        ({"n": 1}, "n, the parts of an atlas, must be a whole number from 2 to 64, got 1"),
        ({"n": 16, "cell": 4}, "cell must be a whole number from 8 to 256, got 4"),
        ({"n": 64, "size": 1024}, "cell must be at most 256 pixels with n=64, got 1024"),
        ({"n": 4, "path": "a.gif"}, r"path must end in one of \.pdf, \.png"),
        ({"n": 4, "colours": None}, "colours must be"),
        ({"n": 4, "head": "some"}, "head must be"),
    ],
)
def test_an_atlas_that_cannot_be_is_refused_before_it_is_drawn(what, words):
    with pytest.raises(ValueError, match=words):
        S.atlas(**what, progress=False)


def test_progress_is_on_standard_error_and_only_if_wanted(capsys, monkeypatch):
    monkeypatch.setattr("cppn_native.progress.LINE_SECONDS", 0.0)
    S.atlas(3, size=16)
    out, err = capsys.readouterr()
    assert out == "" and re.search(r"100% +[\d.]+ s  pictures, 3 of 3\n$", err)
    S.atlas(3, size=16, progress=False)
    assert capsys.readouterr() == ("", "")
    assert list(counted([1, 2], 2, "things", False)) == [1, 2] and list(counted([], 0, "things")) == []


def test_progress_is_a_bar_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert list(counted(range(3), 3, "things")) == [0, 1, 2]
    assert re.search(r"100%\|.+\| .*things", capsys.readouterr().err)


# -- the command -----------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


QUICK = ("--soph", "600", "--noise", "200", "--size", "32")


def test_sample_writes_what_the_function_draws(folder, capsys):
    assert main(["sample", *QUICK, "--seed", "5", "-o", "a.png", "-o", "a.pdf"]) == 0
    assert re.fullmatch(r"32 x 32 pixels · [\d.]+ s · a\.png, a\.pdf\n", capsys.readouterr().out)
    assert np.array_equal(load_image("a.png"), S.sample(600, 200, 5, size=32))
    assert Path("a.pdf").read_bytes().startswith(b"%PDF")
    assert main(["sample", *QUICK, "--sheet", "--colours", "grey", "--levels", "4", "--no-normalize"]) == 0
    want = S.sheet(600, 200, size=32, colours="grey", levels=4, normalize=False)
    assert np.array_equal(load_image("sample.png"), want)
    shape = ["--size", "32", "--head", "300", "--channels", "3"]
    assert main(["sample", "--soph", "9000", "--noise", "0", *shape, "-o", "b.png"]) == 0
    assert np.array_equal(load_image("b.png"), S.sample(9000, 0, size=32, head=300, channels=3))


def test_sample_draws_an_atlas(folder, capsys):
    assert main(["sample", "--atlas", "4", "--size", "32", "--cell", "16", "-o", "a.png", "--seed", "2"]) == 0
    assert np.array_equal(load_image("a.png"), S.atlas(4, size=32, cell=16, seed=2, progress=False))
    out, err = capsys.readouterr()
    assert err == "" and "a.png" in out  # it took less than the ten seconds after which a line is due
    assert main(["sample", "--atlas", "3", "--size", "16", "--quiet"]) == 0
    assert capsys.readouterr().err == "" and Path("atlas.pdf").exists()


def test_sample_says_where_the_bits_go(folder, capsys):
    assert main(["sample", *QUICK, "--account"]) == 0
    out = capsys.readouterr().out
    for name, value in S.account(600, 200, size=32).record().items():
        assert re.search(rf"^{name.replace('_', ' ')} +{value}$", out, re.M)
    assert not Path("sample.png").exists(), "without -o nothing is drawn"
    assert main(["sample", *QUICK, "--json", "-o", "a.png"]) == 0
    found = json.loads(capsys.readouterr().out)
    p = S.params(600, 200, size=32)
    assert found["account"] == S.account(600, 200, size=32).record()
    assert found["network"]["filters"] == list(p.filters) and found["size"] == [32, 32] and found["files"] == ["a.png"]


@pytest.mark.parametrize(
    "arguments, words",
    [
        ([], "--soph is needed, a number of bits; or --atlas N"),
        (["--soph", "600"], "--noise is needed, a number of bits; or --atlas N"),
        ([*QUICK, "--cell", "9"], "--cell is for an atlas: give --atlas N too"),
        (["--atlas", "4", "--noise", "5"], "--atlas and --noise exclude each other"),
        (["--atlas", "4", "--sheet"], "--atlas and --sheet exclude each other"),
        (["--atlas", "4", "--account"], "--atlas and --account exclude each other"),
        (["--soph", "50000", "--noise", "0"], "No parameters associated with soph=50000 and noise=0."),
        ([*QUICK, "--seed", "-1"], "--seed must be a whole number from 0 to 18446744073709551615, got -1"),
        ([*QUICK, "--head", "some"], "--head must be one of none, least, half, all or a number"),
        ([*QUICK, "-o", "a.gif"], "-o a.gif: must end in one of .pdf, .png"),
        ([*QUICK, "-o", "nowhere/a.png"], "-o nowhere/a.png: its folder does not exist"),
    ],
)
def test_sample_refuses_in_a_line(folder, capsys, arguments, words):
    assert main(["sample", *arguments]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.startswith(f"cppn: error: {words}") and err.count("\n") == 1
    assert not list(folder.iterdir())


# -- the notebook ----------------------------------------------------------------------------------------------


@pytest.mark.timeout(300)
def test_the_notebook_runs_and_its_sliders_draw(folder, monkeypatch):
    """Executed in a kernel of its own; then the function behind the sliders, at places of ours."""
    for package in ("nbclient", "ipykernel", "ipywidgets"):
        pytest.importorskip(package, reason=f"{package} is not installed (pip install 'cppn-native[notebook]')")
    import os
    import sys

    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    book = nbformat.read(Path(__file__).parents[1] / "examples" / "sophistication.ipynb", as_version=4)
    assert all(not cell.get("outputs") for cell in book.cells), "kept without outputs"
    for call in ("draw(0.5, 0.25)", "draw(1.0, 1.0)", "draw(0.0, 0.5)"):
        book.cells.append(nbformat.v4.new_code_cell(call))
    NotebookClient(book, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    shown, full, nothing = (cell.outputs for cell in book.cells[-3:])
    soph, noise = int(0.25 * 0.5 * U), int(0.5 * U - int(0.25 * 0.5 * U) + 0.5)
    assert f"{soph} + {noise} of {U} bits" in shown[0]["text"] and "image/png" in shown[1]["data"]
    assert "image/png" in full[1]["data"], "with a head all of it can be sophistication"
    assert "No parameters associated with soph=0 and noise=0." in nothing[0]["text"]
    widgets = json.dumps(book.metadata.get("widgets", {}))
    for name in ("compression", "sophistication", "FloatSlider"):
        assert name in widgets
    assert "image/png" in widgets, "the sliders have drawn once"
    with Image.open(folder / "atlas.png") as page:
        assert page.width > 1000
