"""MysteryNet's training step in PyTorch, as one writes it: full batch, MSE, Adam; eager or compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["TorchNet"]

WIDTHS = (2, 16, 32, 32, 32, 32, 32, 32, 16, 3)


class TorchNet:
    """``take(n)`` steps on x (P, 2), y (P, 3), beginning with a model's state."""

    def __init__(
        self,
        state: dict[str, NDArray[Any]],
        x: NDArray[np.float32],
        y: NDArray[np.float32],
        rate: float,
        compiled: bool,
    ) -> None:
        import torch

        self.net = _net(torch)
        self.net.load_state_dict(
            {name: torch.from_numpy(np.array(array)) for name, array in state.items()}, strict=True
        )
        self.net.train()
        self.x, self.y = torch.from_numpy(x), torch.from_numpy(y)
        self.adam = torch.optim.Adam(self.net.parameters(), rate)
        self.forward = torch.compile(self.net) if compiled else self.net
        self.loss = 0.0

    def take(self, steps: int) -> None:
        for _ in range(steps):
            self.adam.zero_grad(set_to_none=True)
            loss = ((self.forward(self.x) - self.y) ** 2).mean()
            loss.backward()
            self.adam.step()
        self.loss = float(loss)

    def params(self) -> dict[str, NDArray[Any]]:
        return {name: tensor.detach().numpy().copy() for name, tensor in self.net.state_dict().items()}


def _net(torch: Any) -> Any:
    class Net(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            for n in range(1, 9):
                setattr(self, f"dense{n}", torch.nn.Linear(WIDTHS[n - 1], WIDTHS[n]))
                if n % 2 == 0:
                    setattr(self, f"bn{n}", torch.nn.BatchNorm1d(WIDTHS[n]))
            self.dense_head = torch.nn.Linear(WIDTHS[8], WIDTHS[9])

        def forward(self, x: Any) -> Any:
            for n in range(1, 9):
                x = torch.nn.functional.gelu(getattr(self, f"dense{n}")(x))
                if n % 2 == 0:
                    x = getattr(self, f"bn{n}")(x)
            return self.dense_head(x)

    return Net()
