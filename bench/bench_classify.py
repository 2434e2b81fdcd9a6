"""The point classifier: microseconds a step of one sample, here and in PyTorch, and the loss that random points end at.

    python bench/bench_classify.py [--quick] [--rounds 7] [--seeds 200]

The post's case: 2-16-16-16-16-1 tanh, 881 weights, 32 random points, |error|, AdamW. A step is forward, backward and
update. In PyTorch it is written

    module    as in the post: nn.Module, backward(), AdamW as it comes
    lean      functions, backward(), AdamW(fused=True), gradients dropped rather than zeroed
    by hand   no autograd: products of vectors, gradients written into one flat vector, AdamW(fused=True)

on one thread, which is its fastest here. All take turns within a round. Before, ten epochs with weights of 0.3 are held
to the NumPy float64 loop of tests/reference; weights may differ by 1e-4.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cppn_native as cn
import numpy as np
from common import ROOT, Spread, estimate, fixed, load_average, machine, results_folder, table, turn, write_result
from cppn_native.classify import random_points
from cppn_native.classify.network import Descent, Floats, Network

sys.path.insert(0, str(ROOT / "tests"))
from reference import classifier as reference

GOAL, TOLERANCE, CHECK_EPOCHS = 10.0, 1e-4, 10
POST = Network((2, 16, 16, 16, 16, 1))
AUTHOR_LOSS = 0.029727697372436523
"""Of the last point in the last step of the author's notebook."""

Fit = Callable[[Floats, int], Floats]
"""Parameters after so many epochs from these."""


def main() -> int:
    options = parse()
    points, labels = random_points()
    x, y = points.astype(np.float32), labels[:, None].astype(np.float32)
    small = 0.3 * POST.draw(np.random.RandomState(0))
    layers, _ = reference.fit(POST.unpack(small), x, y, CHECK_EPOCHS)
    want = np.concatenate([part.ravel() for layer in layers for part in layer])
    ways = {"cppn_native": ours(x, y), **torch_ways(x, y)}
    errors = {name: float(np.abs(fit(small, CHECK_EPOCHS) - want).max()) for name, fit in ways.items()}
    wrong = {name: error for name, error in errors.items() if not error <= TOLERANCE}
    if wrong:
        print(f"left out, as the answer is wrong: {wrong}", file=sys.stderr)
    ways = {name: fit for name, fit in ways.items() if name not in wrong}
    record: dict[str, Any] = {"benchmark": "classify", "machine": machine("torch"), "goal": GOAL, "errors": errors}
    record["step_us"], record["ratio"] = race(ways, options.rounds, 0.05 if options.quick else 0.5)
    record["fit_ms"] = fit_times(options.rounds)
    record["losses"] = losses(options.seeds)
    record["machine"]["load_after"] = load_average()
    report(record)
    folder = results_folder(options.out, options.quick)
    if folder is not None:
        print(f"\nwritten to {write_result('classify', record, folder)}")
    return 0


def ours(x: Floats, y: Floats) -> Fit:
    def fit(params: Floats, epochs: int) -> Floats:
        *_, (_, last) = Descent(POST, x, y, 0, 0.001, 0.01, 0).epochs(params.astype(np.float32), epochs)
        return last

    return fit


def torch_ways(x: Floats, y: Floats) -> dict[str, Fit]:
    """Nothing where PyTorch is not installed."""
    try:
        import torch
    except ImportError:
        return {}
    torch.set_num_threads(1)
    samples, targets = list(torch.tensor(x)), list(torch.tensor(y))

    class PostNetwork(torch.nn.Module):
        def __init__(self, params: Floats) -> None:
            super().__init__()
            self.layers = torch.nn.ModuleList()
            for w, b in POST.unpack(params):
                self.layers.append(torch.nn.Linear(w.shape[1], w.shape[0]))
                with torch.no_grad():
                    self.layers[-1].weight.copy_(torch.tensor(w))
                    self.layers[-1].bias.copy_(torch.tensor(b))

        def forward(self, h: Any) -> Any:
            for layer in self.layers:
                h = torch.tanh(layer(h))
            return h

    def module(params: Floats, epochs: int) -> Floats:
        network = PostNetwork(params.astype(np.float32))
        optimizer = torch.optim.AdamW(network.parameters(), lr=0.001)
        for _ in range(epochs):
            for sample, target in zip(samples, targets, strict=True):
                loss = (network(sample) - target).square().mean().sqrt()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        return np.concatenate([p.detach().numpy().ravel() for p in network.parameters()])

    def lean(params: Floats, epochs: int) -> Floats:
        flat = torch.tensor(params.astype(np.float32), requires_grad=True)
        optimizer = torch.optim.AdamW([flat], lr=0.001, fused=True)
        for _ in range(epochs):
            for sample, target in zip(samples, targets, strict=True):
                h = sample
                for w, b in POST.unpack(flat):  # type: ignore[arg-type]
                    h = torch.tanh(torch.addmv(b, w, h))  # type: ignore[call-overload]
                flat.grad = None
                (h - target).abs().sum().backward()
                optimizer.step()
        return np.asarray(flat.detach().numpy())

    def by_hand(params: Floats, epochs: int) -> Floats:
        flat = torch.tensor(params.astype(np.float32))
        flat.grad = torch.zeros_like(flat)
        layers: Any = POST.unpack(flat)  # type: ignore[arg-type]
        grads: Any = POST.unpack(flat.grad)  # type: ignore[arg-type]
        optimizer = torch.optim.AdamW([flat], lr=0.001, fused=True)
        with torch.no_grad():
            for _ in range(epochs):
                for sample, target in zip(samples, targets, strict=True):
                    h = [sample]
                    for w, b in layers:
                        h.append(torch.addmv(b, w, h[-1]).tanh_())
                    d = torch.sign(h[-1] - target)
                    for k in range(len(layers) - 1, -1, -1):
                        dw, db = grads[k]
                        torch.mul(d, 1 - h[k + 1] * h[k + 1], out=db)
                        torch.outer(db, h[k], out=dw)
                        if k:
                            d = db @ layers[k][0]
                    optimizer.step()
        return np.asarray(flat.numpy())

    return {"torch module": module, "torch lean": lean, "torch by hand": by_hand}


