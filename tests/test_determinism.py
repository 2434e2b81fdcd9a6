"""The same bits: whatever the threads; for pictures, whatever the instruction set and the caller's float
switches; after a resume and in a forked child. And Ctrl-C, which may come at any time and breaks nothing."""

import ctypes
import hashlib
import mmap
import multiprocessing
import os
import platform
import signal
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest
from cppn_native import _core
from cppn_native.coords import axes
from reference import cascade, philox
from reference.activations import PAINTED
from reference.cascade import Network
from reference.cases import Case, mixed, native_shape, relative_error

THREADS = (1, 2, 3, 5)
every_isa = pytest.mark.parametrize("isa", _core.isas())

# eleven groups of pixels, so that five threads have something to disagree about
LARGE = Case(Network(mixed(9), channels=3, radius=True, octaves=1), (173, 149))


def same_bits(results):
    first, *others = [[np.asarray(part).tobytes() for part in result] for result in results]
    assert len(others) == len(THREADS) - 1
    assert all(other == first for other in others)


def descent(task, case, draw, **state):
    plan = _core.DescentPlan()
    plan.draw, plan.rate, plan.noise, plan.quantize_first, plan.seed = draw, 0.1, 0.5, 0.6, 9
    start = _core.DescentState()
    start.u = case.w / 0.125
    for name, value in state.items():
        setattr(start, name, value)
    return _core.Descent(task, plan, np.full(len(case.w), 0.125), np.ones(len(case.w)), start)


def everything_in(state):
    scalars = state.step, state.q, state.loss, state.floating, state.best_loss
    return [state.u, state.m, state.v, state.best_u, *scalars]


# -- threads -----------------------------------------------------------------------------------------------


@every_isa
def test_loss_and_gradient_have_the_same_bits_with_any_number_of_threads(isa):
    tasks = [LARGE.task(_core.Cpu(isa, threads)) for threads in THREADS]
    same_bits([(task.loss(LARGE.w), *task.gradient(LARGE.w)) for task in tasks])


@every_isa
@pytest.mark.parametrize("draw", [_core.Draw.plain, _core.Draw.noise, _core.Draw.stochastic])
def test_50_steps_have_the_same_bits_with_any_number_of_threads(isa, draw):
    case = Case(Network(mixed(9), channels=3), 4100)
    states = []
    for threads in THREADS:
        loop = descent(case.task(_core.Cpu(isa, threads)), case, draw)
        loop.run(50)
        states.append(everything_in(loop.state()))
    same_bits(states)


@every_isa
def test_the_normal_matrix_has_the_same_bits_with_any_number_of_threads(isa):
    case = Case(Network(mixed(13), channels=3), 8300)
    same_bits([(case.task(_core.Cpu(isa, threads)).normal(case.w),) for threads in THREADS])


@every_isa
def test_solve_and_inverse_have_the_same_bits_with_any_number_of_threads(isa):
    rng = np.random.default_rng(0)
    factor = rng.normal(size=(333, 400))
    a, b = factor @ factor.T, rng.normal(size=333)
    backends = [_core.Cpu(isa, threads) for threads in THREADS]
    same_bits([(_core.solve(backend, a, b), _core.inverse(backend, a)) for backend in backends])


@every_isa
def test_the_same_call_twice_gives_the_same_bits(isa):
    task = LARGE.task(_core.Cpu(isa, 3))
    gradients = {task.gradient(LARGE.w)[1].tobytes() for _ in range(20)}
    assert len(gradients) == 1


@pytest.mark.parametrize("draw", [_core.Draw.plain, _core.Draw.noise, _core.Draw.stochastic])
def test_a_resumed_run_equals_an_unbroken_one_to_the_bit(backend, draw):
    case = Case(Network(mixed(3), channels=3), (11, 9))  # so small that some draws are all integers
    task = case.task(backend)
    unbroken = descent(task, case, draw)
    unbroken.run(40)
    state = descent(task, case, draw).state()
    for steps in (1, 16, 0, 23):
        names = [name for name in dir(state) if not name.startswith("_")]
        part = descent(case.task(backend), case, draw, **{name: getattr(state, name) for name in names})
        part.run(steps)
        state = part.state()
    ends = [[np.asarray(x).tobytes() for x in everything_in(end)] for end in (state, unbroken.state())]
    assert ends[0] == ends[1]


# -- pictures ----------------------------------------------------------------------------------------------

