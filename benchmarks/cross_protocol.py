"""A fault taught on one protocol, asked about on another: SIP and Diameter, both ways.

Networks are simulated, SIP over UDP and over TCP, Diameter over TCP and, the same networks with the
same faults, over SCTP; none of them was trained on. The library of the model that ships is emptied
of faults and taught with one example of each, all from one network; then all captures of the other
networks are classified, each against the normal of its own network, and raised where it is farther
from normal than that strays, as by ``classify --network``. Networks and captures teach in turn.

    python benchmarks/cross_protocol.py [--networks 3] [--captures 2] [--side subscribers]
        [--seed 0] [--recorded DIR --recorded-networks A C] [--json results.json]

--recorded asks the same of recorded SIP captures: DIR holds labels.csv and a folder a network.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cross_protocol_report import side_by_side, table
from cross_protocol_sources import GROUPS, UNSEEN, Source, recorded, simulated
from numpy.typing import NDArray

from traffic_siamese.alarms import looks, tail_of_log
from traffic_siamese.baseline import learn_baseline
from traffic_siamese.evaluation.watching import verdicts_of
from traffic_siamese.incidents import IncidentMerger
from traffic_siamese.model import Model, load_model
from traffic_siamese.network_straying import measure_straying
from traffic_siamese.oneshot.phases import STEADY, distances_from_normal, shows_fault
from traffic_siamese.oneshot.recognition import recognise
from traffic_siamese.oneshot.select import select_prototypes
from traffic_siamese.preparation import all_windows, prepare
from traffic_siamese.starting import shipped_model
from traffic_siamese.types import NORMAL, UNKNOWN, FloatArray, LabelledInterval

MAX_EXAMPLES = 5


@dataclass(frozen=True, eq=False)
class Asked:
    """One capture, embedded.

    Attributes
    ----------
    group, network, name : str
    number : int
        Which capture of its fault and network it is.
    fault : LabelledInterval or None
    calm : tuple of LabelledInterval
        What it shows of normal traffic.
    start_ns : ndarray of shape (n,), int64
        Of its windows, as often as classifying looks at them.
    embeddings : ndarray of shape (n, embedding_dim), float32
    straying : float or None
        How far its network's normal traffic gets from the model's; embedding units.
    """

    group: str
    network: str
    name: str
    number: int
    fault: LabelledInterval | None
    calm: tuple[LabelledInterval, ...]
    start_ns: NDArray[np.int64]
    embeddings: FloatArray
    straying: float | None = None

    def inside(self, interval: LabelledInterval, length_ns: int) -> NDArray[np.bool_]:
        """Tell which windows lie wholly in an interval."""
        after = self.start_ns >= interval.start_ns
        return after & (self.start_ns + length_ns <= interval.end_ns)


def embed(model: Model, sources: Iterator[Source]) -> list[Asked]:
    """Embed captures against the normal of their network: that of its first normal capture."""
    asked: list[Asked] = []
    baselines: dict[str, FloatArray] = {}
    straying: dict[str, float | None] = {}
    seen: Counter[tuple[str, str]] = Counter()
    spec = looks(model.bundle.info.calibration.normal_tail, model.bundle.info.window)
    for group, network, log, intervals in _normal_first(sources):
        faults = [one for one in intervals if one.label != NORMAL]
        if network not in baselines:
            values = np.concatenate([series.values for series in log.series])
            own = baselines[network] = learn_baseline(values)
            straying[network] = measure_straying(model, [log], own, mostly_normal=False)
            continue
        windows = all_windows(prepare(log, model.scaler, baseline=baselines[network]), spec)
        label = faults[0].label if faults else NORMAL
        calm = tuple(one for one in intervals if one.label == NORMAL)
        number = seen[network, label]
        seen[network, label] += 1
        found = model.encoder.embed(windows.gather())
        asked.append(
            Asked(group, network, log.name, number, faults[0] if faults else None, calm,
                  windows.start_ns, found, straying[network])
        )  # fmt: skip
    return asked


def _normal_first(sources: Iterator[Source]) -> Iterator[Source]:
    """Yield the first normal capture of each network before its other captures."""
    waiting: dict[str, list[Source]] = defaultdict(list)
    known: set[str] = set()
    for source in sources:
        network, intervals = source[1], source[3]
        if network in known:
            yield source
        elif all(one.label == NORMAL for one in intervals):
            known.add(network)
            yield source
            yield from waiting.pop(network, [])
        else:
            waiting[network].append(source)


class Library:
    """What the model was taught: normal, and one example of each fault."""

    def __init__(self, model: Model, teachers: Sequence[Asked]) -> None:
        self._model = model
        normal = model.prototype_labels == NORMAL
        parts = [model.prototypes[normal]]
        labels = [NORMAL] * int(normal.sum())
        for one in teachers:
            mine = self._examples(one, parts[0])
            parts.append(mine)
            labels += [one.fault.label] * len(mine) if one.fault else []
        self.prototypes, self.labels = np.concatenate(parts), np.array(labels)

    def _examples(self, one: Asked, normal: FloatArray) -> FloatArray:
        """Choose as `faults add` does, of the windows wholly inside the fault."""
        spec = self._model.bundle.info.window
        if one.fault is None:
            return normal[:0]
        rows = np.flatnonzero(one.inside(one.fault, window_ns(self._model)))
        stride = looks(self._model.bundle.info.calibration.normal_tail, spec).stride
        found = one.embeddings[rows[:: max(spec.stride // stride, 1)]]
        phases = np.full(len(found), STEADY)
        distances = distances_from_normal(found, normal, np.full(len(normal), NORMAL))
        usable = found[shows_fault(phases, distances, self._model.bundle.info.calibration)]
        same = np.full(len(usable), "x")
        picks = select_prototypes(usable, same, groups=same, n_per_label=MAX_EXAMPLES)
        return usable[picks]

    def ask(self, one: Asked) -> tuple[NDArray[np.str_], set[str]]:
        """Return the label of each window, and those of incidents that overlap the fault."""
        info = self._model.bundle.info
        found = recognise(one.embeddings, self.prototypes, self.labels, info.calibration)
        told = verdicts_of(one.name, one.start_ns, one.embeddings, found, info.window)
        tail = info.calibration.normal_tail
        if tail is not None and one.straying is not None:
            tail = tail.stretched(one.straying)
        tail = tail_of_log(tail, told)
        incidents = IncidentMerger.for_model(tail, info.window).merge(told)
        within = one.fault or one.calm[0]
        return found.label, {
            incident.label
            for incident in incidents
            if incident.start_ns < within.end_ns and incident.end_ns > within.start_ns
        }


def window_ns(model: Model) -> int:
    """Length of a window."""
    spec = model.bundle.info.window
    return round(spec.n_timesteps * spec.bin_s * 1e9)


def cross(
    model: Model, teachers: Sequence[Asked], asked: Sequence[Asked]
) -> dict[str, Counter[str]]:
    """Teach with each network and capture in turn; ask about all others. Counts by label."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    draws = sorted({(one.network, one.number) for one in teachers if one.fault})
    for network, number in draws:
        mine = [one for one in teachers if (one.network, one.number) == (network, number)]
        library = Library(model, mine)
        taught = set(library.labels.tolist())
        for one in asked:
            if one.network == network or (one.fault and one.fault.label not in taught):
                continue
            _count(counts, one, *library.ask(one), window_ns(model))
    return counts


