"""What a fit is going to do, decided once at its start and kept in its checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

from ..models.cascade import CascadeConfig

__all__ = ["Plan", "neurons_for"]

BITS_PER_WEIGHT = 5.0
"""What a weight costs in a file fitted at the default step (bench/results/recipe.json)."""


@dataclass(frozen=True)
class Plan:
    """The numbers behind ``cn.train``; the defaults were chosen by bench/bench_recipe.py.

    method        "noise": uniform noise on all weights, then rounding against the loss; "stochastic": the seed's
                  stochastic quantization from the first step to the last
    steps         of Adam, over which the learning rate falls as a cosine
    coarse        pixels a weight that the descent sees, the picture averaged down to them; 0: all there are.
                  9 makes a step of a kilobyte's network many times cheaper and the result some 1 % worse
    fine          the share of the steps, the last ones, that see all pixels all the same
    rate          Adam's learning rate, in levels
    warmup        steps over which the rate rises
    noise         width of the uniform noise, in levels; it grows over the first ``noise_rise`` of the steps
    decay         L2 penalty per squared level: the price of large weights in the file
    spread        first weights are uniform in +- spread levels
    limit         weights are clipped to +- limit levels
    quantize_rate the seed's q grows by this fraction of what is missing, each step
    rounds        in which weights are frozen to integers, the rest being refitted in between
    polish        evaluations of the lattice search at the end
    sample        pixels that one Gauss-Newton matrix is estimated on
    reserve       seconds of ``minutes`` that are kept for rounding
    """

    method: str = "noise"
    steps: int = 40_000
    coarse: float = 0.0
    fine: float = 0.05
    rate: float = 0.33
    rate_floor: float = 0.0
    warmup: int = 200
    noise: float = 0.5
    noise_rise: float = 0.3
    decay: float = 0.0
    spread: float = 13.3
    limit: float = 60.0
    step: float = 0.138
    quantize_rate: float = 1e-4
    rounds: int = 20
    polish: int = 30
    sample: int = 30_000
    max_bytes: int | None = 1024
    minutes: float | None = None
    reserve: float = 0.0
    seed: int = 0


def neurons_for(max_bytes: int, config: CascadeConfig, bits: float = BITS_PER_WEIGHT) -> int:
    """The most neurons whose weights fit into ``max_bytes`` at so many bits a weight."""
    budget = max(1.0, (max_bytes - 14) * 8 / bits)
    best = config.channels
    for neurons in range(config.channels, 129):
        if neurons * config.inputs + neurons * (neurons - 1) // 2 <= budget:
            best = neurons
    return best
