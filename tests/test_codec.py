"""The .cppn file. docs/format.md is the specification; the decoder printed there is the reference here."""

import binascii
import hashlib
import itertools
import math
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from cppn_native import _core
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[1]
CODERS = range(len(_core.CODERS))
MIXED_RADIX, STATIC, LEARNING = CODERS
SIZES = ["width", "height", "neurons", "channels", "coords", "radius", "octaves"]
FIELDS = [*SIZES, "activations", "steps", "levels"]
EXAMPLE = bytes.fromhex("c11004c6067e03210dc0881adb8d42043dccf8")


def weights(neurons, radius=False, octaves=0):
    return neurons * (3 + radius + 4 * octaves) + neurons * (neurons - 1) // 2


def record(**fields):
    r = _core.CascadeRecord()
    for name, value in fields.items():
        setattr(r, name, value)
    return r


def network(levels, neurons=53, **fields):
    """The common case: hidden sine, three sigmoid outputs, one step of the grid, 386x320 pixels."""
    common = {"width": 386, "height": 320, "neurons": neurons, "channels": 3, "coords": 1}
    common["activations"] = [1] * (neurons - 3) + [0] * 3
    common["steps"] = [_core.step_grid(100)] * 3
    return record(**common, levels=np.asarray(levels, np.int32), **fields)


def gauss(neurons, sigma=9.6, seed=0):
    return np.rint(np.random.default_rng(seed).normal(0, sigma, weights(neurons))).astype(np.int32)


def with_checksum(body):
    body = bytes(body)
    return body + (binascii.crc_hqx(body, 0xFFFF) ^ 0xFFFF).to_bytes(2, "big")


def decoded_or_refused(data):
    """The record, or None after a FormatError that names a byte; any other exception is a failure."""
    try:
        return _core.decode(data)
    except _core.FormatError as error:
        offset = int(re.match(r"byte (\d+): .", str(error)).group(1))
        assert offset <= len(data)
        return None


def refused(data, *words):
    with pytest.raises(_core.FormatError) as caught:
        _core.decode(data)
    for word in words:
        assert word in str(caught.value), str(caught.value)


def bits_of(file):
    return "".join(f"{byte:08b}" for byte in file)


def with_bits(file, at, bits):
    """The file with these bits written over its own from bit `at`, and a checksum that fits."""
    text = bits_of(file[:-2])
    text = text[:at] + bits + text[at + len(bits) :]
    return with_checksum(int(text[i : i + 8], 2) for i in range(0, len(text), 8))