def _count(
    counts: dict[str, Counter[str]],
    one: Asked,
    labels: NDArray[np.str_],
    incidents: set[str],
    length_ns: int,
) -> None:
    for calm in one.calm:
        kept = labels[one.inside(calm, length_ns)]
        counts[NORMAL].update(windows=len(kept), right=int((kept == NORMAL).sum()))
        counts[NORMAL].update(unknown=int((kept == UNKNOWN).sum()))
    if one.fault is None:
        counts[NORMAL].update(captures=1, raised=bool(incidents))
        return
    mine = labels[one.inside(one.fault, length_ns)]
    tally = counts[one.fault.label]
    tally.update(windows=len(mine), right=int((mine == one.fault.label).sum()))
    tally.update(unknown=int((mine == UNKNOWN).sum()), normal=int((mine == NORMAL).sum()))
    tally.update({f"as {name}": int((mine == name).sum()) for name in set(mine.tolist())})
    tally.update(captures=1, raised=bool(incidents), named=one.fault.label in incidents)


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate, teach, ask and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--networks", type=int, default=3, help="of each protocol")
    parser.add_argument("--captures", type=int, default=2, help="of each fault and network")
    parser.add_argument("--side", choices=UNSEEN, default="subscribers", help="capture point")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--recorded", type=Path, metavar="DIR", help="recorded SIP captures")
    parser.add_argument("--recorded-networks", nargs="+", default=["A", "C"])
    parser.add_argument("--json", type=Path)
    args = parser.parse_args(arguments)
    with shipped_model() as path:
        model = load_model(path)
    asked = {group: embed(model, simulated(group, args)) for group in GROUPS}
    for network in args.recorded_networks if args.recorded else ():
        asked[f"recorded {network}"] = embed(model, recorded(args.recorded, [network]))
    kept = {}
    for taught in asked:
        for about in asked:
            counts = cross(model, asked[taught], asked[about])
            if counts and NORMAL in counts:
                kept[f"{taught} → {about}"] = counts
    across = {name: n for name, n in kept.items() if name.count("Diameter") == 1}
    within = {name: n for name, n in kept.items() if name not in across}
    for name, counts in across.items():
        print(f"\n### {name}\n\n{table(counts)}")
    for title, tables in (("From protocol to protocol", across), ("Within one", within)):
        print(f"\n### {title}: windows right / captures rightly named\n\n{side_by_side(tables)}")
    if args.json:
        args.json.write_text(json.dumps(kept, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
