"""Pictures in and out: whatever people call an image becomes float32 pixels, and pixels become a file.

Inside the library a picture is a C-contiguous float32 array (H, W, C) in the scale 0..255. Fractions are
allowed, so 16-bit and float inputs lose nothing. The doors are here, and so are their refusals: every message
begins with the name of the argument it is about.

Colours are sRGB values as stored: ICC profiles are ignored, and alpha is blended in the stored values, which
is what browsers do.
"""

from __future__ import annotations

import errno
import io
import os
import secrets
import stat
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from numbers import Integral
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageOps, UnidentifiedImageError

ImageLike: TypeAlias = "str | os.PathLike[str] | Image.Image | NDArray[Any]"

# suffix -> Pillow's format, its options, and whether it can hold alpha; as lossless as the format allows
FORMATS: dict[str, tuple[str, dict[str, Any], bool]] = {
    ".png": ("PNG", {}, True),
    ".webp": ("WEBP", {"lossless": True, "exact": True}, True),  # exact: keep colour under alpha 0
    ".jpg": ("JPEG", {"quality": 95, "subsampling": 0}, False),
    ".jpeg": ("JPEG", {"quality": 95, "subsampling": 0}, False),
    ".tif": ("TIFF", {"compression": "tiff_adobe_deflate"}, True),
    ".tiff": ("TIFF", {"compression": "tiff_adobe_deflate"}, True),
    ".bmp": ("BMP", {}, False),
}
_PILLOW_LOCK = threading.Lock()


def load_image(
    image: ImageLike,
    *,
    background: str | Sequence[int] = (255, 255, 255),
    max_pixels: int = 64_000_000,
    channels: int | None = None,
    name: str = "image",
) -> NDArray[np.float32]:
    """Pixels of a file, a PIL image or an array, as a new C-contiguous float32 array in the scale 0..255.

    image       path | PIL image (its current frame) | ndarray (H, W), (H, W, 1), (H, W, 2) grey and alpha,
                (H, W, 3) or (H, W, 4); bool, uint8, uint16 (v / 257), float in [0, 1], or any other integers
                that all lie in 0..255. Of an animated file, the first frame. EXIF rotation is applied, ICC
                profiles are ignored. 16-bit grey keeps its precision; Pillow reduces 16-bit colour to 8 bits.
    background  what shows through transparency: (r, g, b) of integers 0..255, or a CSS name or hex string
    max_pixels  the most pixels H * W accepted; a file is measured by its header, before it is decoded
    channels    None or 3: (H, W, 3), alpha blended onto the background. 1: (H, W, 1), the Rec. 601 luma of
                that. 4: (H, W, 4), alpha kept and nothing blended; opaque if the image has no alpha
    name        what error messages call the image

    Raises ValueError for an image or option that cannot be used, TypeError for an image of another type, and
    the plain OSError (FileNotFoundError, IsADirectoryError, ...) for a path that cannot be opened.
    """
    backdrop = _parse_background(background)
    if channels not in (None, 1, 3, 4):
        raise ValueError(f"channels must be None, 1, 3 or 4, got {channels!r}")
    if not isinstance(max_pixels, Integral) or max_pixels < 1:
        raise ValueError(f"max_pixels must be a positive whole number, got {max_pixels!r}")
    if isinstance(image, (str, os.PathLike)):
        pixels = _read_file(image, max_pixels, name)
    elif isinstance(image, Image.Image):
        pixels = _decode(image, max_pixels, name, what=name)
    elif isinstance(image, np.ndarray):
        pixels = image
    else:
        raise TypeError(f"{name} must be a path, a PIL image or an array, got {type(image).__name__}")
    _check_array(pixels, max_pixels, name)
    return _arrange(_to_255(np.asarray(pixels), name), backdrop, channels)


