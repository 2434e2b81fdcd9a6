"""Which device a fit runs on, and what happens when it cannot: with an imitation of a GPU, so on every machine."""

from __future__ import annotations

import os
import re
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cppn_native as cn
import numpy as np
import pytest
from cppn_native import _core
from cppn_native.fit.descent import seconds_per_step
from cppn_native.fit.machine import open_machine
from cppn_native.fit.order import check_order
from cppn_native.fit.run import first_state
from cppn_native.fit.state import load_checkpoint
from numpy.typing import NDArray
from test_training import QUICK

PLACES = ("open", "task", "descent", "run 1", "run 3", "state 2")


@pytest.fixture(scope="module")
def picture() -> NDArray[np.uint8]:
    y, x = np.mgrid[0:23, 0:37]
    blob = 120 * np.exp(-((x - 10) ** 2 + (y - 12) ** 2) / 40)
    return np.stack([blob + 3 * x, 5 * y + 60, 200 - blob], axis=2).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def on_cpu(picture: NDArray[np.uint8]) -> cn.Cascade:
    return cn.train(picture, device="cpu", **QUICK)


class Gpus:
    """GPUs that are CPUs in truth. ``fails`` is where the next failure is: "open", "run 3" (its third call), ..."""

    def __init__(self, patch: pytest.MonkeyPatch, *whys: str) -> None:
        self.listed = [
            SimpleNamespace(name=f"Imitation {n}", architecture="sm_90", multiprocessors=7 + n, why=why)
            for n, why in enumerate(whys)
        ]
        self.opened: list[int] = []
        self.tasks: list[Any] = []
        self.calls: dict[str, int] = {}
        self.fails, self.failed = "", False
        self._backends: list[_core.Backend] = []
        patch.setattr(sys.modules["cppn_native.devices"], "_cuda_owner", None)
        patch.setattr(_core, "cuda_devices", lambda: self.listed)
        patch.setattr(_core, "open_cuda", self._open)
        self._task, self._descent = _core.Task, _core.Descent
        patch.setattr(_core, "Task", self._make_task)
        patch.setattr(_core, "Descent", self._make_descent)

    def reach(self, place: str) -> None:
        assert not self.failed, "a GPU that has failed is left alone"
        self.calls[place] = self.calls.get(place, 0) + 1
        if self.fails in (place, f"{place} {self.calls[place]}"):
            self.failed = True
            raise _core.DeviceError(f"imitated failure in {place}.")

    def _open(self, index: int = 0) -> _core.Backend:
        self.reach("open")
        self.opened.append(index)
        self._backends.append(_core.Cpu("", 2))
        return self._backends[-1]

    def _make_task(self, backend: _core.Backend, *rest: Any) -> Any:
        if all(backend is not gpu for gpu in self._backends):
            return self._task(backend, *rest)
        self.reach("task")
        self.tasks.append(self._task(backend, *rest))
        return self.tasks[-1]

    def _make_descent(self, task: Any, *rest: Any) -> Any:
        loop = self._descent(task, *rest)
        if all(task is not mine for mine in self.tasks):
            return loop
        self.reach("descent")
        return SimpleNamespace(
            run=lambda count: (self.reach("run"), loop.run(count))[1],
            state=lambda n=0: (self.reach("state"), loop.state(n))[1],
        )


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> Gpus:
    return Gpus(monkeypatch, "")


def same(a: cn.Cascade, b: cn.Cascade) -> bool:
    return bool(np.array_equal(a.levels, b.levels)) and a.steps == b.steps


