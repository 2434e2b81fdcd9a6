"""What every benchmark here needs: the machine, times with their spread, the ceiling, results files."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import cppn_native as cn
import numpy as np
from cppn_native import _core
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "results"
PAINTING = "images/starry_night_386x320.png"
SEED_SCORE = 4695.07
AUTHOR_BEST = 4444.82

SETTLE_SECONDS = 0.03  # OpenMP's workers go on spinning for some milliseconds after the last loop


# -- the machine ------------------------------------------------------------------------------------------


def machine(*packages: str) -> dict[str, Any]:
    """The circumstances of a number; ``packages`` are further distributions whose version matters."""
    return {
        "cpu": _cpu_model(),
        "cores": _core.hardware_threads(),
        "isas": list(_core.isas()),
        "os": _os_name(),
        "python": platform.python_version(),
        "versions": {"cppn_native": cn.__version__} | {name: installed(name) for name in ("numpy", *packages)},
        "commit": _commit(),
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "load_before": load_average(),
        "environment": _environment(),
    }


def installed(package: str) -> str:
    """The version of a distribution, or "not installed"."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def load_average() -> float | None:
    """Processes that wanted a core in the last minute: above zero before a run, others were there."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def _environment() -> dict[str, str]:
    """Variables that change what is measured, where they are set."""
    names = ("CPPN_ISA", "OMP_NUM_THREADS", "OMP_WAIT_POLICY", "MKL_NUM_THREADS", "XLA_FLAGS", "LD_PRELOAD")
    return {name: os.environ[name] for name in names if name in os.environ}


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    stripped = {key.strip(): value.strip() for key, value in fields.items()}
    name = stripped.get("model name", platform.machine())
    family = [f"{key} {stripped[key]}" for key in ("cpu family", "model") if key in stripped]
    return f"{name} ({', '.join(family)})" if family else name


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return f"{platform.system()} {platform.mac_ver()[0]}".strip()


def _commit() -> str | None:
    """Short commit of the tree, with "+changes" if the sources differ from it; None outside a checkout."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(ROOT), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", "csrc", "python", "CMakeLists.txt")
        return git("rev-parse", "--short=12", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def ceiling(backend: _core.Cpu, seconds: float = 0.1) -> float:
    """GFLOP/s of multiply-adds from register to register on the backend's ISA and threads."""
    return float(backend.peak(seconds))


# -- times ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Spread:
    """A quantity measured several times."""

    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(tuple(float(v) for v in values))

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def record(self) -> dict[str, Any]:
        return {
            "median": rounded(self.median),
            "min": rounded(min(self.values)),
            "max": rounded(max(self.values)),
            "n": len(self.values),
        }


def rounded(value: float, digits: int = 4) -> float:
    """To so many significant digits, so that a results file can be read."""
    return float(f"{value:.{digits}g}")


def estimate(work: Callable[[int], Any]) -> float:
    """Seconds of one unit of ``work``, the second time it is done: how many of them make a turn."""
    work(1)
    begin = time.perf_counter()
    work(1)
    return time.perf_counter() - begin


def turn(work: Callable[[int], Any], seconds: float, one: float) -> tuple[float, float]:
    """(wall, processor) milliseconds per unit, over about ``seconds``; ``one`` is the estimate of a unit.

    Processor time counts all threads. On an undisturbed machine it is at most wall time times threads; when
    others run beside, it grows less than wall time does.
    """
    time.sleep(SETTLE_SECONDS)
    if one < 0.1:
        work(1)  # caches and sleeping threads
    count = max(1, round(seconds / one))
    cpu, wall = time.process_time(), time.perf_counter()
    work(count)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return 1e3 * wall / count, 1e3 * cpu / count


def relative(value: float, reference: float) -> float:
    return abs(value - reference) / max(abs(reference), 1e-300)


def relative_norm(value: NDArray[Any], reference: NDArray[Any]) -> float:
    """|value - reference| / |reference|, Euclidean."""
    difference = np.asarray(value, np.float64) - reference
    return float(np.linalg.norm(difference) / max(float(np.linalg.norm(reference)), 1e-300))


# -- files ------------------------------------------------------------------------------------------


def painting() -> Path | None:
    """The real picture, in ``$CPPN_SHARED`` or in ``shared`` beside the checkout; None if it is not there."""
    path = Path(os.environ.get("CPPN_SHARED") or ROOT.parent / "shared") / PAINTING
    return path if path.exists() else None


def write_result(name: str, record: dict[str, Any], folder: Path = RESULTS) -> Path:
    """``folder``/``name``.json, replaced in one move, so that an interrupted run leaves the old one whole."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record, sort_keys=True, indent=1, allow_nan=False) + "\n"
    target = folder / f"{name}.json"
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return target


def read_result(name: str, folder: Path = RESULTS) -> dict[str, Any] | None:
    path = folder / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def results_folder(out: Path | None, partial: bool) -> Path | None:
    """Where to write: ``--out``, else ``bench/results``, or nowhere for a run that measured only a part."""
    return out if out is not None else None if partial else RESULTS


def fixed(spread: dict[str, Any], digits: int) -> list[str]:
    """Median, min and max of ``Spread.record()`` as cells."""
    return [f"{spread[key]:.{digits}f}" for key in ("median", "min", "max")]


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns of text: the first flush left, the others right."""
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]

    def line(row: Sequence[str]) -> str:
        cells = [
            cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        return "  ".join(cells).rstrip()

    return "\n".join([line(header), "  ".join("-" * w for w in widths), *map(line, rows)])