def to_uint8(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Numbers in the scale 0..255, any shape, as uint8: rounded half to even, clipped. ValueError for NaN."""
    rounded = np.rint(image)
    if np.isnan(rounded).any():
        raise ValueError(f"image has {np.isnan(rounded).sum()} NaN values, which no pixel can show")
    return np.asarray(np.clip(rounded, 0, 255).astype(np.uint8))


def save_image(path: str | os.PathLike[str], image: NDArray[np.uint8]) -> None:
    """Write uint8 pixels (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) in the format of the suffix, atomically.

    Lossless, except .jpg (quality 95, no chroma subsampling). Raises ValueError for another suffix, shape or
    dtype and for what the format cannot hold (alpha in .jpg), OSError for what the disk refuses.
    """
    suffix = os.path.splitext(os.fspath(path))[1].lower()
    if suffix not in FORMATS:
        raise ValueError(f"path must end in one of {', '.join(FORMATS)}, got {os.fspath(path)!r}")
    pixels = np.asarray(image)
    if pixels.dtype != np.uint8:
        raise ValueError(f"image must be uint8, got {pixels.dtype}; to_uint8(image) rounds and clips")
    if not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (1, 3, 4))) or pixels.size == 0:
        raise ValueError(f"image must be (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), got {pixels.shape}")
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    form, options, holds_alpha = FORMATS[suffix]
    if pixels.ndim == 3 and pixels.shape[2] == 4 and not holds_alpha:
        raise ValueError(f"image has an alpha channel, which {suffix} cannot hold; drop it or save as .png")
    file = io.BytesIO()
    try:
        Image.fromarray(np.ascontiguousarray(pixels)).save(file, form, **options)
    except Exception as error:  # each encoder has limits of its own: 16383 pixels a side in WebP
        height, width = pixels.shape[:2]
        raise ValueError(f"image of {width} x {height} pixels does not fit in {suffix} ({error})") from error
    write_atomic(path, file.getvalue())


def png_bytes(image: NDArray[np.uint8]) -> bytes:
    """The picture (H, W, 3) as a PNG file."""
    out = io.BytesIO()
    Image.fromarray(image).save(out, format="PNG")
    return out.getvalue()


def write_atomic(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a whole file or nothing: a reader, a crash or a full disk never meets half of it.

    The bytes go to a temporary file in the same folder, reach the disk, then take the place of `path`. A new
    file gets the permissions the umask gives, a replaced one keeps its own; a symbolic link stays a link; a
    device or pipe (/dev/stdout) is written directly. Raises OSError, leaving no temporary file behind.
    """
    shown = os.fspath(path)
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(os.stat(shown).st_mode):  # opening a folder raises, as it should
            with open(shown, "wb") as device:
                device.write(data)
            return
    target = os.path.realpath(shown)
    folder = os.path.dirname(target)
    if not os.path.isdir(folder):
        raise FileNotFoundError(errno.ENOENT, "cannot write, its folder does not exist", shown)
    temporary = os.path.join(folder, f".{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "xb") as file:  # unlike tempfile's 0600, plain open asks the umask
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            os.chmod(temporary, stat.S_IMODE(os.stat(target).st_mode))
        os.replace(temporary, target)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError):  # say the name the caller knows, not the temporary one
            raise OSError(error.errno, error.strerror, shown) from error
        raise


def _parse_background(background: str | Sequence[int]) -> NDArray[np.float32]:
    """(3,) in 0..255."""
    try:
        rgb = ImageColor.getrgb(background) if isinstance(background, str) else tuple(background)
    except (TypeError, ValueError):
        rgb = ()
    whole = all(isinstance(v, Integral) and not isinstance(v, bool) for v in rgb)
    if len(rgb) != 3 or not whole or not all(0 <= v <= 255 for v in rgb):
        raise ValueError(
            "background must be (r, g, b) of integers 0..255 or an opaque colour such as "
            f"'white' or '#336699', got {background!r}"
        )
    return np.array(rgb, np.float32)


def _read_file(path: str | os.PathLike[str], max_pixels: int, name: str) -> NDArray[Any]:
    what = f"{name}: {os.fspath(path)!r}"
    try:
        os.stat(path)
    except ValueError as error:  # a null character, a lone surrogate
        raise ValueError(f"{what} is not a usable path ({error})") from None
    with open(path, "rb") as file:  # opened here, so that the system's own errors stay apart from Pillow's
        # Image.open only reads the header, and _decode judges the size found there in our own words. But an
        # .ico it decodes at once, so there Pillow's check must stand guard.
        icon = file.peek(4)[:4] == b"\0\0\1\0"
        with _pillow(max_pixels if icon else None, what):
            picture = Image.open(file)
        return _decode(picture, max_pixels, name, what)


def _decode(picture: Image.Image, max_pixels: int, name: str, what: str) -> NDArray[Any]:
    _check_size(*picture.size, max_pixels, name)
    form = picture.format
    with _pillow(max_pixels, what):
        picture.load()
    _check_size(*picture.size, max_pixels, name)  # some formats learn their true size only now
    with _pillow(max_pixels, what):
        return _pixels(ImageOps.exif_transpose(picture), form)


def _pixels(picture: Image.Image, form: str | None) -> NDArray[Any]:
    """(H, W) or (H, W, 2 to 4) in a dtype that says its scale; transparency, however stored, as a channel."""
    mode, key = picture.mode, picture.info.get("transparency")
    if mode.startswith("I"):  # convert() would clip at 255 instead of scaling
        values = np.asarray(picture)
        if mode == "I":
            # 32 bits. Pillow reads 16-bit .pgm (and once .png) into them, but also puts 8-bit values there.
            wide = form in ("PNG", "PPM") or values.max() > 255
            if values.min() < 0 or values.max() > 65535:
                raise ValueError(f"mode 'I' with values from {values.min()} to {values.max()}, not 0 to 65535")
            values = values.astype(np.uint16 if wide else np.uint8)
        if not isinstance(key, int):
            return values
        opaque = np.asarray(values != key).astype(values.dtype) * np.iinfo(values.dtype).max
        return np.stack([values, opaque], axis=-1)
    if mode == "F":
        return np.asarray(picture)
    if mode in ("LA", "La"):
        return np.asarray(picture.convert("LA"))
    if mode in ("1", "L") and key is None:
        return np.asarray(picture.convert("L"))
    see_through = key is not None or mode in ("P", "PA", "RGBA", "RGBa")  # convert("RGB") would lose it
    return np.asarray(picture.convert("RGBA" if see_through else "RGB"))


@contextmanager
def _pillow(limit: int | None, what: str) -> Iterator[None]:
    """Pillow under our pixel limit instead of its global one; whatever it raises becomes one ValueError.

    The lock keeps two of our threads from restoring each other's limit.
    """
    with _PILLOW_LOCK, warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        theirs, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, limit
        try:
            yield
        except UnidentifiedImageError:
            raise ValueError(f"{what} is not a picture Pillow can read") from None
        except (Image.DecompressionBombWarning, Image.DecompressionBombError):
            raise ValueError(f"{what} has more pixels than max_pixels={limit}; resize it first") from None
        except Exception as error:  # its decoders raise nearly anything on damaged bytes
            raise ValueError(f"{what} cannot be decoded ({error or type(error).__name__})") from error
        finally:
            Image.MAX_IMAGE_PIXELS = theirs


def _check_size(width: int, height: int, max_pixels: int, name: str) -> None:
    if width < 1 or height < 1:
        raise ValueError(f"{name} is empty: {width} x {height} pixels")
    if width * height > max_pixels:
        raise ValueError(
            f"{name} is {width} x {height} pixels ({width * height / 1e6:.1f} million), "
            f"more than max_pixels={max_pixels}; resize it first"
        )


def _check_array(array: NDArray[Any], max_pixels: int, name: str) -> None:
    shape = array.shape
    if 0 in shape:
        raise ValueError(f"{name} is empty: its shape is {shape}")
    if not (len(shape) == 2 or (len(shape) == 3 and shape[2] <= 4)):
        hint = ""
        if len(shape) == 3 and shape[0] in (1, 3, 4):
            hint = f": looks channels-first; transpose to (H, W, {shape[0]})"
        elif len(shape) == 4:
            hint = ": looks like a batch; pass one picture of it"
        raise ValueError(f"{name} must be (H, W) or (H, W, C) with C = 1, 2, 3 or 4, got {shape}{hint}")
    if np.ma.is_masked(array):
        raise ValueError(f"{name} has masked values; fill them first")
    _check_size(shape[1], shape[0], max_pixels, name)


def _to_255(array: NDArray[Any], name: str) -> NDArray[np.float32]:
    """(H, W) or (H, W, C) of any accepted dtype -> float32 (H, W, C) in 0..255."""
    array = array[:, :, None] if array.ndim == 2 else array
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind == "b":
        return array.astype(np.float32) * np.float32(255)
    if kind == "u" and size == 2:
        return array.astype(np.float32) / np.float32(257)
    if kind not in "uif":
        raise ValueError(f"{name} must be uint8, uint16, bool or float in [0, 1], got dtype {array.dtype}")
    if kind == "f" and not (finite := np.isfinite(array)).all():
        first = tuple(int(i) for i in np.unravel_index(finite.argmin(), array.shape))
        bad = array.size - np.count_nonzero(finite)
        raise ValueError(f"{name} has {bad} NaN or infinite values, the first at (row, column, channel) {first}")
    low, high = array.min(), array.max()
    if kind in "ui":
        if low < 0 or high > 255:
            raise ValueError(f"{name} of dtype {array.dtype} must lie in 0..255, got {low} to {high}")
        return array.astype(np.float32)
    if low < -1e-6 or high > 1 + 1e-6:  # what is closer came from somebody's rounding
        hint = f'; pass {name} / 255 or {name}.astype("uint8")' if low >= 0 and high <= 255 else ""
        raise ValueError(f"{name} of dtype {array.dtype} must lie in [0, 1], got {low:g} to {high:g}{hint}")
    wide = array.astype(np.result_type(array.dtype, np.float32))  # float16 times 255 would lose bits
    return np.asarray((np.clip(wide, 0, 1) * 255).astype(np.float32))


def _arrange(pixels: NDArray[np.float32], backdrop: NDArray[np.float32], channels: int | None) -> NDArray[np.float32]:
    """(H, W, 1 to 4) -> the channels asked for, blended onto the backdrop (3,) unless alpha is to be kept."""
    transparent = pixels.shape[2] in (2, 4)
    colour, alpha = (pixels[:, :, :-1], pixels[:, :, -1:]) if transparent else (pixels, None)
    if colour.shape[2] == 1:
        colour = np.repeat(colour, 3, axis=2)
    if channels == 4:
        opaque = np.full((*colour.shape[:2], 1), 255, np.float32)
        return np.concatenate([colour, opaque if alpha is None else alpha], axis=2)
    if alpha is not None:
        a = alpha / np.float32(255)
        colour = a * colour + (1 - a) * backdrop
    if channels == 1:  # 0.299 r + 0.587 g + 0.114 b, written so that a grey comes out exactly
        r, g, b = colour[:, :, 0:1], colour[:, :, 1:2], colour[:, :, 2:3]
        colour = g + np.float32(0.299) * (r - g) + np.float32(0.114) * (b - g)
    return np.ascontiguousarray(colour)
