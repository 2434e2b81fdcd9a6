"""What this machine can compute on."""

from __future__ import annotations

import os
from dataclasses import dataclass

from . import _core
from .errors import DeviceError

__all__ = ["Device", "devices", "open_backend"]


@dataclass(frozen=True)
class Device:
    """A processor: ``why`` says why it cannot be used, in words for its owner, when ``available`` is False."""

    name: str
    isa: str = ""
    threads: int = 0
    available: bool = True
    why: str = ""


_NO_CUDA = "this build of cppn_native has no CUDA kernels"


def devices() -> list[Device]:
    """Every device, usable or not, the preferred one first.

    >>> devices()[0].name
    'cpu'
    """
    return [
        Device("cpu", isa=_isa(), threads=_core.hardware_threads()),
        Device("cuda:0", available=False, why=_NO_CUDA),
    ]


def open_backend(device: str = "auto", threads: int | None = None) -> _core.Cpu:
    """A backend for ``device`` ("auto", "cpu", "cuda", "cuda:N").

    ``threads`` defaults to the processors this process may use. The environment variable ``CPPN_ISA`` forces an
    instruction set (see ``_core.isas()``).

    Raises ``ValueError`` for what is no device, ``DeviceError`` for one that cannot run here.
    """
    if not isinstance(device, str) or device.split(":")[0] not in ("auto", "cpu", "cuda"):
        raise ValueError(f'device must be "auto", "cpu" or "cuda", got {device!r}')
    if device.startswith("cuda"):
        raise DeviceError(f'device="{device}" cannot run: {_NO_CUDA}; use device="cpu"')
    if threads is None:
        threads = min(_core.hardware_threads(), 1024)
    elif isinstance(threads, bool) or not isinstance(threads, int) or not 1 <= threads <= 1024:
        raise ValueError(f"threads must be an integer from 1 to 1024, got {threads!r}")
    return _core.Cpu(_isa(), threads)


def _isa() -> str:
    forced = os.environ.get("CPPN_ISA", "")
    if not forced:
        return _core.isas()[0]
    if forced not in _core.isas():
        raise DeviceError(f"CPPN_ISA={forced} cannot run here; this machine has {', '.join(_core.isas())}")
    return forced
