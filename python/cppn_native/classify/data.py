"""What callers hand over as points and labels, checked and made plain. The words of the refusals are those that
scikit-learn's own checks look for."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import _core
from .conventions import kind_of_sklearn

__all__ = ["as_labels", "as_points", "random_points"]

LARGEST = 1e30
"""Sums over 1024 features of any weights that training reaches stay below the largest float32, 3e38."""


def random_points(count: int = 32, random_state: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The post's hardest case: points (count, 2) uniform in the unit square, labels (count,) 0 or 1 at random.

    Both labels occur. ``ValueError`` for a count below 2.
    """
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or not 2 <= count <= 1 << 20:
        raise ValueError(f"count must be an integer from 2 to {1 << 20}, got {count!r}")
    random = np.random.RandomState(random_state)  # its stream is the same in every version of NumPy
    points, labels = random.uniform(size=(count, 2)), random.randint(0, 2, count).astype(np.int64)
    if len(set(labels.tolist())) == 1:
        labels[0] = 1 - labels[0]
    return points, labels


def as_points(x: Any, features: int | None = None, name: str = "PointClassifier") -> NDArray[np.float32]:
    """X as (P, I) float32; ``features`` is what a fitted ``name`` has seen."""
    if hasattr(x, "toarray") and not isinstance(x, np.ndarray):
        raise TypeError("X must be dense, got a sparse matrix: X.toarray() makes it one")
    points = np.asarray(x)
    if points.dtype.kind == "c":
        raise ValueError("Complex data not supported: X must hold real numbers")
    if points.ndim != 2:
        raise ValueError(
            f"X must be (samples, features), got the shape {points.shape}. Reshape your data: "
            "X.reshape(-1, 1) of one feature, X.reshape(1, -1) of one sample"
        )
    for count, what in zip(points.shape, ("sample", "feature"), strict=True):
        if count == 0:
            raise ValueError(
                f"X must hold numbers: 0 {what}(s) (shape={points.shape}) while a minimum of 1 is required."
            )
    if features is not None and points.shape[1] != features:
        raise ValueError(f"X has {points.shape[1]} features, but {name} is expecting {features} features as input")
    if points.shape[1] > _core.MAX_MLP_WIDTH:
        raise ValueError(f"X must have at most {_core.MAX_MLP_WIDTH} features, got {points.shape[1]}")
    try:
        wide = points.astype(np.float64)
    except (TypeError, ValueError) as error:
        if isinstance(error, TypeError):  # an object that is no number at all
            raise TypeError(f"X must hold numbers: {error}") from None
        raise ValueError(f"X must hold numbers: {error}") from None
    if not (np.abs(wide) <= LARGEST).all():
        raise ValueError(f"X must hold numbers up to {LARGEST:.0e}: no NaN, inf or more")
    return np.ascontiguousarray(wide, dtype=np.float32)


def as_labels(y: ArrayLike | None, count: int) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """(classes, sorted; the class of each of ``count`` points, by number)."""
    if y is None:
        raise ValueError("y should be a 1d array, got None: a label for every point is needed")
    labels = np.asarray(y)
    if labels.ndim == 2 and labels.shape[1] == 1:
        kind = kind_of_sklearn("DataConversionWarning", UserWarning)
        text = "A column-vector y was passed when a 1d array was expected: y.ravel() makes it one"
        warnings.warn(text, kind, stacklevel=3)
        labels = labels.ravel()
    if labels.shape != (count,):
        raise ValueError(f"y should be a 1d array of {count} labels, one for every row of X, got {labels.shape}")
    if labels.dtype.kind in "fc":
        if not np.isfinite(labels).all():
            raise ValueError("y must hold labels, got NaN or inf")
        if (labels != np.round(labels)).any():
            raise ValueError("Unknown label type: continuous. y must hold classes: whole numbers or strings")
    try:
        classes, numbers = np.unique(labels, return_inverse=True)
    except TypeError:
        raise ValueError("Unknown label type: y must hold labels of one kind, whole numbers or strings") from None
    if not 2 <= len(classes) <= _core.MAX_MLP_WIDTH:
        raise ValueError(f"y must hold 2 to {_core.MAX_MLP_WIDTH} classes, got {len(classes)} class(es)")
    return classes, numbers
