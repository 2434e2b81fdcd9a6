"""Everything a fit needs to go on: what a checkpoint holds, byte for byte."""

from __future__ import annotations

import io
import json
import os
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import FormatError
from ..image import write_atomic
from ..models.cascade import CascadeConfig
from .plan import Plan

__all__ = ["FitState", "load_checkpoint", "save_checkpoint"]

VERSION = 1
STAGES = ("descend", "freeze", "polish", "done")


def _empty(dtype: type = np.float64) -> Any:
    return field(default_factory=lambda: np.zeros(0, dtype))


@dataclass
class FitState:
    """Between two units of work. Weights ``u`` are counted in levels of ``steps``; ``best`` is what a caller gets."""

    config: CascadeConfig
    plan: Plan
    size: tuple[int, int]
    fingerprint: int
    """CRC-32 of the target, so that a checkpoint is not continued on another picture."""
    stage: str = "descend"
    unit: int = 0
    """Rounds or evaluations done in this stage."""
    elapsed: float = 0.0
    steps: tuple[float, float, float] = (1.0, 1.0, 1.0)
    u: NDArray[np.float64] = _empty()
    # descend
    step: int = 0
    q: float = 0.0
    loss: float = float("inf")
    floating: int = 0
    adam_m: NDArray[np.float32] = _empty(np.float32)
    adam_v: NDArray[np.float32] = _empty(np.float32)
    # freeze and polish
    floats: NDArray[np.float64] = _empty()
    """The weights that freezing began with, should it have to begin again with a coarser step."""
    fixed: NDArray[np.bool_] = _empty(np.bool_)
    refrozen: int = 0
    """How often freezing began again with another step."""
    damping: float = 1e-3
    trust: float = 1.0
    price: float = 0.0
    idle: int = 0
    # the best legal model so far
    best: NDArray[np.int32] = _empty(np.int32)
    best_steps: tuple[float, float, float] = (1.0, 1.0, 1.0)
    best_score: float = float("inf")
    best_bytes: int = 0
    history: list[tuple[int, float]] = field(default_factory=list)

    def rng(self, purpose: int) -> np.random.Generator:
        """Random numbers that depend on the plan's seed and the place in the run alone."""
        return np.random.default_rng([self.plan.seed, STAGES.index(self.stage), self.unit, purpose])


_ARRAYS = ("u", "adam_m", "adam_v", "floats", "fixed", "best")


def save_checkpoint(path: str | os.PathLike[str], state: FitState) -> None:
    """Writes the state atomically, as an .npz without pickles."""
    scalars = {key: value for key, value in vars(state).items() if key not in _ARRAYS}
    scalars["config"], scalars["plan"] = asdict(state.config), asdict(state.plan)
    text = json.dumps({"version": VERSION, **scalars})
    out = io.BytesIO()
    np.savez(out, scalars=np.frombuffer(text.encode(), np.uint8), **{key: getattr(state, key) for key in _ARRAYS})
    write_atomic(path, out.getvalue())


def load_checkpoint(path: str | os.PathLike[str]) -> FitState:
    """The state in a checkpoint; ``FormatError`` if the file is not one of ours or damaged."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            scalars = json.loads(bytes(archive["scalars"]).decode())
            arrays = {key: archive[key] for key in _ARRAYS}
        if scalars.pop("version") != VERSION:
            raise FormatError(f"checkpoint {path} was written by another version of cppn_native")
        config = scalars.pop("config")
        if isinstance(config["activation"], list):
            config["activation"] = tuple(config["activation"])
        for key in ("size", "steps", "best_steps"):
            scalars[key] = tuple(scalars[key])
        scalars["history"] = [(int(step), float(score)) for step, score in scalars["history"]]
        return FitState(CascadeConfig(**config), Plan(**scalars.pop("plan")), **scalars, **arrays)
    except FormatError:
        raise
    except OSError:
        raise
    except Exception as error:
        raise FormatError(f"checkpoint {path} is damaged or not a checkpoint: {error}") from error
