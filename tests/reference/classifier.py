"""A perceptron of tanh layers that learns one sample after the other, in float64.

    h_0 = x        h_k = tanh(W_k h_(k-1) + b_k)        loss = mean |h_K - y| over the outputs

    d_K = sign(h_K - y) / outputs        dz_k = d_k (1 - h_k^2)        d_(k-1) = W_k^T dz_k
    dW_k = dz_k h_(k-1)^T                db_k = dz_k

AdamW (Loshchilov & Hutter 2019): w <- w - rate decay w, then a step of Adam.
"""

import numpy as np

from .adam import update


def outputs(layers, x):
    """Of layers [(W (O, I), b (O,))] at x (I,): h_0 to h_K."""
    h = [np.asarray(x, np.float64)]
    for w, b in layers:
        h.append(np.tanh(w @ h[-1] + b))
    return h


def gradient(layers, x, y):
    """(loss, [(dW, db)]) of one sample."""
    h = outputs(layers, x)
    e = h[-1] - y
    d, found = np.sign(e) / len(e), []
    for (w, _), before, after in zip(layers[::-1], h[-2::-1], h[:0:-1], strict=True):
        dz = d * (1 - after**2)
        found.append((np.outer(dz, before), dz))
        d = w.T @ dz
    return np.abs(e).mean(), found[::-1]


def fit(layers, x, y, epochs, rate=0.001, decay=0.01):
    """(layers, mean loss of each epoch): every sample in order, ``epochs`` times."""
    weights = [np.array(part, np.float64) for layer in layers for part in layer]
    m, v = ([np.zeros_like(w) for w in weights] for _ in range(2))
    curve, t = [], 0
    for _ in range(epochs):
        losses = []
        for sample, target in zip(x, y, strict=True):
            t += 1
            loss, grads = gradient(list(zip(weights[::2], weights[1::2], strict=True)), sample, target)
            losses.append(loss)
            for k, g in enumerate(part for layer in grads for part in layer):
                weights[k] -= rate * decay * weights[k]
                weights[k], m[k], v[k] = update(weights[k], m[k], v[k], g, t, rate)
        curve.append(np.mean(losses))
    return list(zip(weights[::2], weights[1::2], strict=True)), curve