@st.composite
def records(draw, max_neurons=10):
    neurons = draw(st.integers(1, max_neurons))
    octaves, radius = draw(st.sampled_from([0, 0, 1, 3, 7])), draw(st.booleans())
    number = st.integers(0, len(_core.activations()) - 1)
    one = st.builds(lambda f: [f] * neurons, number)
    grid = st.builds(_core.step_grid, st.integers(0, 255))
    free = st.floats(2.0**-149, 2.0**127, width=32)
    scale = draw(st.sampled_from([0, 0.3, 2, 10, 60, 900, 20000]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    heavy = rng.standard_t(2, weights(neurons, radius, octaves)) * scale
    return record(
        width=draw(st.integers(1, 65535)),
        height=draw(st.sampled_from([1, 2, 255, 256, 257, 320, 65535])),
        neurons=neurons,
        channels=draw(st.integers(1, min(4, neurons))),
        coords=draw(st.integers(0, 3)),
        radius=radius,
        octaves=octaves,
        activations=draw(one | st.lists(number, min_size=neurons, max_size=neurons)),
        steps=draw(st.builds(lambda s: [s] * 3, grid | free) | st.lists(grid | free, min_size=3, max_size=3)),
        levels=np.clip(np.rint(heavy), -32767, 32767).astype(np.int32),
    )


# there and back ---------------------------------------------------------------------------------------------


@given(records())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_valid_record_comes_back_from_every_coder(r):
    files = [_core.encode(r, coder) for coder in CODERS]
    for file in files:
        assert _core.decode(file) == r
    assert _core.encode(r) == min(files, key=len)
    assert _core.encoded_size(r) == min(map(len, files))


@pytest.mark.parametrize("coder", CODERS)
@pytest.mark.parametrize("sigma", [0, 1, 3000])
def test_the_largest_network_comes_back(coder, sigma):
    levels = np.rint(np.random.default_rng(2).normal(0, sigma, weights(128, True, 7)))
    levels[:4] = 32767, -32767, 4095, -4096
    r = record(neurons=128, channels=4, radius=True, octaves=7, activations=[0] * 128, levels=levels)
    assert _core.decode(_core.encode(r, coder)) == r


@pytest.mark.parametrize("coder", CODERS)
def test_one_neuron_that_is_its_own_output_comes_back(coder):
    r = record(levels=[-32767, 0, 32767])
    assert _core.decode(_core.encode(r, coder)) == r


def test_records_that_differ_in_one_field_are_not_equal():
    other = dict(width=2, height=2, coords=1, steps=[1, 1, 2], levels=[0, 0, 1], activations=[1], radius=True)
    for name, value in (other | {"neurons": 2, "channels": 2, "octaves": 1}).items():
        assert record() == record() and record(**{name: value}) != record(), name


# the specification ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stranger():
    """The decoder made of the code blocks of docs/format.md."""
    names = {}
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/format.md").read_text(), re.S)
    exec("\n".join(blocks), names)
    return names


@given(r=records(max_neurons=7), coder=st.sampled_from(CODERS))
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_decoder_printed_in_the_specification_agrees(stranger, r, coder):
    found = stranger["decode"](_core.encode(r, coder))
    assert sorted(found) == sorted(FIELDS)
    for name in FIELDS:
        assert np.array_equal(found[name], getattr(r, name)), name


@pytest.mark.parametrize("seed", range(4))
def test_the_specification_agrees_where_columns_and_rows_differ_a_thousandfold(stranger, seed):
    rng = np.random.default_rng(seed)
    scale = [2.0 ** rng.integers(-6, 6, 33)[: 3 + n] * 2.0 ** rng.integers(-2, 5) for n in range(30)]
    levels = np.rint(rng.normal(0, 3, weights(30)) * np.concatenate(scale)).astype(np.int32)
    found = stranger["decode"](_core.encode(network(levels, 30), LEARNING))
    assert np.array_equal(found["levels"], levels)


def test_the_example_of_the_specification_is_what_we_write():
    r = network([5, -3, 12, -7, 0, 4, 9, 1, -2, 3, -10, 8], neurons=3)
    assert _core.encode(r, MIXED_RADIX) == EXAMPLE
    spaced = " ".join(f"{byte:02x}" for byte in EXAMPLE)
    assert spaced in (ROOT / "docs/format.md").read_text()


GOLDEN = {
    STATIC: (
        "c1130bb3f80037fff04024c013473f0000003e99999a3f80000000a4dee8fd720131ed2f50d8639656266a1d0cf2ba89"
        "dfa2fab8503e44491f2711a1394b8efd3c53b8b83e0c3d89e522"
    ),
    LEARNING: (
        "c1150bb3f80037fff04024c013473f0000003e99999a3f80000000a7b0e6f57a07c07d1137c98cc49a2d8b550df7ea21"
        "1d32e313e680fac5be8323cb6571b35f9eb7387799ed7e9b196c22"
    ),
}


@pytest.mark.parametrize("coder", GOLDEN)
def test_small_files_keep_their_bytes(coder):
    r = record(
        width=7,
        height=65535,
        neurons=6,
        channels=2,
        coords=3,
        radius=True,
        octaves=1,
        activations=[0, 1, 2, 1, 4, 3],
        steps=[0.5, 0.3, 1.0],
        levels=[(k * k * 7 + k) % 23 - 11 for k in range(62)] + [500],
    )
    assert _core.encode(r, coder).hex() == GOLDEN[coder]
    assert _core.decode(bytes.fromhex(GOLDEN[coder])) == r


SHA256 = {
    MIXED_RADIX: "3a42aca793598e5cec5f94af9a2ef7654b4724b6a56d60907ebbb79ca88bc213",
    STATIC: "fce5341c41086a924c4de0fb0dde0a240bcf1d2e70f57600aa107131a6a78c44",
    LEARNING: "93fd34263d60588efb4802745299e400949d35c15ef11932adca5d69a998364a",
}


@pytest.mark.parametrize("coder", SHA256)
def test_large_files_keep_their_bytes(coder):
    # Levels from integer arithmetic, the same under every NumPy: wide columns and narrow ones.
    state, levels = 1, []
    for n in range(53):
        for column in range(3 + n):
            state = (state * 1103515245 + 12345) % 2**31
            levels.append((state >> 16) % (2 * (column % 11) + 3) - column % 11 - 1)
    assert hashlib.sha256(_core.encode(network(levels), coder)).hexdigest() == SHA256[coder]


def test_the_step_grid_is_sixteen_to_the_octave():
    steps = [_core.step_grid(code) for code in range(256)]
    # 2^-24: half a unit in the last place of a float32 in [1, 2)
    np.testing.assert_allclose(steps, 2.0 ** (np.arange(256) / 16 - 12), rtol=2**-24)
    assert [_core.nearest_step_code(s) for s in steps] == list(range(256))
    assert steps[192] == 1 and steps[200] == np.float32(2**0.5)


@given(st.floats(2**-149, 2.0**127, width=32))
@example(2**-149)
def test_the_nearest_step_has_the_smallest_ratio(step):
    code = _core.nearest_step_code(step)
    away = [abs(math.log(_core.step_grid(c) / step)) for c in range(256)]
    assert away[code] <= min(away) + 1e-15  # rounding of math.log


# size -------------------------------------------------------------------------------------------------------


@given(st.integers(1, 30), st.integers(-900, 900), st.integers(0, 1500), st.integers(0, 2**32))
@example(53, 0, 0, 0)
@settings(max_examples=60, deadline=None)
def test_mixed_radix_takes_the_bytes_of_the_largest_number_and_no_more(neurons, low, spread, seed):
    r = record(neurons=neurons, activations=[0] * neurons)
    levels = np.random.default_rng(seed).integers(low, low + spread + 1, weights(neurons))
    column = np.concatenate([np.arange(3 + n) for n in range(neurons)])
    for kind in (column == 0, (column == 1) | (column == 2), column >= 3):
        if kind.any():  # make all kinds span the same, so that the file has one radix
            levels[np.flatnonzero(kind)[:2]] = [low, low + spread][: kind.sum()]
    r.levels = levels
    radix = int(levels.max() - levels.min()) + 1
    bits = (radix**levels.size - 1).bit_length()
    info = _core.decode_info(_core.encode(r, MIXED_RADIX))
    assert info["payload_bytes"] <= (bits + 7) // 8
    if neurons >= 3:
        assert info["payload_bytes"] == (bits + 7) // 8


@pytest.mark.parametrize("sigma", [0.2, 1, 9.6, 200])
@pytest.mark.parametrize("neurons", [10, 53])
def test_the_range_coder_is_within_a_byte_of_the_ideal_length(neurons, sigma):
    levels = gauss(neurons, sigma)
    a, b = _core.fit_prior(levels)
    ideal = _core.prior_bits(a, b, 32767)[abs(levels)].sum() / 8
    info = _core.decode_info(_core.encode(network(levels, neurons), STATIC))
    if info["header_bytes"] == 10:  # one prior for all kinds: the one asked for
        assert ideal - 1 <= info["payload_bytes"] <= ideal + 1
    else:
        assert 10 + ideal + 1 > info["header_bytes"] + info["payload_bytes"]


@pytest.mark.parametrize(("a", "b"), [(0, 0), (1, 1), (47, 0), (0, 80), (40, 60), (127, 127), (127, 0)])
def test_the_prior_is_a_probability(a, b):
    bits = _core.prior_bits(a, b, 32767)
    p, inside = 2.0**-bits, bits < bits[-1]  # level 32767 is beyond every table
    assert p[0] + 2 * p[inside][1:].sum() + 65535 * p[-1] == pytest.approx(1, abs=1e-9)
    assert (np.diff(bits) >= 0).all() and 1 <= inside.sum() <= 4096


def test_a_prior_without_b_is_laplace_and_one_without_a_is_gauss():
    k = np.arange(60)
    # x and y stand for 1 / (1 + x): the logarithm of that is exact, the integers leave 2^-24 of the peak.
    laplace, normal = _core.prior_bits(45, 0, 59), _core.prior_bits(0, 80, 59)
    np.testing.assert_allclose(laplace - laplace[0], k * np.log2(1 + 2.0 ** (44 / 4 - 14)), atol=1e-3)
    x = np.log2(1 + 2.0 ** (79 / 4 - 27)) * k**2
    np.testing.assert_allclose((normal - normal[0])[x < 10], x[x < 10], atol=1e-3)


@pytest.mark.parametrize("name", ["gauss", "laplace", "uniform", "zeros", "outlier", "wide", "two", "none"])
def test_fit_prior_finds_the_best_of_all_pairs(name):
    rng = np.random.default_rng(3)
    levels = {
        "gauss": rng.normal(0, 9.6, 1537),
        "laplace": rng.laplace(0, 7, 1537),
        "uniform": rng.integers(-31, 32, 1537),
        "zeros": np.zeros(500),
        "outlier": np.append(rng.normal(0, 1, 500), 600),
        "wide": rng.normal(0, 900, 300),
        "two": np.array([3, -3]),
        "none": np.zeros(0),
    }[name]
    k, count = np.unique(abs(np.rint(levels).astype(int)), return_counts=True)
    top = int(k.max()) if k.size else 0

    def length(a, b):
        return float(_core.prior_bits(a, b, top)[k] @ count) if k.size else 0.0

    a, b = _core.fit_prior(np.rint(levels))
    best = min(length(*pair) for pair in itertools.product(range(0, 128), range(0, 128)))
    # The encoder's logarithms are rounded down to 2^-16 bit.
    assert length(a, b) <= best + 2**-15 * max(1, levels.size)


def test_header_checksum_and_parameters_of_the_common_case_take_twelve_bytes():
    r = network(gauss(53))
    sizes = {coder: _core.decode_info(_core.encode(r, coder)) for coder in CODERS}
    assert sizes[STATIC]["header_bytes"] + 2 == 12
    assert sizes[LEARNING]["header_bytes"] + 2 == 13
    for info in sizes.values():
        assert info["header_bytes"] + info["payload_bytes"] + 2 == info["file_bytes"]


def test_learning_pays_where_columns_differ_and_costs_two_bytes_where_they_do_not():
    rng = np.random.default_rng(0)
    column = np.concatenate([np.arange(3 + n) for n in range(53)])
    equal = rng.normal(0, 9.6, column.size)
    different = equal * np.exp(rng.normal(0, 0.5, 56))[column]
    static, learning = (_core.encoded_size(network(np.rint(equal)), c) for c in (STATIC, LEARNING))
    assert learning <= static + 2
    static, learning = (_core.encoded_size(network(np.rint(different)), c) for c in (STATIC, LEARNING))
    assert learning <= static - 20


def test_mixed_activations_take_the_bits_of_their_palette():
    rng = np.random.default_rng(0)
    r = network(gauss(53))
    plain = _core.decode_info(_core.encode(r, STATIC))["header_bytes"]
    r.activations = [*rng.choice([1, 3], 50), 0, 0, 0]
    mixed = _core.decode_info(_core.encode(r, STATIC))["header_bytes"]
    # eight bits of exceptions, six of the palette's size, four of one more activation, 50 digits of radix 2
    assert mixed <= plain + math.ceil((8 + 6 + 4 + 50) / 8)


# damage -----------------------------------------------------------------------------------------------------


def some_files():
    mixed = record(neurons=5, channels=4, octaves=1, activations=[0, 3, 1, 4, 2], levels=gauss(5, 4).repeat(3)[:45])
    return [_core.encode(r, coder) for r in (network(gauss(8), 8), mixed) for coder in CODERS] + [EXAMPLE]


@pytest.mark.parametrize("file", some_files())
def test_every_flipped_bit_is_noticed(file):
    for bit in range(8 * len(file)):
        damaged = bytearray(file)
        damaged[bit // 8] ^= 0x80 >> bit % 8
        refused(bytes(damaged), "byte 0: not a .cppn" if bit < 8 else "checksum is ")


@pytest.mark.parametrize("file", some_files())
def test_every_truncation_and_every_surplus_byte_is_noticed(file):
    for size in range(len(file)):
        refused(file[:size])
    for extra in range(256):
        refused(file + bytes([extra]))
    refused(file + b"\0\0")
    refused(file + file)


@pytest.mark.parametrize("file", some_files())
def test_damage_behind_a_valid_checksum_is_decoded_or_refused(file):
    body = file[:-2]
    for bit in range(8 * len(body)):
        damaged = bytearray(body)
        damaged[bit // 8] ^= 0x80 >> bit % 8
        decoded_or_refused(with_checksum(damaged))
    for size in range(len(body)):
        decoded_or_refused(with_checksum(body[:size]))
    assert decoded_or_refused(with_checksum(body + bytes(1))) is None
    assert decoded_or_refused(with_checksum(body + bytes([7] * 9))) is None


@given(st.binary(max_size=80))
@settings(max_examples=300, deadline=None)
def test_random_bytes_are_decoded_or_refused(tail):
    decoded_or_refused(tail)
    for start in (b"\xc1", b"\xc1\x10", b"\xc1\x12", b"\xc1\x14", b"\xc1\x13", b"\xc1\x15\xfe"):
        decoded_or_refused(with_checksum(start + tail))


def test_refusals_say_where_and_why():
    body = EXAMPLE[:-2]
    refused(b"", "byte 0: the file is empty")
    refused(b"\x89PNG\r\n\x1a\n", "byte 0: not a .cppn file of version 1")
    refused(b"\xc1\x10", "byte 2: file ends before its checksum")
    refused(body + b"\0\0", "byte 17: checksum is 0000, the bytes give ccf8")
    refused(with_checksum(b"\xc1\x70" + body[2:]), "byte 1: kind 7 is not known to this version")
    refused(with_checksum(b"\xc1\x1c" + body[2:]), "byte 1: coder 6 is not known to this version")
    refused(with_checksum(body[:5]), "byte 5: file ends in the middle of the header")
    refused(with_bits(EXAMPLE, 16, "0000001"), "byte 3: 3 channels, but neurons are 2")
    refused(with_bits(EXAMPLE, 75, "1" * 5), "byte 9: the bits after the header are not zero")
    refused(with_bits(EXAMPLE, 66, "1111100000"), "byte 7: levels from 15 to -16")
    refused(with_checksum(body + b"\0"), "byte 10: the levels take 7 bytes, the file has 8")
    refused(with_checksum(body[:-1] + b"\xff"), "byte 16: the number is too large for its radices")
    static = _core.encode(network(gauss(5), 5), STATIC)[:-2]
    refused(with_checksum(static + b"\0"), "a range coder's last byte is never 0")
    refused(with_checksum(static + b"\1" * 9), "bytes after the levels")
    wide = record(width=65535, height=65535)
    at = 25 + 8 + 4  # an exceptions byte, then the sizes in 16 bits
    refused(with_bits(_core.encode(wide, 0), at, "1" * 16), "byte 4: width is 65536")
    refused(with_bits(_core.encode(wide, 0), at + 16, "1" * 16), "byte 4: height is 65536")
    deep = _core.encode(record(levels=[-32767, 0, 0]), 0)
    refused(with_bits(deep, 58, "0" * 16), "byte 6: levels from -32768 to -32767")
    floating = _core.encode(record(steps=[0.3] * 3), 0)
    at = bits_of(floating).index(f"{np.float32(0.3).view(np.uint32):032b}")
    for bad in (0.0, -0.3, math.inf, math.nan):
        pattern = f"{np.float32(bad).view(np.uint32):032b}"
        refused(with_bits(floating, at, pattern), f"byte {at // 8}: a step is not finite and above 0")


def test_an_activation_of_a_later_version_is_refused_by_its_number():
    file = _core.encode(record(neurons=40, channels=3, activations=[0] * 40, levels=[0] * weights(40)), 0)
    sizes_end = 16 + 9 + 4 + 2  # 1x1 pixel: one bit each
    refused(with_bits(file, sizes_end, "1111111"), "byte 3: activation 63 is not known to this version")


def test_what_a_file_cannot_hold_is_refused_by_name():
    for field, value in [
        ("width", 0),
        ("height", 65536),
        ("neurons", 0),
        ("neurons", 129),
        ("channels", 2),
        ("channels", 0),
        ("coords", 4),
        ("octaves", 8),
        ("activations", [0, 0]),
        ("activations", [64]),
        ("steps", [1, 1, 0]),
        ("steps", [1, -1, 1]),
        ("steps", [math.inf, 1, 1]),
        ("steps", [1, 1, math.nan]),
        ("levels", [0, 0]),
        ("levels", [0, 0, 32768]),
        ("levels", [0, -32768, 0]),
    ]:
        with pytest.raises(ValueError, match=f"^{field} must "):
            _core.encode(record(**{field: value}))
    with pytest.raises(ValueError, match=r"^coder must be -1\.\.2, got 3"):
        _core.encode(record(), 3)
    for bad in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match=r"^step must be"):
            _core.nearest_step_code(bad)
    with pytest.raises(ValueError, match=r"^a_code must be"):
        _core.prior_bits(128, 0, 10)


def test_format_error_is_a_value_error_of_the_package():
    assert issubclass(_core.FormatError, ValueError)
    assert f"{_core.FormatError.__module__}.{_core.FormatError.__name__}" == "cppn_native.FormatError"


def test_the_decoder_survives_200000_damaged_files_under_the_sanitizers(tmp_path):
    compiler = shutil.which(os.environ.get("CXX", "c++"))
    if compiler is None:
        pytest.skip("no C++ compiler")
    program = tmp_path / "codec_fuzz"
    flags = ["-std=gnu++17", "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    sources = [*sorted((ROOT / "csrc/codec").glob("*.cpp")), ROOT / "tests/native/codec_fuzz.cpp"]
    probe = tmp_path / "probe.cpp"
    probe.write_text("int main() {}")
    built = subprocess.run([compiler, *flags, probe, "-o", program], capture_output=True, text=True)
    if built.returncode != 0:
        pytest.skip(f"{compiler} has no sanitizers here: {built.stderr.strip()[:200]}")
    subprocess.run([compiler, *flags, "-I", ROOT / "csrc", *sources, "-o", program], check=True)
    # 16 MB: no header may make the decoder ask for more at once.
    options = {"ASAN_OPTIONS": "max_allocation_size_mb=16", "PATH": os.environ.get("PATH", "")}
    ran = subprocess.run([program], capture_output=True, text=True, timeout=200, env=options)
    assert ran.returncode == 0, ran.stderr[-3000:]
    inputs, decoded = map(int, re.fullmatch(r"(\d+) inputs, (\d+) decoded\n", ran.stdout).groups())
    assert inputs > 200000 and inputs // 10 < decoded < inputs // 2
