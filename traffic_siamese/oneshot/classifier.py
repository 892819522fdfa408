"""Nearest labelled example, as a scikit-learn classifier over embeddings."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from traffic_siamese.oneshot.calibration import softmax
from traffic_siamese.oneshot.nearest import nearest_labels
from traffic_siamese.oneshot.validation import (
    check_labels,
    check_matrix,
    check_same_features,
    feature_names,
    not_fitted_error,
)
from traffic_siamese.types import UNKNOWN


class OneShotClassifier:
    """Classify by the nearest example, one example of a label being enough.

    Every row given to ``fit`` becomes a prototype; a label is as far away as its nearest one, by
    Euclidean distance. It needs no scikit-learn, and works in its pipelines and searches.

    Parameters
    ----------
    radii : float or mapping of label to float, optional
        Distance beyond which the nearest label is rejected; a label without a radius is never
        rejected. ``Calibration.radii`` fits. Without, nothing is rejected.
    temperature : float, > 0, default 1.0
        Of ``predict_proba``: softmax(-distance^2 / temperature) over the labels.
    unknown_label : str or int, optional, default "unknown"
        What ``predict`` says of a rejected row, of the same kind as the labels. None: it rejects
        nothing, whatever the radii.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted; without the unknown one.
    prototypes_ : ndarray of shape (n_prototypes, n_features), float32 or float64
        The examples.
    n_features_in_ : int
        Columns seen in ``fit``.
    feature_names_in_ : ndarray of str
        Their names, if ``fit`` was given a data frame.

    References
    ----------
    Snell, Swersky, Zemel 2017, Prototypical Networks for Few-shot Learning, section 2.2: equation
    2 with the nearest example in place of the class mean.

    Examples
    --------
    >>> classifier = OneShotClassifier(radii=0.5)
    >>> classifier.fit([[0.1, 0.1], [0.9, 0.9]], ["normal", "blocked"])
    OneShotClassifier(radii=0.5)
    >>> classifier.predict([[0.2, 0.1], [0.1, 0.9]]).tolist()
    ['normal', 'unknown']
    """

    def __init__(
        self,
        *,
        radii: float | Mapping[Any, float] | None = None,
        temperature: float = 1.0,
        unknown_label: str | int | None = UNKNOWN,
    ) -> None:
        self.radii = radii
        self.temperature = temperature
        self.unknown_label = unknown_label

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:
        """Take the examples in; refitting forgets the earlier ones.

        Raises
        ------
        TypeError, ValueError
            If the examples are no finite matrix, the labels do not fit them, or a setting is out
            of range.
        """
        name = type(self).__name__
        matrix = check_matrix(X, name)
        labels = check_labels(y, len(matrix), name)
        self._check_settings(labels)
        self.classes_, self._index = np.unique(labels, return_inverse=True)
        self.prototypes_ = matrix.copy()
        self.n_features_in_ = matrix.shape[1]
        names = feature_names(X)
        if names is not None:
            self.feature_names_in_ = names
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Label of each row's nearest example, or ``unknown_label`` beyond its radius.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        TypeError, ValueError
            If ``X`` is no finite matrix with the columns seen in ``fit``.
        """
        distances = self.distances(X)
        best = distances.argmin(axis=1)
        labels: NDArray[Any] = self.classes_[best]
        if not self._rejects:
            return labels
        beyond = distances[np.arange(len(best)), best] > self._radius_per_class()[best]
        return np.where(beyond, np.array(self.unknown_label), labels)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Share of each label, shape (n, n_classes); rows sum to 1. Raises as ``predict``."""
        squared = self.distances(X).astype(np.float64) ** 2
        return softmax(-squared / self.temperature)

    def distances(self, X: ArrayLike) -> NDArray[Any]:
        """Distance to each label's nearest example, (n, n_classes). Raises as ``predict``."""
        if not hasattr(self, "prototypes_"):
            raise not_fitted_error(
                f"This {type(self).__name__} holds no examples yet, expected at least one. "
                "Call fit first."
            )
        name = type(self).__name__
        check_same_features(getattr(self, "feature_names_in_", None), feature_names(X), name)
        matrix = check_matrix(X, name)
        if matrix.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {matrix.shape[1]} features, but {name} is expecting "
                f"{self.n_features_in_} features as input."
            )
        return nearest_labels(matrix, self.prototypes_, self._index, len(self.classes_))

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: NDArray[Any] | None = None) -> float:
        """Share of the rows that get their label; a rejected row is a wrong one."""
        right = self.predict(X) == np.asarray(y)
        return float(np.average(right, weights=sample_weight))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the settings; ``deep`` is there for scikit-learn and changes nothing."""
        return {name: getattr(self, name) for name in self._parameters()}

    def set_params(self, **params: Any) -> Self:
        """Change settings by name.

        Raises
        ------
        ValueError
            If there is no such setting.
        """
        for name, value in params.items():
            if name not in self._parameters():
                raise ValueError(
                    f"Invalid parameter {name!r} for {type(self).__name__}, "
                    f"expected one of {self._parameters()}"
                )
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self)).parameters
        changed = (
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if value is not defaults[name].default
        )
        return f"{type(self).__name__}({', '.join(changed)})"

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "prototypes_")

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(),
            input_tags=InputTags(),
        )

    @classmethod
    def _parameters(cls) -> list[str]:
        return list(inspect.signature(cls).parameters)

    @property
    def _rejects(self) -> bool:
        return self.radii is not None and self.unknown_label is not None

    def _radius_per_class(self) -> NDArray[np.float64]:
        if isinstance(self.radii, Mapping):
            radii = [self.radii.get(label, np.inf) for label in self.classes_.tolist()]
            return np.array(radii, np.float64)
        return np.full(len(self.classes_), self.radii, np.float64)

    def _check_settings(self, labels: NDArray[Any]) -> None:
        if not self.temperature > 0:
            raise ValueError(f"temperature is {self.temperature}, expected a positive number")
        texts = labels.dtype.kind == "U"
        if self._rejects and isinstance(self.unknown_label, str) != texts:
            raise ValueError(
                f"unknown_label is {self.unknown_label!r}, labels are {labels.dtype}: "
                "expected both to be text or both numbers"
            )
