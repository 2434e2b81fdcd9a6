"""Fits the filter behind the waves to other pictures: csrc/cpu/waves_filter.inc, which is committed.

    pip install torch scipy
    python bench/wave_samples.py FOLDER_OF_PICTURES samples.pkl --strength 0
    python bench/fit_filter.py samples.pkl --minutes 60 [--start weights.pt]

The filter sees levels and shall find what they lack (docs/format.md, kind 3). Levels are chosen through the filter that
is installed, so this is done twice: the committed weights come from half an hour with samples of no filter, then from
38 minutes with those made through what that gave and the first ones mixed, on one core with bf16 products. Weights end
as 63 levels an output.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.fft import idctn
from torch import nn
from torch.nn import functional
from wave_samples import Sample, held_out, load

CHANNELS, BLOCKS, HALVES, SCALE, MOST = 64, 3, 2, 0.3, 31
BATCH, RATE, REPORT_SECONDS = 8, 1e-3, 120
TARGET = Path(__file__).parent.parent / "csrc" / "cpu" / "waves_filter.inc"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


class Filter(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        points = 3 * HALVES**2
        self.head = nn.Conv2d(points, CHANNELS, 3, padding=1)
        self.body = nn.ModuleList([nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1) for _ in range(2 * BLOCKS)])
        self.tail = nn.Conv2d(CHANNELS, points, 3, padding=1)
        for k, layer in enumerate(self.body):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
            if k % 2:
                layer.weight.data *= 0.1
        nn.init.zeros_(self.tail.weight)
        nn.init.zeros_(self.tail.bias)

    def forward(self, points: torch.Tensor, inside: torch.Tensor) -> torch.Tensor:
        """points (B, 3, H, W); inside (B, 1, H, W): 0 where a smaller picture of the batch has ended"""
        within = functional.max_pool2d(inside, HALVES)
        x = functional.relu(self.head(functional.pixel_unshuffle(points * SCALE, HALVES))) * within
        for first, second in zip(self.body[::2], self.body[1::2], strict=True):
            x = x + second(functional.relu(first(x)) * within) * within
        return functional.pixel_shuffle(self.tail(x), HALVES) * inside

    def layers(self) -> list[nn.Conv2d]:
        return [self.head, *self.body, self.tail]


def points_of(sample: Sample) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    """What the filter sees of a sample, and what it shall find, as points of the grid."""
    levels = sample.planes.astype(float)
    seen, lacking = (idctn(p, axes=(1, 2), norm="ortho") for p in (levels, sample.targets.astype(float) - levels))
    return seen.astype(np.float16), lacking.astype(np.float16)


def batch_of(
    items: list[tuple[NDArray[np.float16], NDArray[np.float16]]], rng: np.random.Generator | None = None
) -> Batch:
    """Of pictures of several sizes, perhaps mirrored, turned, the signs of the second and third axis changed."""
    if rng is not None and rng.random() < 0.5:
        items = [(a.transpose(0, 2, 1), b.transpose(0, 2, 1)) for a, b in items]
    sides = [-(-max(a.shape[k] for a, _ in items) // HALVES) * HALVES for k in (1, 2)]
    seen, lacking = np.zeros((2, len(items), 3, *sides), np.float32)
    inside = np.zeros((len(items), 1, *sides), np.float32)
    for k, pair in enumerate(items):
        flips, signs = np.ones(2, int), np.ones((3, 1, 1), np.float32)
        if rng is not None:
            flips, signs[1:, 0, 0] = rng.choice([-1, 1], 2), rng.choice([-1, 1], 2)
        a, b = (signs * part[:, :: flips[0], :: flips[1]] for part in pair)
        _, height, width = a.shape
        seen[k, :, :height, :width], lacking[k, :, :height, :width] = a, b
        inside[k, :, :height, :width] = 1
    a, b, c = (torch.from_numpy(x).to(memory_format=torch.channels_last) for x in (seen, lacking, inside))
    return a, b, c


def left_over(net: Filter, batch: Batch) -> torch.Tensor:
    """(B): which part of what is lacking the filter does not find"""
    seen, lacking, inside = batch
    error = ((net(seen, inside).float() - lacking) ** 2).sum((1, 2, 3))
    return error / (lacking**2).sum((1, 2, 3)).clamp(min=1e-6)


def fitted(net: Filter, fit: list[Sample], held: list[Sample], minutes: float) -> Filter:
    """The mean of the weights over the last fiftieth or so of the steps."""
    rng, begun, reported, steps = np.random.default_rng(0), time.monotonic(), 0.0, 0
    items, checks = [points_of(s) for s in fit], [points_of(s) for s in held[:160]]
    areas = np.array([a.size for a, _ in items])
    mean, adam = Filter(), torch.optim.Adam(net.parameters(), RATE, betas=(0.9, 0.99))
    mean.load_state_dict(net.state_dict())
    queue: list[NDArray[np.int_]] = []
    while (part := (time.monotonic() - begun) / (60 * minutes)) < 1:
        if not queue:  # alike in size, or most of a batch is padding
            order = np.argsort(areas * np.exp(rng.normal(0, 0.05, len(items))))
            queue = [order[k : k + BATCH] for k in range(0, len(order), BATCH)]
            rng.shuffle(queue)  # type: ignore[arg-type]
        for group in adam.param_groups:
            group["lr"] = RATE * min(1, steps / 200) * (1 + np.cos(np.pi * part)) / 2
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = left_over(net, batch_of([items[k] for k in queue.pop()], rng)).mean()
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 0.5)
        adam.step()
        steps += 1
        keep = min(0.999, steps / (steps + 20))
        with torch.no_grad():
            for old, new in zip(mean.parameters(), net.parameters(), strict=True):
                old.mul_(keep).add_(new, alpha=1 - keep)
        if time.monotonic() - begun - reported > REPORT_SECONDS:
            reported = time.monotonic() - begun
            with torch.no_grad():
                left = torch.cat([left_over(mean, batch_of(checks[k : k + 8])) for k in range(0, len(checks), 8)])
            print(f"{reported:.0f} s, {steps} steps: {float(left.mean()):.4f} is left of what lacks", flush=True)
    return mean


def quantized(weights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(outputs, inputs, 3, 3) as whole numbers within 31, and a scale for each output: that of the least error."""
    best_error, best_scale = torch.full((len(weights),), torch.inf), torch.ones(len(weights))
    for part in np.linspace(0.6, 1.0, 21):
        scale = weights.abs().amax(dim=(1, 2, 3)).clamp(min=1e-8) / MOST * float(part)
        error = ((whole(weights, scale) * scale[:, None, None, None] - weights) ** 2).sum((1, 2, 3))
        best_scale = torch.where(error < best_error, scale, best_scale)
        best_error = torch.minimum(error, best_error)
    return whole(weights, best_scale), best_scale


