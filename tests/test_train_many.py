"""``cn.train_many``: the models of ``train``, whatever is fitted beside them, in batches, threads and executors."""

from __future__ import annotations

import os
import signal
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cppn_native as cn
import numpy as np
import pytest
from cppn_native import _core
from cppn_native.fit.rounding import Rounder
from cppn_native.fit.run import Run
from cppn_native.image import save_image
from numpy.typing import NDArray

Images = list[NDArray[np.uint8]]
QUICK: dict[str, Any] = {
    "steps": 60,
    "rounds": 3,
    "polish": 2,
    "sample": 300,
    "neurons": 7,
    "max_bytes": 100,
    "device": "cpu",
    "progress": False,
}
WILD: dict[str, Any] = {
    "activation": "identity", "output_activation": "identity", "rate": 1e30, "limit": 1e30, "spread": 1e20,
}  # fmt: skip


def picture(seed: int, height: int = 14, width: int = 19) -> NDArray[np.uint8]:
    y, x = np.mgrid[0:height, 0:width]
    a, b, c = np.random.default_rng(seed).uniform(2, 12, 3)
    return np.stack([a * x + b * y, c * y + 40, 200 - a * x], axis=2).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def images() -> Images:
    """Two sizes, mixed."""
    return [picture(0), picture(1, 9, 11), picture(2), picture(3, 9, 11), picture(4)]


def same(a: cn.Cascade, b: cn.Cascade) -> bool:
    return bool(np.array_equal(a.levels, b.levels)) and a.steps == b.steps and a.size == b.size


def all_same(many: list[cn.Cascade], one_by_one: list[cn.Cascade]) -> bool:
    return len(many) == len(one_by_one) and all(map(same, many, one_by_one))


# -- the same models -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"seed": 5, "threads": 3},
        {"method": "stochastic", "quantize_rate": 0.05},
        {"max_bytes": None},
        {"channels": 1, "steps": 0},
        {"fit_pixels": 60},
    ],
    ids=str,
)
def test_each_model_is_the_one_that_train_finds(images: Images, options: dict[str, Any]) -> None:
    options = {**QUICK, **options}
    many = cn.train_many(images, **options)
    assert all_same(many, [cn.train(image, **options) for image in images])
    assert {model.stopped for model in many} == {"finished"}
    assert not same(many[0], many[2])


def test_weights_to_begin_with_are_every_pictures(images: Images) -> None:
    init = cn.train(images[0], **{**QUICK, "max_bytes": None})
    options = {key: value for key, value in QUICK.items() if key != "neurons"}
    many = cn.train_many(images, init=init, **options)
    assert all_same(many, [cn.train(image, init=init, **options) for image in images])


def test_threads_are_no_part_of_a_result(images: Images) -> None:
    one, *others = (cn.train_many(images, threads=threads, **QUICK) for threads in (1, 3))
    assert all(all_same(one, other) for other in others)


def test_one_picture_is_a_list_of_one_and_none_of_none(images: Images) -> None:
    assert all_same(cn.train_many(images[:1], **QUICK), [cn.train(images[0], **QUICK)])
    assert cn.train_many([], **QUICK) == []
    with ThreadPoolExecutor(1) as executor:
        assert cn.train_many([], executor=executor, **QUICK) == []


def test_pictures_come_as_paths_pil_images_arrays_or_from_a_generator(images: Images, tmp_path: Path) -> None:
    from PIL import Image

    save_image(tmp_path / "a.png", images[0])
    stack = np.stack([images[0], images[2]])
    want = cn.train_many([images[0], images[2]], **QUICK)
    assert all_same(cn.train_many([tmp_path / "a.png", Image.fromarray(images[2])], **QUICK), want)
    assert all_same(cn.train_many(stack, **QUICK), want)
    assert all_same(cn.train_many((image for image in stack), **QUICK), want)


