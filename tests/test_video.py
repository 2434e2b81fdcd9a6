"""Moving pictures are what was given, read back by Pillow, and by PyAV where it is installed."""

import itertools
import sys
import weakref

import cppn_native as cn
import numpy as np
import pytest
from cppn_native.video import MOVING
from PIL import Image

PILLOW = (".gif", ".webp", ".apng", ".png")
RNG = np.random.default_rng(0)


def noise(count, size=(24, 17)):
    """Frames of 8 greys each, which every lossless format holds exactly."""
    return [np.repeat(RNG.integers(0, 8, (size[1], size[0], 1), np.uint8) * 36, 3, axis=2) for _ in range(count)]


def smooth(count, size=(120, 90)):
    """Frames of thousands of colours, drifting."""
    y, x = np.mgrid[0 : size[1], 0 : size[0]] / max(size)
    waves = ([np.sin(6 * x + k / 9 + c) * np.cos(5 * y - c * k / 20) for c in (0, 1, 2)] for k in range(count))
    return [np.rint(127.5 + 127.5 * np.stack(planes, axis=2)).astype(np.uint8) for planes in waves]


def read(path):
    """(frames, milliseconds of each, times it is played or 0 for ever)."""
    with Image.open(path) as picture:
        frames, times = [], []
        for n in range(getattr(picture, "n_frames", 1)):
            picture.seek(n)
            picture.load()
            frames.append(np.asarray(picture.convert("RGB")))
            times.append(picture.info.get("duration"))
        return np.array(frames), times, picture.info.get("loop")


def blurred(pictures):
    """Means of 5 x 5 pixels, about what an eye sees of dots."""
    windows = np.lib.stride_tricks.sliding_window_view(pictures.astype(float), (5, 5), axis=(1, 2))
    return windows[:, ::2, ::2].mean(axis=(-1, -2))


def rms(values):
    return float(np.sqrt((values**2).mean()))


# what is in the file ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", PILLOW)
def test_frames_come_back_as_they_were(tmp_path, suffix):
    given = noise(7)
    path = tmp_path / f"a{suffix}"
    assert cn.write_video(path, iter(given), fps=10, quality=100) == path
    frames, times, loop = read(path)
    np.testing.assert_array_equal(frames, given)
    assert times == [100] * 7 and loop == 0
    assert [p.name for p in tmp_path.iterdir()] == [f"a{suffix}"]


@pytest.mark.parametrize("suffix", PILLOW)
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (31, 2)])
def test_any_size_and_a_single_frame(tmp_path, suffix, size):
    for count in (1, 3):
        path = cn.write_video(tmp_path / f"a{suffix}", noise(count, size), quality=100)
        assert read(path)[0].shape[1:] == (size[1], size[0], 3)


@pytest.mark.parametrize("fps", [24, 23.976, 30, 7.5, 50, 0.1])
@pytest.mark.parametrize("suffix", PILLOW)
def test_frames_appear_when_they_should(tmp_path, suffix, fps):
    times = read(cn.write_video(tmp_path / f"a{suffix}", noise(12), fps))[1]
    unit = 10 if suffix == ".gif" else 1
    np.testing.assert_allclose(np.cumsum(times), 1000 / fps * np.arange(1, 13), rtol=1e-4, atol=unit)


@pytest.mark.parametrize("suffix", PILLOW)
def test_a_picture_that_stands_still_lasts_as_long(tmp_path, suffix):
    frames, times, _ = read(cn.write_video(tmp_path / f"a{suffix}", noise(1) * 5 + noise(1), 20, quality=100))
    assert len(frames) >= 2 and sum(times) == 300


def test_gif_has_the_colours_of_frames_that_have_few(tmp_path):
    given = [RNG.integers(0, 256, (256, 3), np.uint8)[RNG.integers(0, 256, (40, 40))] for _ in range(3)]
    np.testing.assert_array_equal(read(cn.write_video(tmp_path / "a.gif", given))[0], given)


def test_gif_of_many_colours_is_near_and_calm_once_blurred(tmp_path):
    """About half of the error, and of the flicker, of frames that Pillow reduces by itself."""
    given = np.array(smooth(12))
    first, *rest = map(Image.fromarray, given)
    first.save(tmp_path / "pillow.gif", save_all=True, append_images=rest)
    errors = [
        blurred(read(path)[0].astype(float) - given)
        for path in (cn.write_video(tmp_path / "ours.gif", given), tmp_path / "pillow.gif")
    ]
    assert rms(errors[0]) < 0.6 * rms(errors[1])
    assert rms(np.diff(errors[0], axis=0)) < 0.6 * rms(np.diff(errors[1], axis=0))
    assert rms(errors[0]) < 2


def test_quality_of_webp_is_bytes_and_nearness(tmp_path):
    given = np.array(smooth(36)[::6])  # far apart: of frames that differ little, low quality keeps one
    paths = [cn.write_video(tmp_path / f"{quality}.webp", given, quality=quality) for quality in (10, 90, 100)]
    sizes = [path.stat().st_size for path in paths]
    errors = [rms(read(path)[0].astype(float) - given) for path in paths]
    assert sizes == sorted(sizes) and errors == sorted(errors, reverse=True) and errors[1] < 4 and errors[2] == 0


# mp4 --------------------------------------------------------------------------------------------------------


def decoded(path):
    """(frames, seconds at which each appears)."""
    av = pytest.importorskip("av", reason="needs PyAV: pip install 'cppn-native[video]'")
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return np.array([frame.to_ndarray(format="rgb24") for frame in frames]), [frame.time for frame in frames]


