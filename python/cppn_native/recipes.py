"""Training in stages: what the targets go through while a perceptron learns them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Recipe", "Stage", "mysterynet", "plain"]


@dataclass(frozen=True)
class Stage:
    """A part of a training.

    fraction  of all steps
    blur      standard deviation, in pixels, of the Gaussian that the target is blurred with
    noise     standard deviation of what is added to the target, fresh at every step; 1 is from black to white

    Raises ``ValueError`` naming the field that does not fit.
    """

    fraction: float
    blur: float = 0.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.fraction <= 1:
            raise ValueError(f"fraction must be above 0 and at most 1, got {self.fraction!r}")
        for name in ("blur", "noise"):
            if not 0 <= getattr(self, name) < 1e3:
                raise ValueError(f"{name} must be a number from 0 to 1000, got {getattr(self, name)!r}")


@dataclass(frozen=True)
class Recipe:
    """Stages, whose fractions add up to 1, and the course of the learning rate over all of them.

    schedule  "linear", "cosine": from the rate to zero; "constant"
    """

    stages: tuple[Stage, ...]
    schedule: str = "linear"

    def __post_init__(self) -> None:
        object.__setattr__(self, "stages", tuple(self.stages))
        if not all(isinstance(stage, Stage) for stage in self.stages):
            raise ValueError(f"stages must be Stage objects, got {self.stages!r}")
        total = sum(stage.fraction for stage in self.stages)
        if abs(total - 1) > 1e-6:
            raise ValueError(f"the fractions of the stages must add up to 1, got {total:g}")
        if self.schedule not in ("linear", "cosine", "constant"):
            raise ValueError(f"schedule must be linear, cosine or constant, got {self.schedule!r}")

    def first_steps(self, steps: int) -> list[int]:
        """Where each stage begins."""
        done, begins = 0.0, []
        for stage in self.stages:
            begins.append(round(done * steps))
            done += stage.fraction
        return begins


def plain() -> Recipe:
    """The sharp picture from the first step to the last."""
    return Recipe((Stage(1.0),))


def mysterynet() -> Recipe:
    """The three stages of MysteryNet's author: blurred and noisy, sharp and less noisy, sharp.

    The numbers were never published; these were chosen by bench/bench_mysterynet.py.
    """
    return Recipe((Stage(0.1, blur=1.5, noise=0.05), Stage(0.15, noise=0.02), Stage(0.75)))
