"""Where the defaults of ``cn.train`` come from: the painting, one change of the recipe at a time.

    python bench/bench_recipe.py [--steps 20000] [--seeds 0,1] [--jobs 2] [--only noise,neurons]

Each run uses one thread, ``--jobs`` of them at a time. Scores are of the decoded file, all of at most 1024 bytes.
Results are merged into bench/results/recipe.json.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cppn_native as cn
from common import machine, painting, read_result, write_result

VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "coords seed": {"coords": "seed"},
    "noise 0": {"noise": 0.0},
    "noise 1.0": {"noise": 1.0},
    "noise 0.25": {"noise": 0.25},
    "noise 1.0 neurons 50": {"noise": 1.0, "neurons": 50},
    "noise 1.0 rate 0.2": {"noise": 1.0, "rate": 0.2},
    "noise 1.5": {"noise": 1.5},
    "noise rise 0.6": {"noise_rise": 0.6},
    "rate 0.2": {"rate": 0.2},
    "rate 0.5": {"rate": 0.5},
    "neurons 50": {"neurons": 50},
    "neurons 58": {"neurons": 58},
    "step 0.11": {"step": 0.11},
    "step 0.17": {"step": 0.17},
    "decay 0.002": {"decay": 0.002},
    "octaves 1": {"octaves": 1},
    "radius": {"radius": True},
    "sigmoid hidden": {"activation": "sigmoid"},
    "gaussian hidden": {"activation": "gaussian"},
}


def run(name: str, steps: int, seed: int) -> dict[str, Any]:
    """One fit in a process of its own."""
    task = json.dumps({"steps": steps, "seed": seed, **VARIANTS[name]})
    command = [sys.executable, __file__, "--one", task]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    print(f"{name:18} {steps:6} steps  seed {seed}  {found['score']:8.1f}  {found['bytes']:5} B", flush=True)
    return {"variant": name, "steps": steps, "seed": seed, **found}


def one(options: dict[str, Any]) -> None:
    picture = painting()
    assert picture is not None, "CPPN_SHARED does not hold the painting"
    begin = time.monotonic()
    model = cn.train(picture, threads=1, progress=False, **options)
    decoded = cn.load(model.to_bytes())
    record = {
        "score": round(decoded.score(picture), 2),
        "bytes": model.nbytes,
        "neurons": model.config.neurons,
        "seconds": round(time.monotonic() - begin, 1),
    }
    print(json.dumps(record))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--steps", type=int, default=20_000)
    arguments.add_argument("--seeds", default="0")
    arguments.add_argument("--jobs", type=int, default=2)
    arguments.add_argument("--only", default="", help="variants whose names begin with one of these words")
    arguments.add_argument("--one", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.one:
        one(json.loads(given.one))
        return
    words = tuple(word for word in given.only.split(",") if word)
    names = [name for name in VARIANTS if not words or name.startswith(words)]
    tasks = [(name, given.steps, int(seed)) for seed in given.seeds.split(",") for name in names]
    with ThreadPoolExecutor(given.jobs) as pool:
        found = list(pool.map(lambda task: run(*task), tasks))
    runs = (read_result("recipe") or {"runs": []})["runs"]
    new = {(r["variant"], r["steps"], r["seed"]) for r in found}
    kept = [r for r in runs if (r["variant"], r["steps"], r["seed"]) not in new]
    ordered = sorted([*kept, *found], key=lambda r: (r["steps"], r["score"]))
    write_result("recipe", {"machine": machine(), "command": "python bench/bench_recipe.py", "runs": ordered})


if __name__ == "__main__":
    main()