def train_and_count(*arguments: Any, **options: Any) -> tuple[cn.Cascade, list[str]]:
    """The model, and the text of every warning."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = cn.train(*arguments, **options)
    assert all(warning.category is RuntimeWarning and warning.filename == __file__ for warning in caught)
    return model, [str(warning.message) for warning in caught]


# -- what there is -------------------------------------------------------------------------------------------


def test_every_device_is_listed_and_one_that_cannot_be_used_says_why() -> None:
    found = cn.devices()
    cpu = next(d for d in found if d.name == "cpu")
    assert cpu.available and cpu.threads >= 1 and cpu.isa in _core.isas()
    assert [d.name for d in found if d.name != "cpu"] == [f"cuda:{n}" for n in range(len(found) - 1)]
    assert all(d.available != bool(d.why) for d in found) and len(found) > 1


def test_usable_gpus_come_first_and_unusable_ones_last(monkeypatch: pytest.MonkeyPatch) -> None:
    Gpus(monkeypatch, "too old", "")
    found = cn.devices()
    assert [d.name for d in found] == ["cuda:1", "cpu", "cuda:0"]
    assert found[0] == cn.Device("cuda:1", "sm_90", 0, True, "", "Imitation 1, 8 multiprocessors")
    assert not found[2].available and found[2].why == "too old"


# -- which one is taken --------------------------------------------------------------------------------------


def test_auto_descends_on_the_gpu_and_rounds_on_the_cpu(
    picture: NDArray[np.uint8], on_cpu: cn.Cascade, gpus: Gpus, capsys: pytest.CaptureFixture[str]
) -> None:
    model, warned = train_and_count(picture, **{**QUICK, "progress": True})
    assert same(model, on_cpu) and not warned
    assert gpus.opened == [0] and len(gpus.tasks) == 1 and gpus.calls["run"] > 2
    assert "60 steps on cuda:0; Ctrl-C" in capsys.readouterr().err


def test_auto_without_a_usable_gpu_is_the_cpu_without_a_word(
    picture: NDArray[np.uint8], on_cpu: cn.Cascade, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpus = Gpus(monkeypatch, "driver too old")
    model, warned = train_and_count(picture, **QUICK)
    assert same(model, on_cpu) and not warned and not gpus.opened


@pytest.mark.parametrize(("name", "index"), [("auto", 1), ("cuda", 1), ("cuda:1", 1), ("cuda:2", 2), ("cpu", None)])
def test_a_device_is_opened_by_its_name(
    picture: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch, name: str, index: int | None
) -> None:
    gpus = Gpus(monkeypatch, "busy", "", "")
    cn.train(picture, device=name, **QUICK)
    assert gpus.opened == ([] if index is None else [index])


def test_a_named_device_that_cannot_run_says_why_and_what_to_do(
    picture: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    Gpus(monkeypatch, "the driver is older than CUDA 11.8.")
    for name in ("cuda", "cuda:0"):
        want = f'device="{name}" cannot run: the driver is older than CUDA 11.8; use device="cpu"'
        with pytest.raises(cn.DeviceError, match=re.escape(want)):
            cn.train(picture, device=name, **QUICK)
    with pytest.raises(cn.DeviceError, match=r'"cuda:3" cannot run: the last GPU of this machine is cuda:0; use'):
        cn.train(picture, device="cuda:3", **QUICK)


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "cuda:-1", "cpu:0", "", None, 0])
def test_what_is_no_device_is_refused(picture: NDArray[np.uint8], gpus: Gpus, name: Any) -> None:
    for use in (cn.train, lambda image, device, **_: cn.train_many([image], device=device)):
        with pytest.raises(ValueError, match=r'device must be "auto", "cpu", "cuda" or "cuda:N", got'):
            use(picture, device=name, **QUICK)


# -- when it fails -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
def test_auto_goes_on_on_the_cpu_with_one_warning(
    picture: NDArray[np.uint8], on_cpu: cn.Cascade, gpus: Gpus, place: str
) -> None:
    gpus.fails = place
    model, warned = train_and_count(picture, **QUICK)
    assert same(model, on_cpu), "not a step is lost or taken twice"
    assert warned == [f"cuda:0 failed: imitated failure in {place.split()[0]}; the CPU goes on"]


def test_no_more_than_one_unit_is_taken_again(picture: NDArray[np.uint8], gpus: Gpus) -> None:
    gpus.fails = "run 4"
    seen: list[int] = []
    train_and_count(picture, callback=lambda p: p.stage == "descend" and seen.append(p.step), **QUICK)
    assert seen == sorted(set(seen)) and seen[:3] == [1, 3, 7]


@pytest.mark.parametrize("place", PLACES)
def test_a_named_device_that_fails_raises(picture: NDArray[np.uint8], gpus: Gpus, place: str) -> None:
    gpus.fails = place
    with pytest.raises(cn.DeviceError, match=rf'device="cuda" .*{place.split()[0]}; use device="cpu"'):
        cn.train(picture, device="cuda", **QUICK)


def test_a_named_device_that_fails_leaves_a_checkpoint_that_the_cpu_continues(
    picture: NDArray[np.uint8], on_cpu: cn.Cascade, gpus: Gpus, tmp_path: Path
) -> None:
    gpus.fails = "run 4"
    with pytest.raises(cn.DeviceError):
        cn.train(picture, device="cuda", checkpoint=tmp_path / "c.npz", **QUICK)
    assert load_checkpoint(tmp_path / "c.npz").step == 7
    assert same(cn.train(picture, device="cpu", checkpoint=tmp_path / "c.npz", **QUICK), on_cpu)


@pytest.mark.parametrize("place", ["task", "run 2", "run 4"])
def test_a_gpu_that_fails_while_it_is_timed_is_replaced_too(picture: NDArray[np.uint8], gpus: Gpus, place: str) -> None:
    gpus.fails = place
    model, warned = train_and_count(picture, **{**QUICK, "steps": None, "minutes": 0.01})
    assert len(warned) == 1 and model.nbytes <= 120
    assert len(gpus.opened) == 1


def test_the_time_that_a_gpu_took_to_fail_is_not_the_cpus(
    picture: NDArray[np.uint8], gpus: Gpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a clock that counts steps."""
    gpus.fails, clock, real = "run 3", [0.0], _core.Descent

    def descent(*given: Any) -> Any:
        loop = real(*given)

        def run(count: int) -> None:
            clock[0] += 1000.0
            loop.run(count)
            clock[0] += count - 1000.0

        return SimpleNamespace(run=run, state=loop.state)

    monkeypatch.setattr(_core, "Descent", descent)
    monkeypatch.setattr("cppn_native.fit.descent.time", SimpleNamespace(perf_counter=lambda: clock[0]))
    order = check_order("cascade", 120, None, 1.0, 0, None, "white", None, {"neurons": 9})
    read = order.picture(picture)
    state = first_state(order.config, order.plan, read)
    with pytest.warns(RuntimeWarning, match="cuda:0 failed"):
        assert seconds_per_step(read, open_machine("auto"), [state], 8.0) == 1.0
    assert state.step == 0


