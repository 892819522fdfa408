"""What each network of an encoder trains on, and what judges it: a bag for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.split import labelled
from traffic_siamese.types import Int64Array, StringArray
from traffic_siamese.windows import WindowSet, join_windows

Split = tuple[Int64Array, Int64Array]
"""Rows to train on and held-out rows; from `split.split_by_capture`."""


@dataclass(frozen=True, slots=True, eq=False)
class Bag:
    """What one network, or all of them alike, trains on.

    Networks that leave out different captures overlook different things, so that together they
    know more than any of them.

    Attributes
    ----------
    train : WindowSet
        Labelled windows.
    synthetic : WindowSet or None
        More to train on, not made from other captures than these.
    held_out : WindowSet or None
        Windows of other captures, of the labels trained on; None where they show fewer than two.

    References
    ----------
    Breiman 1996, Bagging predictors, Machine Learning 24, section 1; here whole captures are drawn.
    """

    train: WindowSet
    synthetic: WindowSet | None
    held_out: WindowSet | None

    @property
    def unseen(self) -> StringArray:
        """Captures that it does not train on."""
        return np.unique(self.held_out.capture) if self.held_out else np.empty(0, np.str_)

    @property
    def all(self) -> WindowSet:
        """Everything that is trained on."""
        return join_windows(self.train, self.synthetic) if self.synthetic else self.train


def make_bags(
    windows: WindowSet, splits: Sequence[Split], synthetic: Sequence[WindowSet | None] = ()
) -> tuple[list[Bag], list[str]]:
    """Cut labelled windows into bags.

    Parameters
    ----------
    windows : WindowSet
        Some perhaps without a label: these are left out.
    splits : sequence of (train, held_out)
        Rows, for each bag.
    synthetic : sequence of WindowSet or None
        For each bag; none at all by default.

    Returns
    -------
    bags : list of Bag
    warnings : list of str
        What the user should know.

    Raises
    ------
    TrainingError
        If there are fewer than two labels, or a label with a single window.
    """
    bags, warnings = [], []
    for (train, held_out), made in zip(splits, synthetic or [None] * len(splits), strict=True):
        shown, judged, found = labelled(
            windows.select(train), windows.select(held_out) if len(held_out) else None
        )
        bags.append(Bag(shown, made, judged))
        warnings.extend(found)
    return bags, list(dict.fromkeys(warnings))


def unseen_by(bags: Sequence[Bag], capture: StringArray) -> NDArray[np.bool_]:
    """Tell which windows no part of a bag's training has seen.

    Parameters
    ----------
    bags : sequence of Bag
    capture : ndarray of shape (n,), str
        Of each window.

    Returns
    -------
    ndarray of shape (n, n_bags), bool
    """
    return np.stack([np.isin(capture, bag.unseen) for bag in bags], axis=1)
