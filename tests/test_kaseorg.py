"""Pyth programs: the published one read to the bit, ours written, and both run by an evaluator of the language."""

import contextlib
import hashlib
import re
import subprocess

import numpy as np
import pytest
import pyth_evaluator
from cppn_native import Cascade, CascadeConfig, FormatError, kaseorg
from cppn_native.image import load_image
from cppn_native.kaseorg.literal import escape, read_source, split_source, unescape
from cppn_native.models.cascade import SEED_STEP
from hypothesis import given, settings
from hypothesis import strategies as st
from pyth_programs import cascade, check_runs, same
from reference import seed as reference

GOLDEN = "5b50d4a2e5e53f449aff3382812d244befa35e102ea83030631ea7e67f098f21"
HIDDEN = ("sigmoid", "sine", "tanh", "gaussian", "identity")
TRICKY = b'"\\\r\n\x00' + b"0179nrxuN'" + b"ab\xff; end\n"


@pytest.fixture(scope="module")
def post(shared):
    return next((shared / "seeds").glob("000_*.txt"))


@pytest.fixture(scope="module")
def program(post):
    return reference.program(post.read_text())


# -- the published program -------------------------------------------------------------------------------------------


def test_the_published_program_is_read_from_its_post(post):
    model = kaseorg.decode(post)
    assert model.size == (386, 320) and model.config.coords == "seed"
    assert set(model.config.activation_names) == {"sigmoid"} and model.config.neurons == 45
    assert model.levels[:12].tolist() == [20, 5, -55, -44, 55, 18, 26, 42, -46, 55, -55, 31]
    assert model.levels[-6:].tolist() == [-36, -19, 18, -20, -55, 46]
    assert model.steps == (float(np.float32(SEED_STEP)),) * 3
    assert model.levels.tolist() == reference.levels(post.read_text())


def test_the_published_picture_is_reproduced_to_the_byte(post, shared):
    picture = kaseorg.render(post)
    assert hashlib.sha256(picture.tobytes()).hexdigest() == GOLDEN
    target = load_image(shared / "images" / "starry_night_386x320.png").astype(np.float64)
    assert float((((picture - target) / 255) ** 2).sum()) == pytest.approx(4695.0698, abs=5e-5)


def test_our_float32_picture_is_off_by_one_at_most(post, shared):
    model = kaseorg.decode(post)
    off = np.abs(model.render().astype(int) - kaseorg.render(post))
    assert off.max() <= 1 and np.count_nonzero(off) < 100
    assert model.score(shared / "images" / "starry_night_386x320.png") == pytest.approx(4695.0698, abs=5e-3)


def test_the_published_program_runs(program):
    rows, columns = [0, 157, 319], [0, 200, 385]
    pixels = pyth_evaluator.run(program, {320: rows, 386: columns})
    assert pixels == kaseorg.render(program)[np.ix_(rows, columns)].tolist()


def test_our_program_for_the_published_network_is_shorter(program):
    ours = kaseorg.encode(kaseorg.decode(program))
    assert len(program) == 1020 and len(ours) == 1018
    same(kaseorg.decode(ours), kaseorg.decode(program))
    assert kaseorg.encode(kaseorg.decode(program), levels=111) == ours
    rows, columns = [0, 319], [7, 385]
    pixels = pyth_evaluator.run(ours, {320: rows, 386: columns})
    assert pixels == kaseorg.render(program)[np.ix_(rows, columns)].tolist()


# -- what a source may be --------------------------------------------------------------------------------------------


def dump(data, between="  ", newline="\n", text=True):
    """As xxd writes it."""
    lines = []
    for offset in range(0, len(data), 16):
        part = data[offset : offset + 16]
        pairs = " ".join(part[i : i + 2].hex() for i in range(0, len(part), 2))
        shown = "".join(chr(b) if 32 <= b < 127 else "." for b in part)
        lines.append(f"{offset:08x}: {pairs}" + (f"{between}{shown}" if text else ""))
    return newline.join(lines)


@pytest.mark.parametrize("options", [{}, {"between": " ", "newline": " "}, {"text": False}, {"newline": "\r\n"}])
def test_hex_dumps_are_read_by_their_hex_columns(options, tmp_path):
    model = cascade(neurons=9)
    data = kaseorg.encode(model)
    text = dump(data, **options)
    same(kaseorg.decode(text), model)
    same(kaseorg.decode(text.encode()), model)
    (tmp_path / "dump.txt").write_text(text)
    (tmp_path / "program.pyth").write_bytes(data + b"\n")
    same(kaseorg.decode(tmp_path / "dump.txt"), model)
    same(kaseorg.decode(str(tmp_path / "program.pyth")), model)


