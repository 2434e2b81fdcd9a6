"""The benchmark of the GPU, as far as it can be tried without one: bench/gpu_check.sh and what it calls."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[1] / "bench"
SCRIPT = BENCH / "gpu_check.sh"
NO_GPU = 3

bash = pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")

PTXAS = """\
[3/9] Building CUDA object kernels/gradient.cu.o
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function '_Z4stepILi128EEvPf' for 'sm_90'
ptxas info    : Function properties for _Z4stepILi128EEvPf
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 10 registers, used 1 barriers, 512 bytes smem
ptxas info    : Compile time = 1.548 ms
ptxas info    : Compiling entry function '_Z5spillPfi' for 'sm_90'
ptxas info    : Function properties for _Z5spillPfi
    376 bytes stack frame, 720 bytes spill stores, 772 bytes spill loads
ptxas info    : Used 255 registers, used 0 barriers, 376 bytes cumulative stack size
"""
STEP = {"network": "seed", "draw": "plain", "us": {"median": 30.0, "min": 29.0, "max": 35.0, "n": 3},
        "gflops": 28000.0, "ceiling_gflops": 60000.0, "fraction_of_ceiling": 0.47}  # fmt: skip


@pytest.fixture
def record(monkeypatch):
    """The module gpu_record, which is no part of the package."""
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module("gpu_record")


@pytest.fixture
def places(tmp_path, monkeypatch, record):
    """build/gpu with the facts of a made-up machine, bench/results and $OUT."""
    work, results, out = (tmp_path / name for name in ("work", "results", "out"))
    for folder in (work, out):
        folder.mkdir()
    monkeypatch.setenv("GPU_CHECK_RESULTS", str(results))
    monkeypatch.setenv("OUT", str(out))
    gpu = {"name": "NVIDIA H200", "driver_version": "580.1", "compute_cap": "9.0"}
    record.write_json(work / "facts.json", {"machine": {"gpu": gpu}, "commit": "abc", "date": "today"})
    return work, results, out


def benchmark(quick, **sections):
    done = {name: {"status": "done", "seconds": 1.0, "data": data} for name, data in sections.items()}
    return {"benchmark": {"quick": quick, "sections": done, "goals": []}}


def read(path):
    return json.loads(path.read_text())


# -- the script ------------------------------------------------------------------------------------------


@bash
def test_the_script_is_bash_and_explains_itself():
    assert subprocess.run(["bash", "-n", SCRIPT]).returncode == 0
    told = subprocess.run(["bash", SCRIPT, "--help"], capture_output=True, text=True)
    assert told.returncode == 0
    assert "usage: bash bench/gpu_check.sh" in told.stdout
    wrong = subprocess.run(["bash", SCRIPT, "--fast"], capture_output=True, text=True)
    assert wrong.returncode == 2
    assert "usage" in wrong.stderr


@bash
@pytest.mark.parametrize("there, said", [((), "no NVIDIA GPU"), (("nvidia-smi",), "no nvcc")])
def test_without_a_gpu_or_nvcc_the_exit_status_is_3_and_the_reason_is_said(tmp_path, there, said):
    for name in ("dirname", "mkdir"):
        (tmp_path / name).symlink_to(shutil.which(name))
    for name in there:
        (tmp_path / name).write_text("#!/bin/sh\necho 'NVIDIA Fake 1, 580.1, 1 MiB, 9.0, 1 MHz, 1 W'\n")
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": str(tmp_path), "PYTHON": sys.executable}
    found = subprocess.run([shutil.which("bash"), SCRIPT], env=environment, capture_output=True, text=True)
    assert found.returncode == NO_GPU
    assert said in found.stderr


# -- the results file ------------------------------------------------------------------------------------------


def test_every_stage_is_written_at_once_and_an_earlier_result_stays_until_something_is_measured(record, places):
    work, results, out = places
    (work / "build.log").write_text(PTXAS)
    record.stage(work, "build", "0", "61")
    (work / "parity.log").write_text("...F\n1 failed, 3 passed in 1.50s\n")
    record.stage(work, "parity", "1", "2")
    for folder in (work, out):
        found = read(folder / "nvidia-h200.json")
        assert [(stage["name"], stage["rc"]) for stage in found["stages"]] == [("build", 0), ("parity", 1)]
    assert found["stages"][1]["summary"] == "1 failed, 3 passed in 1.50s"
    assert not results.exists()
    record.write_json(work / "quick.json", benchmark(True, step={"rows": [STEP]}))
    record.stage(work, "quick", "0", "30")
    assert read(results / "nvidia-h200.json")["benchmark"]["goals"][0]["met"] is True
    assert len(list(out.iterdir())) <= 8
    assert "NVIDIA H200" in (out / "summary.txt").read_text()


def test_a_stage_that_ran_out_of_time_or_found_none_says_so(record, places):
    work, _, _ = places
    (work / "racecheck.log").write_text(
        "========= COMPUTE-SANITIZER\n========= RACECHECK SUMMARY: 0 hazards displayed\n"
    )
    record.stage(work, "racecheck", "124", "90")
    record.stage(work, "full", "skipped", "0")
    slow, skipped = read(work / "nvidia-h200.json")["stages"]
    assert slow["summary"] == "timed out; RACECHECK SUMMARY: 0 hazards displayed"
    assert skipped["rc"] == "skipped"


def test_what_the_whole_benchmark_did_not_reach_is_taken_from_the_quick_one(record, places):
    work, _, _ = places
    slow = STEP | {"us": STEP["us"] | {"median": 50.0}}
    record.write_json(work / "quick.json", benchmark(True, step={"rows": [slow]}, render={"rows": []}))
    whole = benchmark(False, step={"rows": [STEP]})
    whole["benchmark"]["sections"]["render"] = {"status": "skipped", "seconds": 0.0}
    record.write_json(work / "full.json", whole)
    sections = record.assemble(work)["benchmark"]["sections"]
    assert not sections["step"]["quick"]
    assert sections["step"]["data"]["rows"] == [STEP]
    assert sections["render"]["quick"]


def test_registers_and_spills_are_read_from_the_log_and_kept_over_a_build_with_nothing_to_do(record, places):
    work, _, _ = places
    (work / "build.log").write_text(PTXAS)
    record.stage(work, "build", "0", "61")
    (work / "build.log").write_text("ninja: no work to do.\n")
    record.stage(work, "build", "0", "1")
    kernels = read(work / "nvidia-h200.json")["ptxas"]
    step, spill = (next(k for name, k in kernels.items() if part in name) for part in ("step", "spill"))
    assert step == {"architecture": "sm_90", "registers": 10, "shared": 512,
                    "stack": 0, "spill_stores": 0, "spill_loads": 0}  # fmt: skip
    assert (spill["registers"], spill["stack"], spill["spill_stores"], spill["spill_loads"]) == (255, 376, 720, 772)
    assert any("spills 720 bytes" in line for line in record.summary_lines(record.assemble(work)))


def test_numbers_that_json_has_not_are_words(record, tmp_path):
    record.write_json(tmp_path / "x.json", {"a": [float("nan"), 1.5], "b": float("inf")})
    assert read(tmp_path / "x.json") == {"a": ["nan", 1.5], "b": "inf"}


def test_the_summary_is_short_however_much_there_is(record, places):
    work, _, _ = places
    many = [STEP | {"draw": f"draw {n}"} for n in range(100)]
    record.write_json(work / "full.json", benchmark(False, step={"rows": many}))
    assert len(record.summary_lines(record.assemble(work))) == 60


# -- the benchmark, with the CPU standing in ----------------------------------------------------------------------


def bench_cuda(*arguments):
    command = [sys.executable, BENCH / "bench_cuda.py", "--device", "cpu", "--tiny", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_every_section_measures_and_answers_rightly(tmp_path):
    target = tmp_path / "cpu.json"
    ran = bench_cuda("--only", "check,step,many,long,scaling,render", "--json", target)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = read(target)["benchmark"]
    assert {section["status"] for section in found["sections"].values()} == {"done"}
    assert all(goal["met"] for goal in found["goals"] if goal["goal"] == "yes" or "error" in goal["what"])
    assert all(row["fraction_of_ceiling"] > 0 for row in found["sections"]["step"]["data"]["rows"])


def test_a_section_without_time_is_recorded_and_fails_the_run(tmp_path):
    ran = bench_cuda("--only", "render", "--seconds", "1", "--json", tmp_path / "cpu.json")
    assert ran.returncode == 1
    section = read(tmp_path / "cpu.json")["benchmark"]["sections"]["render"]
    assert (section["status"], section["error"]) == ("skipped", "no time left")


def test_without_torch_the_comparison_says_so(tmp_path):
    if importlib.util.find_spec("torch") is not None:
        pytest.skip("torch is installed")
    assert bench_cuda("--only", "torch", "--json", tmp_path / "cpu.json").returncode == 0
    assert "not installed" in read(tmp_path / "cpu.json")["benchmark"]["sections"]["torch"]["data"]["absent"]
