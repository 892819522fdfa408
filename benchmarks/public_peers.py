"""Peers on short windows of public counters, and a forest that needs no examples at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import oneshot_peers

from traffic_siamese.evaluation.corpus import Corpus
from traffic_siamese.evaluation.draws import Draw
from traffic_siamese.evaluation.folds import Fold, query_rows
from traffic_siamese.evaluation.peers import FoldInputs
from traffic_siamese.evaluation.spaces import Space, flat
from traffic_siamese.metrics import balanced_accuracy, recall_per_label
from traffic_siamese.types import NORMAL, Int64Array, StringArray

FOREST, SAME_SITE = "random forest of the other site", "random forest of the same site"
_ROCKET = "MiniRocket, nearest"
_ROCKET_STEPS = 9  # what MiniRocket's kernels need at least
_FOREST_DRAWS = 2
_TREES = 100


def public_peers() -> dict[str, Callable[[FoldInputs], Space]]:
    """Peers that can run here; DTW has nothing to warp in windows as short as these."""
    found = oneshot_peers.peers()
    found.pop("DTW, nearest", None)
    if _ROCKET in found:
        rocket = found[_ROCKET]
        found[_ROCKET] = lambda inputs: rocket(_long_enough(inputs))
    return found


def _long_enough(inputs: FoldInputs) -> FoldInputs:
    """Repeat the last step until there are as many as MiniRocket needs."""
    missing = max(0, _ROCKET_STEPS - inputs.relative.shape[1])
    longer = np.pad(inputs.relative, ((0, 0), (0, missing), (0, 0)), mode="edge")
    return replace(inputs, relative=longer)


def forest(
    corpus: Corpus, fold: Fold, inputs: FoldInputs, draws: Sequence[Draw]
) -> dict[str, list[float]]:
    """Train on all that the fold trains on, with the one example of what is new beside."""
    rows = query_rows(corpus, fold)
    found: dict[str, list[float]] = {}
    if not fold.new:
        called = _called(inputs, inputs.taught, rows)
        found["known"] = [balanced_accuracy(corpus.labels[rows], called)]
        return found
    for draw in draws[:_FOREST_DRAWS]:
        for where, examples in (("same", draw.same), ("other", draw.other)):
            for label, shots in examples.items():
                asked = rows[corpus.other_captures(rows, shots[:1])]
                called = _called(inputs, np.concatenate([inputs.taught, shots[:1]]), asked)
                recalls = recall_per_label(corpus.labels[asked], called)
                found.setdefault(f"{where}, 1 shot", []).append(recalls[label])
                found.setdefault(f"new, {where}: {label}", []).append(recalls[label])
                found.setdefault(f"normal kept, {where}", []).append(recalls[NORMAL])
    return found


def forest_of_same_site(corpus: Corpus, fold: Fold, inputs: FoldInputs) -> dict[str, list[float]]:
    """Train on every second capture of the site itself: what its labels are worth at best."""
    rows = query_rows(corpus, fold)
    names = corpus.windows.capture[rows]
    taught = np.isin(names, np.unique(names)[::2])
    called = _called(inputs, rows[taught], rows[~taught])
    return {"known": [balanced_accuracy(corpus.labels[rows[~taught]], called)]}


def _called(inputs: FoldInputs, taught: Int64Array, asked: Int64Array) -> StringArray:
    from sklearn.ensemble import RandomForestClassifier

    points: Any = flat(inputs.relative)
    trees = RandomForestClassifier(
        _TREES, class_weight="balanced_subsample", min_samples_leaf=2, random_state=0
    )
    trees.fit(points[taught], inputs.labels[taught])
    return np.asarray(trees.predict(points[asked]), np.str_)
