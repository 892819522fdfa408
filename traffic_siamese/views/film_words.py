"""What a film says in words, on a page and in a video."""

from __future__ import annotations

import numpy as np

from traffic_siamese.history import TrainingHistory
from traffic_siamese.views.film_data import DrawnRun


def headline(history: TrainingHistory, name: str = "") -> str:
    """Say in one sentence what the training did.

    Parameters
    ----------
    history : TrainingHistory
        What was recorded.
    name : str
        The model's, set before the sentence; empty for none.

    Returns
    -------
    str
        Such as ``7 labels, 700 windows, 60 epochs: separation 0.9 → 8.4``.
    """
    counts = (
        (len(np.unique(history.label)), "label"),
        (len(history.label), "window"),
        (history.n_epochs, "epoch"),
    )
    text = ", ".join(f"{count:,} {noun}{'' if count == 1 else 's'}" for count, noun in counts)
    known = history.separation[np.isfinite(history.separation)]
    if history.n_epochs and len(known) > 1:
        text += f": separation {known[0]:.1f} → {known[-1]:.1f}"
    return f"{name}: {text}" if name else text


def caption_of(drawn: DrawnRun, label: str) -> str:
    """Say how a label came in that was never trained on."""
    added = drawn.run.added
    n_examples = len(np.unique(added.capture[added.label == label]))
    examples = "one example" if n_examples == 1 else f"{n_examples} examples"
    return f"was added with {examples}; nothing was trained"
