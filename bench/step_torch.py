"""The step in PyTorch, in the ways it can be written, from the seed's to the best we found.

    concat    (P, nodes), one column concatenated per neuron: how the 1020-byte program was trained
    rows      a list of pixel rows, stacked for each neuron
    channels  (nodes, P), one row concatenated per neuron: every product reads contiguous rows
    blocked   as channels, nine neurons at a time: a matrix product for what lies before the block
    manual    no autograd: buffers made once, blocks of neurons, matrix products in place, a gradient by hand

``compiled`` is torch.compile of the function before it. Autograd's forms differ in the loss alone. All of them take a
device; step_torch_cuda.py runs them on a GPU.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from problem import BETA1, BETA2, EPS, KAPPA, LIMIT, RATE, C, D, Problem, row

__all__ = ["Manual", "TorchStep", "autograd", "forms", "losses"]

Tensor = torch.Tensor
Loss = Callable[[Tensor], Tensor]
ValueAndGradient = Callable[[Tensor], tuple[Tensor, Tensor]]


class TorchStep:
    """Value and gradient as given, then Adam and the clip."""

    family = "torch"

    def __init__(self, name: str, how: str, problem: Problem, f: ValueAndGradient, device: str = "cpu") -> None:
        self.name, self.how, self.problem, self.f, self.device = f"torch {name}", how, problem, f, device
        self.reset()

    def reset(self) -> None:
        self.u = torch.tensor(self.problem.u, device=self.device, requires_grad=True)
        on_gpu = self.device != "cpu"  # there, capturable: the count of steps is on the device, nobody waits for it
        self.adam = torch.optim.Adam([self.u], lr=RATE, betas=(BETA1, BETA2), eps=EPS, fused=True, capturable=on_gpu)

    def gradient(self) -> tuple[float, NDArray[np.float32]]:
        loss, gradient = self.f(torch.tensor(self.problem.u, device=self.device, requires_grad=True))
        return float(loss), gradient.cpu().numpy().copy()

    def once(self) -> Tensor:
        """One step, perhaps not done yet when this returns; its loss."""
        loss, self.u.grad = self.f(self.u)
        self.adam.step()
        with torch.no_grad():
            self.u.clamp_(-LIMIT, LIMIT)
        return loss

    def launch(self, steps: int) -> None:
        for _ in range(steps):
            self.once()

    def run(self, steps: int) -> None:
        self.launch(steps)
        if self.device != "cpu":
            torch.cuda.synchronize()

    def levels(self) -> NDArray[np.float32]:
        return self.u.detach().cpu().numpy().copy()


def forms(problem: Problem, threads: int, compiled: bool) -> Iterator[tuple[str, Callable[[], TorchStep]]]:
    """(name, how to make it) of every form; a compiled one is compiled by its first call."""
    torch.set_num_threads(threads)
    by_itself = losses(problem)
    for name, loss in by_itself.items():
        yield name, lambda name=name, loss=loss: TorchStep(name, "eager", problem, autograd(loss))
    for block, pixels in ((15, problem.pixels), (9, 16384)):
        name = f"manual {block}x{pixels}"
        yield (
            name,
            lambda n=name, b=block, p=pixels: TorchStep(n, "eager, by hand", problem, Manual(problem, b, p)),
        )
    if compiled:
        for name in ("concat", "channels", "blocked"):
            loss = by_itself[name]
            yield f"{name} compiled", lambda name=name, loss=loss: _compiled(name, problem, loss)


def losses(problem: Problem, device: str = "cpu") -> dict[str, Loss]:
    """The forms that leave the gradient to autograd."""
    return {
        "concat": concat(problem, device),
        "rows": rows(problem, device),
        "channels": channels(problem, device),
        "blocked": blocked(problem, 9, device),
    }


def _compiled(name: str, problem: Problem, loss: Loss) -> TorchStep:
    return TorchStep(f"{name} compiled", "torch.compile", problem, autograd(torch.compile(loss)))


def autograd(loss: Loss) -> ValueAndGradient:
    def f(u: Tensor) -> tuple[Tensor, Tensor]:
        value = loss(u)
        (gradient,) = torch.autograd.grad(value, u)
        return value.detach(), gradient

    return f


def inputs_and_target(problem: Problem, device: str) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(problem.inputs).to(device), torch.from_numpy(problem.target).to(device)


def weight_index(problem: Problem, device: str) -> tuple[Tensor, Tensor]:
    rows, columns = (torch.from_numpy(i).to(device) for i in problem.index)
    return rows, columns


# -- with autograd ------------------------------------------------------------------------------------------


def concat(problem: Problem, device: str = "cpu") -> Loss:
    x, target = (part.t().contiguous() for part in inputs_and_target(problem, device))

    def loss(u: Tensor) -> Tensor:
        w, a = u * problem.step, x
        for n in range(problem.neurons):
            a = torch.cat([a, torch.sigmoid(a @ w[row(n) : row(n + 1)])[:, None]], 1)
        return KAPPA * (a[:, -C:] - target).square().sum()

    return loss


def rows(problem: Problem, device: str = "cpu") -> Loss:
    x, target = inputs_and_target(problem, device)

    def loss(u: Tensor) -> Tensor:
        w, a = u * problem.step, list(x)
        for n in range(problem.neurons):
            a.append(torch.sigmoid(w[row(n) : row(n + 1)] @ torch.stack(a)))
        return KAPPA * (torch.stack(a[-C:]) - target).square().sum()

    return loss


def channels(problem: Problem, device: str = "cpu") -> Loss:
    x, target = inputs_and_target(problem, device)

    def loss(u: Tensor) -> Tensor:
        w, a = u * problem.step, x
        for n in range(problem.neurons):
            a = torch.cat([a, torch.sigmoid(w[row(n) : row(n + 1)] @ a)[None]])
        return KAPPA * (a[-C:] - target).square().sum()

    return loss


def blocked(problem: Problem, block: int, device: str = "cpu") -> Loss:
    x, target = inputs_and_target(problem, device)
    index = weight_index(problem, device)
    empty = torch.zeros(problem.neurons, D + problem.neurons, device=device)

    def loss(u: Tensor) -> Tensor:
        w, a = empty.index_put(index, u * problem.step), x
        for first in range(0, problem.neurons, block):
            z = w[first : first + block, : D + first] @ a
            new: list[Tensor] = []
            for i in range(len(z)):
                inside = w[first + i, D + first : D + first + i] @ torch.stack(new) if new else 0.0
                new.append(torch.sigmoid(z[i] + inside))
            a = torch.cat([a, torch.stack(new)])
        return KAPPA * (a[-C:] - target).square().sum()

    return loss


# -- by hand ------------------------------------------------------------------------------------------


class Manual:
    """Forward and backward written out, ``block`` neurons and ``pixels`` pixels at a time, in place."""

    def __init__(self, problem: Problem, block: int, pixels: int, device: str = "cpu") -> None:
        if block < C:
            raise ValueError(f"block must be at least {C}: the outputs lie in one block, got {block}")
        self.problem, self.block = problem, block
        self.pixels = min(pixels, problem.pixels)
        n = problem.neurons
        self.x, self.target = inputs_and_target(problem, device)
        self.index = weight_index(problem, device)
        self.w, self.dw = (torch.zeros(n, D + n, device=device) for _ in range(2))
        self.a, self.slope, self.g = (torch.empty(rows, self.pixels, device=device) for rows in (D + n, n, n))

    @torch.no_grad()
    def __call__(self, u: Tensor) -> tuple[Tensor, Tensor]:
        self.w[self.index] = u * self.problem.step
        self.dw.zero_()
        loss = torch.zeros((), device=self.w.device)
        for first in range(0, self.problem.pixels, self.pixels):
            count = min(self.pixels, self.problem.pixels - first)
            a, slope, g = (buffer[:, :count] for buffer in (self.a, self.slope, self.g))
            a[:D] = self.x[:, first : first + count]
            self.forward(a)
            miss = a[-C:] - self.target[:, first : first + count]
            loss += KAPPA * miss.square().sum()
            torch.addcmul(a[D:], a[D:], a[D:], value=-1, out=slope)
            self.backward(g, slope, miss)
            self.dw.addmm_(g, a.t())
        return loss, self.dw[self.index] * self.problem.step

    def forward(self, a: Tensor) -> None:
        for first in range(0, self.problem.neurons, self.block):
            last = min(self.problem.neurons, first + self.block)
            z = a[D + first : D + last]
            torch.mm(self.w[first:last, : D + first], a[: D + first], out=z)
            for n in range(first, last):
                if n > first:
                    z[n - first : n - first + 1].addmm_(self.w[n : n + 1, D + first : D + n], a[D + first : D + n])
                z[n - first].sigmoid_()

    def backward(self, g: Tensor, slope: Tensor, miss: Tensor) -> None:
        n_neurons = self.problem.neurons
        starts = range(0, n_neurons, self.block)
        for first in reversed(starts):
            last = min(n_neurons, first + self.block)
            part = g[first:last]
            if last < n_neurons:
                torch.mm(self.w[last:, D + first : D + last].t(), g[last:], out=part)
            else:
                part.zero_()
                part[-C:].add_(miss, alpha=2 * KAPPA)
            for n in reversed(range(first, last)):
                if n < last - 1:
                    w = self.w[n + 1 : last, D + n : D + n + 1]
                    part[n - first : n - first + 1].addmm_(w.t(), g[n + 1 : last])
                part[n - first].mul_(slope[n])
