"""What an operator would see: false incidents on normal traffic, and how soon a fault is raised."""

from __future__ import annotations

from collections.abc import Sequence

from oneshot_data import Corpus, Fold
from oneshot_encoders import Trained
from oneshot_protocol import Draw, Tally

from traffic_siamese.evaluation.leave_out import watch_fold


def watch(
    corpus: Corpus, fold: Fold, trained: Trained, draws: Sequence[Draw], tally: Tally
) -> None:
    """Classify whole captures of the network left out, with every fault in the library.

    Times are those of the faults that were trained on.
    """
    for draw in draws:
        found = watch_fold(corpus, fold, trained, draw)
        if found.calm_h:
            tally.add("false incidents per hour", found.n_false / found.calm_h)
            tally.add("of these unknown, per hour", found.n_false_unknown / found.calm_h)
        for one in found.detections:
            if one.is_known:
                _add_time(tally, "any incident", one.any_s)
                _add_time(tally, "the right incident", one.right_s)


def _add_time(tally: Tally, name: str, seconds: float | None) -> None:
    tally.add(f"{name} raised", seconds is not None)
    if seconds is not None:
        tally.add(f"onset to {name}, s", seconds)