@pytest.mark.parametrize("end", [b"20", b"20 320", b"5 4", b"6 3320", b"ab"])
def test_a_short_last_line_whose_text_looks_like_hex(end):
    data = bytes(range(130, 162)) + end
    for options in ({}, {"between": " ", "newline": " "}, {"text": False}):
        assert read_source(dump(data, **options)) == data
        assert read_source(dump(data, **options) + " ### and so on") == data


def test_a_dump_of_xxd_itself(tmp_path):
    data = kaseorg.encode(cascade(neurons=9))
    (tmp_path / "p").write_bytes(data)
    try:
        made = subprocess.run(["xxd", tmp_path / "p"], capture_output=True, check=True).stdout
    except FileNotFoundError:
        pytest.skip("no xxd here")
    same(kaseorg.decode(made), kaseorg.decode(data))


def test_a_dump_with_a_line_missing(program):
    lines = dump(program).split("\n")
    with pytest.raises(FormatError, match="goes on at offset 48 where 32 should follow"):
        kaseorg.decode("\n".join(lines[:2] + lines[3:]))
    with pytest.raises(FormatError, match="does not end"):
        kaseorg.decode("\n".join(lines[:-9]))


# -- the literal -----------------------------------------------------------------------------------------------------


@settings(max_examples=400, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(TRICKY), st.integers(0, 255)), max_size=60).map(bytes))
def test_literals_come_back_here_and_in_python(payload):
    source = b'C"' + escape(payload) + b'"9'
    head, inside, tail = split_source(source)
    assert (head, unescape(inside), tail) == ("C", payload, "9")
    machine = pyth_evaluator.Machine(source.decode("latin-1").replace("\r\n", "\n").replace("\r", "\n"), {})
    machine.at = 2
    assert machine.string().encode("latin-1") == payload
    assert b"\n; end\n" not in source


def test_literals_are_as_short_as_they_can_be():
    assert escape(b"\\Z\xff") == b"\\Z\xff"  # a backslash that begins no escape stays one
    assert escape(b"\\n\\") == b"\\\\n\\\\"
    assert escape(b'\r"\n\x00z') == b'\\r\\"\n\x00z'
    assert escape(b"\x007z\x0071") == b"\x00\\67z\x00\\0671"


# -- our programs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("coords", ["seed", "centered"])
@pytest.mark.parametrize("output", HIDDEN)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_every_kind_of_program_runs(hidden, output, coords):
    model = cascade(hidden=hidden, output=output, coords=coords, limit=9, steps=(0.31, 0.17, 0.05))
    check_runs(model)


@pytest.mark.parametrize("size", [(5, 4), (1, 1), (1, 7), (8, 3)])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("hidden", ["sigmoid", "sine"])
def test_sizes_and_channels(hidden, channels, size):
    for coords in ("seed", "centered"):
        check_runs(cascade(channels=channels, hidden=hidden, size=size, coords=coords))
        check_runs(cascade(neurons=channels, channels=channels, hidden=hidden, size=size, coords=coords))


def test_sums_that_would_overflow_a_power():
    model = cascade(limit=120, steps=(9.0, 9.0, 9.0), neurons=9)
    check_runs(model)
    assert b"*128h.tc" in kaseorg.encode(model)