# A new hash is a new picture in every file that is out: see the polynomials in csrc/core/math.h.
GOLDEN = Network(mixed(20), channels=3, radius=True, octaves=2)
GOLDEN_RENDER = "86f7df0dbd471443d54fe1b1e8e23a0a32ef5d55623cfb5fae9f497562751166"
GOLDEN_ACTIVATIONS = "a4be854ccbd5af646e6f720a6fee0727a744e8f1afab398d0e45f61a862b2a7e"


PAINTED_NET = Network(tuple(f.__name__ for f in PAINTED), channels=3)
PAINTED_RENDER = "5a0d2ec0258667c6bbe4ca7b2537e708da79026ad13f7a709c367adc7923848d"
PAINTED_ACTIVATIONS = "1a735b45ff16ebf05212a531c21d8e2df90e92907db8c049ba84c5c1fb1455ae"


def golden_weights(net=GOLDEN):
    """Integers from -15 to 15 times 1/16, out of Philox so that no library's random numbers are trusted."""
    uniforms = philox.uniforms(seed=1889, step=0, count=net.weights)
    return ((np.floor(31 * uniforms) - 15) / 16).astype(np.float32)


def golden_digests(backend, net=GOLDEN, scale=1):
    x, y = axes("centered", (65, 43), (65, 43))
    arguments = native_shape(net), golden_weights(net) * np.float32(scale), x, y, True
    pictures = backend.render(*arguments), backend.activations(*arguments)
    return tuple(hashlib.sha256(picture.astype("<f4").tobytes()).hexdigest() for picture in pictures)


def test_a_picture_has_the_bits_it_has_on_every_machine(backend):
    assert golden_digests(backend) == (GOLDEN_RENDER, GOLDEN_ACTIVATIONS)


def test_painted_activations_have_the_bits_they_have_on_every_machine(backend):
    assert golden_digests(backend, PAINTED_NET, 0.25) == (PAINTED_RENDER, PAINTED_ACTIVATIONS)


def test_the_golden_picture_is_the_right_one_and_has_something_to_show():
    """Near the reference (the tolerance of test_cascade.py), and neither flat nor saturated."""
    x, y = axes("centered", (65, 43), (65, 43))
    seen = _core.Cpu().activations(native_shape(GOLDEN), golden_weights(), x, y, True)
    expected, _ = cascade.forward(GOLDEN, golden_weights().astype(float), *cascade.grid(x, y))
    assert relative_error(seen, expected[GOLDEN.inputs :]) < 1e-5
    assert all(len(np.unique(neuron)) > 2000 for neuron in seen)  # of 2795 pixels


@pytest.mark.parametrize("size", [(1, 1), (127, 1), (43, 3), (67, 31), (131, 130)])
@pytest.mark.parametrize("neurons", [1, 2, 7, 53])
def test_pictures_have_the_same_bits_on_every_instruction_set(neurons, size):
    case = Case(Network(mixed(neurons), radius=True, octaves=3), size)
    seen = [
        _core.Cpu(isa, threads).activations(case.shape(), case.w, *case.place)
        for isa in _core.isas()
        for threads in THREADS
    ]
    for other in seen[1:]:
        np.testing.assert_array_equal(other.view(np.int32), seen[0].view(np.int32))


# -- float switches ----------------------------------------------------------------------------------------

FLUSH = 0x8040  # MXCSR: results (FTZ) and operands (DAZ) too small for a normal number become zero


@contextmanager
def flush_to_zero():
    """This thread as an extension built with -ffast-math leaves it; yields a reader of the switches.

    Eight bytes of machine code in a page of our own: stmxcsr [rdi]; ret; ldmxcsr [rdi]; ret.
    """
    if platform.machine() not in ("x86_64", "AMD64") or os.name != "posix":
        pytest.skip("only written for x86-64")
    try:
        page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    except (OSError, ValueError):
        pytest.skip("this system forbids pages that are both writable and executable")
    page[:8] = bytes.fromhex("0fae1fc3 0fae17c3")
    code = ctypes.addressof(ctypes.c_char.from_buffer(page))
    signature = ctypes.CFUNCTYPE(None, ctypes.POINTER(ctypes.c_uint32))
    store, load = signature(code), signature(code + 4)

    def read():
        register = ctypes.c_uint32()
        store(register)
        return register.value

    before = read()
    load(ctypes.c_uint32(before | FLUSH))
    try:
        yield read
    finally:
        load(ctypes.c_uint32(before))


