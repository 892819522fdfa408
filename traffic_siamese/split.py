"""Hold captures out of training, so that what is measured was never seen."""

from __future__ import annotations

import numpy as np

from traffic_siamese.types import Int64Array
from traffic_siamese.windows import WindowSet


def split_by_capture(
    windows: WindowSet, *, share: float = 0.25, seed: int = 0
) -> tuple[Int64Array, Int64Array]:
    """Split windows into training and held-out ones, whole captures at a time.

    Windows of one capture overlap and share its load and its noise, so only other captures tell
    whether a label is recognised. A label that a single capture shows stays in training.

    Parameters
    ----------
    windows : WindowSet
        Labelled windows.
    share : float, in [0, 1)
        Share of each label's captures to hold out; one at least, where there are two.
    seed : int
        The same seed gives the same split.

    Returns
    -------
    train, held_out : ndarray of int64
        Row numbers. Windows without a label go where their capture goes.

    Raises
    ------
    ValueError
        If the share is outside its range.
    """
    if not 0 <= share < 1:
        raise ValueError(f"share is {share}, expected at least 0 and less than 1")
    shown = _labels_by_capture(windows)
    names = set().union(*shown.values())
    left = {label: sum(label in labels for labels in shown.values()) for label in names}
    wanted = {
        label: max(1, round(share * n)) if share and n > 1 else 0 for label, n in left.items()
    }
    chosen = []
    for capture in np.random.default_rng(seed).permutation(sorted(shown)):
        labels = shown[str(capture)]
        if all(left[label] > 1 for label in labels) and any(
            wanted.get(label, 0) > 0 for label in labels
        ):
            chosen.append(capture)
            for label in labels:
                left[label] -= 1
                wanted[label] = wanted.get(label, 0) - 1
    mask = np.isin(windows.capture, chosen)
    return np.flatnonzero(~mask), np.flatnonzero(mask)


def _labels_by_capture(windows: WindowSet) -> dict[str, set[str]]:
    labelled = windows.label != ""
    shown: dict[str, set[str]] = {}
    pairs = zip(windows.capture[labelled].tolist(), windows.label[labelled].tolist(), strict=True)
    for capture, label in set(pairs):
        shown.setdefault(capture, set()).add(label)
    return shown
