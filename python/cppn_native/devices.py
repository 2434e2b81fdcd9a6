"""What this machine can compute on."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from . import _core
from .errors import DeviceError

__all__ = [
    "Device",
    "cannot_run",
    "check_device",
    "check_threads",
    "devices",
    "open_backend",
    "open_cpu",
    "open_gpu",
    "usable_gpu",
]


@dataclass(frozen=True)
class Device:
    """A processor: ``why`` says why it cannot be used, in words for its owner, when ``available`` is False.

    name         what ``device=`` takes: "cpu", "cuda:0", ...
    isa          instruction set or architecture: "avx512", "sm_90"
    threads      of a CPU; 0 for a GPU
    description  what its maker calls it, and its size: "NVIDIA H200, 132 multiprocessors"
    """

    name: str
    isa: str = ""
    threads: int = 0
    available: bool = True
    why: str = ""
    description: str = ""


_FORKED = (
    "CUDA does not work in a process that was forked after a GPU had been looked for; start processes with"
    ' multiprocessing\'s "spawn" or "forkserver"'
)
_cuda_owner: int | None = None
"""The process that CUDA was first asked in: the driver's state does not survive a fork."""


def devices() -> list[Device]:
    """Every device, usable or not, the preferred one first: usable GPUs, the CPU, GPUs that cannot be used and why.

    >>> [d.name for d in devices() if d.threads]
    ['cpu']
    """
    cpu = Device("cpu", isa=_isa(), threads=_core.hardware_threads())
    return sorted([*_gpus(), cpu], key=lambda d: 2 if not d.available else int(d.name == "cpu"))


def open_backend(device: str = "auto", threads: int | None = None) -> _core.Backend:
    """A backend for ``device`` ("auto", "cpu", "cuda", "cuda:N") to render on; "auto" is the CPU.

    A render takes milliseconds on a CPU, opening a GPU takes longer, and the pictures are the same to the bit.
    ``threads``, of the CPU, defaults to the processors this process may use. The environment variable ``CPPN_ISA``
    forces an instruction set (see ``_core.isas()``).

    Raises ``ValueError`` for what is no device, ``DeviceError`` for one that cannot run here.
    """
    check_device(device)
    check_threads(threads)
    return open_gpu(device) if device.startswith("cuda") else open_cpu(threads)


def check_device(device: object) -> None:
    """``ValueError`` for what is no name of a device."""
    if not isinstance(device, str) or not re.fullmatch(r"auto|cpu|cuda(:\d{1,4})?", device):
        raise ValueError(f'device must be "auto", "cpu", "cuda" or "cuda:N", got {device!r}')


def check_threads(threads: object) -> None:
    """``ValueError`` for what is no number of threads."""
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or not 1 <= threads <= 1024):
        raise ValueError(f"threads must be an integer from 1 to 1024, got {threads!r}")


def open_cpu(threads: int | None = None) -> _core.Cpu:
    """The CPU with so many threads, all there are for None; ``ValueError`` for a number that is none."""
    check_threads(threads)
    return _core.Cpu(_isa(), min(_core.hardware_threads(), 1024) if threads is None else threads)


def usable_gpu() -> str | None:
    """The name of the first GPU that can be used, if there is one."""
    return next((gpu.name for gpu in _gpus() if gpu.available), None)


def open_gpu(device: str) -> _core.Backend:
    """The GPU called "cuda:N"; "cuda" is the first usable one. ``DeviceError`` says why it cannot run."""
    gpus = _gpus()
    name = (usable_gpu() or gpus[0].name) if device == "cuda" else f"cuda:{int(device[5:])}"
    found = next((gpu for gpu in gpus if gpu.name == name), None)
    if found is None and gpus[0].description:
        raise cannot_run(device, f"the last GPU of this machine is {gpus[-1].name}")
    found = found or gpus[0]
    if not found.available:
        raise cannot_run(device, found.why)
    try:
        return _core.open_cuda(int(found.name[5:]))
    except DeviceError as error:
        raise cannot_run(device, str(error)) from error


def cannot_run(device: str, why: str, verb: str = "cannot run") -> DeviceError:
    """Why, and what to do about it."""
    return DeviceError(f'device="{device}" {verb}: {why.rstrip(".")}; use device="cpu"')


def _gpus() -> list[Device]:
    """At least one; where there is none, it says why."""
    global _cuda_owner
    if _cuda_owner not in (None, os.getpid()):
        return [Device("cuda:0", available=False, why=_FORKED)]
    found = _core.cuda_devices()
    if not all(gpu.why for gpu in found):
        _cuda_owner = os.getpid()
    return [
        Device(f"cuda:{n}", gpu.architecture, available=not gpu.why, why=gpu.why, description=_describe(gpu))
        for n, gpu in enumerate(found)
    ]


def _describe(gpu: _core.CudaDevice) -> str:
    return f"{gpu.name}, {gpu.multiprocessors} multiprocessors" if gpu.name else ""


def _isa() -> str:
    forced = os.environ.get("CPPN_ISA", "")
    if not forced:
        return _core.isas()[0]
    if forced not in _core.isas():
        raise DeviceError(f"CPPN_ISA={forced} cannot run here; this machine has {', '.join(_core.isas())}")
    return forced
