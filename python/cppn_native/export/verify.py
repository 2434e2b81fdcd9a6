"""An exported program is run, and what it computes compared with the model.

Whatever this machine can run: Python by this interpreter, with and without numpy; C where a compiler is; JavaScript
where Node is. A GPU's shader and a page are left to a browser (``tests/test_export.py`` has one).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ExportError
from ..models.base import Model
from ..models.shapes import Shapes
from .dense import Layered, dense_program, is_layered
from .expression import program

__all__ = ["Verified", "run_and_compare", "shown"]

SECONDS = 30.0
"""What one process may take; a machine too busy for that proves nothing either way."""

TOLERATED = 0.05
"""Share of the bytes of a random picture that may be off by more than one; a wrong program has most of them off."""

Size = tuple[int, int]


class _Unavailable(Exception):
    """Why something cannot be run here."""


@dataclass(frozen=True)
class Verified:
    """What was run.

    ran         names of what ran the program ("python", "python without numpy", "gcc", "node")
    skipped     why something was not run
    difference  the largest between a byte of the program and of the model; -1 if nothing was run
    share       of the bytes that are off by more than one: 0.0 for cascades
    """

    target: str
    ran: tuple[str, ...]
    skipped: tuple[str, ...]
    difference: int
    share: float = 0.0


def run_and_compare(
    model: Model | Layered, target: str, source: str | bytes, size: tuple[int, int] | None = None
) -> Verified:
    """Runs a program made of the model for ``size``; ``ExportError`` if it fails or differs.

    No byte of a cascade may be off by more than one. Of a random picture a share of up to ``TOLERATED`` may: its jumps
    and steep places lie elsewhere by a hair in doubles and in floats.
    """
    runners = RUNNERS.get(target)
    if runners is None:
        return Verified(target, (), (f"a {target} program needs more than is here to run",), -1)
    probe, want = _expected(model, size)
    tolerated = TOLERATED if is_layered(model) else 0.0
    ran, skipped, worst, share = [], [], -1, 0.0
    with tempfile.TemporaryDirectory(prefix="cppn-export-") as folder:
        for run in runners:
            try:
                name, data = run(source, Path(folder), probe)
            except _Unavailable as why:
                skipped.append(str(why))
                continue
            off = _difference(f"{target} by {name}", data, want)
            _judge(f"{target} by {name}", off, tolerated)
            worst, share = max(worst, int(off.max())), max(share, float(np.mean(off > 1)))
            ran.append(name)
    return Verified(target, tuple(ran), tuple(skipped), worst, share)


def _expected(model: Model | Layered, size: Size | None) -> tuple[Size, NDArray[np.int16]]:
    """A size to compare at, and what a program of the model has to show there."""
    if is_layered(model):
        form = dense_program(model, size)
        probe = _probe(form.size, form.cost)
        return probe, form.render(probe)[:, :, list(form.shown)].astype(np.int16)
    if isinstance(model, Shapes):
        probe = _probe(model.size if size is None else size, model.n_params)
        return probe, shown(model, probe).astype(np.int16)
    cascade = program(model)
    probe = _probe(cascade.size, len(cascade.levels))
    return probe, shown(cascade.model, probe).astype(np.int16)


def shown(model: Model, size: Size) -> NDArray[np.uint8]:
    """What a program of the model has to show, (H, W, 3), or (H, W, 4) where it has opacity."""
    pixels: NDArray[np.uint8] = model.render(size)
    return pixels[:, :, [0, 0, 0, 1]] if pixels.shape[2] == 2 else pixels


def _probe(size: Size, cost: int) -> Size:
    """At most 64 x 64, and less for a network that plain Python would take seconds for."""
    side = max(8, min(64, int((4e6 / cost) ** 0.5)))
    return min(side, size[0]), min(side, size[1])


def _difference(what: str, data: bytes, want: NDArray[np.int16]) -> NDArray[np.int16]:
    """Of every byte; an alpha that the model does not have must be opaque."""
    height, width, channels = want.shape
    if len(data) not in (want.size, height * width * 4):
        raise ExportError(f"{what} gave {len(data)} bytes, not {want.size}")
    got = np.frombuffer(data, np.uint8).reshape(height, width, -1)
    if (got[:, :, channels:] != 255).any():
        raise ExportError(f"{what} shows an opaque picture with transparent pixels")
    off: NDArray[np.int16] = np.abs(got[:, :, :channels].astype(np.int16) - want)
    return off


def _judge(what: str, off: NDArray[np.int16], tolerated: float) -> None:
    if np.count_nonzero(off > 1) > tolerated * off.size:
        y, x, c = (int(i) for i in np.unravel_index(off.argmax(), off.shape))
        advice = "; if it is of one that magnifies rounding, verify=False writes it all the same" if tolerated else ""
        raise ExportError(
            f"{what} differs from the model in {np.count_nonzero(off > 1)} of {off.size} bytes by more than 1: by"
            f" {off.max()} at x={x} y={y} channel {c} of {off.shape[2]}, {off.shape[1]} x {off.shape[0]}{advice}"
        )


def _run(command: Sequence[str | Path], folder: Path) -> bytes:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=SECONDS, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise _Unavailable(f"{Path(command[0]).name} took longer than {SECONDS:g} seconds") from None
    except OSError as error:
        raise _Unavailable(f"{Path(command[0]).name} cannot be started ({error.strerror})") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()[-2000:]
        raise ExportError(f"{Path(command[0]).name} of the exported program failed ({done.returncode}): {said}")
    return done.stdout


def _python(text: str, folder: Path, size: Size, *flags: str) -> bytes:
    if not sys.executable:
        raise _Unavailable("no Python interpreter is known")
    (folder / "program.py").write_text(text, encoding="utf-8")
    call = "import sys;sys.path.insert(0,'.');import program;sys.stdout.buffer.write(program.render(*%r))"
    return _run([sys.executable, "-IB", *flags, "-c", call % (size,)], folder)


def _with_numpy(text: str, folder: Path, size: Size) -> tuple[str, bytes]:
    return "python", _python(text, folder, size)


def _without_numpy(text: str, folder: Path, size: Size) -> tuple[str, bytes]:
    return "python without numpy", _python(text, folder, size, "-S")  # -S: no site-packages


def _node(text: str, folder: Path, size: Size) -> tuple[str, bytes]:
    node = shutil.which("node")
    if node is None:
        raise _Unavailable("no Node is installed")
    (folder / "program.mjs").write_text(text, encoding="utf-8")
    call = "import{render}from'./program.mjs';process.stdout.write(render(%d,%d))"
    (folder / "main.mjs").write_text(call % size, encoding="utf-8")
    return "node", _run([node, "main.mjs"], folder)


def _compiler(text: str, folder: Path, size: Size) -> tuple[str, bytes]:
    compiler = next((path for name in ("cc", "gcc", "clang") if (path := shutil.which(name))), None)
    if compiler is None:
        raise _Unavailable("no C compiler is installed")
    (folder / "program.c").write_text(text, encoding="utf-8")
    _run([compiler, "-std=c99", "-O1", "program.c", "-o", "program", "-lm"], folder)
    return Path(compiler).name, body(_run([folder / "program", str(size[0]), str(size[1])], folder))


def body(picture: bytes) -> bytes:
    """The pixels of a PPM or PAM."""
    end = b"ENDHDR\n" if picture.startswith(b"P7") else b"\n"
    return picture.partition(end)[2]


def _onnxruntime(data: bytes, _: Path, size: Size) -> tuple[str, bytes]:
    try:
        import onnxruntime
    except ImportError:
        raise _Unavailable("no onnxruntime is installed") from None
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    sides = {"width": np.array(size[0], np.int64), "height": np.array(size[1], np.int64)}
    picture: NDArray[np.uint8] = session.run(["picture"], sides)[0]
    return "onnxruntime", (picture if picture.shape[2] > 1 else np.repeat(picture, 3, axis=2)).tobytes()


Runner = Callable[[Any, Path, Size], tuple[str, bytes]]

RUNNERS: dict[str, tuple[Runner, ...]] = {
    "py": (_with_numpy, _without_numpy),
    "js": (_node,),
    "c": (_compiler,),
    "onnx": (_onnxruntime,),
}
"""By target, what runs it. Another exporter enters what runs its programs here."""