def race(ways: dict[str, Fit], rounds: int, seconds: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """Microseconds a step of each, and as a multiple of ours in the same round; the start, some 1 ms, included."""
    params, epochs = POST.draw(np.random.RandomState(0)), {name: 256 if name == "cppn_native" else 8 for name in ways}
    work = {
        name: lambda count, f=fit, e=epochs[name]: [f(params, e) for _ in range(count)] for name, fit in ways.items()
    }
    units = {name: estimate(one) for name, one in work.items()}
    times: dict[str, list[float]] = {name: [] for name in ways}
    names = list(ways)
    for k in range(rounds):
        for name in names[k % len(names) :] + names[: k % len(names)]:
            wall, _ = turn(work[name], seconds, units[name])
            times[name].append(1e3 * wall / (32 * epochs[name]))
    ratio = {
        name: Spread.of([theirs / mine for theirs, mine in zip(found, times["cppn_native"], strict=True)]).record()
        for name, found in times.items()
    }
    return {name: Spread.of(found).record() for name, found in times.items()}, ratio


def fit_times(rounds: int) -> dict[str, Any]:
    """The whole of ``fit``, 8192 steps, as a caller meets it."""
    points, labels = random_points()
    found = []
    for _ in range(rounds):
        begin = time.perf_counter()
        cn.PointClassifier().fit(points, labels)
        found.append(1e3 * (time.perf_counter() - begin))
    return Spread.of(found).record()


def losses(seeds: int) -> dict[str, Any]:
    """Over seeds of points and weights: the mean over the points in the last epoch, and the error of the last point at
    the end, which is what the author printed (there before the last step)."""
    means, lasts, scores = [], [], []
    for seed in range(seeds):
        points, labels = random_points(32, seed)
        x, y = points.astype(np.float32), labels[:, None].astype(np.float32)
        params = POST.draw(np.random.RandomState(seed))
        descent = list(Descent(POST, x, y, 0, 0.001, 0.01, 0).epochs(params, 256))
        fit = cn.PointClassifier(random_state=seed).fit(points, labels)
        assert fit.loss_curve_ == [loss for loss, _ in descent]
        means.append(descent[-1][0])
        lasts.append(abs(float(POST.outputs(descent[-1][1], x[-1:])[0, 0]) - float(y[-1, 0])))
        scores.append(fit.score(points, labels))
    return {
        "seeds": seeds,
        "mean_of_the_last_epoch": {"mean": float(np.mean(means)), "deviation": float(np.std(means))},
        "last_point": {f"quantile {q}": float(np.quantile(lasts, q)) for q in (0.25, 0.5, 0.75)},
        "last_point_at_most_the_authors": float(np.mean(np.array(lasts) <= AUTHOR_LOSS)),
        "points_right": float(np.mean(scores)),
    }


def report(record: dict[str, Any]) -> None:
    rows: list[Sequence[str]] = []
    for name, spread in record["step_us"].items():
        ratio = record["ratio"][name]
        rows.append([name, *fixed(spread, 2), *fixed(ratio, 1), f"{record['errors'][name]:.1e}"])
    print(table(["", "us/step", "min", "max", "x ours", "min", "max", "error"], rows))
    print(f"\ngoal: {record['goal']:.0f} times the fastest; fit of 8192 steps: {record['fit_ms']['median']:.1f} ms")
    found = record["losses"]
    print(
        f"{found['seeds']} seeds: mean loss of the last epoch {found['mean_of_the_last_epoch']['mean']:.3f} +- "
        f"{found['mean_of_the_last_epoch']['deviation']:.3f}; last point {found['last_point']['quantile 0.5']:.4f} in "
        f"the median, at most the author's {AUTHOR_LOSS:.4f} in {found['last_point_at_most_the_authors']:.0%}; "
        f"{found['points_right']:.1%} of the points right"
    )


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="some seconds, to see that it works; writes nothing")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--out", type=Path, help="folder for the results")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
