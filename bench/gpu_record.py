"""The bookkeeping of gpu_check.sh: facts of the machine, stages, what ptxas said, one results file, a summary.

    python bench/gpu_record.py facts FOLDER               writes facts.json; exits 3 without a GPU or without nvcc
    python bench/gpu_record.py stage FOLDER NAME RC SECONDS    adds a stage, whose output is FOLDER/NAME.log
    python bench/gpu_record.py summary FOLDER             prints the summary

Only the standard library: it has to work before anything is built, and when nothing could be.
"""

from __future__ import annotations

import json
import math
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import cuda_report

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"
NO_GPU = 3
QUERY = ("name", "driver_version", "memory.total", "compute_cap", "clocks.max.sm", "power.limit")
SUMMARY_LINES = 60
LOGS_OUT = {  # what is copied to $OUT: few files, for a place that takes only a few
    "build.log": ("build",),
    "parity.log": ("parity",),
    "sanitizer.log": ("memcheck", "racecheck"),
    "bench.log": ("quick", "full"),
    "other.log": ("open", "torch-warm"),
}
LOG_BYTES = 4_000_000


def main(arguments: Sequence[str]) -> int:
    commands = {"facts": (facts, 1), "stage": (stage, 4), "summary": (summary, 1)}
    name, rest = (arguments[0], arguments[1:]) if arguments else ("", ())
    if name not in commands or len(rest) != commands[name][1]:
        print(__doc__, file=sys.stderr)
        return 2
    return int(commands[name][0](Path(rest[0]), *rest[1:]) or 0)


# -- facts ------------------------------------------------------------------------------------------


def facts(folder: Path) -> int:
    gpu = query_gpu()
    if gpu is None:
        print("gpu_check: no NVIDIA GPU: nvidia-smi is missing or lists none", file=sys.stderr)
        return NO_GPU
    nvcc = last_line("nvcc", "--version", pattern=r"release .*")
    if nvcc is None:
        print("gpu_check: no nvcc on PATH: install the CUDA toolkit", file=sys.stderr)
        return NO_GPU
    packages = ("torch", "triton", "numpy", "pybind11", "pytest", "pytest-timeout", "hypothesis")
    record = {
        "machine": {
            "gpu": gpu,
            "nvcc": nvcc,
            "cmake": last_line("cmake", "--version", pattern=r"cmake version .*"),
            "host_compiler": last_line("c++", "--version", pattern=r".*\d+\.\d+.*"),
            "python": platform.python_version(),
            "packages": {name: installed(name) for name in packages},
            "cpu": cpu_model(),
            "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
            "os": platform.platform(),
        },
        "commit": commit(),
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "command": os.environ.get("GPU_CHECK_COMMAND", "bash bench/gpu_check.sh"),
    }
    write_json(folder / "facts.json", record)
    return 0


def query_gpu() -> dict[str, str] | None:
    """The first GPU, as nvidia-smi tells it; an older one that does not know a field is asked for the name alone."""
    for fields in (QUERY, QUERY[:3]):
        lines = output("nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader")
        if lines:
            values = [value.strip() for value in lines.splitlines()[0].split(",")]
            if len(values) == len(fields):
                return dict(zip(fields, values, strict=True))
    return None


def last_line(*command: str, pattern: str) -> str | None:
    found = re.findall(pattern, output(*command))
    return found[0].strip() if found else None


def output(*command: str) -> str:
    """What a command prints, or nothing if it is missing or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def commit() -> str:
    """``CPPN_COMMIT`` if it is set (a copy without .git may still know), else what git says."""
    described = output("git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12")
    return os.environ.get("CPPN_COMMIT") or described.strip() or "unknown"


def cpu_model() -> str:
    try:
        found = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found[1] if found else platform.machine()


# -- stages ------------------------------------------------------------------------------------------


def stage(folder: Path, name: str, rc: str, seconds: str) -> None:
    """``rc`` is an exit status, or a word for a stage that did not run."""
    status = int(rc) if re.fullmatch(r"-?\d+", rc) else rc
    entry = {"name": name, "rc": status, "seconds": float(seconds), "summary": summary_of(folder, name, status)}
    stages = read_json(folder / "stages.json") or []
    write_json(folder / "stages.json", [*(old for old in stages if old["name"] != name), entry])
    publish(folder, assemble(folder))


def summary_of(folder: Path, name: str, rc: int | str) -> str:
    lines = text_of(folder / f"{name}.log").splitlines()
    said = [line.strip(" =") for line in lines if re.search(r"SUMMARY: |^=+ .* in [\d.]+s|^\d+ .* in [\d.]+s", line)]
    ended = {124: "timed out", 137: "timed out"}.get(rc, "") if isinstance(rc, int) else ""
    if not said:
        said = [line.strip() for line in lines if line.strip()][-1:]
    return "; ".join([*([ended] if ended else []), *said])[:300]


def assemble(folder: Path) -> dict[str, Any]:
    """Everything known so far, from the files in ``folder`` alone."""
    record: dict[str, Any] = dict(read_json(folder / "facts.json") or {})
    record["stages"] = read_json(folder / "stages.json") or []
    record["ptxas"] = ptxas(ptxas_text(folder))
    runs = [read_json(folder / f"{name}.json") for name in ("quick", "full")]
    if measured := [run["benchmark"] for run in runs if run]:
        record["benchmark"] = merged(measured)
    return record


def merged(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The last run, with what it did not get to from those before it."""
    sections: dict[str, Any] = {}
    for run in runs:
        for name, section in run["sections"].items():
            if section.get("data") or name not in sections:
                sections[name] = section | {"quick": run["quick"]}
    return runs[-1] | {"sections": sections, "goals": cuda_report.goals(sections)}


