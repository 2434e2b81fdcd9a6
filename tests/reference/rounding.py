"""From float weights to integers, slowly and obviously, on the quadratic model of the loss

    loss(u + d) = loss(u) + g d + d^T H d

plus price * bits(|level|) for every weight that is an integer.
"""

import numpy as np


def bit_cost(bits, kind, price, i, level):
    """What the level of weight i costs; levels beyond the table cost as much as its last."""
    return price * bits[kind[i]][min(int(abs(level)), bits.shape[1] - 1)]


def freeze(hessian, u, count, limit, bits, kind, price):
    """(u, fixed) after rounding ``count`` weights, cheapest first, the live ones making up for each.

    The optimal brain surgeon's step (Hassibi & Stork 1993) with integers for targets: moving weight i by d,
    and all other live ones to their best answer, costs d^2 / Hinv[i, i] with Hinv the inverse of H among the
    live, here computed anew for every freeze. Bits that either choice would cost are not held against a
    weight when its turn is decided.
    """
    u, live = np.array(u, float), list(range(len(u)))
    fixed = np.zeros(len(u), int)
    for _ in range(min(count, len(u))):
        hinv = np.linalg.inv(hessian[np.ix_(live, live)])
        choices = []
        for at, i in enumerate(live):
            levels = [np.clip(level, -limit, limit) for level in (np.floor(u[i]), np.ceil(u[i]))]
            price_of = {r: bit_cost(bits, kind, price, i, r) for r in levels}
            cost = {r: (u[i] - r) ** 2 / hinv[at, at] + price_of[r] for r in levels}
            r = min(levels, key=cost.get)
            choices.append((cost[r] - min(price_of.values()), at, r))
        _, at, r = min(choices)
        i = live[at]
        u[live] = np.clip(u[live] - (u[i] - r) / hinv[at, at] * hinv[:, at], -limit, limit)
        u[i], fixed[i] = r, 1
        live.remove(i)
    return u, fixed


def model(hessian, g, u, d, bits, kind, price):
    """How much u + d is dearer than u, loss and bits together."""
    charged = [sum(bit_cost(bits, kind, price, i, level) for i, level in enumerate(v)) for v in (u + d, u)]
    return g @ d + d @ hessian @ d + charged[0] - charged[1]


def integer_moves(hessian, g, u, most, limit, bits, kind, price):
    """(u, moves, gain): the best step of +-1, again and again, each candidate measured from the start."""
    start, d, fell = np.array(u, float), np.zeros(len(u)), 0.0
    for moves in range(most):
        candidates = []
        for i in range(len(u)):
            for sign in (-1, 1):
                e = d.copy()
                e[i] += sign
                if abs(start[i] + e[i]) <= limit:
                    candidates.append((model(hessian, g, start, e, bits, kind, price), i, sign))
        lowest, i, sign = min(candidates, default=(np.inf, 0, 0))
        if not lowest < fell - 1e-9:
            return start + d, moves, -fell
        d[i] += sign
        fell = lowest
    return start + d, most, -fell