def test_pictures_of_one_size_descend_in_one_native_loop(images: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []
    real = _core.Descent
    monkeypatch.setattr(_core, "Descent", lambda *given: begun.append(len(given[4])) or real(*given))
    cn.train_many(images, **QUICK)
    assert begun == [3, 2]


# -- the clock, the callback, Ctrl-C -------------------------------------------------------------------------


def test_minutes_are_for_all_together(images: Images) -> None:
    begin = time.monotonic()
    models = cn.train_many(images, **{**QUICK, "steps": None, "minutes": 0.03})
    assert time.monotonic() - begin < 30  # 1.8 s were asked for; five times that, or a hang, is what this catches
    assert all(model.nbytes <= 100 and model.stopped in ("minutes", "finished") for model in models)
    for model, image in zip(models, images, strict=True):
        assert model.score(image) < (((image - image.mean(axis=(0, 1))) / 255) ** 2).sum()


def test_the_callback_hears_of_all_pictures(images: Images) -> None:
    reports: list[cn.Progress] = []
    models = cn.train_many(images, callback=reports.append, **QUICK)
    fractions = [report.fraction for report in reports]
    assert fractions == sorted(fractions) and fractions[0] < 0.5 and fractions[-1] == 1
    assert {report.pictures for report in reports} == {5} and {"descend", "done"} <= {r.stage for r in reports}
    last = reports[-1]
    assert (last.stage, last.finished, last.nbytes) == ("done", 5, max(model.nbytes for model in models))
    assert [r.finished for r in reports] == sorted(r.finished for r in reports)


@pytest.mark.parametrize("at", ["the first report", "freezing", "the second batch"])
def test_a_true_callback_keeps_every_pictures_best(images: Images, at: str) -> None:
    tests: dict[str, Callable[[cn.Progress], bool]] = {
        "the first report": lambda p: True,
        "freezing": lambda p: p.stage != "descend",
        "the second batch": lambda p: p.finished >= 3,
    }
    options = {**QUICK, "rounds": 40} if at == "freezing" else QUICK
    models = cn.train_many(images, callback=tests[at], **options)
    assert len(models) == 5 and all(model.quantized and model.nbytes <= 100 for model in models)
    stopped = [model.stopped for model in models]
    assert "callback" in stopped and set(stopped) <= {"callback", "finished"}
    if at == "the second batch":
        whole = cn.train_many([images[0], images[2], images[4]], **options)
        assert all_same([models[0], models[2], models[4]], whole)
        assert [stopped[n] for n in (0, 2, 4)] == ["finished"] * 3


@pytest.mark.parametrize("stage", ["descend", "freeze"])
def test_ctrl_c_keeps_every_pictures_best(stage: str) -> None:
    images = [picture(n, 40, 60) for n in range(3)]
    options = {**QUICK, "neurons": 20, "max_bytes": 300, "rounds": 500, "steps": 10**6 if stage == "descend" else 5}
    pressed: list[float] = []

    def press(report: cn.Progress) -> None:
        if report.stage == stage and not pressed:
            pressed.append(time.monotonic())
            threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGINT)).start()

    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        models = cn.train_many(images, callback=press, **options)
    finally:
        signal.signal(signal.SIGINT, handler)
    assert [model.stopped for model in models] == ["interrupt"] * 3
    assert all(model.nbytes <= 300 for model in models)
    assert time.monotonic() - pressed[0] < 5  # it takes tenths of a second; this catches waiting for the end


