"""``Cascade.quantize``: integers for a model that has floats, or coarser ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..codec import encoded_size
from ..models.cascade import Cascade

__all__ = ["quantize"]


def quantize(
    model: Cascade,
    *,
    levels: int | None,
    bits: float | None,
    max_bytes: int | None,
    image: Any,
    **options: Any,
) -> Cascade:
    """See ``Cascade.quantize``."""
    from .result import fit_steps

    given = [
        name for name, value in (("levels", levels), ("bits", bits), ("max_bytes", max_bytes)) if value is not None
    ]
    if len(given) != 1:
        raise ValueError(f"exactly one of levels, bits and max_bytes is needed, got {' and '.join(given) or 'none'}")
    weights = model.weights.astype(np.float64)
    if max_bytes is not None:
        u, steps = fit_steps(model.config, model.size, model.levels.astype(np.float64), _three(model.steps), max_bytes)
        coarse = model.with_levels(np.rint(u).astype(np.int32), steps)
        if encoded_size(model.config, model.size, coarse.levels, coarse.steps) > max_bytes:
            raise ValueError(f"max_bytes={max_bytes} is too little for {model.config.neurons} neurons")
    else:
        count = float(levels if levels is not None else 2.0 ** float(bits or 0.0))
        if not 2 <= count <= 65535:
            raise ValueError(f"{given[0]} must give 2 to 65535 levels, got {levels if levels is not None else bits}")
        half = max(1, int(count - 1) // 2)
        step = float(np.float32(max(float(np.abs(weights).max()), 1e-30) / half))
        coarse = model.with_levels(np.clip(np.rint(weights / step), -half, half).astype(np.int32), (step,) * 3)
    if image is None:
        return coarse
    from ..training import train

    budget = max_bytes if max_bytes is not None else coarse.nbytes
    floats = model.with_levels(model.levels.astype(np.float32))
    usual = {"steps": 0, "progress": False, "device": "auto" if options.get("steps") else "cpu"}
    fitted: Cascade = train(image, max_bytes=budget, init=floats, **{**usual, **options})
    return fitted


def _three(steps: tuple[float, ...]) -> tuple[float, float, float]:
    return steps[0], steps[1], steps[2]
