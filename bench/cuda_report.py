"""The goals and the lines of text of what bench_cuda.py measured. Only the standard library."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["goals", "lines"]

STEP_US, LONG_SECONDS, MANY_FRACTION, TORCH_RATIO, ERROR = 40.0, 5.0, 0.5, 20.0, 1e-5
LONG_STEPS, MANY_PICTURES = 100_000, 256
TORCH_LINES = 8

Sections = dict[str, Any]


def rows(sections: Sections, section: str, key: str = "rows", **where: Any) -> list[dict[str, Any]]:
    """Rows of a section, those whose fields are as in ``where``; none if it did not get that far."""
    found = sections.get(section, {}).get("data", {}).get(key, [])
    return [row for row in found if all(row.get(name) == value for name, value in where.items())]


# -- goals ------------------------------------------------------------------------------------------


def goals(sections: Sections) -> list[dict[str, Any]]:
    """Every goal with what was measured: None where nothing was."""
    seed = {"network": "seed"}
    fastest = sections.get("torch", {}).get("data", {}).get("fastest", {})
    steps = [row["us"]["median"] for row in rows(sections, "step", **seed)]
    longs = [row["seconds"]["median"] for row in rows(sections, "long", steps=LONG_STEPS, **seed)]
    shares = [row["fraction_of_ceiling"] for row in rows(sections, "many", pictures=MANY_PICTURES)]
    wrong = [row[key] for row in rows(sections, "check", "gradients") for key in ("loss", "gradient")]
    return [
        at_most("seed's step, slowest draw, µs", STEP_US, steps),
        at_most("100,000 steps, s", LONG_SECONDS, longs),
        at_least(f"{MANY_PICTURES} pictures, fraction of the ceiling", MANY_FRACTION, shares),
        at_least("fastest right PyTorch, times ours", TORCH_RATIO, [fastest["times_ours"]] if fastest else []),
        at_most("loss and gradient, relative error", ERROR, wrong),
        every("rendered bytes equal the CPU's", [row["bytes_equal_cpu"] for row in rows(sections, "render")]),
        every("two long runs, the same bits", [row["same_bits"] for row in rows(sections, "long")]),
        every("the loss fell", [row["fell"] for row in rows(sections, "long")]),
    ]


def at_most(what: str, goal: float, values: Sequence[float]) -> dict[str, Any]:
    worst = max(values, default=None)
    return {"what": what, "goal": f"<= {goal:g}", "measured": worst, "met": None if worst is None else worst <= goal}


def at_least(what: str, goal: float, values: Sequence[float]) -> dict[str, Any]:
    worst = min(values, default=None)
    return {"what": what, "goal": f">= {goal:g}", "measured": worst, "met": None if worst is None else worst >= goal}


def every(what: str, values: Sequence[bool]) -> dict[str, Any]:
    found = all(values) if values else None
    return {"what": what, "goal": "yes", "measured": found, "met": found}


# -- lines ------------------------------------------------------------------------------------------


def lines(record: dict[str, Any]) -> list[str]:
    """At most some forty, the goals first."""
    sections = record["sections"]
    parts = [goal_lines(record["goals"]), trouble(sections), step_lines(sections), torch_lines(sections),
             scaling_lines(sections), other_lines(sections)]  # fmt: skip
    return [line for part in parts for line in part]


def goal_lines(found: Iterable[dict[str, Any]]) -> list[str]:
    words = {True: "met", False: "MISSED", None: "not measured"}
    return [f"{goal['what']:<44}{goal['goal']:>9}{shown(goal['measured']):>10}  {words[goal['met']]}" for goal in found]


def shown(value: Any) -> str:
    if value is None:
        return "-"
    return ("no", "yes")[value] if isinstance(value, bool) else f"{value:.3g}"


def trouble(sections: Sections) -> list[str]:
    return [
        f"{name}: {section['status']} {section.get('error', '')}"[:160]
        for name, section in sections.items()
        if section["status"] != "done"
    ]


def step_lines(sections: Sections) -> list[str]:
    found = []
    for row in rows(sections, "step"):
        found.append((f"step {row['network']} {row['draw']}", row))
    for row in rows(sections, "many"):
        found.append((f"{row['pictures']} x {row['size'][0]}x{row['size'][1]}", row))
    for row in rows(sections, "render"):
        found.append((f"render {row['network']} {row['size'][0]}x{row['size'][1]}", row))
    if not found:
        return []
    header = f"{'':<26}{'µs':>10}{'min':>10}{'max':>10}{'GFLOP/s':>9}{'ceiling':>9}{'of it':>7}"
    return [header, *(timed_line(what, row) for what, row in found)]


def timed_line(what: str, row: dict[str, Any]) -> str:
    us = "".join(f"{row['us'][key]:>10.1f}" for key in ("median", "min", "max"))
    return f"{what:<26}{us}{row['gflops']:>9.0f}{row['ceiling_gflops']:>9.0f}{row['fraction_of_ceiling']:>7.1%}"


def torch_lines(sections: Sections) -> list[str]:
    data = sections.get("torch", {}).get("data", {})
    if "absent" in data:
        return [f"torch: {data['absent']}"]
    forms = sorted(data.get("forms", []), key=lambda row: row["us"]["median"])
    found = [
        f"torch {row['form']}, {row['variant']}: {row['us']['median']:.0f} µs, {row['times_ours']:.1f} x ours"
        + ("" if row["right"] else f", WRONG {row['errors']}")
        for row in forms[:TORCH_LINES]
    ]
    if forms[TORCH_LINES:]:
        found.append(f"torch: {len(forms) - TORCH_LINES} slower forms, down to {forms[-1]['us']['median']:.0f} µs")
    tf32 = data.get("tf32", {})
    timed = [f"{name} {found['us']['median']:.0f} µs" for name, found in tf32.get("times", {}).items() if "us" in found]
    if timed:
        found.append(f"torch with TF32, {tf32['form']}: {', '.join(timed)}")
    failed = [row["form"] for row in data.get("failed", [])]
    return [*found, f"torch failed: {'; '.join(failed)}"[:200]] if failed else found


def scaling_lines(sections: Sections) -> list[str]:
    found = []
    for axis in ("neurons", "pixels"):
        cells = [f"{row['value'].replace(' ', '')} {row['us']['median']:.0f} ({row['fraction_of_ceiling']:.0%})"
                 for row in rows(sections, "scaling", axis=axis)]  # fmt: skip
        if cells:
            found.append(f"µs over {axis}: {', '.join(cells)}")
    return found


def other_lines(sections: Sections) -> list[str]:
    found = []
    for row in rows(sections, "long"):
        found.append(
            f"{row['steps']} steps {row['network']} {row['draw']}: {row['seconds']['median']:.2f} s "
            f"({row['fraction_of_ceiling']:.1%} of the ceiling), loss "
            f"{row['first_loss']:.4g} -> {row['last_loss']:.6g}{'' if row['same_bits'] else ', BITS DIFFER'}"
        )
    for row in rows(sections, "check", "gradients"):
        found.append(f"{row['network']} against float64: loss {row['loss']:.1e}, gradient {row['gradient']:.1e}")
    for row in rows(sections, "check", "trajectories"):
        last = list(row["apart"])[-1]
        apart = row["apart"][last]
        what = f"{row['network']} {row['draw']} beside the CPU, {last} steps"
        found.append(f"{what}: loss apart {apart['loss']:.1e}, u {apart['u']:.1e}")
    return found
