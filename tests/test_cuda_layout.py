"""How weights lie in a GPU's memory (csrc/cuda/layout.h): that needs no GPU, and no CUDA to compile."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
COMPILER = shutil.which(os.environ.get("CXX", "c++"))
FLAGS = ["-std=gnu++17", "-O1", "-Wall", "-Wextra", "-Werror", "-D_GLIBCXX_ASSERTIONS"]


def test_every_weight_of_every_network_finds_its_places_in_a_gpus_memory(tmp_path: Path) -> None:
    if COMPILER is None:
        pytest.skip("no C++ compiler")
    program = tmp_path / "cuda_layout"
    sources = ROOT / "tests" / "native" / "cuda_layout.cpp", ROOT / "csrc" / "cuda" / "layout.cpp"
    subprocess.run([COMPILER, *FLAGS, *sources, "-o", program], check=True)
    ran = subprocess.run([program], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout) == (0, "896 networks\n"), ran.stdout
