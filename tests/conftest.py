"""What all tests share: every backend of this machine, and the material that came with the project."""

import os
from pathlib import Path

import pytest
from browser import chromium, open_page  # noqa: F401
from cppn_native import _core

ISAS = ("avx512", "avx2", "sse2", "neon")
THREADS = (1, 3)


def every_cpu():
    """Every instruction set the library knows, alone and with three threads; absent ones are skips."""
    here = _core.isas()
    for isa in here:
        for threads in THREADS:
            yield pytest.param((isa, threads), id=f"{isa}-{threads}")
    for isa in ISAS:
        if isa not in here:
            skip = pytest.mark.skip(reason=f"this machine does not run {isa}")
            yield pytest.param((isa, 1), id=isa, marks=skip)


def every_backend():
    """Every CPU, and the first GPU."""
    yield from every_cpu()
    why = _core.cuda_devices()[0].why
    yield pytest.param("cuda", id="cuda", marks=[pytest.mark.skip(reason=why)] if why else [])


@pytest.fixture(scope="session")
def gpu():
    """The first GPU, opened once: that takes longer than most tests."""
    why = _core.cuda_devices()[0].why
    if why:
        pytest.skip(why)
    return _core.open_cuda(0)


@pytest.fixture(params=every_backend())
def backend(request):
    return request.getfixturevalue("gpu") if request.param == "cuda" else _core.Cpu(*request.param)


@pytest.fixture(params=every_cpu())
def cpu(request):
    return _core.Cpu(*request.param)


@pytest.fixture(scope="session")
def shared():
    """The folder named by CPPN_SHARED, or ``shared`` beside the repository."""
    beside = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("CPPN_SHARED", beside))
    if not folder.is_dir():
        pytest.skip(f"no folder {folder}: set CPPN_SHARED to run tests against the original material")
    return folder
