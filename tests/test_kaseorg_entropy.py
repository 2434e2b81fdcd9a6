"""Pyth programs whose weights are entropy-coded: exact in every Python, run by the evaluator, safe to read."""

import contextlib
import re
from pathlib import Path

import numpy as np
import pytest
import pyth_evaluator
from cppn_native import Cascade, CascadeConfig, FormatError, kaseorg
from cppn_native.image import load_image
from cppn_native.kaseorg.literal import escape
from cppn_native.kaseorg.shares import Shares
from hypothesis import given, settings
from hypothesis import strategies as st
from pyth_programs import cascade, check_runs, same

NIGHT = Path(__file__).parent.parent / "examples" / "starry_night.pyth"


def laplace(neurons=8, scale=4.0, **options):
    model = cascade(neurons=neurons, **options)
    levels = np.random.default_rng(options.get("seed", 1)).laplace(0, scale, model.n_params)
    return model.with_levels(np.round(levels).astype(int))


def in_order(weight):
    """The symbol of a level: 0 -1 1 -2 2 ..."""
    return sorted(range(-200, 201), key=lambda level: (abs(level), level > 0)).index(weight)


# -- the arithmetic --------------------------------------------------------------------------------------------------


def symbol_exactly(shares, remainder):
    """floor(parts * log2(K / remainder)), in integers."""
    quotient, symbol = (10**shares.tens) ** shares.parts, 0
    while 2 ** (symbol + 1) * remainder**shares.parts <= quotient:
        symbol += 1
    return symbol


@pytest.mark.parametrize(("tens", "parts"), [(2, 1), (3, 4), (4, 3), (4, 9), (4, 10), (3, 37)])
def test_every_remainder_that_is_used_has_the_symbol_that_exact_arithmetic_gives(tens, parts):
    shares, used = Shares(tens, 1, parts), 0
    for symbol in range(int(parts * tens * 3.33) + 1):
        for remainder in shares.remainders(symbol):
            assert symbol_exactly(shares, remainder) == shares.symbol(remainder) == symbol
            used += 1
    exact = sum(10**tens % 2**halvings == 0 for halvings in range(1, tens + 1))  # logarithms that are whole
    assert used == 10**tens - 1 - exact


@settings(max_examples=300, deadline=None)
@given(st.integers(2, 9), st.integers(1, 40), st.integers(0, 400))
def test_remainders_at_the_ends_of_a_symbol(tens, parts, symbol):
    shares = Shares(tens, 1, parts)
    remainders = shares.remainders(symbol)
    for remainder in {*remainders[:1], *remainders[-1:]}:
        assert symbol_exactly(shares, remainder) == shares.symbol(remainder) == symbol
    if symbol % parts == 0 and symbol // parts in range(1, tens + 1):  # K / 2^n: an exact power is left out
        assert 10**tens >> symbol // parts not in remainders


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 10**6), st.integers(1, 40), st.integers(0, 400))
def test_shares_are_what_exact_arithmetic_gives_where_they_are_sure(largest, parts, symbol):
    shares = Shares(6, largest, parts)
    share = shares.share(symbol)
    exactly = share**parts * 2**symbol <= largest**parts < (share + 1) ** parts * 2**symbol
    assert exactly or not shares.sure(symbol)


def test_shares_next_to_a_whole_number_are_not_sure():
    """``largest`` and ``share`` successive convergents of sqrt(2): nearer to it than a double can tell."""
    largest, share = 1, 1
    while largest < 10**8:
        largest, share = largest + 2 * share, largest + share
    for _ in range(3):
        largest, share = largest + 2 * share, largest + share
        assert not Shares(9, largest, 2).sure(1)
        assert Shares(9, largest, 2).sure(2)


@pytest.mark.parametrize("parts", [1, 5, 10])
def test_an_exact_share_is_sure(parts):
    shares = Shares(6, 3 << 12, parts)
    assert [shares.share(parts * n) for n in (0, 1, 12)] == [3 << 12, 3 << 11, 3]
    assert all(shares.sure(parts * n) for n in range(13))


