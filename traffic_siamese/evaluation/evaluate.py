"""How often a model is right on labelled captures, and how its encoder fares with new faults."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from traffic_siamese.evaluation.confusion import Confusion, count_calls, recall_interval
from traffic_siamese.evaluation.faithfulness import Faithfulness, faithfulness
from traffic_siamese.evaluation.intervals import Interval, bootstrap
from traffic_siamese.evaluation.judged import Judged, is_shown, judge
from traffic_siamese.evaluation.one_example import Asked, OneExample, draw_rows
from traffic_siamese.evaluation.spaces import Points, flat
from traffic_siamese.evaluation.verification import Verification, verify
from traffic_siamese.evaluation.watching import Watched, watch
from traffic_siamese.model import load_model
from traffic_siamese.types import CUBE_DIM, NORMAL, Int64Array

CLASSIFY, NEAREST = "as classify decides", "nearest example"


@dataclass(frozen=True, slots=True)
class Questions:
    """How one example of each fault is asked about.

    Attributes
    ----------
    sides : sequence of sequence of str, optional
        Networks captured on the same side: an example from another network comes from one of
        these. All networks by default.
    draws : int, >= 2
        Random examples of each fault.
    """

    sides: Sequence[Sequence[str]] | None = None
    draws: int = 20


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What `evaluate` found.

    Attributes
    ----------
    everything : Confusion
        Over all labelled captures that could be read.
    unseen : Confusion
        Over the captures that the model was never shown: not in training, where the held-out ones
        decided when to stop and how far labels reach, nor as an example.
    n_captures, n_unseen : int
    networks : dict of str to str
        Where each network's baseline came from.
    skipped : tuple of str
        Why captures could not be used.
    methods : dict of str to dict of str to Interval
        By method, the columns of the table: "known", "same", "other", "normal kept", "AUROC",
        "FPR@95"; one that could not be measured is missing.
    faults : dict of str to dict of str to Interval
        By fault, as classifying decides: "known", "same", "other", and "unknown", the share
        called unknown while the fault is out of the library.
    before, after : Verification or None
        Pairs of windows by their scaled features, and by their embeddings.
    watched : Watched
        Incidents on whole captures.
    trained : frozenset of str
        Labels that the encoder was trained on.
    notes : tuple of str
        What could not be measured, and why; what flatters the figures.
    reasons : Faithfulness or None
        Whether reasons name what the encoder goes by; None without a window of a fault.
    """

    everything: Confusion
    unseen: Confusion
    n_captures: int
    n_unseen: int
    networks: dict[str, str]
    skipped: tuple[str, ...]
    methods: dict[str, dict[str, Interval]]
    faults: dict[str, dict[str, Interval]]
    before: Verification | None
    after: Verification | None
    watched: Watched
    trained: frozenset[str]
    notes: tuple[str, ...]
    reasons: Faithfulness | None = None


