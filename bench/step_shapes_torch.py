"""An epoch of "fourier" shapes in PyTorch: as the notebook writes it, everything as (n, H, W), and two fairer ways.

notebook   the sines and cosines of all terms as (terms, n, H, W), squares by ``square()``, broadcast by ``expand``
lean       one shape axis, waves by recurrence, the picture as a matrix product: the same formula with a quarter of the
           memory, eager
compiled   ``lean`` under ``torch.compile``
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["WAYS", "TorchShapes"]

WAYS = ("notebook", "lean", "compiled")
PI = 3.141592


class TorchShapes:
    """``take(n)`` epochs of AdamW on a target (S, S, 3), beginning with raw parameters; ``losses`` of all of them."""

    def __init__(
        self, parameters: dict[str, NDArray[np.float32]], target: NDArray[np.float32], rate: float, way: str
    ) -> None:
        import torch

        self.torch = torch
        self.raw = {name: torch.nn.Parameter(torch.from_numpy(a.copy())) for name, a in parameters.items()}
        self.target = torch.from_numpy(target).permute(2, 0, 1).contiguous()
        self.adam = torch.optim.AdamW(self.raw.values(), lr=rate)
        draw = _notebook if way == "notebook" else _lean
        self.draw = torch.compile(draw) if way == "compiled" else draw
        self.losses: list[float] = []

    def take(self, epochs: int) -> None:
        for _ in range(epochs):
            out = self.draw(self.torch, self.raw, self.target.shape[1])
            loss = (self.target - out).square().mean().sqrt()
            self.adam.zero_grad()
            loss.backward()
            self.adam.step()
            self.losses.append(loss.item())


def _values(raw: dict[str, Any]) -> dict[str, Any]:
    return {
        "posx": 3.0 * raw["posx"].sigmoid() - 1.0,
        "posy": 3.0 * raw["posy"].sigmoid() - 1.0,
        "radius": raw["radius"].sigmoid(),
        "scale_x": 4.0 * raw["scale_x"].sigmoid(),
        "scale_y": 4.0 * raw["scale_y"].sigmoid(),
        "rotate": PI * raw["rotate"],
        "colour": raw["colour"].tanh(),
    }


def _notebook(torch: Any, raw: dict[str, Any], size: int) -> Any:
    """(3, S, S), every intermediate (n, 1, S, S) or (terms, n, 1, S, S), as in the notebook."""
    v = _values(raw)
    n, terms = len(v["posx"]), len(raw["w_sin"])
    wide = {name: a.reshape(n, 1, 1, 1) for name, a in v.items() if a.ndim == 1}
    line = torch.arange(0.5, size + 0.5, 1) / size
    x = line.reshape(1, 1, 1, size).expand(n, 1, size, size) - wide["posx"]
    y = line.reshape(1, 1, size, 1).expand(n, 1, size, size) - wide["posy"]
    cos, sin = wide["rotate"].cos(), wide["rotate"].sin()
    x, y = wide["scale_x"] * (x * cos - y * sin), wide["scale_y"] * (x * sin + y * cos)
    r = torch.sqrt(x.square() + y.square())
    theta = -1.0 * (torch.acos(x / (r + 0.0001)) * (1.0 * (y > 0.0) - 1.0 * (y < 0.0)))
    angles = torch.arange(1, terms + 1).reshape(terms, 1, 1, 1, 1) * theta.expand(terms, n, 1, size, size)
    waves = raw["w_sin"].reshape(terms, n, 1, 1, 1) * angles.sin()
    waves = (waves + raw["w_cos"].reshape(terms, n, 1, 1, 1) * angles.cos()).sum(0)
    soft = torch.tanh(16.0 * (wide["radius"] * (1.0 + 0.1 * waves) - r) / wide["radius"])
    f = soft * (soft > 0.0)
    rgb = v["colour"].reshape(n, 3, 1, 1) * f.expand(n, 3, size, size)
    return torch.sum(f * rgb, 0)


def _lean(torch: Any, raw: dict[str, Any], size: int) -> Any:
    """(3, S, S) with n S S floats an intermediate."""
    v = _values(raw)
    n, terms = len(v["posx"]), len(raw["w_sin"])
    wide = {name: a.reshape(n, 1, 1) for name, a in v.items() if a.ndim == 1}
    line = (torch.arange(size) + 0.5) / size
    dx, dy = line.reshape(1, 1, size) - wide["posx"], line.reshape(1, size, 1) - wide["posy"]
    cos, sin = wide["rotate"].cos(), wide["rotate"].sin()
    x, y = wide["scale_x"] * (dx * cos - dy * sin), wide["scale_y"] * (dx * sin + dy * cos)
    r = torch.sqrt(x * x + y * y)
    u = x / (r + 1e-4)
    c1, s1 = u, -torch.sign(y) * torch.sqrt((1 - u * u).clamp_min(1e-12))
    c0, s0, c, s, waves = torch.ones_like(u), torch.zeros_like(u), c1, s1, 0.0
    for m in range(terms):
        waves = waves + raw["w_sin"][m].reshape(n, 1, 1) * s + raw["w_cos"][m].reshape(n, 1, 1) * c
        c0, s0, c, s = c, s, 2 * c1 * c - c0, 2 * c1 * s - s0
    f = torch.tanh(16.0 * (1.0 + 0.1 * waves - r / wide["radius"])).clamp_min(0.0)
    return (v["colour"].T @ (f * f).reshape(n, size * size)).reshape(3, size, size)
