"""Pictures in and out. Expected pixels are written by hand or computed here from the stored numbers.

Tolerance: ATOL below covers a few float32 roundings of numbers up to 255 (one ulp there is 1.5e-5).
"""

import io
import os
import struct
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from cppn_native import image as image_module
from cppn_native.image import load_image, save_image, to_uint8, write_atomic
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

ATOL = 1e-4
ORIENTATION = 0x0112
RNG = np.random.default_rng(0)


def same(actual, expected, atol=0.0):
    expected = np.asarray(expected)
    assert actual.dtype == np.float32 and actual.flags.c_contiguous and actual.flags.writeable
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=0, atol=atol)


def refused(image, *words, error=ValueError, starts="image", **options):
    """Asserts the refusal, its first word and that it says each of `words`; returns the message."""
    with pytest.raises(error) as caught:
        load_image(image, **options)
    message = str(caught.value)
    assert type(caught.value) is error and message.startswith(starts), message
    for word in words:
        assert word in message, message
    return message


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, bits, colour_type, rows, *extra):
    """A PNG by hand. colour_type: 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    body = [chunk(b"IHDR", header), *extra, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def written(path, data):
    path.write_bytes(data)
    return path


def from_pixels(mode, *pixels):
    """A one-row PIL image."""
    picture = Image.new(mode, (len(pixels), 1))
    for x, value in enumerate(pixels):
        picture.putpixel((x, 0), value)
    return picture


# arrays -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 1), (2, 5), (2, 5, 1)])
def test_a_grey_array_becomes_three_equal_channels(shape):
    grey = RNG.integers(0, 256, shape, np.uint8)
    plane = grey.reshape(*shape[:2], 1).astype(float)
    same(load_image(grey), np.concatenate([plane] * 3, axis=2))


def test_every_uint8_value_comes_through_unchanged_and_goes_back():
    values = np.arange(768, dtype=np.uint16).astype(np.uint8).reshape(16, 16, 3)
    same(load_image(values), values.astype(float))
    np.testing.assert_array_equal(to_uint8(load_image(values)), values)


def test_the_result_never_shares_memory_with_the_input():
    for given_array in (
        np.zeros((2, 2, 3), np.uint8),
        np.zeros((2, 2, 3), np.float32),
        np.zeros((2, 2), bool),
    ):
        result = load_image(given_array)
        result[:] = 7
        assert not given_array.any()


def test_uint16_is_divided_by_257_and_keeps_every_level():
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    result = load_image(values, channels=1)
    same(result, (values[:, :, None] / 257).astype(np.float32))
    assert len(np.unique(result)) == 65536 and result.max() == 255


def test_bool_is_black_and_white():
    same(load_image(np.array([[True, False]]), channels=1), [[[255], [0]]])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_floats_in_0_to_1_are_scaled_by_255(dtype):
    values = np.array([[0, 0.25, 0.5, 1]], dtype)
    same(load_image(values, channels=1), [[[0], [63.75], [127.5], [255]]])


def test_float16_is_scaled_in_more_than_its_own_precision():
    tenth = np.float16(0.1)
    same(load_image(np.array([[tenth]]), channels=1), np.full((1, 1, 1), float(tenth) * 255), ATOL)


def test_uint8_divided_by_255_as_float64_comes_back_exactly():
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    same(load_image(values / 255, channels=1), values[:, :, None].astype(float))


def test_float_overshoot_by_rounding_is_clipped_and_more_is_refused():
    same(load_image(np.array([[-1e-7, 1 + 1e-7]]), channels=1), [[[0], [255]]])
    refused(np.array([[0, 1 + 1e-5]]), "[0, 1]")
    refused(np.array([[-1e-5, 1]]), "[0, 1]")


def test_floats_up_to_255_are_refused_with_the_way_out():
    message = refused(np.array([[0.0, 255.0]]), "0 to 255", "float64")
    assert message.endswith('pass image / 255 or image.astype("uint8")')


def test_signed_floats_are_refused_without_advice_that_would_not_help():
    assert "astype" not in refused(np.array([[-1.0, 1.0]]), "-1 to 1")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_counted_and_located(bad):
    values = np.zeros((4, 5, 3), np.float32)
    values[2, 3, 1] = values[3, 0, 0] = bad
    refused(values, "has 2 NaN or infinite values", "(2, 3, 1)")


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64, np.uint32, np.uint64])
def test_other_integers_are_taken_as_0_to_255(dtype):
    values = np.array([[0, 1, 127]], dtype)
    same(load_image(values, channels=1), [[[0], [1], [127]]])


@pytest.mark.parametrize("values", [[[0, 256]], [[-1, 3]]])
def test_integers_outside_0_to_255_are_refused_with_their_range(values):
    low, high = values[0]
    refused(np.array(values, np.int64), "int64", "0..255", f"{low} to {high}")


def test_big_endian_arrays_mean_the_same_numbers():
    same(load_image(np.array([[257, 65535]], ">u2"), channels=1), [[[1], [255]]])
    same(load_image(np.array([[0.5]], ">f4"), channels=1), [[[127.5]]])
    same(load_image(np.array([[200]], ">i4"), channels=1), [[[200]]])


def test_strided_reversed_and_read_only_views_are_read_as_they_look():
    base = RNG.integers(0, 256, (6, 8, 3), np.uint8)
    for view in (
        base[::2, 1::3],
        base[::-1, ::-1],
        base[:, :, ::-1],
        base.transpose(1, 0, 2),
        np.asfortranarray(base),
    ):
        same(load_image(view), np.array(view.tolist(), float))
    base.flags.writeable = False
    same(load_image(base), base.astype(float))
    same(load_image(np.broadcast_to(np.uint8(9), (2, 3, 3))), np.full((2, 3, 3), 9.0))


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 5, 3), (5, 5, 0), (0,), (0, 0, 0, 0)])
def test_empty_arrays_are_refused(shape):
    refused(np.zeros(shape, np.uint8), "is empty", str(shape))


@pytest.mark.parametrize("shape", [(), (7,), (2, 4, 4, 3), (5, 5, 5), (1, 2, 2, 2, 2)])
def test_wrong_shapes_are_refused_with_the_shape_that_came(shape):
    refused(np.zeros(shape, np.uint8), "(H, W)", f"got {shape}")


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_channels_first_is_recognized(channels):
    refused(
        np.zeros((channels, 64, 64), np.uint8),
        f"got ({channels}, 64, 64)",
        f"looks channels-first; transpose to (H, W, {channels})",
    )


@pytest.mark.parametrize("dtype", [object, complex, "U1", "S1", "M8[s]", [("r", "u1")]])
def test_dtypes_that_are_no_pixels_are_refused(dtype):
    refused(np.zeros((2, 2), dtype), "uint8, uint16, bool or float", str(np.dtype(dtype)))


def test_masked_pixels_are_refused_and_a_mask_that_hides_nothing_is_fine():
    refused(np.ma.masked_equal(np.array([[1, 2]], np.uint8), 2), "masked")
    same(load_image(np.ma.masked_equal(np.array([[1, 2]], np.uint8), 3), channels=1), [[[1], [2]]])


@pytest.mark.parametrize("thing", [[[1, 2]], None, 3, b"x.png", io.BytesIO()])
def test_other_types_are_a_type_error_that_names_them(thing):
    refused(thing, "must be a path, a PIL image or an array, got " + type(thing).__name__, error=TypeError)


def test_messages_use_the_name_the_caller_gives(tmp_path):
    refused([], starts="target must be a path", error=TypeError, name="target")
    refused(np.zeros((0, 1)), starts="target is empty", name="target")
    refused(np.zeros((9, 9), np.uint8), starts="target is 9 x 9", name="target", max_pixels=80)
    refused(np.full((1, 1), 9.0), "pass target / 255", starts="target of dtype", name="target")
    refused(written(tmp_path / "x.txt", b"hello"), starts="target: '", name="target")


# alpha and channels -----------------------------------------------------------------------------------------


def test_alpha_is_blended_onto_white_unless_told_otherwise():
    rgba = np.array([[[10, 20, 30, 255], [10, 20, 30, 0], [10, 20, 30, 51]]], np.uint8)  # 51 = a fifth
    same(load_image(rgba), [[[10, 20, 30], [255, 255, 255], [206, 208, 210]]], ATOL)
    same(load_image(rgba, background=(0, 100, 200)), [[[10, 20, 30], [0, 100, 200], [2, 84, 166]]], ATOL)


def test_blending_is_not_rounded_to_whole_levels():
    same(load_image(np.array([[[0, 0, 0, 100]]], np.uint8)), np.full((1, 1, 3), 255 - 100.0), ATOL)
    same(load_image(np.array([[[1, 1, 1, 1]]], np.uint8)), np.full((1, 1, 3), 255 - 254 / 255), ATOL)


def test_grey_and_alpha_arrays_blend_too():
    same(
        load_image(np.array([[[100, 51], [100, 255]]], np.uint8), background="black"),
        [[[20, 20, 20], [100, 100, 100]]],
        ATOL,
    )
    same(load_image(np.array([[[0.5, 0.5]]]), background=(255, 0, 0)), [[[191.25, 63.75, 63.75]]], ATOL)
    same(
        load_image(np.array([[[65535, 13107]]], np.uint16), background="black"),
        np.full((1, 1, 3), 51.0),
        ATOL,
    )


def test_four_channels_keep_alpha_and_the_colour_beneath_it():
    rgba = RNG.integers(0, 256, (3, 4, 4), np.uint8)
    rgba[0, 0, 3] = 0
    same(load_image(rgba, channels=4, background="red"), rgba.astype(float))
    same(load_image(np.array([[[7, 8]]], np.uint8), channels=4), [[[7, 7, 7, 8]]])


def test_four_channels_of_an_opaque_image_are_opaque():
    same(load_image(np.array([[[1, 2, 3]]], np.uint8), channels=4), [[[1, 2, 3, 255]]])
    same(load_image(Image.new("L", (1, 1), 5), channels=4), [[[5, 5, 5, 255]]])


def test_one_channel_is_rec_601_luma_after_blending():
    primaries = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [10, 20, 30]]], np.uint8)
    same(load_image(primaries, channels=1), [[[76.245], [149.685], [29.07], [18.15]]], ATOL)
    clear = np.zeros((1, 1, 4), np.uint8)
    same(load_image(clear, channels=1, background=(255, 0, 0)), [[[76.245]]], ATOL)


def test_luma_of_grey_is_that_grey_exactly():
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    same(load_image(np.repeat(grey, 3, axis=2), channels=1), grey.astype(float))


@pytest.mark.parametrize("channels", [0, 2, 5, "3"])
def test_other_channel_counts_are_refused(channels):
    refused(np.zeros((1, 1)), "None, 1, 3 or 4", repr(channels), starts="channels", channels=channels)


@pytest.mark.parametrize(
    ("background", "rgb"),
    [
        ("white", (255, 255, 255)),
        ("rebeccapurple", (102, 51, 153)),
        ("#336699", (51, 102, 153)),
        ("#f80", (255, 136, 0)),
        ((1, 2, 3), (1, 2, 3)),
        ([1, 2, 3], (1, 2, 3)),
        (np.array([1, 2, 3], np.uint8), (1, 2, 3)),
    ],
)
def test_backgrounds_may_be_names_hex_or_three_integers(background, rgb):
    same(load_image(np.zeros((1, 1, 4), np.uint8), background=background), [[rgb]])


@pytest.mark.parametrize(
    "background",
    [
        *("nocolour", "", "#ffffff80", "rgb(300,0,0)", "#" + "f" * 1000, 7, None),
        *((1, 2), (1, 2, 3, 4), (0, 0, 256), (-1, 0, 0), (0.5, 0, 0), (True, False, True), ("1", "2", "3")),
    ],
)
def test_other_backgrounds_are_refused_even_when_nothing_is_transparent(background):
    refused(np.zeros((1, 1)), "got " + repr(background), starts="background must be", background=background)


# PIL modes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "value", "rgb"),
    [
        ("1", 1, (255, 255, 255)),
        ("1", 0, (0, 0, 0)),
        ("L", 77, (77, 77, 77)),
        ("LA", (100, 51), (224, 224, 224)),
        ("RGB", (1, 2, 3), (1, 2, 3)),
        ("RGBX", (1, 2, 3, 9), (1, 2, 3)),
        ("RGBA", (10, 20, 30, 51), (206, 208, 210)),
        ("RGBa", (51, 0, 0, 51), (255, 204, 204)),  # premultiplied: red at a fifth
        ("CMYK", (255, 0, 0, 0), (0, 255, 255)),
        ("CMYK", (0, 0, 0, 255), (0, 0, 0)),
        ("CMYK", (0, 0, 0, 0), (255, 255, 255)),
        ("YCbCr", (90, 128, 128), (90, 90, 90)),
        ("HSV", (0, 255, 255), (255, 0, 0)),
        ("I;16", 32896, (128, 128, 128)),
        ("I;16B", 32896, (128, 128, 128)),
        ("I", 65535, (255, 255, 255)),
        ("I", 200, (200, 200, 200)),
        ("F", 0.5, (127.5, 127.5, 127.5)),
    ],
)
def test_each_pil_mode_gives_the_right_colour(mode, value, rgb):
    same(load_image(from_pixels(mode, value)), [[rgb]], ATOL)


def test_lab_is_converted_within_the_rounding_of_its_8_bits():
    lightness, neutral = 137, 128  # L* = 53.7, which is sRGB 128.7
    same(load_image(from_pixels("LAB", (lightness, neutral, neutral))), np.full((1, 1, 3), 128.7), atol=1.5)


def test_premultiplied_grey_is_divided_by_its_alpha():
    same(load_image(from_pixels("LA", (100, 255)).convert("La")), [[[100] * 3]])
    same(load_image(from_pixels("LA", (255, 51)).convert("La"), channels=4), [[[255, 255, 255, 51]]])


def test_a_pil_image_of_32_bit_integers_out_of_range_is_refused():
    refused(from_pixels("I", 70000, 0), "from 0 to 70000")
    refused(from_pixels("I", -1, 0), "from -1 to 0")


def test_a_pil_image_of_floats_follows_the_rule_for_float_arrays():
    refused(from_pixels("F", 200.0), "[0, 1]")
    refused(from_pixels("F", float("nan")), "has 1 NaN")


def test_palette_transparency_survives(tmp_path):
    picture = from_pixels("P", 0, 1, 2)
    picture.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    picture.save(tmp_path / "key.gif", transparency=1)
    picture.save(tmp_path / "levels.png", transparency=bytes([255, 51, 0]))
    same(load_image(tmp_path / "key.gif"), [[[255, 0, 0], [255, 255, 255], [0, 0, 255]]])
    same(load_image(tmp_path / "levels.png"), [[[255, 0, 0], [204, 255, 204], [255, 255, 255]]], ATOL)
    assert load_image(tmp_path / "levels.png", channels=4)[0, :, 3].tolist() == [255, 51, 0]


def test_a_palette_without_transparency_is_looked_up(tmp_path):
    picture = from_pixels("P", 1, 0)
    picture.putpalette([9, 8, 7, 1, 2, 3])
    picture.save(tmp_path / "p.png")
    same(load_image(tmp_path / "p.png"), [[[1, 2, 3], [9, 8, 7]]])


def test_a_palette_of_rgba_colours_is_blended():
    picture = from_pixels("P", 0, 1)
    picture.putpalette([10, 20, 30, 255, 10, 20, 30, 51], "RGBA")
    same(load_image(picture), [[[10, 20, 30], [206, 208, 210]]], ATOL)


def test_a_palette_with_an_alpha_plane_is_blended():
    picture = from_pixels("PA", (1, 255), (1, 0))
    picture.putpalette([0, 0, 0, 10, 20, 30])
    same(load_image(picture, background="black"), [[[10, 20, 30], [0, 0, 0]]])


def test_a_transparent_colour_key_is_honoured_in_rgb_and_grey(tmp_path):
    from_pixels("RGB", (1, 2, 3), (4, 5, 6)).save(tmp_path / "rgb.png", transparency=(1, 2, 3))
    same(load_image(tmp_path / "rgb.png", background="black"), [[[0, 0, 0], [4, 5, 6]]])
    from_pixels("L", 50, 60).save(tmp_path / "l.png", transparency=60)
    same(load_image(tmp_path / "l.png"), [[[50] * 3, [255] * 3]])
    same(load_image(tmp_path / "l.png", channels=4), [[[50, 50, 50, 255], [60, 60, 60, 0]]])
    from_pixels("1", 0, 255).save(tmp_path / "1.png", transparency=0)
    same(load_image(tmp_path / "1.png", background="blue"), [[[0, 0, 255], [255] * 3]])


def test_a_16_bit_grey_colour_key_is_honoured(tmp_path):
    rows = b"\0" + struct.pack(">3H", 0, 32896, 65535)
    path = written(tmp_path / "k.png", png(3, 1, 16, 0, rows, chunk(b"tRNS", struct.pack(">H", 32896))))
    same(load_image(path, channels=4), [[[0, 0, 0, 255], [128, 128, 128, 0], [255, 255, 255, 255]]])
    same(load_image(path, background="red"), [[[0, 0, 0], [255, 0, 0], [255, 255, 255]]])


def test_an_image_the_caller_holds_is_left_as_it_was():
    picture = from_pixels("P", 0, 1)
    picture.putpalette([255, 0, 0, 0, 255, 0])
    picture.info["transparency"] = 0
    picture.getexif()[ORIENTATION] = 6
    before = (picture.mode, picture.size, picture.tobytes(), dict(picture.info))
    load_image(picture)
    assert (picture.mode, picture.size, picture.tobytes(), dict(picture.info)) == before
    assert picture.getexif()[ORIENTATION] == 6


def test_an_empty_or_closed_pil_image_is_refused():
    refused(Image.new("RGB", (0, 3)), "is empty: 0 x 3 pixels")
    closed = Image.new("RGB", (2, 2))
    closed.close()
    refused(closed, "cannot be decoded")


# files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [str, Path])
def test_paths_may_be_strings_or_path_objects(tmp_path, kind):
    rgb = RNG.integers(0, 256, (3, 5, 3), np.uint8)
    Image.fromarray(rgb).save(tmp_path / "é 画.png")
    same(load_image(kind(tmp_path / "é 画.png")), rgb.astype(float))


def test_the_content_decides_the_format_not_the_suffix(tmp_path):
    Image.new("RGB", (2, 1), (1, 2, 3)).save(tmp_path / "x.txt", "BMP")
    same(load_image(tmp_path / "x.txt"), [[[1, 2, 3]] * 2])


def test_a_16_bit_grey_gradient_keeps_more_than_256_levels(tmp_path):
    values = np.arange(4096, dtype=np.uint16).reshape(64, 64) * 16 + 5
    expected = (values[:, :, None] / 257).astype(np.float32)
    Image.fromarray(values).save(tmp_path / "g.png")
    Image.fromarray(values).save(tmp_path / "g.tif")
    written(tmp_path / "g.pgm", b"P5\n64 64\n65535\n" + values.astype(">u2").tobytes())
    for suffix in ("png", "tif", "pgm"):
        same(load_image(tmp_path / f"g.{suffix}", channels=1), expected)
    assert len(np.unique(expected)) == 4096


def test_a_dark_16_bit_pgm_stays_dark(tmp_path):
    path = written(tmp_path / "dark.pgm", b"P5\n2 1\n65535\n" + struct.pack(">2H", 0, 200))
    same(load_image(path, channels=1), [[[0], [np.float32(200 / 257)]]])


def test_16_bit_colour_is_within_one_level(tmp_path):
    rows = b"\0" + struct.pack(">6H", 0, 32896, 65535, 257, 514, 51400)
    path = written(tmp_path / "rgb16.png", png(2, 1, 16, 2, rows))
    same(load_image(path), [[[0, 128, 255], [1, 2, 200]]], atol=1)


def test_a_cmyk_jpeg_is_not_inverted(tmp_path):
    for value, rgb in [
        ((255, 0, 0, 0), (0, 255, 255)),
        ((0, 0, 0, 255), (0, 0, 0)),
        ((0, 0, 0, 0), (255,) * 3),
    ]:
        Image.new("CMYK", (8, 8), value).save(tmp_path / "c.jpg", quality=95)
        data = (tmp_path / "c.jpg").read_bytes()
        assert b"Adobe" in data  # the marker that says: stored inverted
        same(load_image(tmp_path / "c.jpg"), np.broadcast_to(rgb, (8, 8, 3)), atol=2)  # JPEG's own loss


A, B, C, D, E, F = 10, 20, 30, 40, 50, 60
UPRIGHT = {  # how [[A, B, C], [D, E, F]] is to be shown; EXIF 2.3, tag 274: where its first row and column go
    1: [[A, B, C], [D, E, F]],
    2: [[C, B, A], [F, E, D]],
    3: [[F, E, D], [C, B, A]],
    4: [[D, E, F], [A, B, C]],
    5: [[A, D], [B, E], [C, F]],
    6: [[D, A], [E, B], [F, C]],
    7: [[F, C], [E, B], [D, A]],
    8: [[C, F], [B, E], [A, D]],
}


@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_exif_rotation_is_applied(tmp_path, orientation, suffix):
    stored = Image.fromarray(np.array(UPRIGHT[1], np.uint8))
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    stored.save(tmp_path / f"o.{suffix}", exif=exif, lossless=True)
    same(load_image(tmp_path / f"o.{suffix}", channels=1)[:, :, 0], np.array(UPRIGHT[orientation], float))


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_exif_rotation_is_applied_to_16_bit_images(tmp_path, orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    Image.fromarray(np.array(UPRIGHT[1], np.uint16) * 257).save(tmp_path / "o.png", exif=exif)
    same(load_image(tmp_path / "o.png", channels=1)[:, :, 0], np.array(UPRIGHT[orientation], float))


def test_an_unknown_exif_orientation_is_ignored(tmp_path):
    exif = Image.Exif()
    exif[ORIENTATION] = 99
    Image.fromarray(np.array(UPRIGHT[1], np.uint8)).save(tmp_path / "o.png", exif=exif)
    same(load_image(tmp_path / "o.png", channels=1)[:, :, 0], np.array(UPRIGHT[1], float))


@pytest.mark.parametrize("suffix", ["gif", "png", "webp"])
def test_an_animation_gives_its_first_frame(tmp_path, suffix):
    frames = [Image.new("RGB", (2, 1), colour) for colour in ((255, 0, 0), (0, 255, 0))]
    frames[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=frames[1:], lossless=True)
    same(load_image(tmp_path / f"a.{suffix}"), [[[255, 0, 0]] * 2])


def test_a_69_byte_bomb_is_refused_by_its_header_alone(tmp_path, monkeypatch):
    path = written(tmp_path / "bomb.png", png(12000, 12000, 8, 2, b"\0" * 12))
    assert path.stat().st_size < 80
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("decoded"))
    assert refused(path) == (
        "image is 12000 x 12000 pixels (144.0 million), more than max_pixels=64000000; resize it first"
    )


def test_the_cap_counts_pixels_and_includes_its_own_value(tmp_path):
    save_image(tmp_path / "x.png", np.zeros((4, 5), np.uint8))
    for image in (tmp_path / "x.png", Image.new("L", (5, 4)), np.zeros((4, 5, 3), np.uint8)):
        assert load_image(image, max_pixels=20).shape == (4, 5, 3)
        refused(image, "5 x 4 pixels", "max_pixels=19", max_pixels=19)


def test_an_enormous_view_of_little_memory_is_refused_before_it_is_copied():
    refused(np.broadcast_to(np.uint8(0), (10**6, 10**6, 3)), "1000000 x 1000000", "max_pixels")


@pytest.mark.parametrize("cap", [1000, 8_999_999])  # Pillow itself only warns up to twice its limit
def test_an_icon_that_hides_a_larger_picture_is_refused(tmp_path, cap):
    hidden = png(3000, 3000, 8, 2, b"\0" * 12)
    entry = struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(hidden), 22)
    path = written(tmp_path / "x.ico", struct.pack("<HHH", 0, 1, 1) + entry + hidden)
    refused(path, f"more pixels than max_pixels={cap}", max_pixels=cap)


@pytest.mark.parametrize("cap", [0, -1, 1.5, None, "9"])
def test_a_cap_that_is_no_positive_whole_number_is_refused(cap):
    refused(np.zeros((1, 1)), repr(cap), starts="max_pixels must be", max_pixels=cap)


@pytest.mark.parametrize("theirs", [1, 15, None])
def test_pillows_own_limit_neither_warns_nor_matters_nor_changes(tmp_path, monkeypatch, theirs):
    save_image(tmp_path / "x.png", np.zeros((5, 5), np.uint8))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", theirs)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_image(tmp_path / "x.png").shape == (5, 5, 3)
        refused(tmp_path / "x.png", "max_pixels=24", max_pixels=24)
        refused(written(tmp_path / "x.txt", b"no"), "not a picture")
    assert theirs == Image.MAX_IMAGE_PIXELS


def test_many_threads_may_load_at_once(tmp_path):
    save_image(tmp_path / "x.png", np.full((5, 5), 9, np.uint8))
    limit, results = Image.MAX_IMAGE_PIXELS, []
    threads = [
        threading.Thread(target=lambda: results.extend(load_image(tmp_path / "x.png").sum() for _ in range(20)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [9 * 75] * 160 and limit == Image.MAX_IMAGE_PIXELS


def test_a_missing_file_is_the_systems_own_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.png"):
        load_image(tmp_path / "nowhere.png")
    with pytest.raises(FileNotFoundError):
        load_image("")


def test_a_folder_is_the_systems_own_error(tmp_path):
    with pytest.raises((IsADirectoryError, PermissionError)):  # the second on Windows
        load_image(tmp_path)


@pytest.mark.parametrize("path", ["a\0b.png", "\ud800.png"])
def test_a_string_that_cannot_be_a_path_is_refused(path):
    refused(path, "is not a usable path", starts="image: ")


@pytest.mark.parametrize("data", [b"", b"hello", b"\0" * 1000, b"\x89PNG\r\n\x1a\n"])
def test_a_file_that_is_no_picture_is_refused_by_name(tmp_path, monkeypatch, data):
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "x.txt", data)
    assert refused("x.txt") == "image: 'x.txt' is not a picture Pillow can read"


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "webp", "tif", "bmp"])
def test_a_truncated_file_is_refused_by_name(tmp_path, suffix):
    path = tmp_path / f"x.{suffix}"
    Image.fromarray(RNG.integers(0, 256, (64, 64, 3), np.uint8)).save(path)
    data = path.read_bytes()
    written(path, data[: len(data) // 2])
    refused(path, repr(str(path)), starts="image: ")


def whole_files():
    """One small file of each common format, as seeds for damage."""
    for form in ("PNG", "GIF", "JPEG", "BMP", "TIFF", "PPM", "TGA", "WEBP", "ICO", "PCX", "DDS", "QOI"):
        if form in Image.SAVE:
            buffer = io.BytesIO()
            Image.new("RGB", (16, 16), (200, 100, 50)).save(buffer, form)
            yield buffer.getvalue()


Image.init()
SEEDS = list(whole_files())
damaged = st.builds(
    lambda seed, at, bytes_: seed[: at % len(seed)] + bytes_ + seed[at % len(seed) + len(bytes_) :],
    st.sampled_from(SEEDS),
    st.integers(0, 5000),
    st.binary(max_size=8),
)


@pytest.mark.filterwarnings("ignore")  # Pillow warns about odd EXIF and formats; only our own answer counts
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200) | damaged)
@example(data=b"")
def test_arbitrary_bytes_either_load_or_raise_value_error(tmp_path, data):
    path = written(tmp_path / "x.bin", data)
    try:
        result = load_image(path, max_pixels=100_000)
    except ValueError as error:
        assert str(error).startswith("image")
    else:
        assert result.ndim == 3 and result.shape[2] == 3 and result.size > 0
        assert result.min() >= 0 and result.max() <= 255


# writing ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif", ".tiff", ".bmp", ".PNG"])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (3, 5, 1), (3, 5, 3)])
def test_what_is_saved_losslessly_loads_again(tmp_path, suffix, shape):
    pixels = RNG.integers(0, 256, shape, np.uint8)
    save_image(tmp_path / f"x{suffix}", pixels)
    channels = 3 if shape[2:] == (3,) else 1
    same(
        load_image(tmp_path / f"x{suffix}", channels=channels),
        pixels.reshape(*shape[:2], channels).astype(float),
    )


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
def test_alpha_is_saved_with_the_colour_beneath_it(tmp_path, suffix):
    pixels = RNG.integers(0, 256, (3, 5, 4), np.uint8)
    pixels[0, :, 3] = 0
    save_image(tmp_path / f"x{suffix}", pixels)
    same(load_image(tmp_path / f"x{suffix}", channels=4), pixels.astype(float))


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg"])
def test_jpeg_is_close(tmp_path, suffix):
    save_image(tmp_path / f"x{suffix}", np.full((8, 8, 3), (200, 100, 50), np.uint8))
    same(load_image(tmp_path / f"x{suffix}"), np.broadcast_to((200, 100, 50), (8, 8, 3)), atol=3)


def test_the_suffix_decides_the_format(tmp_path):
    first = {".png": b"\x89PNG", ".webp": b"RIFF", ".jpg": b"\xff\xd8\xff", ".tif": b"II*\0", ".bmp": b"BM"}
    for suffix, magic in first.items():
        save_image(tmp_path / f"x{suffix}", np.zeros((2, 2, 3), np.uint8))
        assert (tmp_path / f"x{suffix}").read_bytes().startswith(magic)


def test_a_strided_view_is_saved_as_it_looks(tmp_path):
    base = RNG.integers(0, 256, (6, 8, 3), np.uint8)
    save_image(tmp_path / "x.png", base[::-2, ::3, ::-1])
    same(load_image(tmp_path / "x.png"), base[::-2, ::3, ::-1].astype(float))


@pytest.mark.parametrize("name", ["x", "x.gifv", "x.", ".png"])
def test_an_unknown_suffix_is_refused_with_the_known_ones(tmp_path, name):
    with pytest.raises(ValueError, match=r"^path must end in one of \.png, \.webp, \.jpg, .*, got"):
        save_image(tmp_path / name, np.zeros((1, 1), np.uint8))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shape", [(), (3,), (0, 2), (2, 0, 3), (2, 2, 2), (2, 2, 5), (1, 2, 2, 3)])
def test_a_shape_that_is_no_picture_is_not_saved(tmp_path, shape):
    with pytest.raises(ValueError, match=r"^image must be"):
        save_image(tmp_path / "x.png", np.zeros(shape, np.uint8))


def test_only_uint8_is_saved(tmp_path):
    with pytest.raises(ValueError, match=r"^image must be uint8, got float32; to_uint8"):
        save_image(tmp_path / "x.png", np.zeros((1, 1), np.float32))


@pytest.mark.parametrize("suffix", [".jpg", ".bmp"])
def test_alpha_is_refused_where_it_would_be_lost(tmp_path, suffix):
    with pytest.raises(ValueError, match=r"^image has an alpha channel"):
        save_image(tmp_path / f"x{suffix}", np.zeros((1, 1, 4), np.uint8))


def test_a_picture_too_wide_for_its_format_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"^image of 20000 x 1 pixels does not fit in \.webp"):
        save_image(tmp_path / "x.webp", np.zeros((1, 20000, 3), np.uint8))
    assert not list(tmp_path.iterdir())


def test_write_atomic_writes_and_replaces_and_leaves_nothing_else(tmp_path):
    for data in (b"first", b"", bytes(range(256))):
        write_atomic(tmp_path / "x.bin", data)
        assert (tmp_path / "x.bin").read_bytes() == data
    assert [p.name for p in tmp_path.iterdir()] == ["x.bin"]


def test_write_atomic_takes_a_bare_name_and_the_longest_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_atomic("bare", b"1")
    write_atomic("n" * 255, b"2")
    assert Path("bare").read_bytes() == b"1" and Path("n" * 255).read_bytes() == b"2"


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_file_gets_the_permissions_of_the_umask(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        write_atomic(tmp_path / "x", b"1")
    finally:
        os.umask(before)
    assert (tmp_path / "x").stat().st_mode & 0o777 == mode


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_a_replaced_file_keeps_its_permissions_and_a_link_stays_a_link(tmp_path):
    written(tmp_path / "real", b"old").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    write_atomic(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_bytes() == b"new"
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("broken", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failed_write_keeps_the_old_file_and_removes_its_own(tmp_path, monkeypatch, broken, error):
    path = written(tmp_path / "x", b"old")

    def fail(*_):
        raise error

    monkeypatch.setattr(image_module.os, broken, fail)
    with pytest.raises(type(error)) as caught:
        write_atomic(path, b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["x"] and path.read_bytes() == b"old"
    if isinstance(error, OSError):
        assert caught.value.errno == 28 and caught.value.filename == str(path)


def test_the_bytes_reach_the_disk_before_the_name_does(tmp_path, monkeypatch):
    order = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(image_module.os, name, lambda *a, n=name, f=real: (order.append(n), f(*a))[1])
    write_atomic(tmp_path / "x", b"1")
    assert order == ["fsync", "replace"]


@pytest.mark.parametrize(
    "write", [lambda p: write_atomic(p, b"1"), lambda p: save_image(p, np.zeros((1, 1), np.uint8))]
)
def test_a_missing_folder_is_said_plainly(tmp_path, write):
    with pytest.raises(FileNotFoundError, match=r"its folder does not exist.*x\.png") as caught:
        write(tmp_path / "no" / "x.png")
    assert caught.value.filename == str(tmp_path / "no" / "x.png")


def test_a_folder_is_not_replaced(tmp_path):
    with pytest.raises((IsADirectoryError, PermissionError)):
        write_atomic(tmp_path, b"1")
    assert tmp_path.is_dir()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_written_into_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    got = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    write_atomic(tmp_path / "pipe", b"through")
    reader.join(10)
    assert got == [b"through"] and (tmp_path / "pipe").is_fifo()


# to_uint8 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_to_uint8_rounds_half_to_even_and_clips(dtype):
    values = np.array([-3, -0.5, 0.5, 1.5, 2.5, 2.501, 254.5, 255.4, 1000, np.inf, -np.inf], dtype)
    result = to_uint8(values)
    assert result.dtype == np.uint8
    assert result.tolist() == [0, 0, 0, 2, 2, 3, 254, 255, 255, 255, 0]


def test_to_uint8_keeps_any_shape_and_copies():
    for shape in ((), (0, 3), (2, 3), (2, 3, 4)):
        assert to_uint8(np.zeros(shape)).shape == shape
    values = np.array([0, 255], np.uint8)
    result = to_uint8(values)
    assert result.tolist() == [0, 255] and not np.shares_memory(result, values)
    assert to_uint8(np.array([-1, 300])).tolist() == [0, 255]


def test_to_uint8_refuses_nan():
    with pytest.raises(ValueError, match=r"^image has 2 NaN values"):
        to_uint8(np.array([0, np.nan, np.nan]))