def test_levels_in_the_order_of_their_symbols():
    shares = Shares(6, 60_000, 10)
    for weight in range(-30, 31):
        remainder = shares.remainders(in_order(weight))[0]
        assert shares.unpack(remainder.to_bytes(4, "big"), 1) == [weight]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(-40, 40) | st.integers(-3, 3), min_size=1, max_size=80), st.integers(0, 10**6))
def test_payloads_come_back(weights, end):
    _, shares = min(Shares.candidates(weights), key=lambda pair: pair[0])
    payload = shares.pack(weights, 3 * shares.whole + end * shares.whole // 10**6)
    assert shares.unpack(payload, len(weights)) == weights
    assert payload[0] != 0
    with pytest.raises(FormatError, match=r"holds more than|divides by zero"):
        shares.unpack(payload + bytes(len(weights) + 20), len(weights))


def test_a_payload_is_as_long_as_promised():
    weights = np.round(np.random.default_rng(5).laplace(0, 6, 1000)).astype(int).tolist()
    bits, shares = min(Shares.candidates(weights), key=lambda pair: pair[0])
    assert len(shares.pack(weights, shares.whole)) == pytest.approx(bits / 8, abs=1)
    counts = np.unique(weights, return_counts=True)[1] / 1000
    assert bits < 1000 * -(counts @ np.log2(counts)) * 1.03 + 40


# -- programs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("coords", ["seed", "centered"])
@pytest.mark.parametrize("output", ["sigmoid", "sine", "tanh", "gaussian", "identity"])
@pytest.mark.parametrize("hidden", ["sigmoid", "sine", "tanh", "gaussian", "identity"])
def test_every_kind_of_program_runs(hidden, output, coords):
    check_runs(
        laplace(neurons=5, hidden=hidden, output=output, coords=coords, size=(3, 2), steps=(0.31, 0.17, 0.05)),
        "entropy",
    )


@pytest.mark.parametrize("neurons", [1, 4, 9])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_channels(channels, neurons):
    for hidden in ("sigmoid", "sine"):
        check_runs(laplace(neurons=max(neurons, channels), channels=channels, hidden=hidden, size=(3, 2)), "entropy")


@pytest.mark.parametrize("levels", [0, 1, -1, 90, -3000])
def test_weights_that_are_all_the_same(levels):
    model = cascade(size=(2, 2))
    check_runs(model.with_levels(np.full(model.n_params, levels)), "entropy")


def test_one_weight_far_from_the_others():
    model = cascade(size=(2, 2))
    levels = np.zeros(model.n_params, int)
    levels[7] = 5000
    check_runs(model.with_levels(levels), "entropy")
    levels[7] = 10**6
    with pytest.raises(ValueError, match="too far apart"):
        kaseorg.encode(model.with_levels(levels), form="entropy")


@settings(max_examples=100, deadline=None)
@given(
    st.integers(3, 9).flatmap(
        lambda n: st.lists(st.integers(-128, 127) | st.integers(-2, 2), min_size=3 * n + n * (n - 1) // 2).map(
            lambda w: (n, w)
        )
    ),
    st.sampled_from(["sigmoid", "sine", "gaussian"]),
    st.tuples(*[st.floats(1e-6, 1e6)] * 3),
    st.sampled_from(["seed", "centered"]),
)
def test_models_come_back(network, hidden, steps, coords):
    neurons, levels = network
    config = CascadeConfig(neurons=neurons, activation=hidden, coords=coords)
    model = Cascade(config, (7, 5), levels[: config.weights], steps)
    same(kaseorg.decode(kaseorg.encode(model, form="entropy")), model)


def test_the_shorter_form_is_written():
    peaked, flat = laplace(neurons=25, scale=3), cascade(neurons=25)
    for model, better in ((peaked, "entropy"), (flat, "digits")):
        sizes = {form: len(kaseorg.encode(model, form=form)) for form in ("digits", "entropy")}
        assert min(sizes, key=sizes.get) == better
        assert len(kaseorg.encode(model)) == sizes[better]
    assert kaseorg.encode(peaked, levels=99) == kaseorg.encode(peaked, levels=99, form="digits")
    assert kaseorg.encode(peaked) == kaseorg.encode(peaked)


def test_what_cannot_be_asked_for():
    with pytest.raises(ValueError, match="form must be"):
        kaseorg.encode(cascade(), form="huffman")
    with pytest.raises(ValueError, match="levels is the base of digits"):
        kaseorg.encode(cascade(), levels=99, form="entropy")


# -- the example -----------------------------------------------------------------------------------------------------


def test_the_example_is_what_encode_writes():
    program = NIGHT.read_bytes()
    assert len(program) <= 1024
    assert kaseorg.encode(kaseorg.decode(program)) == program


def test_all_weights_of_the_example_by_the_evaluator():
    """Its own text, but for the sum: the list of the weights."""
    model, text = kaseorg.decode(NIGHT), NIGHT.read_bytes().decode("latin-1")
    literal, weight = text.index("&JC"), text.index("*L&")
    take = text[weight + 2 : text.index("G", weight)]
    end = text.index('"sM>3uaG')
    machine = pyth_evaluator.Machine(f"{text[literal : end + 1]}m{take} {model.n_params}", {})
    assert machine.expression()() == model.levels.tolist()


def test_pixels_of_the_example_by_the_evaluator():
    rows, columns = [0, 160, 319], [0, 200, 385]
    pixels = pyth_evaluator.run(NIGHT.read_bytes(), {320: rows, 386: columns})
    assert pixels == kaseorg.render(NIGHT)[np.ix_(rows, columns)].tolist()


def test_the_score_of_the_example(shared):
    target = load_image(shared / "images" / "starry_night_386x320.png").astype(np.float64)
    assert float((((kaseorg.render(NIGHT) - target) / 255) ** 2).sum()) < 4384.92


# -- what is no program of ours --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"&JC", b"&KC", "begins with"),
        (b"^T", b"^U", "another network"),
        (b"x/N2_%N2", b"x/N2_%N3", "another network"),
        (b"N2G", b"N2Z", "another network"),
        (b" 8[", b" 0[", "takes 0 neurons"),
        (b" 8[", b" 999[", "takes 999 neurons"),
    ],
)
def test_refusals_say_why(old, new, reason):
    data = kaseorg.encode(laplace(), form="entropy")
    assert data.count(old) == 1
    with pytest.raises(FormatError, match=reason):
        kaseorg.decode(data.replace(old, new))


