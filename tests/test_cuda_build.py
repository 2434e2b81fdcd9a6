"""What nvcc says of the kernels: those that pictures are fitted with keep their sums in registers, all of them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

GRADIENT = Path(__file__).parent.parent / "csrc" / "cuda" / "kernels" / "gradient.cu"
COMMON = ("sigmoid", "sine")


@pytest.mark.parametrize("architecture", ["sm_75", "sm_90"])
def test_the_common_gradient_kernels_spill_nothing(architecture, tmp_path):
    if shutil.which("nvcc") is None:
        pytest.skip("no nvcc: the CUDA kernels are not compiled here")
    flags = ["-std=c++17", "-O3", "-ftz=true", f"-arch={architecture}", "-Xptxas=-v"]
    made = subprocess.run(
        ["nvcc", *flags, "-cubin", "-o", tmp_path / "gradient.cubin", GRADIENT],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout
    said = re.findall(
        r"Function properties for (\S+)\n\s+(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes", made.stdout
    )
    spills = {name: numbers for name, *numbers in said}
    for activation in COMMON:
        (kernel,) = (name for name in spills if "gradient_kernel" in name and f"{len(activation)}{activation}" in name)
        assert spills[kernel] == ["0", "0", "0"], made.stdout