def whole(weights: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    return torch.clamp(torch.round(weights / scale[:, None, None, None]), -MOST, MOST)


def written(net: Filter) -> str:
    """The weights as C++: a letter each, rows, columns, inputs, outputs; the scale of what goes in multiplied in."""
    letters, scales, biases = "", [], []
    for layer in net.layers():
        weights = layer.weight.detach() * (SCALE if layer is net.head else 1)
        numbers, scale = quantized(weights)
        letters += "".join(LETTERS[int(n) + 32] for n in numbers.permute(2, 3, 1, 0).reshape(-1))
        scales += scale.tolist()
        biases += layer.bias.detach().tolist()
    lines = [
        "// Written by bench/fit_filter.py.",
        f"inline constexpr int kFilterChannels = {CHANNELS}, kFilterBlocks = {BLOCKS};",
        "inline constexpr char kFilterLetters[] =",
        *(f'    "{letters[k : k + 100]}"' for k in range(0, len(letters), 100)),
    ]
    lines[-1] += ";"
    for name, values in (("Scales", scales), ("Biases", biases)):
        rows = [", ".join(f"{value:.6e}f" for value in values[k : k + 6]) for k in range(0, len(values), 6)]
        lines.append(f"inline constexpr float kFilter{name}[] = {{{(',' + chr(10)).join(rows)}}};")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("samples", type=Path, nargs="+")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--start", type=Path, help="weights to go on from")
    parser.add_argument("--keep", type=Path, default=Path("filter.pt"), help="the weights as they are")
    options = parser.parse_args()
    torch.manual_seed(0)
    net = Filter()
    if options.start:
        net.load_state_dict(torch.load(options.start))
    if options.minutes > 0:
        fit, held = held_out([sample for path in options.samples for sample in load(path)])
        net = fitted(net.to(memory_format=torch.channels_last), fit, held, options.minutes)
        torch.save(net.state_dict(), options.keep)
    TARGET.write_text(written(net))


if __name__ == "__main__":
    main()
