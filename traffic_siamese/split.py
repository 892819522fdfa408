"""Hold captures out of training, so that what is measured was never seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from traffic_siamese.errors import TrainingError
from traffic_siamese.types import Int64Array
from traffic_siamese.windows import WindowSet


def split_by_capture(
    windows: WindowSet, *, share: float = 0.25, seed: int | Sequence[int] = 0
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
    seed : int or sequence of int
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


def labelled(
    train: WindowSet, held_out: WindowSet | None
) -> tuple[WindowSet, WindowSet | None, list[str]]:
    """Leave out what cannot be trained on, or compared, and check that enough is left.

    Parameters
    ----------
    train, held_out : WindowSet
        Windows, some perhaps without a label; held-out ones may show labels that nobody trains on.

    Returns
    -------
    train : WindowSet
        The labelled ones.
    held_out : WindowSet or None
        Those of the trained labels; None if they show fewer than two.
    warnings : list of str
        What the user should know.

    Raises
    ------
    TrainingError
        If there are fewer than two labels, or a label with a single window.
    """
    train = train.select(train.label != "")
    names, counts = np.unique(train.label, return_counts=True)
    if len(names) < 2:
        found = f"only {str(names[0])!r}" if len(names) else "none"
        raise TrainingError(
            f"labels to train on: {found}; expected at least 2, such as 'normal' and one fault. "
            "Add rows to the labels file."
        )
    if counts.min() < 2:
        raise TrainingError(
            f"label {str(names[counts.argmin()])!r} has 1 window, expected at least 2. "
            "Label a longer stretch, or use a smaller stride."
        )
    if held_out is None:
        return train, None, ["no windows were held out: the kept epoch is chosen on trained ones"]
    held_out = held_out.select(np.isin(held_out.label, names))
    n_labels = len(np.unique(held_out.label))
    if n_labels < 2:
        return train, None, [f"held-out windows show {n_labels} label(s), 2 are needed: not used"]
    missing = ", ".join(np.setdiff1d(names, held_out.label).tolist())
    return train, held_out, [f"no capture is held out for: {missing}"] if missing else []
