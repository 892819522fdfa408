"""Leave a network and half of the faults out, train, ask: fold after fold, seed after seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from traffic_siamese.alarms import looks
from traffic_siamese.errors import BundleError, LabelError, TrainingError
from traffic_siamese.evaluation.corpus import Corpus
from traffic_siamese.evaluation.draws import Draw, draw_examples
from traffic_siamese.evaluation.folds import Fold, make_folds, query_rows
from traffic_siamese.evaluation.intervals import Interval, bootstrap
from traffic_siamese.evaluation.peers import fold_inputs, peers
from traffic_siamese.evaluation.protocol import Tally, measure
from traffic_siamese.evaluation.spaces import Points, Space, flat
from traffic_siamese.evaluation.trained import Trained, embedded
from traffic_siamese.evaluation.verification import verify
from traffic_siamese.evaluation.watching import Watched, verdicts_of, watch
from traffic_siamese.fit_options import FitOptions
from traffic_siamese.model import load_model
from traffic_siamese.oneshot.recognition import recognise
from traffic_siamese.preparation import all_windows, prepare
from traffic_siamese.types import CUBE_DIM, NORMAL

if TYPE_CHECKING:
    from traffic_siamese.keeper import EpochReport

OURS, SCALED = "this package", "scaled features"
_TRAINING_SHARE = 0.9  # of the time of a fold


@dataclass(frozen=True, slots=True)
class LeaveOutOptions:
    """What to run.

    Attributes
    ----------
    folds : int or None
        Folds at most; None runs all.
    seeds : sequence of int
        Of the training and of the draws; each is a run of every fold.
    draws : int
        Random examples per fold.
    fit : FitOptions
        How encoders are trained.
    peers : bool
        Whether to measure other methods on the same windows.
    sides : sequence of sequence of str or None
        See `make_folds`.
    model : str
        A trained model to measure beside, as it is; empty for none.
    """

    folds: int | None = None
    seeds: Sequence[int] = (0,)
    draws: int = 20
    fit: FitOptions = field(default_factory=FitOptions)
    peers: bool = False
    sides: Sequence[Sequence[str]] | None = None
    model: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """How far a run is: what it does, the share of all that is done, whether a fold ended."""

    what: str
    share: float
    is_fold: bool = False


@dataclass(slots=True)
class LeaveOut:
    """All figures so far, by method.

    Attributes
    ----------
    values : dict of str to list of dict of str to list of float
        By method; per fold and seed, the values of each measure over the draws.
    confusion : dict of str to dict of str to Counter
        By method and question, windows by (true label, called label).
    watched : list of Watched
        By fold and seed, with the first draw's examples in the library.
    folds : list of str
        What was left out.
    notes : list of str
        What could not be asked, and what flatters the figures.
    """

    values: dict[str, list[dict[str, list[float]]]] = field(default_factory=dict)
    confusion: dict[str, dict[str, Counter[tuple[str, str]]]] = field(default_factory=dict)
    watched: list[Watched] = field(default_factory=list)
    folds: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, method: str, tally: Tally) -> None:
        """Keep the figures of a method on a fold."""
        self.values.setdefault(method, []).append(tally.values)
        kept = self.confusion.setdefault(method, {})
        for where, counts in tally.confusion.items():
            kept.setdefault(where, Counter()).update(counts)

    def interval(self, method: str, name: str) -> Interval:
        """Mean of a measure over folds and seeds, with its 95 % interval."""
        runs = [run.get(name, []) for run in self.values[method]]
        return bootstrap(runs, rng=np.random.default_rng(0))

    def measures(self, method: str) -> list[str]:
        """Names of what was measured of a method, in the order of the first time."""
        return list(dict.fromkeys(name for run in self.values[method] for name in run))


def leave_out(
    corpus: Corpus,
    options: LeaveOutOptions,
    *,
    progress: Callable[[Step], None] | None = None,
) -> LeaveOut:
    """Run the protocol.

    Every fold leaves out a network and half of the faults. An encoder is trained on the rest, and
    asked about all windows of that network: known faults, whose examples are from another network;
    new faults, one random window of each in the library, from this network and from the other;
    and whether new faults lie farther from the library than known ones while none is in it. With a
    single network, captures are left out instead, and nothing is asked of other networks.

    Raises
    ------
    LabelError
        If the labels name fewer than two faults.
    TrainingError
        If no fold leaves enough to train on.
    MissingExtraError
        If the packages of the ``train`` extra are not installed.
    """
    run = _Run(corpus, options, progress or (lambda _: None))
    for fold, seed in run.turns():
        run.take(fold, seed)
    if not run.found.folds:
        raise TrainingError(f"no fold could be trained. {' '.join(run.found.notes)}")
    return run.found


class _Run:
    """The folds of one run, one after the other."""

    def __init__(
        self, corpus: Corpus, options: LeaveOutOptions, progress: Callable[[Step], None]
    ) -> None:
        self.corpus, self.options, self.progress = corpus, options, progress
        self.found = LeaveOut(notes=[*corpus.notes])
        folds = make_folds(corpus, sides=options.sides)
        self.folds = folds[: options.folds] if options.folds else folds
        if not self.folds:
            raise LabelError("no network shows a fault that could be left out.")
        self.other = _given(corpus, options.model, self.found) if options.model else None
        self.n_done = 0
        self._note_questions()

    def turns(self) -> Iterator[tuple[Fold, int]]:
        """Return every fold with every seed."""
        for seed in self.options.seeds:
            for fold in self.folds:
                yield fold, seed

    def take(self, fold: Fold, seed: int) -> None:
        """Train on a fold and ask."""
        from traffic_siamese.evaluation.encoders import train_fold

        options = self.options.fit
        options = replace(options, training=replace(options.training, seed=seed))
        name = fold.name if len(self.options.seeds) == 1 else f"{fold.name}, seed {seed}"
        try:
            trained = train_fold(
                self.corpus, fold, options, progress=lambda epoch: self._tell(name, epoch)
            )
        except TrainingError as err:
            self.found.notes.append(f"{name}: left out: {err}")
            self.n_done += 1
            return
        draws = draw_examples(self.corpus, fold, n=self.options.draws, seed=seed)
        for method, space in self._spaces(fold, trained).items():
            self.found.add(method, judge(self.corpus, fold, space, draws))
        self.found.watched.append(watch_fold(self.corpus, fold, trained, draws[0]))
        self.found.folds.append(name)
        self.n_done += 1
        self.progress(Step(f"{name}: done", self._share(0), is_fold=True))

    def _spaces(self, fold: Fold, trained: Trained) -> dict[str, Space]:
        dim = trained.embeddings.shape[1]
        found: dict[str, Space] = {f"{OURS}, {dim} axes": Points(trained.embeddings)}
        if dim > CUBE_DIM:
            found[f"first {CUBE_DIM} of these {dim} axes"] = Points(trained.cube())
        if self.other is not None:
            found["the model given, as it is"] = Points(self.other.embeddings)
        inputs = fold_inputs(self.corpus, fold)
        if self.options.peers:
            found |= {name: make(inputs) for name, make in peers().items()}
        else:
            found[SCALED] = Points(flat(inputs.relative))
        return found

    def _tell(self, name: str, epoch: EpochReport) -> None:
        share = _TRAINING_SHARE * epoch.epoch / epoch.n_epochs
        self.progress(Step(f"{name}: epoch {epoch.epoch}/{epoch.n_epochs}", self._share(share)))

    def _share(self, of_fold: float) -> float:
        return (self.n_done + of_fold) / (len(self.folds) * len(self.options.seeds))

    def _note_questions(self) -> None:
        notes, networks = self.found.notes, list(self.corpus.baselines)
        if len(networks) == 1:
            notes.append(
                "one network: captures were held out in place of a network, and what an example "
                "from another network is worth could not be asked."
            )
        lonely = sorted({fold.network for fold in self.folds if not fold.source})
        if lonely and len(networks) > 1:
            notes.append(
                f"no other network on the side of {', '.join(lonely)}: asked only about new faults "
                "with examples from there."
            )
        for fold in self.folds:
            if not fold.asks_known or not fold.held_out:
                continue
            rows = query_rows(self.corpus, fold)
            missing = sorted(set(fold.known) - set(self.corpus.labels[rows].tolist()))
            if missing:
                notes.append(f"one capture only, so not asked as known: {', '.join(missing)}.")


def judge(corpus: Corpus, fold: Fold, space: Space, draws: Sequence[Draw]) -> Tally:
    """Measure a method on a fold: what it finds, and how well its distances verify."""
    tally = measure(corpus, fold, space, draws)
    found = verify(corpus.windows, space, [query_rows(corpus, fold)])
    if found is not None:
        tally.add("Cohen's d", found.cohens_d)
        tally.add("EER", found.error)
        tally.add("EER threshold", found.threshold)
    return tally


def watch_fold(corpus: Corpus, fold: Fold, trained: Trained, draw: Draw) -> Watched:
    """Classify whole captures of what was left out, with every fault in the library.

    Known faults have the prototypes and the reach that the package chose, new ones a single
    example from the source network (from the network itself, where there is no source).
    """
    examples = np.array([rows[0] for rows in (draw.other or draw.same).values()], np.int64)
    points = np.concatenate([trained.prototypes, trained.embeddings[examples]])
    labels = np.concatenate([trained.prototype_labels, corpus.labels[examples]])
    teaching = set(corpus.windows.capture[corpus.is_baseline].tolist())
    asked = {one.capture for one in corpus.intervals if one.network == fold.network} - teaching
    verdicts, tail = {}, trained.calibration.normal_tail
    for name in sorted(asked & fold.held_out if fold.held_out else asked):
        log = prepare(
            corpus.logs[name],
            trained.scaler,
            baseline=corpus.baselines[fold.network],
            network=fold.network,
        )
        windows = all_windows(log, looks(tail, corpus.spec))
        embeddings = trained.embed(windows.gather())
        found = recognise(embeddings, points, labels, trained.calibration)
        verdicts[name] = verdicts_of(name, windows.start_ns, embeddings, found, corpus.spec)
    intervals = [one for one in corpus.intervals if one.label in (NORMAL, *fold.known, *fold.new)]
    return watch(verdicts, intervals, spec=corpus.spec, known=fold.known, tail=tail)


def _given(corpus: Corpus, path: str, found: LeaveOut) -> Trained:
    model = load_model(Path(path), threads=0)
    spec = model.bundle.info.window
    if (spec.n_timesteps, spec.bin_s) != (corpus.spec.n_timesteps, corpus.spec.bin_s):
        raise BundleError(
            f"{path}: takes windows of {spec.n_timesteps} bins, the folds have windows of "
            f"{corpus.spec.n_timesteps}. Compare a model of the same window."
        )
    if model.schema.digest != corpus.schema.digest:
        raise BundleError(
            f"{path}: looks at other columns, or at the same ones on another scale, than these "
            "logs give. Compare a model that was trained on all of them."
        )
    found.notes.append(
        "the model given was trained on what it was trained on: nothing was left out of it."
    )
    return embedded(corpus, model)
