"""Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3")."""

import numpy as np

MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
WEYL = 0x9E3779B9, 0xBB67AE85
WORD = 0xFFFFFFFF


def philox4x32(counter, key, rounds=10):
    """Four 32-bit words from a counter of four and a key of two."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(rounds):
        p0, p1 = MULTIPLIERS[0] * c0, MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & WORD, (p0 >> 32) ^ c3 ^ k1, p0 & WORD
        k0, k1 = (k0 + WEYL[0]) & WORD, (k1 + WEYL[1]) & WORD
    return c0, c1, c2, c3


def words(seed, step, block, stream=0):
    """The library's use of it: the seed is the key; the block, the stream and the step are the counter."""
    return philox4x32((block, stream, step & WORD, step >> 32), (seed & WORD, seed >> 32))


def uniforms(seed, step, count, stream=0):
    """(count,) numbers of a step in [0, 1): four to a block, the upper 24 bits of each word."""
    blocks = [words(seed, step, block, stream) for block in range((count + 3) // 4)]
    return np.array([word >> 8 for block in blocks for word in block][:count]) / 2**24