@pytest.fixture
def mp4(tmp_path):
    pytest.importorskip("av", reason="needs PyAV: pip install 'cppn-native[video]'")
    return tmp_path / "a.mp4"


@pytest.mark.parametrize("fps", [24, 29.97, 10])
def test_mp4_is_near_what_was_given(mp4, fps):
    given = np.array(smooth(20))
    frames, times = decoded(cn.write_video(mp4, iter(given), fps))
    assert frames.shape == given.shape
    assert rms(frames.astype(float) - given) < 4
    np.testing.assert_allclose(times, np.arange(20) / fps, atol=1e-3)


def test_mp4_keeps_colours(mp4):
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (40, 90, 160)]
    frames, _ = decoded(cn.write_video(mp4, [np.full((32, 32, 3), colour, np.uint8) for colour in colours]))
    assert np.abs(frames[:, 16, 16].astype(int) - colours).max() <= 3


@pytest.mark.parametrize("size", [(1, 1), (31, 16), (16, 31), (33, 33)])
def test_mp4_repeats_an_odd_last_row_or_column(mp4, size):
    given = smooth(3, size)
    frames, _ = decoded(cn.write_video(mp4, given, quality=100))
    width, height = (side + side % 2 for side in size)
    assert frames.shape == (3, height, width, 3)
    even = np.pad(given, ((0, 0), (0, height - size[1]), (0, width - size[0]), (0, 0)), mode="edge")
    assert rms(frames.astype(float) - even) < 8


def test_mp4_holds_no_frames(mp4):
    taken = []

    def frames():
        for _ in range(30):
            frame = np.zeros((16, 16, 3), np.uint8)
            taken.append(weakref.ref(frame))
            yield frame
            assert sum(ref() is not None for ref in taken) < 5

    cn.write_video(mp4, frames())


def test_mp4_of_less_quality_is_smaller(mp4):
    sizes = [cn.write_video(mp4, smooth(8), quality=quality).stat().st_size for quality in (0, 50, 90, 100)]
    assert sizes == sorted(sizes) and sizes[3] > 2 * sizes[0]


def test_mp4_without_the_package_names_the_extra_before_any_frame(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    frames = iter(noise(2))
    with pytest.raises(ImportError, match=r"^writing \.mp4 needs the package av: pip install 'cppn-native\[video\]'$"):
        cn.write_video(tmp_path / "a.mp4", frames)
    assert len(list(frames)) == 2 and not list(tmp_path.iterdir())


# what goes wrong --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", MOVING)
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError("the renderer failed")])
def test_frames_that_fail_halfway_leave_the_old_file(tmp_path, suffix, error):
    if suffix == ".mp4":
        pytest.importorskip("av", reason="needs PyAV: pip install 'cppn-native[video]'")

    def frames():
        yield from noise(3)
        raise error

    (tmp_path / f"a{suffix}").write_bytes(b"old")
    with pytest.raises(type(error) if isinstance(error, Exception) else error):
        cn.write_video(tmp_path / f"a{suffix}", frames())
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"old"]


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        ([], "frames must be at least one, got none"),
        ([np.zeros((2, 2), np.uint8)], r"frames must be \(H, W, 3\) uint8, got \(2, 2\) uint8 at frame 0"),
        ([np.zeros((2, 2, 4), np.uint8)], r"frames must be \(H, W, 3\) uint8, got \(2, 2, 4\)"),
        ([np.zeros((0, 2, 3), np.uint8)], r"frames must be \(H, W, 3\) uint8, got \(0, 2, 3\)"),
        ([np.zeros((2, 2, 3))], r"frames must be \(H, W, 3\) uint8, got \(2, 2, 3\) float64 at frame 0"),
        ([*noise(2), *noise(1, (9, 9))], r"frames must have one shape, got \(17, 24, 3\) and, at frame 2, \(9, 9, 3\)"),
    ],
)
@pytest.mark.parametrize("suffix", PILLOW)
def test_frames_that_are_none_are_refused(tmp_path, suffix, frames, words):
    with pytest.raises(ValueError, match=f"^{words}"):
        cn.write_video(tmp_path / f"a{suffix}", frames)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("a.avi", {}, r"path must end in one of \.gif, \.webp, \.apng, \.png, \.mp4, got "),
        ("a", {}, "path must end in one of"),
        ("a.gif", {"fps": 51}, r"fps must be a number from 0\.1 to 50 in \.gif, got 51"),
        ("a.webp", {"fps": 121}, r"fps must be a number from 0\.1 to 120 in \.webp, got 121"),
        ("a.gif", {"fps": 0}, "fps must be a number"),
        ("a.gif", {"fps": float("nan")}, "fps must be a number"),
        ("a.gif", {"fps": "fast"}, "fps must be a number"),
        ("a.webp", {"quality": 101}, "quality must be an integer from 0 to 100, got 101"),
        ("a.webp", {"quality": 9.5}, "quality must be an integer from 0 to 100"),
    ],
)
def test_arguments_are_refused_before_a_frame_is_taken(tmp_path, name, options, words):
    frames = itertools.repeat(None)
    with pytest.raises(ValueError, match=f"^{words}"):
        cn.write_video(tmp_path / name, frames, **options)


def test_a_frame_too_large_for_the_format_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"^frames of 16384 x 1 pixels do not fit in \.webp: at most 16383 a side"):
        cn.write_video(tmp_path / "a.webp", noise(1, (16384, 1)))


def test_a_missing_folder_is_said_plainly(tmp_path):
    with pytest.raises(FileNotFoundError, match="its folder does not exist"):
        cn.write_video(tmp_path / "no" / "a.gif", noise(2))