def evaluate(
    logs_dir: str | Path,
    labels: str | Path,
    model: str | Path,
    *,
    normal_captures: Sequence[str] = (),
    questions: Questions | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Judge a model on the windows that lie wholly in a labelled interval; nothing is trained.

    Parameters
    ----------
    logs_dir : str or Path
        Folder that the captures' paths in the labels start from.
    labels : str or Path
        ``labels.csv``; its networks are used.
    model : str or Path
        The model bundle's directory.
    normal_captures : sequence of str
        Captures, named as in the labels, whose normal traffic is their network's baseline in place
        of the stored one; they are not judged themselves.
    questions : Questions, optional
    progress : callable, optional
        Called with captures done and captures in all.

    Raises
    ------
    LabelError
        If the labels are malformed, or leave no window of a capture that can be read.
    BundleError
        If the model cannot be used.
    """
    loaded = load_model(model)
    judged = judge(
        Path(logs_dir), labels, loaded, normal_captures=normal_captures, progress=progress
    )
    return _Figures(judged, questions or Questions()).evaluation()


class _Figures:
    """Turns classified windows into figures; random draws depend on nothing but the data."""

    def __init__(self, judged: Judged, questions: Questions) -> None:
        self.judged, self.library = judged, judged.library()
        self.known = frozenset(judged.model.prototype_labels.tolist())
        self.rng = np.random.default_rng(0)
        labels = set(judged.windows.label.tolist())
        self.faults = sorted(labels - {NORMAL})
        sides = questions.sides or [sorted(set(judged.windows.network.tolist()))]
        self.draws = {
            fault: draw_rows(judged.windows, fault, sides=sides, n=questions.draws, rng=self.rng)
            for fault in self.faults
        }
        self.space = OneExample(judged.windows, judged.embeddings, self.library)
        self.asked = self._ask(self.space)

    def evaluation(self) -> Evaluation:
        """Put everything together."""
        judged, windows = self.judged, self.judged.windows
        shown = is_shown(judged)
        captures = len(judged.captures)
        spec = judged.model.bundle.info.window
        tail = judged.model.bundle.info.calibration.normal_tail
        groups = [np.flatnonzero(windows.network == n) for n in np.unique(windows.network)]
        return Evaluation(
            count_calls(windows.label, judged.called, self.known),
            count_calls(windows.label[~shown], judged.called[~shown], self.known),
            captures,
            captures - len(judged.shown),
            judged.networks,
            judged.skipped,
            self._methods(),
            {fault: self._fault(fault) for fault in self.faults},
            self._before(groups),
            verify(windows, Points(judged.embeddings), groups),
            watch(judged.verdicts, judged.intervals, spec=spec, known=self.known, tail=tail),
            frozenset(judged.model.bundle.info.labels),
            self._notes(),
            faithfulness(judged, rng=self.rng),
        )

    def _ask(self, space: OneExample) -> dict[str, Asked]:
        return {fault: space.ask(fault, draws=self.draws[fault]) for fault in self.faults}

    def _methods(self) -> dict[str, dict[str, Interval]]:
        methods = {CLASSIFY: self._as_classified(), NEAREST: self._nearest(self.space, self.asked)}
        dim = self.judged.embeddings.shape[1]
        if dim > CUBE_DIM:
            windows, cube = self.judged.windows, self.judged.embeddings[:, :CUBE_DIM]
            space = OneExample(windows, cube, self.library.first_axes(CUBE_DIM))
            name = f"nearest, first {CUBE_DIM} of {dim} axes"
            methods[name] = self._nearest(space, self._ask(space))
        return methods

    def _as_classified(self) -> dict[str, Interval]:
        found = {
            where: self._over_faults([one.accepted.get(where, []) for one in self.asked.values()])
            for where in ("same", "other")
        }
        found["known"] = self._recall([n for n in (NORMAL, *self.faults) if n in self.known])
        found["normal kept"] = self._recall([NORMAL])
        return _measured(found)

    def _nearest(self, space: OneExample, asked: dict[str, Asked]) -> dict[str, Interval]:
        of = list(asked.values())
        found = {
            where: self._over_faults([one.nearest.get(where, []) for one in of])
            for where in ("same", "other")
        }
        accuracies = list(space.known_accuracy().values())
        found["known"] = bootstrap([[value] for value in accuracies], rng=self.rng)
        found["normal kept"] = self._over_faults(
            [[run for runs in one.normal_kept.values() for run in runs] for one in of]
        )
        found["AUROC"] = bootstrap([list(one.auroc.values()) for one in of], rng=self.rng)
        found["FPR@95"] = bootstrap(
            [list(one.false_positive_rate.values()) for one in of], rng=self.rng
        )
        return _measured(found)

    def _over_faults(self, faults: list[list[list[float]]]) -> Interval:
        """Mean over faults of the mean over networks; faults are drawn again, then draws."""
        return bootstrap([_means(runs) for runs in faults], rng=self.rng)

    def _fault(self, fault: str) -> dict[str, Interval]:
        asked = self.asked[fault]
        found = {
            where: bootstrap([_means(asked.accepted.get(where, []))], rng=self.rng)
            for where in ("same", "other")
        }
        if fault in self.known:
            found["known"] = self._recall([fault])
        found["unknown"] = bootstrap(
            [[value] for value in asked.called_unknown.values()], rng=self.rng
        )
        return _measured(found)

    def _recall(self, labels: Sequence[str]) -> Interval:
        windows = self.judged.windows
        return recall_interval(
            windows.label, self.judged.called, windows.capture, labels, rng=self.rng
        )

    def _before(self, groups: Sequence[Int64Array]) -> Verification | None:
        return verify(self.judged.windows, Points(flat(self.judged.windows.gather())), groups)

    def _notes(self) -> tuple[str, ...]:
        windows, notes = self.judged.windows, []
        networks = sorted(set(windows.network.tolist()))
        if not self.faults:
            notes.append("the labels name no fault: nothing was asked about one example.")
        if NORMAL not in windows.label:
            notes.append("no window is labelled normal: false alarms were not measured.")
        missing = [name for name in self.faults if name not in self.known]
        if missing:
            notes.append(
                f"not in the model's library: {', '.join(missing)}; asked about only as new faults."
            )
        if len(networks) == 1 and self.faults:
            notes.append("one network: no example could come from another one.")
        notes += _single_captures(self.judged, self.faults)
        notes += _alone(self.draws, len(networks))
        return tuple(notes)


def _single_captures(judged: Judged, faults: Sequence[str]) -> list[str]:
    """Say which faults are judged on the capture that their example is from."""
    windows, single = judged.windows, []
    for fault in faults:
        mine = windows.label == fault
        for network in np.unique(windows.network[mine]).tolist():
            if len(np.unique(windows.capture[mine & (windows.network == network)])) == 1:
                single.append(f"{fault} ({network})")
    if not single:
        return []
    return [
        f"one capture only of {', '.join(single)}: an example from the same network is asked about "
        "the windows of its own capture that share no second with it."
    ]


def _alone(draws: dict[str, dict[str, dict[str, Int64Array]]], n_networks: int) -> list[str]:
    lonely = sorted(fault for fault, by_where in draws.items() if not by_where["other"])
    if not lonely or n_networks == 1:
        return []
    return [f"on one network only (of a side): {', '.join(lonely)}; no example from another one."]


def _means(runs: list[list[float]]) -> list[float]:
    """Mean over networks of each draw."""
    if not runs:
        return []
    n = min(map(len, runs))
    return [float(np.mean([run[draw] for run in runs])) for draw in range(n)]


def _measured(found: dict[str, Interval]) -> dict[str, Interval]:
    return {name: value for name, value in found.items() if value.is_measured}
