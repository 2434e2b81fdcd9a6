"""The kernels against PyTorch's automatic differentiation: a second opinion beside our own reference."""

from __future__ import annotations

import numpy as np
import pytest
from cppn_native import _core

torch = pytest.importorskip("torch", reason="PyTorch is not installed (pip install torch==2.13.0)")


@pytest.mark.parametrize("hidden", ["sigmoid", "sine", "tanh", "gaussian", "identity"])
def test_loss_and_gradient_are_what_autograd_finds(hidden: str) -> None:
    spell = {
        "sigmoid": torch.sigmoid,
        "sine": lambda z: 0.5 + 0.5 * torch.sin(z),
        "tanh": torch.tanh,
        "gaussian": lambda z: torch.exp(-z * z),
        "identity": lambda z: z,
    }
    names = [name for name, _, _ in _core.activations()]
    neurons, pixels, rng = 14, 333, np.random.default_rng(0)
    kinds = [hidden] * (neurons - 3) + ["sigmoid"] * 3
    shape = _core.Shape(neurons, 3, False, 0, [names.index(kind) for kind in kinds])
    weights = (0.4 * rng.normal(size=shape.weights)).astype(np.float32)
    x, y = rng.uniform(-1, 1, (2, pixels)).astype(np.float32)
    target = rng.uniform(0, 1, (3, pixels)).astype(np.float32)

    w = torch.tensor(weights, dtype=torch.float64, requires_grad=True)
    nodes = [torch.ones(pixels, dtype=torch.float64), torch.tensor(x).double(), torch.tensor(y).double()]
    row = 0
    for kind in kinds:
        z = w[row : row + len(nodes)] @ torch.stack(nodes)
        row += len(nodes)
        nodes.append(spell[kind](z))
    loss = (256 / 255) ** 2 * (torch.stack(nodes[-3:]) - torch.tensor(target).double()).square().sum()
    loss.backward()

    seen, gradient = _core.Task(_core.Cpu("", 1), shape, x, y, False, target).gradient(weights)
    want = w.grad.numpy()
    assert seen == pytest.approx(float(loss.detach()), rel=1e-5)
    assert np.abs(gradient - want).max() <= 1e-5 * np.abs(want).max()