def test_a_share_of_more_than_all():
    data = kaseorg.encode(laplace(), form="entropy")
    with pytest.raises(FormatError, match="share of 999999999"):
        kaseorg.decode(re.sub(rb"/\d+\^2c", b"/999999999^2c", data))


@pytest.mark.parametrize("numbers", [(9, 999_999_999, 9999), (9, 1, 1), (9, 1, 9999), (1, 10, 1), (5, 100_000, 1)])
def test_hostile_numbers(numbers):
    """The largest network with the largest and the smallest numbers: no more work than for one of ours."""
    tens, largest, parts = numbers
    tail = f"s*L&=Ji.DJK^T{tens}/{largest}^2c=Ns*{parts}lcK%JK{parts}x/N2_%N2G*9h=Y>H124*TY128[9kd)9 9"
    sources = [
        b'.wmm&JC"' + escape(payload) + b'"sM>3uaG*128h.tc' + tail.encode()
        for payload in (b"\xff" * 60_000, b"\xff" * 3000, b"\1")
    ]
    with pytest.raises(FormatError, match="60000 bytes holds more than 8512 weights"):
        kaseorg.decode(sources[0])
    for source in sources[1:]:
        with contextlib.suppress(FormatError):
            assert kaseorg.decode(source).n_params == 8512


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_damaged_programs_are_refused_or_read(data):
    hidden = data.draw(st.sampled_from(["sigmoid", "sine", "gaussian"]))
    source = bytearray(PROGRAMS[hidden])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(source) - 1))
        if data.draw(st.booleans()):
            source[at] = data.draw(st.integers(0, 255) | st.sampled_from(b"0123456789T"))
        elif data.draw(st.booleans()):
            source.insert(at, data.draw(st.sampled_from(b"0123456789T")))
        else:
            del source[at]
    with contextlib.suppress(FormatError):
        assert isinstance(kaseorg.decode(bytes(source)), Cascade)


PROGRAMS = {
    hidden: kaseorg.encode(laplace(4, hidden=hidden), form="entropy") for hidden in ("sigmoid", "sine", "gaussian")
}
