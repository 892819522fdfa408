"""Check what a scikit-learn user hands in, without importing scikit-learn."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.errors import TrafficSiameseError


class NotFittedError(TrafficSiameseError, ValueError, AttributeError):
    """A classifier was asked before it was fitted."""


def not_fitted_error(message: str) -> NotFittedError:
    """Build the error; where scikit-learn is loaded, it is one of scikit-learn's as well."""
    sklearn_exceptions = sys.modules.get("sklearn.exceptions")
    if sklearn_exceptions is None:
        return NotFittedError(message)
    bases = (NotFittedError, sklearn_exceptions.NotFittedError)
    error: NotFittedError = type("NotFittedError", bases, {})(message)
    return error


def check_matrix(X: Any, name: str) -> NDArray[Any]:
    """Return ``X`` as a finite float matrix with at least one row and one column.

    Float32 stays float32; everything else becomes float64.

    Raises
    ------
    TypeError
        If ``X`` is sparse, or holds something that is no number.
    ValueError
        If it is complex, not two-dimensional, empty, or holds NaN or infinity.
    """
    if hasattr(X, "toarray"):
        raise TypeError(f"{name} got a sparse matrix, expected a dense one: pass X.toarray()")
    array = np.asarray(X)
    if np.iscomplexobj(array):
        raise ValueError(f"Complex data not supported: {name} got {array.dtype}")
    if array.dtype != np.float32:
        array = array.astype(np.float64)
    if array.ndim != 2:
        raise ValueError(
            f"Expected 2D array, {name} got {array.ndim}D array of shape {array.shape}. "
            "Reshape your data with X.reshape(-1, 1) or X.reshape(1, -1)."
        )
    _check_size(array, name)
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: X contains NaN or infinity; remove these rows first")
    return array


def _check_size(array: NDArray[Any], name: str) -> None:
    for axis, what in enumerate(("sample", "feature")):
        if not array.shape[axis]:
            raise ValueError(
                f"Found array with 0 {what}(s) (shape={array.shape}) "
                f"while a minimum of 1 is required by {name}."
            )


def check_labels(y: Any, n_rows: int, name: str) -> NDArray[Any]:
    """Return ``y`` as a vector of labels, one for each row.

    Raises
    ------
    ValueError
        If ``y`` is missing, not a vector, of another length, or holds no labels.
    """
    if y is None:
        raise ValueError(f"{name} requires y to be passed, but the target y is None")
    labels = np.asarray(y)
    if labels.ndim == 2 and labels.shape[1] == 1:
        _warn_column(labels)
        labels = labels.ravel()
    if labels.ndim != 1:
        raise ValueError(f"{name}: y should be a 1d array, got an array of shape {labels.shape}")
    if len(labels) != n_rows:
        raise ValueError(f"{name}: y has {len(labels)} labels, X has {n_rows} rows")
    if labels.dtype == object:
        labels = _unwrap(labels, name)
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise ValueError(f"{name}: Input y contains infinity or NaN, expected labels")
    if labels.dtype.kind == "f" and not np.array_equal(labels, np.round(labels)):
        raise ValueError(
            f"Unknown label type: continuous. {name} got {labels.dtype}, expected labels"
        )
    return labels


def _unwrap(labels: NDArray[Any], name: str) -> NDArray[Any]:
    """Turn an object array of text, or of numbers, into a plain one."""
    kinds = {"text" if isinstance(label, str) else "number" for label in labels}
    plain = np.array(labels.tolist())
    if len(kinds) > 1 or plain.dtype.kind not in "USbiuf":
        raise ValueError(
            f"Unknown label type: mixed. {name} got labels such as {labels[:3].tolist()}, "
            "expected all text or all numbers"
        )
    return plain


def _warn_column(labels: NDArray[Any]) -> None:
    sklearn_exceptions = sys.modules.get("sklearn.exceptions")
    category = getattr(sklearn_exceptions, "DataConversionWarning", UserWarning)
    warnings.warn(
        f"A column-vector y was passed when a 1d array was expected: found shape {labels.shape}. "
        "Pass y.ravel().",
        category,
        stacklevel=4,
    )


def feature_names(X: Any) -> NDArray[Any] | None:
    """Column names of a data frame if all are strings, as an object array; else None."""
    columns = getattr(X, "columns", None)
    if columns is None or not all(isinstance(column, str) for column in columns):
        return None
    return np.array(list(columns), dtype=object)


def check_same_features(seen: NDArray[Any] | None, given: NDArray[Any] | None, name: str) -> None:
    """Compare the columns of a data frame with those seen in ``fit``.

    Raises
    ------
    ValueError
        If names or their order differ.
    """
    if seen is None and given is None:
        return
    if seen is None:
        _warn_names(f"X has feature names, but {name} was fitted without feature names")
    elif given is None:
        _warn_names(
            f"X does not have valid feature names, but {name} was fitted with feature names"
        )
    elif not np.array_equal(seen, given):
        raise ValueError(_difference(list(seen), list(given)))


def _warn_names(message: str) -> None:
    warnings.warn(message, UserWarning, stacklevel=5)


def _difference(seen: list[str], given: list[str]) -> str:
    lines = ["The feature names should match those that were passed during fit."]
    unexpected = sorted(set(given) - set(seen))
    missing = sorted(set(seen) - set(given))
    if unexpected:
        lines += ["Feature names unseen at fit time:", *(f"- {name}" for name in unexpected)]
    if missing:
        lines += [
            "Feature names seen at fit time, yet now missing:",
            *(f"- {name}" for name in missing),
        ]
    if not unexpected and not missing:
        lines.append("Feature names must be in the same order as they were in fit.")
    return "\n".join(lines) + "\n"