def test_who_stops_waits_for_no_unit_of_work_and_leaves_none_behind(
    images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, returned, in_time = Rounder.freeze_round, threading.Event(), []

    def slow(*arguments: Any, **options: Any) -> None:
        in_time.append(returned.wait(20))
        whole(*arguments, **options)

    monkeypatch.setattr(Rounder, "freeze_round", slow)
    before = threading.active_count()
    models = cn.train_many(images, callback=lambda p: p.stage == "freeze", **{**QUICK, "rounds": 10_000})
    returned.set()
    assert {model.stopped for model in models} == {"callback"}
    end = time.monotonic() + 20
    while threading.active_count() > before and time.monotonic() < end:
        time.sleep(0.01)
    assert all(in_time) and threading.active_count() <= before


def test_one_bar_or_one_line_every_ten_seconds_for_all(images: Images, capsys: pytest.CaptureFixture[str]) -> None:
    cn.train_many(images, **{**QUICK, "progress": True})
    out, err = capsys.readouterr()
    first, second, *lines = err.splitlines()
    assert out == "" and first == "5 pictures of 2 sizes: 7 neurons, 42 weights, at most 100 bytes each"
    assert second == "60 steps each; Ctrl-C keeps the best"
    assert len(lines) == 2 and " 5/5 done best " in lines[-1] and lines[-1].startswith("100% ")


# -- devices -------------------------------------------------------------------------------------------------


def test_a_gpu_that_fails_in_the_middle_costs_no_model(images: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    gpu, real, calls = _core.Cpu(), _core.Descent, []
    listed = SimpleNamespace(name="Imitation", architecture="sm_90", multiprocessors=1, why="")
    monkeypatch.setattr(_core, "cuda_devices", lambda: [listed])
    monkeypatch.setattr(_core, "open_cuda", lambda index: gpu)

    def descent(*given: Any) -> Any:
        loop = real(*given)

        def run(count: int) -> int:
            calls.append(count)
            if len(calls) == 3:
                raise _core.DeviceError("out of memory")
            return loop.run(count)

        return SimpleNamespace(run=run, state=loop.state)

    monkeypatch.setattr(_core, "Descent", descent)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        models = cn.train_many(images, **{**QUICK, "device": "auto"})
    assert [str(warning.message) for warning in caught] == ["cuda:0 failed: out of memory; the CPU goes on"]
    assert len(calls) > 3
    monkeypatch.setattr(_core, "Descent", real)
    assert all_same(models, cn.train_many(images, **QUICK))


# -- errors --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "kind", "message"),
    [
        (np.zeros((0, 4, 3), np.uint8), ValueError, r"images\[1\]: image is empty"),
        (7, TypeError, r"images\[1\]: image must be a path"),
        ("nowhere.png", FileNotFoundError, "nowhere.png"),
    ],
)
def test_a_bad_picture_is_named_before_any_is_fitted(
    images: Images, monkeypatch: pytest.MonkeyPatch, bad: Any, kind: type[Exception], message: str
) -> None:
    monkeypatch.setattr(Run, "go", lambda *_: pytest.fail("training began"))
    with ThreadPoolExecutor(1) as threads:
        for executor in (None, threads):
            with pytest.raises(kind, match=message):
                cn.train_many([images[0], bad], executor=executor, **QUICK)
    with pytest.raises(ValueError, match="lily: image is empty"):
        cn.train_many([images[0], np.zeros((0, 4, 3), np.uint8)], names=["rose", "lily"], **QUICK)


@pytest.mark.parametrize("bad", ["a.png", b"a.png", Path("a.png"), 3, None, picture(0), picture(0)[:, :, 0]], ids=type)
def test_one_picture_is_not_many(bad: Any) -> None:
    with pytest.raises(ValueError, match="images must be a sequence of pictures, got"):
        cn.train_many(bad, **QUICK)


def test_options_are_checked_as_those_of_train(images: Images) -> None:
    with pytest.raises(TypeError, match="unknown option 'checkpoint'; known are"):
        cn.train_many(images, checkpoint="c.npz", **QUICK)
    for wrong, message in (
        ({"max_bytes": 3}, "max_bytes must be"),
        ({"threads": 0}, "threads must be"),
        ({"minutes": 0}, "minutes must be"),
        ({"names": ["a"]}, "names must be one for each of the 5 images, got 1"),
    ):
        with pytest.raises(ValueError, match=message):
            cn.train_many(images, **{**QUICK, **wrong})


def test_pictures_that_diverge_are_named_and_keep_no_other_from_its_end(
    images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = [cn.train(image, **QUICK) for image in images]
    real = _core.Descent

    def descent(*given: Any) -> Any:
        loop = real(*given)

        def state(n: int = 0) -> _core.DescentState:
            now = loop.state(n)
            if (len(given[4]), n) in ((3, 1), (2, 0)):
                now.loss = float("nan")
            return now

        return SimpleNamespace(run=loop.run, state=state)

    monkeypatch.setattr(_core, "Descent", descent)
    with pytest.raises(cn.DivergedError, match=r"^images\[1\] \(and 1 more\): training diverged at step 1: ") as caught:
        cn.train_many(images, **QUICK)
    models = caught.value.models
    assert models is not None and models[1] is None and models[2] is None and caught.value.model is None
    assert all_same([models[0], models[3], models[4]], [whole[0], whole[3], whole[4]])


def test_if_all_diverge_nothing_is_waited_for(images: Images) -> None:
    with pytest.raises(cn.DivergedError, match=r"images\[0\] \(and 4 more\)") as caught:
        cn.train_many(images, **{**QUICK, **WILD, "steps": 10**9})
    assert caught.value.models == [None] * 5


# -- executors -----------------------------------------------------------------------------------------------


class Here(Executor):
    """Not one of the standard ones: does everything at once, where it is."""

    def submit(self, f: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(f(*arguments, **options))
        except Exception as error:
            future.set_exception(error)
        return future


@pytest.mark.parametrize("make", [lambda: ThreadPoolExecutor(2), Here], ids=["threads", "foreign"])
def test_an_executor_finds_the_same_models_in_order(images: Images, make: Callable[[], Executor]) -> None:
    reports: list[cn.Progress] = []
    with make() as executor:
        models = cn.train_many(images, executor=executor, callback=reports.append, **QUICK)
    assert all_same(models, cn.train_many(images, **QUICK))
    assert [report.finished for report in reports] == sorted(report.finished for report in reports)
    assert reports[-1].finished == reports[-1].pictures == 5 and reports[-1].fraction == 1


def test_processes_find_the_same_models_and_their_errors_come_through(images: Images) -> None:
    with ProcessPoolExecutor(2, get_context("spawn")) as executor:
        options = {**QUICK, "device": "auto"}
        assert all_same(cn.train_many(images, executor=executor, **options), cn.train_many(images, **QUICK))
        with pytest.raises(cn.DivergedError, match=r"images\[0\] \(and 1 more\): training diverged") as caught:
            cn.train_many(images[:2], executor=executor, **{**QUICK, **WILD})
    assert caught.value.models == [None, None]


def test_an_executor_trains_on_one_cpu_thread_unless_told_otherwise(
    images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, got = cn.train(images[0], **QUICK), []
    monkeypatch.setattr("cppn_native.executors.train", lambda image, **options: got.append(options) or model)
    for given in ({}, {"device": "cuda:1", "threads": 3}):
        options = {key: value for key, value in QUICK.items() if key != "device"}
        cn.train_many(images[:1], executor=Here(), **options, **given)
    assert [(options["device"], options["threads"]) for options in got] == [("cpu", 1), ("cuda:1", 3)]
    assert not any(options["progress"] for options in got)


def test_minutes_are_shared_among_an_executors_workers(images: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    model, got = cn.train(images[0], **QUICK), []
    monkeypatch.setattr("cppn_native.executors.train", lambda _, minutes, **__: got.append(minutes) or model)
    with ThreadPoolExecutor(2) as executor:
        cn.train_many(images, minutes=6, executor=executor, **QUICK)
    assert got == pytest.approx([2, 3, 3, 6, 6], rel=0.05), "five pictures are three turns of two"


def test_a_true_callback_stops_an_executors_threads(images: Images) -> None:
    with ThreadPoolExecutor(2) as executor:
        models = cn.train_many([images[1], *images], executor=executor, callback=lambda p: True, **QUICK)
    stopped = [model.stopped for model in models]
    assert len(models) == 6 and "finished" in stopped and stopped.count("callback") >= 3
    assert all(model.nbytes <= 100 for model in models)


def test_an_error_in_an_executor_names_the_picture(images: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(image: Any, **_: Any) -> None:
        raise cn.DeviceError("no driver")

    monkeypatch.setattr("cppn_native.executors.train", train)
    with pytest.raises(cn.DeviceError, match=r"^images\[0\]: no driver$"):
        cn.train_many(images, executor=Here(), **QUICK)
