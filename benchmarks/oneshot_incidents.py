"""What an operator would see: false incidents on normal traffic, and how soon a fault is raised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from oneshot_data import SPEC, Corpus, Fold
from oneshot_encoders import Trained
from oneshot_protocol import Draw, Tally

from traffic_siamese.incidents import IncidentMerger, merge_incidents
from traffic_siamese.oneshot.recognition import recognise
from traffic_siamese.preparation import all_windows, prepare
from traffic_siamese.types import NORMAL, UNKNOWN, FloatArray, LabelledInterval, Verdict

STRIDE_NS = round(SPEC.stride * SPEC.bin_s * 1e9)
LENGTH_NS = round(SPEC.n_timesteps * SPEC.bin_s * 1e9)


@dataclass(frozen=True, eq=False)
class Windows:
    """All windows of a capture, embedded, labelled or not."""

    capture: str
    start_ns: np.ndarray
    embeddings: FloatArray


def watch(
    corpus: Corpus, fold: Fold, trained: Trained, draws: Sequence[Draw], tally: Tally
) -> None:
    """Classify whole captures of the network left out, with every fault in the library.

    Known faults have the prototypes and the radii that the package chose, new ones a single
    example from the source network (from the network itself, where there is no source).
    """
    captures = [name for name in corpus.logs if corpus.network_of(name) == fold.network]
    everything = [_embed(corpus, fold, trained, name) for name in captures]
    calm, faulty = _calm(corpus, everything), _known_intervals(corpus, fold)
    hours = sum(len(one.start_ns) for one in calm) * STRIDE_NS / 3.6e12
    for draw in draws:
        library = _library(corpus, trained, draw)
        verdicts = {one.capture: _verdicts(trained, one, *library) for one in everything}
        if hours:
            incidents = [
                incident
                for one in calm
                for incident in merge_incidents(verdicts[one.capture], stride_ns=STRIDE_NS)
            ]
            tally.add("false incidents per hour", len(incidents) / hours)
            unknown = sum(incident.label == UNKNOWN for incident in incidents)
            tally.add("of these unknown, per hour", unknown / hours)
        for interval in faulty:
            _time_to_raise(verdicts[interval.capture], interval, tally)


def first_raised_ns(
    verdicts: Sequence[Verdict], start_ns: int, end_ns: int, *, labels: Sequence[str] = ()
) -> int | None:
    """End of the window with which an incident stood, in an interval; None if none did.

    Parameters
    ----------
    verdicts : sequence of Verdict
        Of one capture, in time order.
    start_ns, end_ns : int
        From when to when an incident counts; one that was raised before does not.
    labels : sequence of str
        Labels that count; any, where it is empty.
    """
    merger, before = IncidentMerger(stride_ns=STRIDE_NS), False
    for verdict in verdicts:
        merger.push(verdict)
        incident = merger.open_incident
        counts = incident is not None and (not labels or incident.label in labels)
        if counts and not before and start_ns < verdict.end_ns <= end_ns:
            return verdict.end_ns
        before = counts
    return None


def _time_to_raise(verdicts: Sequence[Verdict], interval: LabelledInterval, tally: Tally) -> None:
    span = interval.start_ns, interval.end_ns + LENGTH_NS
    for name, labels in (("any incident", ()), ("the right incident", (interval.label,))):
        raised_ns = first_raised_ns(verdicts, *span, labels=labels)
        tally.add(f"{name} raised", raised_ns is not None)
        if raised_ns is not None:
            tally.add(f"onset to {name}, s", (raised_ns - interval.start_ns) / 1e9)


def _embed(corpus: Corpus, fold: Fold, trained: Trained, capture: str) -> Windows:
    prepared = prepare(
        corpus.logs[capture],
        trained.scaler,
        baseline=corpus.baselines[fold.network],
        network=fold.network,
    )
    windows = all_windows(prepared, SPEC)
    return Windows(capture, windows.start_ns, trained.embed(windows.gather()))


def _calm(corpus: Corpus, everything: Sequence[Windows]) -> list[Windows]:
    """Return captures of normal traffic only, without those that normal was learned from."""
    teaching = set(corpus.windows.capture[corpus.is_baseline].tolist())
    faulty = {one.capture for one in corpus.intervals if one.label != NORMAL}
    return [one for one in everything if one.capture not in teaching | faulty]


def _known_intervals(corpus: Corpus, fold: Fold) -> list[LabelledInterval]:
    mine = (one for one in corpus.intervals if one.network == fold.network)
    return [one for one in mine if one.label in fold.known]


def _library(corpus: Corpus, trained: Trained, draw: Draw) -> tuple[FloatArray, np.ndarray]:
    examples = np.array([rows[0] for rows in (draw.other or draw.same).values()], np.int64)
    prototypes = np.concatenate([trained.prototypes, trained.embeddings[examples]])
    return prototypes, np.concatenate([trained.prototype_labels, corpus.labels[examples]])


def _verdicts(
    trained: Trained, windows: Windows, prototypes: FloatArray, labels: np.ndarray
) -> list[Verdict]:
    found = recognise(windows.embeddings, prototypes, labels, trained.calibration)
    return [
        Verdict(
            windows.capture,
            start_ns,
            start_ns + LENGTH_NS,
            str(found.label[i]),
            float(found.distance[i]),
            float(found.confidence[i]),
            "",
            float("nan"),
            *windows.embeddings[i, :3].tolist(),
            "",
        )
        for i, start_ns in enumerate(windows.start_ns.tolist())
    ]
