"""Where a fit runs: the descent on the device that was asked for, everything else on the CPU."""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass

from .. import _core
from ..devices import cannot_run, check_device, open_cpu, open_gpu, usable_gpu
from ..errors import DeviceError

__all__ = ["Machine", "open_machine"]


@dataclass
class Machine:
    """``device`` takes the steps of the descent; it is ``cpu`` itself where no GPU is used."""

    cpu: _core.Cpu
    device: _core.Backend
    name: str = "cpu"
    by_name: bool = False
    """The caller named the device, so that nothing may take its place."""

    @property
    def on_gpu(self) -> bool:
        return self.device is not self.cpu

    def give_up_device(self, error: DeviceError) -> None:
        """Goes on without a device that failed, and says so; raises if it was asked for by name, or is the CPU."""
        if not self.on_gpu:
            raise error
        if self.by_name:
            raise cannot_run(self.name, str(error), "failed") from error
        _warn(self.name, error)
        self.name, self.device = "cpu", self.cpu


def open_machine(device: str = "auto", threads: int | None = None) -> Machine:
    """The first usable GPU for "auto", else the CPU; what is named, for any other ``device``.

    Raises ``ValueError`` for what is no device or number of threads, ``DeviceError`` for a named one that cannot run.
    """
    check_device(device)
    cpu = open_cpu(threads)
    if device.startswith("cuda"):
        return Machine(cpu, open_gpu(device), device, by_name=True)
    gpu = usable_gpu() if device == "auto" else None
    if gpu is not None:
        try:
            return Machine(cpu, open_gpu(gpu), gpu)
        except DeviceError as error:
            _warn(gpu, error.__cause__ or error)
    return Machine(cpu, cpu)


def _warn(name: str, error: BaseException) -> None:
    """Shown where the package was called from, so that Python tells the second time from the first."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("cppn_native"):
        level, frame = level + 1, frame.f_back
    text = str(error).rstrip(".")
    warnings.warn(f"{name} failed: {text}; the CPU goes on", RuntimeWarning, stacklevel=level)
