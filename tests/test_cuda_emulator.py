"""The emulator that runs CUDA kernels on a CPU (tests/native/cuda_emulator) does what its own checks ask of it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "native" / "cuda_emulator"
COMPILER = shutil.which(os.environ.get("CXX", "g++"))
WARNINGS = ["-Wall", "-Wextra", "-Werror"]
BUILDS = {
    "plain": ["-O2"],
    "ucontext": ["-O2", "-DCUDA_EMULATOR_UCONTEXT"],  # the way to switch stacks where there is no assembly for it
    "sanitizers": ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
}
ONLY_FIBERS_DIFFER = "ucontext"

# What the emulator says before it aborts; None: a segmentation fault, as there is nobody left to say anything.
MISTAKES = {
    "write behind shared memory": r"kernel launch 1, .* shared memory is 400 bytes, and byte 400 was written",
    "write behind device memory": r"kernel launch 1: device memory is 101 bytes, and byte 101 was written",
    "write before device memory": r"kernel launch 1: device memory is 101 bytes, and byte -1 was written",
    "write far away": None,
    "some threads return": r"kernel launch 1, \(2,3,1\) blocks of \(64,1,1\), block \(0,0,0\): .*"
    r"thread \(0,0,0\) waits in __syncthreads, and thread \(5,0,0\) has returned",
    "two kinds of barrier": r"thread \(0,0,0\) waits in __syncthreads, and "
    r"thread \(40,0,0\) waits in __syncwarp of mask 0x00000300",
    "half a warp returns": r"thread \(0,0,0\) waits in a shuffle of mask 0xffffffff, "
    r"and thread \(16,0,0\) has returned",
    "two masks": r"waits in __syncwarp of mask 0xffffffff, and "
    r"thread \(16,0,0\) waits in __syncwarp of mask 0xffff8000",
    "not in its own mask": r"thread \(0,0,0\): not in the mask 0xfffffffe",
    "too many threads": r"blocks of 32 x 33 x 1 threads",
    "no blocks": r"0 x 1 x 1 blocks",
    "deep stack": None,
    "host reads device memory": None,
    "misspelt setting": r"CPPN_EMULATED_ORDER is not .*: sideways",
}


def compiled(build: str, folder: Path) -> list[Path]:
    """The objects of a build; ucontext takes those of plain where they are the same."""
    objects = []
    for source in sorted(FOLDER.glob("*.cpp")):
        home = "plain" if build == ONLY_FIBERS_DIFFER and source.stem != "fibers" else build
        target = folder / f"{home}_{source.stem}.o"
        if not target.exists():
            command = [COMPILER, "-std=gnu++17", "-fPIC", "-pthread", *WARNINGS, *BUILDS[home], "-I", FOLDER]
            subprocess.run([*command, "-c", source, "-o", target], check=True)
        objects.append(target)
    return objects


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if COMPILER is None:
        pytest.skip("no g++")
    if not sys.platform.startswith("linux"):
        pytest.skip("the emulator is written for Linux")
    return tmp_path_factory.mktemp("cuda_emulator")


@pytest.fixture(scope="module", params=BUILDS)
def program(request: pytest.FixtureRequest, folder: Path) -> tuple[str, Path]:
    build = request.param
    target = folder / build
    if build == "sanitizers":
        probe = folder / "probe.cpp"
        probe.write_text("int main() {}")
        built = subprocess.run([COMPILER, *BUILDS[build], probe, "-o", target], capture_output=True, text=True)
        if built.returncode != 0:
            pytest.skip(f"{COMPILER} has no sanitizers here: {built.stderr.strip()[:200]}")
    subprocess.run([COMPILER, "-pthread", *BUILDS[build], *compiled(build, folder), "-o", target], check=True)
    return build, target


def run(program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("CPPN_EMULATED_")}
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=100, env=env)


def test_the_emulator_passes_its_own_checks(program: tuple[str, Path]) -> None:
    build, path = program
    ran = run(path)
    assert ran.returncode == 0, ran.stdout + ran.stderr[-3000:]
    printed = re.fullmatch(r"256 blocks of 128 threads, 10 barriers: ([\d.]+) ms\n", ran.stdout)
    assert printed, ran.stdout
    if build == "plain":  # takes 10 ms
        assert float(printed[1]) < 500


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found_out(program: tuple[str, Path], mistake: str) -> None:
    build, path = program
    ran = run(path, mistake)
    said = MISTAKES[mistake]
    if build == "sanitizers" and (said is None or mistake.startswith("write ")):
        assert ran.returncode not in (0, 2)
        assert re.search("AddressSanitizer: (use-after-poison|stack-overflow|SEGV)|null pointer", ran.stderr)
    elif said is None:
        assert ran.returncode == -signal.SIGSEGV
    else:
        assert ran.returncode == -signal.SIGABRT
        assert re.search(f"^cuda emulator: .*{said}", ran.stderr, re.MULTILINE), ran.stderr


def test_it_links_into_a_shared_library(folder: Path) -> None:
    objects = [o for o in compiled("plain", folder) if "selftest" not in o.name]
    flags = ["-shared", "-pthread", "-Wl,-z,defs", "-Wl,-z,text"]
    subprocess.run([COMPILER, *flags, *objects, "-o", folder / "emulator.so"], check=True)