LEVELS = st.integers(-128, 127)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(3, 9).flatmap(lambda n: st.lists(LEVELS, min_size=3 * n + n * (n - 1) // 2).map(lambda w: (n, w))),
    st.sampled_from(["sigmoid", "sine", "gaussian"]),
    st.tuples(*[st.floats(1e-6, 1e6)] * 3),
    st.tuples(st.integers(1, 1 << 20), st.integers(1, 400)),
    st.sampled_from(["seed", "centered"]),
)
def test_models_come_back(network, hidden, steps, size, coords):
    neurons, levels = network
    config = CascadeConfig(neurons=neurons, activation=hidden, coords=coords)
    model = Cascade(config, size, levels[: config.weights], steps)
    same(kaseorg.decode(kaseorg.encode(model)), model)


@pytest.mark.parametrize("value", [-3, 0, 4])
def test_weights_that_are_all_the_same(value):
    model = cascade()
    check_runs(model.with_levels(np.full(model.n_params, value)))


def test_the_leading_digit_is_never_zero():
    model = cascade()
    for hidden in ("sigmoid", "sine"):
        for last in (-25, 25):
            levels = np.random.default_rng(3).integers(-25, 26, model.n_params)
            levels[-1] = last
            check_runs(cascade(hidden=hidden, output=hidden).with_levels(levels))


def test_levels_that_were_asked_for():
    model = cascade(limit=20)
    assert b'"99sM' in kaseorg.encode(model, levels=99)
    same(kaseorg.decode(kaseorg.encode(model, levels=99)), model)
    with pytest.raises(ValueError, match="levels must be an integer of at least 4"):
        kaseorg.encode(model, levels=7)


def test_what_no_program_can_hold():
    with pytest.raises(ValueError, match="2 channels"):
        kaseorg.encode(cascade(channels=2))
    with pytest.raises(ValueError, match="float weights"):
        model = cascade()
        kaseorg.encode(model.with_levels(model.levels.astype(np.float32)))
    with pytest.raises(ValueError, match="different activations: sine, tanh"):
        kaseorg.encode(cascade(neurons=5, hidden=("sine", "tanh")))
    config = CascadeConfig(neurons=5, radius=True)
    with pytest.raises(ValueError, match="radius"):
        kaseorg.encode(Cascade(config, (5, 4), np.zeros(config.weights, np.int32)))


# -- what is no program of ours --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b".wmm+J", b"pmm+J", "begins with"),
        (b'"40', b'"1', "base 1 is not"),
        (b'"40', b'"4000', "weights, which is no whole|neurons"),
        (b'"40', b'"999999', "base 999999 is not"),
        (b"sM>3", b"sM>9", "channels"),
        (b"c256h", b"c255h", "another network"),
        (b"5 4", b"5", "another network"),
        (b"5 4", b"0 4", "none of ours"),
        (b"5 4", b"9999999 9999999", "none of ours"),
        (b"3364", b"." + b"0" * 50 + b"1", "none of ours"),
        (b"3364", b".000", "is zero"),
        (b"[256k", b"[.0k", "is zero"),
        (b"[256k", b"[256*R.5,k", "another network"),
        (b"[256k", b"+256k", "other inputs"),
        (b"[256k", b"+256*R.5,yky", "another network"),
    ],
)
def test_refusals_say_why(old, new, reason):
    data = kaseorg.encode(cascade())
    assert data.count(old) == 1
    with pytest.raises(FormatError, match=reason):
        kaseorg.decode(data.replace(old, new))


def test_more_refusals():
    with pytest.raises(FormatError, match="no string literal"):
        kaseorg.decode(b"")
    with pytest.raises(FormatError, match="unusable escape"):
        kaseorg.decode(kaseorg.encode(cascade()).replace(b'JjC"', b'JjC"\\u0000'))
    with pytest.raises(FormatError, match="more than the 8512 weights"):
        kaseorg.decode(b'.wmm+JjC"' + b"\xff" * 60000 + b'"2sM>3.WJaZc256h^8cs*L-55.)JZ3364[256kd)5 4')
    with pytest.raises(FormatError, match="more than any program"):
        kaseorg.decode(b'.wmm+JjC"' + b"\xff" * 70000)
    with pytest.raises(TypeError, match="source"):
        kaseorg.decode(5)
    program = kaseorg.encode(cascade(hidden="sine", output="gaussian"))
    with pytest.raises(FormatError, match="outputs of"):
        kaseorg.decode(re.sub(rb"\.5\^cN\d+\.?\d*", b".5^cN77", program))
    with pytest.raises(FormatError, match="hidden by"):
        kaseorg.decode(program.replace(b"<H3", b"<H2"))
    with pytest.raises(FormatError, match="centred"):
        kaseorg.decode(kaseorg.encode(cascade(coords="centered")).replace(b"-yk4", b"-yk5"))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_at_all(data):
    for source in (data, b'.wmm+JjC"' + data, b"00000000: " + data, data.hex()[:32].encode()):
        with pytest.raises(FormatError):
            kaseorg.decode(source)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_programs_are_refused_or_read(data):
    kind = data.draw(st.sampled_from(["sigmoid", "sine", "gaussian"]))
    source = bytearray(kaseorg.encode(cascade(neurons=4, hidden=kind)))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(source) - 1))
        if data.draw(st.booleans()):
            source[at] = data.draw(st.integers(0, 255))
        else:
            del source[at:]
            source += b"0"
    with contextlib.suppress(FormatError):
        assert isinstance(kaseorg.decode(bytes(source)), Cascade)
