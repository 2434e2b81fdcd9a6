"""The NEON kernels, cross-compiled from the same source and run under emulation, decode to the same bits."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CROSS, EMULATOR = "aarch64-linux-gnu-g++", "qemu-aarch64"
KERNELS = {name: "fast" for name in ("train", "dense", "layers", "mlp", "shapes", "peak")}
KERNELS |= {name: "off" for name in ("render", "convolution", "shapes_render")}


def build(compiler: str, folder: Path) -> Path:
    """The probe for the compiler's own processor; kernels with the contraction that cmake/kernels.cmake gives them."""
    common = [
        compiler,
        "-std=gnu++17",
        "-O2",
        "-pthread",
        "-Wno-psabi",
        "-fno-math-errno",
        "-fno-trapping-math",
    ]
    objects = []
    for kernel, contract in KERNELS.items():
        target = folder / f"{kernel}.o"
        source = ROOT / "csrc" / "cpu" / "kernels" / f"{kernel}.cpp"
        command = [*common, f"-ffp-contract={contract}", "-DCPPN_ISA=baseline", "-c", source, "-o", target]
        subprocess.run(command, check=True)
        objects.append(target)
    sources = [ROOT / "csrc" / "cpu" / f"{stem}.cpp" for stem in ("isa", "pool", "backend", "descent", "linalg")]
    program = folder / "probe"
    probe = ROOT / "tests" / "native" / "render_probe.cpp"
    subprocess.run([*common, "-static", probe, *sources, *objects, "-o", program], check=True)
    return program


def expected() -> tuple[int, float]:
    """The same network through the installed extension."""
    import numpy as np
    from cppn_native import _core

    count = len(_core.activations())
    shape = _core.Shape(13, 3, True, 2, [n % count for n in range(13)])
    random, weights = 1, np.zeros(shape.weights, np.float32)
    for k in range(shape.weights):
        random = (random * 1664525 + 1013904223) % 2**32
        weights[k] = ((random >> 24) - 128) / 256
    x = ((2 * np.arange(65) + 1 - 65) / 64).astype(np.float32)
    y = ((2 * np.arange(43) + 1 - 43) / 64).astype(np.float32)
    backend = _core.Cpu("", 1)
    out = backend.render(shape, weights, x, y, True)
    value = 1469598103934665603
    for byte in out.tobytes():
        value = ((value ^ byte) * 1099511628211) % 2**64
    target = np.full((3, 65 * 43), 0.5, np.float32)
    return value, _core.Task(backend, shape, x, y, True, target).loss(weights)


@pytest.mark.timeout(600)
def test_neon_renders_the_bits_that_this_machine_renders(tmp_path: Path) -> None:
    for tool in (CROSS, EMULATOR):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed (Debian: g++-aarch64-linux-gnu, qemu-user)")
    program = build(CROSS, tmp_path)
    printed = subprocess.run([EMULATOR, program], check=True, capture_output=True, text=True, timeout=300).stdout
    isa, hexadecimal, loss = printed.split()
    want, want_loss = expected()
    assert isa == "neon"
    assert int(hexadecimal, 16) == want
    assert float(loss) == pytest.approx(want_loss, rel=1e-6)