def test_steps_are_counted_out_by_the_device_that_takes_them(picture: NDArray[np.uint8], gpus: Gpus) -> None:
    seen: list[cn.Progress] = []
    cn.train(picture, callback=seen.append, **{**QUICK, "steps": None, "minutes": 0.01})
    assert gpus.calls["descent"] == 2, "once to be timed, once in earnest"
    assert seen[0].steps > 1


# -- rendering and rounding ----------------------------------------------------------------------------------


def test_rendering_opens_a_gpu_only_if_it_is_named(on_cpu: cn.Cascade, gpus: Gpus) -> None:
    points = np.array([[0.1, -0.3], [0.7, 0.2]])
    renders = (
        lambda **where: on_cpu.render(**where),
        lambda **where: on_cpu.render(supersample=2, **where),
        lambda **where: on_cpu.activations(**where),
        lambda **where: on_cpu(points, **where),
    )
    for n, render in enumerate(renders):
        auto = render()
        assert len(gpus.opened) == n
        assert np.array_equal(render(device="cuda"), auto) and len(gpus.opened) == n + 1
    gpus.fails = "open"
    with pytest.raises(cn.DeviceError, match='device="cuda:0" cannot run: imitated failure in open; use'):
        on_cpu.render(device="cuda:0")


def test_quantizing_against_a_picture_opens_no_gpu(picture: NDArray[np.uint8], gpus: Gpus) -> None:
    floats = cn.train(picture, device="cpu", **{**QUICK, "max_bytes": None})
    floats.quantize(max_bytes=100, image=picture, **{key: QUICK[key] for key in ("rounds", "polish", "sample")})
    assert not gpus.opened


def test_a_process_forked_after_cuda_was_asked_is_told_so(
    picture: NDArray[np.uint8], on_cpu: cn.Cascade, gpus: Gpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    cn.devices()
    child = os.getpid() + 1
    monkeypatch.setattr(os, "getpid", lambda: child)
    monkeypatch.setattr(_core, "cuda_devices", lambda: pytest.fail("CUDA was asked"))
    with pytest.raises(cn.DeviceError, match="CUDA does not work in a process that was forked"):
        cn.train(picture, device="cuda", **QUICK)
    assert [d.name for d in cn.devices()] == ["cpu", "cuda:0"]
    model, warned = train_and_count(picture, **QUICK)
    assert same(model, on_cpu) and not warned