def publish(folder: Path, record: dict[str, Any]) -> None:
    """To ``folder`` and $OUT always; to bench/results, which may hold an earlier run, once something was measured."""
    name = f"{slug(record)}.json"
    write_json(folder / name, record)
    if record.get("benchmark", {}).get("sections"):
        write_json(Path(os.environ.get("GPU_CHECK_RESULTS") or RESULTS) / name, record)
    out = Path(os.environ["OUT"]) if os.environ.get("OUT") else None
    if out is None or not out.is_dir():
        return
    shutil.copyfile(folder / name, out / name)
    (out / "summary.txt").write_text("\n".join(summary_lines(record)) + "\n")
    for target, stages in LOGS_OUT.items():
        parts = [text_of(folder / f"{stage}.log") for stage in stages]
        if any(parts):
            (out / target).write_bytes("\n".join(parts).encode()[-LOG_BYTES:])


def slug(record: dict[str, Any]) -> str:
    name = record.get("machine", {}).get("gpu", {}).get("name", "unknown-gpu")
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


# -- ptxas ------------------------------------------------------------------------------------------


def ptxas_text(folder: Path) -> str:
    """What ptxas said in the last build that compiled something: an incremental one may have had nothing to do."""
    kept, log = folder / "ptxas.log", text_of(folder / "build.log")
    if "ptxas info" in log:
        kept.write_text("\n".join(line for line in log.splitlines() if re.search(r"ptxas|bytes stack frame", line)))
    return text_of(kept)


def ptxas(text: str) -> dict[str, dict[str, int | str]]:
    """Registers, shared memory, stack and spills of every kernel in the output of ``ptxas -v``."""
    kernels: dict[str, dict[str, int | str]] = {}
    entry = function = ""
    for line in text.splitlines():
        if found := re.search(r"Compiling entry function '(\S+)' for '(\w+)'", line):
            entry = function = found[1]
            kernels[entry] = {"architecture": found[2]}
        elif found := re.search(r"Function properties for (\S+)", line):
            function = found[1]
        elif found := re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", line):
            names = ("stack", "spill_stores", "spill_loads")
            if function in kernels:  # else a function that was not inlined
                kernels[function] |= dict(zip(names, map(int, found.groups()), strict=True))
        elif entry and (found := re.search(r"Used (\d+) registers", line)):
            shared = re.search(r"(\d+) bytes smem", line)
            kernels[entry] |= {"registers": int(found[1]), "shared": int(shared[1]) if shared else 0}
    return dict(zip(readable(list(kernels)), kernels.values(), strict=True))


def readable(names: list[str]) -> list[str]:
    """Demangled, without parameters; a name that occurs twice keeps its mangled form."""
    if not names:
        return []
    try:
        done = subprocess.run(["c++filt"], input="\n".join(names), capture_output=True, text=True, timeout=30)
        full = done.stdout.splitlines()
    except (OSError, subprocess.TimeoutExpired):
        full = []
    if len(full) != len(names):
        return names
    short = [shortened(name) for name in full]
    return [new if short.count(new) == 1 else old for new, old in zip(short, names, strict=True)]


def shortened(name: str) -> str:
    name = re.sub(r"\(anonymous namespace\)::", "", name)
    name = re.sub(r"\((?:int|bool|unsigned int|long)\)", "", name)  # of template arguments
    return name.split("(")[0].removeprefix("void ")


# -- the summary ------------------------------------------------------------------------------------------


def summary(folder: Path) -> None:
    print("\n".join(summary_lines(assemble(folder))))


def summary_lines(record: dict[str, Any]) -> list[str]:
    gpu = record.get("machine", {}).get("gpu", {})
    lines = [f"{gpu.get('name', 'unknown GPU')}, driver {gpu.get('driver_version')}, commit {record.get('commit')}"]
    for done in record["stages"]:
        lines.append(f"{done['name']:<11}{done['rc']!s:>8}{done['seconds']:>6.0f} s  {done['summary'][:90]}")
    lines += kernel_lines(record["ptxas"])
    if "benchmark" in record:
        lines += ["", *cuda_report.lines(record["benchmark"])]
    if len(lines) > SUMMARY_LINES:
        lines = [*lines[: SUMMARY_LINES - 1], f"... {len(lines) - SUMMARY_LINES + 1} more lines in the results file"]
    return lines


def kernel_lines(kernels: dict[str, dict[str, Any]]) -> list[str]:
    if not kernels:
        return ["ptxas: nothing recorded"]
    most = max(kernels.values(), key=lambda kernel: kernel.get("registers", 0)).get("registers")
    spilling = {name: kernel for name, kernel in kernels.items() if kernel.get("spill_stores")}
    lines = [f"ptxas: {len(kernels)} kernels, at most {most} registers, {len(spilling)} spill"]
    for name, kernel in sorted(spilling.items(), key=lambda item: -item[1]["spill_stores"])[:3]:
        lines.append(f"  spills {kernel['spill_stores']} bytes, {kernel.get('registers')} registers: {name[:80]}")
    return lines


# -- files ------------------------------------------------------------------------------------------


def text_of(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def read_json(path: Path) -> Any:
    """None if it is missing; files are replaced whole, so a broken one is no case to expect."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


def write_json(path: Path, record: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w") as out:
        out.write(json.dumps(finite(record), indent=1, sort_keys=True, allow_nan=False) + "\n")
    os.chmod(temporary, 0o644)
    os.replace(temporary, path)


def finite(value: Any) -> Any:
    """NaN and infinity as words: JSON has none, and a result that went wrong must not cost the others."""
    if isinstance(value, dict):
        return {key: finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [finite(entry) for entry in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
