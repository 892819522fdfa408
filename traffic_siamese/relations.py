"""What is left of each column after what the others let expect: columns that go together.

Octets in and octets out rise together with the load, which is no trouble; that one rises alone is.
In normal traffic a column follows from the others, and what does not follow shows a fault that each
column by itself hides in the swing of the load.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.types import FloatArray

MAX_COLUMNS = 1000
"""That relations are looked for among: their table grows with the square of it."""
_RIDGE = 0.01  # of a column's variance: columns that say the same share what they tell
_LEAST_SPREAD = 0.1  # in scales; what hardly moves tells nothing of others
_LEAST_REMAINDER = 0.1
_KEPT = 0.7
_ROUNDS = 2
_LIMIT = 8.0
_ROBUST = 1.4826


def fit_relations(view: FloatArray) -> FloatArray:
    """Learn how columns follow from one another, and what is usually left of each.

    A ridge regression of each column on all others, through the normal of the network. It is
    repeated without the rows that follow least, so that faults among them hardly count.

    Parameters
    ----------
    view : ndarray of shape (n_rows, n_features), float32
        Columns relative to normal, in their scales; most rows normal.

    Returns
    -------
    ndarray of shape (n_features, n_features), float32
        For `remainders`: the regressions' coefficients, each row in units of what is left.

    References
    ----------
    Whittaker 1990, Graphical Models in Applied Multivariate Statistics, section 5.7 (coefficients
    from the inverse of the covariance). Rousseeuw and Van Driessen 2006, Computing LTS Regression
    for Large Data Sets, section 2 (concentration steps).
    """
    rows = np.asarray(view, np.float64)
    matrix = _regressions(rows)
    for _ in range(_ROUNDS):
        odd = _oddness(rows @ matrix.T)
        matrix = _regressions(rows[odd <= np.quantile(odd, _KEPT)])
    left = np.sqrt(np.mean((rows @ matrix.T) ** 2, axis=0))
    return np.asarray(matrix / np.maximum(left, _LEAST_REMAINDER)[:, None], np.float32)


def remainders(view: FloatArray, relations: FloatArray) -> FloatArray:
    """Return what is left of each column after what the others let expect.

    Parameters
    ----------
    view : ndarray of shape (..., n_features), float32
        As in `fit_relations`.
    relations : ndarray of shape (n_features, n_features), float32

    Returns
    -------
    ndarray of the shape of ``view``, float32
        1 is the root mean square of what was left in training.
    """
    return np.asarray(view @ relations.T, np.float32)


def _regressions(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each column less what the others say of it, as a matrix; in the columns' units."""
    spread = np.sqrt(np.mean(rows**2, axis=0)) + _LEAST_SPREAD
    shared = (rows / spread).T @ (rows / spread) / len(rows)
    inverse = np.linalg.inv(shared + _RIDGE * np.eye(len(shared)))
    coefficients = inverse / np.diag(inverse)[:, None]
    return np.asarray(coefficients * spread[:, None] / spread, np.float64)


def _oddness(left: NDArray[np.float64]) -> NDArray[np.float64]:
    """How little each row follows: mean square of what is left, limited, shape (n_rows,)."""
    usual = _ROBUST * np.median(np.abs(left), axis=0) + _LEAST_REMAINDER / 2
    return np.asarray(np.mean(np.minimum(np.abs(left) / usual, _LIMIT) ** 2, axis=1))
