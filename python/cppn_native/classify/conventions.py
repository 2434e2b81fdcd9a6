"""What scikit-learn asks of an estimator, without scikit-learn: its pipelines, searches and checks take ours as one of
theirs, and it is not imported unless it asks itself."""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Estimator", "kind_of_sklearn"]


def kind_of_sklearn(name: str, otherwise: type[Any]) -> type[Any]:
    """An exception or warning of scikit-learn where that is loaded, so that those who know it can catch it."""
    return getattr(sys.modules.get("sklearn.exceptions"), name, otherwise)


class Estimator:
    """Parameters are what ``__init__`` takes and stores as it came; what ``fit`` finds ends with an underscore."""

    _estimator_type = "classifier"

    @classmethod
    def _names(cls) -> list[str]:
        return sorted(name for name in inspect.signature(cls.__init__).parameters if name != "self")

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Every parameter by name. ``deep`` is there for scikit-learn: no parameter is an estimator."""
        return {name: getattr(self, name) for name in self._names()}

    def set_params(self, **params: Any) -> Self:
        """Changes parameters; ``ValueError`` for a name that is none."""
        for name in params:
            if name not in self._names():
                raise ValueError(f"{name} is no parameter of {type(self).__name__}; it has {', '.join(self._names())}")
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        usual = {name: p.default for name, p in inspect.signature(type(self).__init__).parameters.items()}
        given = self.get_params().items()
        changed = [f"{name}={value!r}" for name, value in given if repr(value) != repr(usual[name])]
        return f"{type(self).__name__}({', '.join(changed)})"

    def _check_fitted(self) -> None:
        if not hasattr(self, "classes_"):
            kind = kind_of_sklearn("NotFittedError", ValueError)
            raise kind(f"this {type(self).__name__} is not fitted yet: call fit first")

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "classes_")

    def __sklearn_tags__(self) -> Any:
        """Asked for by scikit-learn, 1.6 or newer."""
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        target, inputs = TargetTags(required=True), InputTags()
        return Tags(
            estimator_type="classifier", target_tags=target, classifier_tags=ClassifierTags(), input_tags=inputs
        )
