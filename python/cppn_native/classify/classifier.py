"""The point classifier: a perceptron of tanh layers that learns the labels 0 and 1 one sample at a time.

After the classifier in "Experimenting with PyTorch for Image Approximation using Differentiable Shapes" (2022), which
learns random labels of random points.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import _core
from ..errors import DivergedError
from ..progress import counted
from .conventions import Estimator
from .data import as_labels, as_points
from .network import Descent, Floats, Network

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["PointClassifier"]

SNAPSHOTS, SNAPSHOT_BYTES = 256, 1 << 22


class PointClassifier(Estimator):
    """A classifier of points, after scikit-learn's conventions.

    hidden_layer_sizes  neurons of each hidden layer
    learning_rate       of AdamW        decay  its weight decay
    batch               "sample": a step for every sample in the order of X, as in the post; an integer: so many samples
                        a step, drawn anew in every epoch, which leaves out what does not fill a batch
    epochs              how often every sample is seen
    random_state        integer from 0 to 2^32 - 1: same integer, same classifier; a ``numpy.random.RandomState``; None:
                        another one at every fit
    verbose             show progress on standard error

    Every layer is tanh(W h + b), the output included. The loss is |output - target|. Two classes share one output with
    the targets 0 and 1, in the order of ``classes_``; of more, each has an output, whose target is 1 for its own
    points and 0 for others. Weights begin as N(0, 1), biases as U(-1, 1) / sqrt(inputs).

    After ``fit``:

    classes_        labels, sorted             n_features_in_  columns of X
    loss_curve_     mean loss of each epoch    n_iter_         epochs
    coefs_          W (inputs, outputs) of each layer, float32        intercepts_  b (outputs,) likewise
    snapshots_      (S, weights) float32, with two features: the network before training, after evenly spaced epochs
                    (all of them up to 256, and 4 MB) and at the end, for ``timelapse``
    """

    classes_: NDArray[Any]
    n_features_in_: int
    loss_curve_: list[float]
    n_iter_: int
    coefs_: list[Floats]
    intercepts_: list[Floats]
    snapshots_: Floats | None
    _points: Floats | None  # what ``boundary`` draws
    _numbers: NDArray[np.intp] | None

    def __init__(
        self,
        *,
        hidden_layer_sizes: tuple[int, ...] = (16, 16, 16, 16),
        learning_rate: float = 0.001,
        decay: float = 0.01,
        batch: str | int = "sample",
        epochs: int = 256,
        random_state: int | np.random.RandomState | None = 0,
        verbose: bool = False,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.learning_rate = learning_rate
        self.decay = decay
        self.batch = batch
        self.epochs = epochs
        self.random_state = random_state
        self.verbose = verbose

    # -- training ----------------------------------------------------------------------------------------------

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learns labels y (samples,), whole numbers or strings, of points X (samples, features), and returns itself.

        Raises ``ValueError`` or ``TypeError`` for arguments and parameters that do not fit, ``DivergedError`` for
        training that runs into values that are not numbers.
        """
        hidden, batch, random = self._checked()
        points = as_points(X)
        classes, numbers = as_labels(y, len(points))
        outputs = 1 if len(classes) == 2 else len(classes)
        targets = numbers[:, None] if outputs == 1 else numbers[:, None] == np.arange(outputs)
        network = Network((points.shape[1], *hidden, outputs))
        params = network.draw(random)
        seed, plane = int(random.randint(0, 1 << 31)), points.shape[1] == 2
        kept = _kept(self.epochs, 4 * network.weights) if plane else set()
        curve, snapshots = [], [params] if plane else []
        descent = Descent(network, points, targets.astype(np.float32), batch, self.learning_rate, self.decay, seed)
        epochs = descent.epochs(params, self.epochs)
        for epoch, (loss, now) in enumerate(counted(epochs, self.epochs, "epochs") if self.verbose else epochs, 1):
            params = now
            curve.append(loss)
            if not np.isfinite(loss) or not np.isfinite(now).all():
                raise DivergedError(f"training ran into values that are not numbers in epoch {epoch}")
            if epoch in kept:
                snapshots.append(params)
        self.classes_, self.n_features_in_ = classes, points.shape[1]
        self.loss_curve_, self.n_iter_ = curve, self.epochs
        layers = network.unpack(params)
        self.coefs_, self.intercepts_ = [w.T for w, _ in layers], [b for _, b in layers]
        self.snapshots_ = np.stack(snapshots) if plane else None
        self._points, self._numbers = (points, numbers) if plane else (None, None)
        return self

    def _checked(self) -> tuple[tuple[int, ...], int, np.random.RandomState]:
        """Hidden layers, samples a step (0: one by one in order) and the generator; ``ValueError`` for the rest."""
        hidden = self.hidden_layer_sizes
        most, widest = _core.MAX_MLP_LAYERS - 1, _core.MAX_MLP_WIDTH
        if isinstance(hidden, str) or not np.iterable(hidden) or not all(_whole(n, 1, widest) for n in hidden):
            raise ValueError(f"hidden_layer_sizes must be integers from 1 to {widest}, got {hidden!r}")
        if len(tuple(hidden)) > most:
            raise ValueError(f"hidden_layer_sizes must be at most {most} layers, got {len(tuple(hidden))}")
        for name, low in (("learning_rate", "above 0"), ("decay", "at least 0")):
            value = getattr(self, name)
            number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
            if not number or not 0 <= value <= 1 or (value == 0 and name == "learning_rate"):
                raise ValueError(f"{name} must be a number {low}, to 1, got {value!r}")
        if self.batch != "sample" and not _whole(self.batch, 1, 1 << 30):
            raise ValueError(f'batch must be "sample" or a positive integer, got {self.batch!r}')
        if not _whole(self.epochs, 1, 1 << 30):
            raise ValueError(f"epochs must be a positive integer, got {self.epochs!r}")
        given = self.random_state
        if given is not None and not isinstance(given, np.random.RandomState) and not _whole(given, 0, (1 << 32) - 1):
            raise ValueError(
                f"random_state must be an integer from 0 to {(1 << 32) - 1}, a RandomState or None, got {given!r}"
            )
        random = given if isinstance(given, np.random.RandomState) else np.random.RandomState(given)
        return tuple(int(n) for n in hidden), 0 if self.batch == "sample" else int(self.batch), random

    # -- what was learned ------------------------------------------------------------------------------------

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Of two classes the output - 1/2, (samples,), above 0 for ``classes_[1]``; of more the outputs, (samples,
        classes)."""
        out = self._outputs(X)
        return out[:, 0] - 0.5 if out.shape[1] == 1 else out

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The labels of points X (samples, features): (samples,)."""
        scores = self.decision_function(X)
        numbers = (scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)
        return np.asarray(self.classes_[numbers])

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """(samples, classes), rows that sum to 1: outputs clamped to [0, 1], and of more than two classes divided by
        their sum. They are what the network says, not calibrated frequencies."""
        return probabilities(self._outputs(X))

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """The share of points whose label is found, weighted if weights are given."""
        right = self.predict(X) == np.asarray(y).ravel()
        return float(np.average(right, weights=None if sample_weight is None else np.asarray(sample_weight)))

    def _outputs(self, X: ArrayLike) -> NDArray[np.float64]:
        self._check_fitted()
        points = as_points(X, self.n_features_in_, type(self).__name__)
        return self._network().outputs(self._params(), points).astype(np.float64)

    def _network(self) -> Network:
        return Network((self.n_features_in_, *(len(b) for b in self.intercepts_)))

    def _params(self) -> Floats:
        layers = zip(self.coefs_, self.intercepts_, strict=True)
        return np.concatenate([part for w, b in layers for part in (w.T.ravel(), b)])

    # -- pictures --------------------------------------------------------------------------------------------

    def boundary(
        self, size: int | tuple[int, int] = 128, *, region: tuple[float, float, float, float] | None = None
    ) -> NDArray[np.uint8]:
        """What the network says over the plane, with the points it learned: (H, W, 3). For two features only.

        size    pixels a side, or (width, height)
        region  (left, top, right, bottom) in the points' units, x to the right and y down; None: the unit square, or,
                where points lie outside, their bounding box and a twentieth on every side

        Of two classes red is the output, clamped to [0, 1], and blue 1 - red, at pixel centres; points of the first
        are black, of the second white. Of more, hues are mixed by ``predict_proba``.

        Raises ``ValueError`` for another number of features, a size or a region that is none.
        """
        from .boundary import Boundary

        return Boundary(self, size, region).picture(self._params())

    def timelapse(
        self,
        path: str | os.PathLike[str],
        fps: float = 24,
        size: int | tuple[int, int] = 128,
        *,
        region: tuple[float, float, float, float] | None = None,
        quality: int = 90,
    ) -> Path:
        """Writes the training as a moving picture, a ``boundary`` for each of ``snapshots_``, and returns the path.

        The suffix says the format, as in ``write_video``, which refuses what cannot be written.
        """
        from ..video import write_video
        from .boundary import Boundary

        frames = Boundary(self, size, region)
        assert self.snapshots_ is not None
        return write_video(path, map(frames.picture, self.snapshots_), fps, quality=quality)


def probabilities(outputs: NDArray[Any]) -> NDArray[Any]:
    """(..., 1 or K) outputs as (..., 2 or K) shares; where all K are negative, of the outputs + 1."""
    shares = np.clip(outputs, 0, 1)
    if outputs.shape[-1] == 1:
        return np.concatenate([1 - shares, shares], axis=-1)
    shares = np.where(shares.max(axis=-1, keepdims=True) > 0, shares, outputs + 1 + 1e-6)
    return np.asarray(shares / shares.sum(axis=-1, keepdims=True))


def _kept(epochs: int, nbytes: int) -> set[int]:
    """Epochs whose parameters are kept, evenly spaced, the last among them."""
    count = max(1, min(epochs, SNAPSHOTS, SNAPSHOT_BYTES // nbytes))
    return {epochs * (k + 1) // count for k in range(count)}


def _whole(value: object, low: int, high: int) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | np.integer) and bool(low <= value <= high)
