"""The NEON kernels, cross-compiled from the same source and run under emulation, decode to the same bits."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import cppn_native as cn
import pytest

ROOT = Path(__file__).parent.parent
CROSS, EMULATOR = "aarch64-linux-gnu-g++", "qemu-aarch64"
KERNELS = {name: "fast" for name in ("train", "dense", "layers", "mlp", "shapes", "peak")}
KERNELS |= {name: "off" for name in ("render", "convolution", "filter", "shapes_render")}


COMMON = ["-std=gnu++17", "-O2", "-pthread", "-Wno-psabi", "-fno-math-errno", "-fno-trapping-math"]
BACKEND = ("isa", "pool", "backend", "descent", "linalg")


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Of the compiler's own processor, with the contraction that cmake/kernels.cmake gives them."""
    for tool in (CROSS, EMULATOR):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed (Debian: g++-aarch64-linux-gnu, qemu-user)")
    folder, objects = tmp_path_factory.mktemp("kernels"), []
    for kernel, contract in KERNELS.items():
        source = ROOT / "csrc" / "cpu" / "kernels" / f"{kernel}.cpp"
        objects.append(compiled(source, folder, contract))
    return objects + [compiled(ROOT / "csrc" / "cpu" / f"{stem}.cpp", folder, "fast") for stem in BACKEND]


def compiled(source: Path, folder: Path, contract: str) -> Path:
    target = folder / f"{source.parent.name}_{source.stem}.o"
    command = [CROSS, *COMMON, f"-ffp-contract={contract}", "-DCPPN_ISA=baseline", "-c", source, "-o", target]
    subprocess.run(command, check=True)
    return target


def said(folder: Path, probe: str, objects: list[Path], *arguments: Path) -> str:
    """What a probe prints under emulation."""
    program = folder / probe
    source = ROOT / "tests" / "native" / f"{probe}.cpp"
    subprocess.run([CROSS, *COMMON, "-static", source, *objects, "-o", program], check=True)
    command = [EMULATOR, program, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout


def fnv(data: bytes) -> int:
    value = 1469598103934665603
    for byte in data:
        value = ((value ^ byte) * 1099511628211) % 2**64
    return value


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
    target = np.full((3, 65 * 43), 0.5, np.float32)
    return fnv(out.tobytes()), _core.Task(backend, shape, x, y, True, target).loss(weights)


@pytest.mark.timeout(600)
def test_neon_renders_the_bits_that_this_machine_renders(tmp_path: Path, kernels: list[Path]) -> None:
    isa, hexadecimal, loss = said(tmp_path, "render_probe", kernels).split()
    want, want_loss = expected()
    assert isa == "neon"
    assert int(hexadecimal, 16) == want
    assert float(loss) == pytest.approx(want_loss, rel=1e-6)


@pytest.mark.timeout(600)
def test_neon_decodes_waves_to_the_same_bits(tmp_path: Path, kernels: list[Path]) -> None:
    codec = sorted((ROOT / "csrc" / "codec").glob("*.cpp"))
    exact = [*codec, *(ROOT / "csrc" / "cpu" / f"{stem}.cpp" for stem in ("waves", "waves_filter"))]
    example = ROOT / "examples" / "starry_night_waves.cppn"
    objects = [compiled(source, tmp_path, "off") for source in exact]
    shown = cn.load(example).render_float((75, 50))
    assert int(said(tmp_path, "waves_probe", [*kernels, *objects], example), 16) == fnv(shown.tobytes())