def test_a_picture_does_not_depend_on_the_callers_flush_to_zero(cpu):
    """A weight of 1e-40 is denormal, 1e38 times as much plain to see. Threads may start before or within."""
    w = np.float32([1e-40, 0, 0, 0, 0, 0, 1e38])
    arguments = native_shape(Network(("identity",) * 2)), w, np.zeros(5000), np.zeros(5000), False
    expected = cpu.render(*arguments)
    assert expected[0] == pytest.approx(0.01, rel=1e-4)
    with flush_to_zero() as read:
        assert np.float32(1e-40) * np.float32(1e38) == 0  # the switch works
        for made in (cpu, _core.Cpu(cpu.name.removeprefix("cpu/"), cpu.threads)):
            np.testing.assert_array_equal(made.render(*arguments), expected)
            assert golden_digests(made) == (GOLDEN_RENDER, GOLDEN_ACTIVATIONS)
        assert read() & FLUSH == FLUSH  # put back as it was found


def test_training_does_not_depend_on_the_callers_flush_to_zero_and_leaves_it_alone(cpu):
    case = Case(Network(mixed(9), channels=3), 300)

    def trained():
        loop = descent(case.task(cpu), case, _core.Draw.stochastic)
        loop.run(5)
        return [np.asarray(x).tobytes() for x in everything_in(loop.state())]

    expected = trained()
    assert np.float32(1e-40) * np.float32(1e38) != 0  # training flushes, but its caller does not
    with flush_to_zero() as read:
        assert trained() == expected
        assert read() & FLUSH == FLUSH


# -- fork --------------------------------------------------------------------------------------------------


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_computes_with_its_parents_backend_and_with_its_own(cpu):
    """After a parallel region libgomp would hang here; our pool starts anew."""
    task = LARGE.task(cpu)
    expected = task.gradient(LARGE.w)[1].tobytes()

    def child(pipe):
        own = LARGE.task(_core.Cpu(cpu.name.removeprefix("cpu/"), cpu.threads))
        pipe.send([t.gradient(LARGE.w)[1].tobytes() for t in (task, own, task)])

    fork = multiprocessing.get_context("fork")
    ours, theirs = fork.Pipe()
    process = fork.Process(target=child, args=(theirs,))
    process.start()
    try:
        assert ours.poll(30), "the child hangs"
        assert ours.recv() == [expected] * 3
        process.join(30)
        assert process.exitcode == 0  # its pools end as well
    finally:
        process.kill()
    assert task.gradient(LARGE.w)[1].tobytes() == expected  # and the parent goes on


# -- Ctrl-C ------------------------------------------------------------------------------------------------

PATIENCE = 0.2 + 0.8
"""Seconds until KeyboardInterrupt: signals are looked for every 50 ms and the promise is 0.2 s; the rest is
for machines that are doing something else."""


@contextmanager
def interrupted_after(seconds):
    """Expects a KeyboardInterrupt soon after a Ctrl-C that comes in a while."""
    sent = []

    def send():
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs start deaf to it
    timer = threading.Timer(seconds, send)
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            yield
        assert time.monotonic() - sent[0] < PATIENCE
    finally:
        timer.cancel()
        timer.join()
        signal.signal(signal.SIGINT, before)


def test_ctrl_c_ends_a_descent_between_two_steps_and_the_state_can_be_read(backend):
    case = Case(Network(mixed(9), channels=3), 3000)
    task = case.task(backend)
    loop = descent(task, case, _core.Draw.noise)
    with interrupted_after(0.15):
        loop.run(100_000)  # ten seconds or more
    state = loop.state()
    assert 0 < state.step < 100_000
    again = descent(task, case, _core.Draw.noise)
    again.run(state.step)
    assert everything_in(again.state())[4:] == everything_in(state)[4:]
    np.testing.assert_array_equal(again.state().u, state.u)
    assert loop.run(3) == 3  # and it can go on


def test_ctrl_c_ends_a_normal_matrix_and_the_backend_can_be_used(cpu):
    case = Case(Network(("sine",) * 53, channels=3), (640, 480))  # ten seconds or more
    task = case.task(cpu)
    with interrupted_after(0.15):
        task.normal(case.w)
    loss, gradient = task.gradient(case.w)
    assert np.isfinite(loss) and np.isfinite(gradient).all()


def test_ctrl_c_ends_an_inverse(cpu):
    a = np.eye(2500) * 2500 + 1
    with interrupted_after(0.1):
        for _ in range(20):  # each takes a second or so
            _core.inverse(cpu, a)
