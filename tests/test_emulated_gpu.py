"""The CUDA kernels without a GPU: built for this processor (CPPN_CUDA=EMULATED), and the tests of the GPU run on them.

The emulator runs every CUDA thread as a fiber and is strict where a GPU is patient; tests/native/cuda_emulator says
how. What it cannot know: how fast the kernels are, and whether they wait where only a GPU's memory makes them wrong.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOOLS = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])

ALL = [f"tests/test_{stem}.py" for stem in ("cascade", "descent", "determinism", "philox", "cuda")]
TOO_SLOW = "ctrl_c"  # a burst of steps, which is what Ctrl-C has to wait for, takes minutes here
QUICK = "sanitizer or neurons or edge or inputs or portions and not stochastic or one_tile and not stochastic or piece"
"""Every kernel with every size: what the order of threads and the room for a block may break."""

RUNS = {
    "everything": (ALL, f"cuda and not {TOO_SLOW}", 650, {}),
    "threads backwards": (["tests/test_cuda.py"], QUICK, 170, {"ORDER": "reverse"}),
    "an sm_80, threads shuffled": (
        ["tests/test_cuda.py"],
        QUICK,
        170,
        {"SHARED": "166912", "CAPABILITY": "8.0", "ORDER": "random:1"},
    ),
    "an sm_75": (["tests/test_cuda.py"], QUICK, 170, {"SHARED": "65536", "CAPABILITY": "7.5"}),
    "an sm_86": (["tests/test_cuda.py"], QUICK, 170, {"SHARED": "101376", "CAPABILITY": "8.6"}),
}
"""Files, which of their tests, how many at least, and settings of the emulator."""


def command(*words: object, timeout: float = 600, **env: str) -> subprocess.CompletedProcess[str]:
    ours = {name: value for name, value in os.environ.items() if not re.match("CPPN_(EMULATED|ISA)", name)}
    return subprocess.run(
        [str(word) for word in words],
        cwd=ROOT, env={**ours, "PATH": TOOLS, **env}, timeout=timeout,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def missing() -> str:
    """What is not here to build it with, or nothing."""
    if not sys.platform.startswith("linux"):
        return "the emulator is written for Linux"
    if shutil.which("cmake", path=TOOLS) is None:
        return "no cmake"
    if shutil.which(os.environ.get("CXX", "c++"), path=TOOLS) is None:
        return "no C++ compiler"
    if importlib.util.find_spec("pybind11") is None:
        return "no pybind11"
    return ""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with cppn_native and its extension, in which the kernels are emulated."""
    if why := missing():
        pytest.skip(f"{why}: pip install 'cppn-native[test]' has what the emulated GPU is built with")
    import pybind11

    build, home = tmp_path_factory.mktemp("build"), tmp_path_factory.mktemp("package")
    settings = {
        "CPPN_CUDA": "EMULATED",
        "CPPN_ISAS": "baseline",
        "CMAKE_BUILD_TYPE": "Debug",  # little time for what is called once; the kernels ask for more themselves
        "CMAKE_CXX_FLAGS_DEBUG": "-O0",
        "Python_EXECUTABLE": sys.executable,
        "pybind11_DIR": pybind11.get_cmake_dir(),
    }
    generator = ["-G", "Ninja"] if shutil.which("ninja", path=TOOLS) else []
    options = [f"-D{name}={value}" for name, value in settings.items()]
    for step in (["-S", ROOT, "-B", build, *generator, *options], ["--build", build, "--parallel", os.cpu_count()]):
        built = command("cmake", *step)
        assert built.returncode == 0, built.stdout[-6000:]
    shutil.copytree(
        ROOT / "python" / "cppn_native", home / "cppn_native", ignore=shutil.ignore_patterns("_core*.so", "__pycache__")
    )
    (extension,) = build.glob("_core*.so")
    shutil.copy(extension, home / "cppn_native")
    return home


def test_the_package_built_for_it_has_an_emulated_gpu(package: Path) -> None:
    asked = "from cppn_native import _core; print(_core.cuda_devices()[0].name, _core.__file__)"
    seen = command(sys.executable, "-c", asked, PYTHONPATH=str(package)).stdout
    assert seen.startswith(f"Emulated device 0 {package}"), seen


@pytest.mark.timeout(900)
@pytest.mark.parametrize("run", RUNS)
def test_the_gpus_tests_pass_on_the_emulated_gpu(package: Path, run: str) -> None:
    files, which, at_least, settings = RUNS[run]
    env = {f"CPPN_EMULATED_{name}": value for name, value in settings.items()}
    options = ["-q", "-p", "no:cacheprovider", "--no-header", "-rfE", "--tb=short", "-k", which]
    ran = command(sys.executable, "-m", "pytest", *options, *files, timeout=850, PYTHONPATH=str(package), **env)
    assert ran.returncode == 0, ran.stdout[-8000:]
    passed = re.search(r"(\d+) passed", ran.stdout)
    assert passed and int(passed[1]) >= at_least, ran.stdout[-2000:]
    print(f"{run}: {ran.stdout.splitlines()[-1]}")
