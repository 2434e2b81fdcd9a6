"""The step in JAX: value_and_grad, Adam and the clip in one jitted function, in the ways it can be written.

concat    one row concatenated per neuron
unrolled  a multiply-add per weight on pixel rows, left to XLA to fuse
donated   as unrolled, the optimizer's buffers given back to XLA
blocked   fifteen neurons at a time: a matrix product for what lies before the block, unrolled inside
manual    as blocked, the gradient written by hand: matrix products for most of it
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from problem import BETA1, BETA2, EPS, KAPPA, LIMIT, RATE, C, D, Problem, row

__all__ = ["forms"]

Array = jax.Array
ValueAndGradient = Callable[[Array], tuple[Array, Array]]
BLOCK = 15


class JaxStep:
    family = "jax"

    def __init__(
        self, name: str, problem: Problem, f: ValueAndGradient, donate: bool = False, how: str = "jit"
    ) -> None:
        self.name, self.how, self.problem = f"jax {name}", how, problem
        self._step = jax.jit(_step(f), donate_argnums=(0,) if donate else ())
        self.reset()

    def reset(self) -> None:
        u = jnp.array(self.problem.u)
        self.state = (u, jnp.zeros_like(u), jnp.zeros_like(u), jnp.zeros(()))

    def gradient(self) -> tuple[float, NDArray[np.float32]]:
        self.run(1)  # the step returns both: compiling another function would take as long again
        loss, gradient = float(self.loss), np.asarray(self.g)
        self.reset()
        return loss, gradient

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.state, self.loss, self.g = self._step(self.state)
        jax.block_until_ready(self.state)

    def levels(self) -> NDArray[np.float32]:
        return np.asarray(self.state[0])


def _step(f: ValueAndGradient) -> Callable[[Any], Any]:
    def step(state: tuple[Array, Array, Array, Array]) -> tuple[tuple[Array, ...], Array, Array]:
        u, m, v, t = state
        loss, g = f(u)
        t = t + 1
        m = BETA1 * m + (1 - BETA1) * g
        v = BETA2 * v + (1 - BETA2) * g**2
        u = u - RATE * (m / (1 - BETA1**t)) / (jnp.sqrt(v / (1 - BETA2**t)) + EPS)
        return (jnp.clip(u, -LIMIT, LIMIT), m, v, t), loss, g

    return step


def forms(problem: Problem, quick: bool) -> Iterator[tuple[str, Callable[[], JaxStep]]]:
    """(name, how to make it) of every form; quick: of those that compile in seconds."""
    by_autograd = {"concat": concat, "blocked": blocked} | ({} if quick else {"unrolled": unrolled})
    for name, loss in by_autograd.items():
        yield name, lambda name=name, loss=loss: JaxStep(name, problem, jax.value_and_grad(loss(problem)))
    if not quick:
        yield (
            "donated",
            lambda: JaxStep("donated", problem, jax.value_and_grad(unrolled(problem)), donate=True),
        )
    yield "manual", lambda: JaxStep("manual", problem, manual(problem), how="jit, by hand")


def concat(problem: Problem) -> Callable[[Array], Array]:
    x, target = jnp.array(problem.inputs), jnp.array(problem.target)

    def loss(u: Array) -> Array:
        w, a = u * problem.step, x
        for n in range(problem.neurons):
            a = jnp.concatenate([a, jax.nn.sigmoid(w[row(n) : row(n + 1)] @ a)[None]])
        return KAPPA * ((a[-C:] - target) ** 2).sum()

    return loss


def unrolled(problem: Problem) -> Callable[[Array], Array]:
    x, target = jnp.array(problem.inputs), jnp.array(problem.target)

    def loss(u: Array) -> Array:
        w, a = u * problem.step, list(x)
        for n in range(problem.neurons):
            a.append(jax.nn.sigmoid(sum(w[row(n) + k] * a[k] for k in range(D + n))))
        return KAPPA * ((jnp.stack(a[-C:]) - target) ** 2).sum()

    return loss


def blocked(problem: Problem) -> Callable[[Array], Array]:
    target, forward = jnp.array(problem.target), _forward(problem)

    def loss(u: Array) -> Array:
        a = forward(_matrix(problem, u))
        return KAPPA * ((a[-C:] - target) ** 2).sum()

    return loss


def manual(problem: Problem) -> ValueAndGradient:
    target, forward = jnp.array(problem.target), _forward(problem)

    def f(u: Array) -> tuple[Array, Array]:
        w = _matrix(problem, u)
        a = forward(w)
        miss = a[-C:] - target
        g = _backward(problem, w, a, miss)
        return KAPPA * (miss**2).sum(), (g @ a.T)[problem.index] * problem.step

    return f


def _matrix(problem: Problem, u: Array) -> Array:
    return jnp.zeros((problem.neurons, D + problem.neurons)).at[problem.index].set(u * problem.step)


def _forward(problem: Problem) -> Callable[[Array], Array]:
    x = jnp.array(problem.inputs)

    def forward(w: Array) -> Array:
        a = x
        for first in range(0, problem.neurons, BLOCK):
            z = w[first : first + BLOCK, : D + first] @ a
            new: list[Array] = []
            for i in range(len(z)):
                inside = sum((w[first + i, D + first + k] * new[k] for k in range(i)), jnp.zeros(()))
                new.append(jax.nn.sigmoid(z[i] + inside))
            a = jnp.concatenate([a, jnp.stack(new)])
        return a

    return forward


def _backward(problem: Problem, w: Array, a: Array, miss: Array) -> Array:
    """(N, P) dloss/dz; the outputs lie in the last block, which BLOCK must leave at least C neurons."""
    n_neurons = problem.neurons
    g = jnp.zeros((0, a.shape[1]))
    for first in reversed(range(0, n_neurons, BLOCK)):
        last = min(n_neurons, first + BLOCK)
        if last < n_neurons:
            part = list(w[last:, D + first : D + last].T @ g)
        else:
            part = [jnp.zeros_like(miss[0])] * (last - first - C) + [2 * KAPPA * m for m in miss]
        for n in reversed(range(first, last)):
            inside = sum((w[k, D + n] * part[k - first] for k in range(n + 1, last)), jnp.zeros(()))
            part[n - first] = (part[n - first] + inside) * a[D + n] * (1 - a[D + n])
        g = jnp.concatenate([jnp.stack(part), g])
    return g
