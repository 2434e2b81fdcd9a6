"""Paintings of entities over each other in float64 (csrc/core/outline.h, entity.h, blend.h), written to be read.

An entity is (corners, alpha, points, colour) in levels of a grid (vertices, channels, points, colours, alphas):
corners 0 is an ellipse of a centre and the ends of two conjugate half-diameters, the first of them level.
"""

import numpy as np

SUBROWS = 8


def split(grid, row):
    """corners, opacity, points (N, 2) in fractions of the picture, colour (C)."""
    vertices, _, points, colours, alphas = grid
    corners = int(row[0])
    at = np.array(row[2 : 2 + 2 * vertices], float).reshape(-1, 2)[: corners or 3] / points
    return corners, (row[1] + 1) / alphas, at, (np.array(row[2 + 2 * vertices :], float) + 0.5) / colours


def inside(corners, at, y):
    """The intervals of a line at height y that are inside, as a list of (from, to)."""
    if corners == 0:
        (cx, cy), (ax, ay), (bx, by) = at[0], at[1] - at[0], at[2] - at[0]
        # y = cy + ay cos t + by sin t, x = cx + ax cos t + bx sin t: two t, by the angle where ay, by point
        reach = np.hypot(ay, by)
        if abs(y - cy) >= reach:
            return []
        middle, off = np.arctan2(by, ay), np.arccos((y - cy) / reach)
        ends = [cx + ax * np.cos(t) + bx * np.sin(t) for t in (middle - off, middle + off)]
        return [(min(ends), max(ends))]
    ends = []
    for (x0, y0), (x1, y1) in zip(at, np.roll(at, -1, axis=0), strict=True):
        if (y0 <= y) != (y1 <= y):
            ends.append(x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    ends.sort()
    return list(zip(ends[::2], ends[1::2], strict=True))


def coverage(corners, at, width, height):
    """(H, W): the part of every pixel that is inside, by eight lines through it."""
    x, share = np.arange(width), np.zeros((height, width))
    for row in range(height):
        for line in range(SUBROWS):
            for low, high in inside(corners, at, row + (line + 0.5) / SUBROWS):
                share[row] += np.clip(np.minimum(high, x + 1) - np.maximum(low, x), 0, None) / SUBROWS
    return share


def masks(grid, entities, size, region=(0.0, 0.0, 1.0, 1.0)):
    """(n, H, W): opacity times coverage of every entity, and the colours (n, C)."""
    width, height = size
    left, top, right, bottom = region
    found, colours = [], []
    for row in entities:
        corners, alpha, at, colour = split(grid, row)
        at = (at - (left, top)) / (right - left, bottom - top) * (width, height)
        found.append(alpha * coverage(corners, at, width, height))
        colours.append(colour)
    return np.array(found).reshape(-1, height, width), np.array(colours).reshape(-1, grid[1])


def paint(grid, background, entities, size, region=(0.0, 0.0, 1.0, 1.0)):
    """(H, W, C), in units of an activation."""
    shown = np.tile((np.array(background, float) + 0.5) / grid[3], (size[1], size[0], 1))
    for m, colour in zip(*masks(grid, entities, size, region), strict=True):
        shown += m[..., None] * (colour - shown)
    return shown


def weigh(grid, background, entities, row, place, target):
    """(change of the squared error, best colours on the grid) of an entity at a place, all others staying: below it
    ``entities[:place]``, above it ``entities[place + 1:]``; all of it by painting."""
    height, width, _ = target.shape
    others = [*entities[:place], *entities[place + 1 :]]
    without = ((paint(grid, background, others, (width, height)) - target) ** 2).sum()

    def error(colour):
        new = [*row[: 2 + 2 * grid[0]], *colour]
        shown = paint(grid, background, [*entities[:place], new, *entities[place + 1 :]], (width, height))
        return ((shown - target) ** 2).sum(axis=(0, 1))

    best = [int(np.argmin([error([level] * grid[1])[c] for level in range(grid[3])])) for c in range(grid[1])]
    return error(best).sum() - without, best
