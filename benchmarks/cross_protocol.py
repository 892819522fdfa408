"""A fault taught on one protocol, asked about on another: SIP and Diameter, both ways.

Networks are simulated, SIP over UDP, SIP over TCP and Diameter, with the same kinds of faults; none
of them was trained on. The library of the model that ships is emptied of faults and taught with one
example of each, all from one network; then all captures of the other networks are classified, each
against the normal of its own network. Each network and capture teaches in turn.

    python benchmarks/cross_protocol.py [--networks 3] [--captures 2] [--side subscribers]
        [--seed 0] [--recorded DIR --recorded-networks A C] [--json results.json]

--recorded asks the same of recorded SIP captures: DIR holds labels.csv and a folder a network.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cross_protocol_report import side_by_side, table
from numpy.typing import NDArray

from traffic_siamese.alarms import looks, tail_of_log
from traffic_siamese.baseline import learn_baseline
from traffic_siamese.evaluation.watching import verdicts_of
from traffic_siamese.features.series import read_series
from traffic_siamese.incidents import IncidentMerger
from traffic_siamese.labels import read_labels
from traffic_siamese.model import Model, load_model
from traffic_siamese.oneshot.phases import STEADY, distances_from_normal, shows_fault
from traffic_siamese.oneshot.recognition import recognise
from traffic_siamese.oneshot.select import select_prototypes
from traffic_siamese.preparation import all_windows, prepare
from traffic_siamese.simulate.signalling.fault_model import FaultModel, draw_effect
from traffic_siamese.simulate.signalling.network_model import NetworkRanges, draw_network
from traffic_siamese.simulation import simulate_episode
from traffic_siamese.starting import shipped_model
from traffic_siamese.types import NORMAL, UNKNOWN, FloatArray, LabelledInterval, TrafficLog

FAULTS: dict[str, tuple[str, dict[str, str | float]]] = {
    "blocked": ("blocked", {"way": "both"}),
    "one_way_block": ("blocked", {}),
    "capacity": ("capacity", {"way": "both"}),
    "packet_loss": ("packet_loss", {"way": "both"}),
    "latency": ("latency", {"way": "both"}),
    "service_down": ("service_down", {"answer": "refusal"}),
    "server_overload": ("server_overload", {}),
    "server_errors": ("server_errors", {"answer": "500"}),
    "registration_storm": ("registration_storm", {}),
    "auth_failure": ("auth_failure", {"answer": "403"}),
    "route_misconfig": ("route_misconfig", {"answer": "404"}),
    "mass_disconnect": ("mass_disconnect", {}),
}
"""By label: family, and what is not drawn of it."""
GROUPS = {
    "SIP over UDP": ("sip", ("udp",)),
    "SIP over TCP": ("sip", ("tcp_per_call", "tcp")),
    "Diameter": ("diameter", ("tcp",)),
}
"""Protocol, and transports in turn."""
UNSEEN = {"subscribers": "down", "core": "up"}
"""A link blocked this way looks blocked altogether from a side: the other way is one_way_block."""
LENGTH_S, ONSET_S, END_S = 210.0, 60.0, 170.0
BASELINE_S = 600.0
"""Of the capture that a network's normal is learned from; its waves are as slow as that."""
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
    """

    group: str
    network: str
    name: str
    number: int
    fault: LabelledInterval | None
    calm: tuple[LabelledInterval, ...]
    start_ns: NDArray[np.int64]
    embeddings: FloatArray

    def inside(self, interval: LabelledInterval, length_ns: int) -> NDArray[np.bool_]:
        """Tell which windows lie wholly in an interval."""
        after = self.start_ns >= interval.start_ns
        return after & (self.start_ns + length_ns <= interval.end_ns)


Source = tuple[str, str, TrafficLog, tuple[LabelledInterval, ...]]
"""Group, network, log, what it shows."""


def simulated(group: str, args: argparse.Namespace) -> Iterator[Source]:
    """Simulate networks: one capture of normal traffic more than of each fault."""
    protocol, transports = GROUPS[group]
    for i in range(args.networks):
        rng = np.random.default_rng([args.seed, i, *group.encode()])
        name = f"{group} {i + 1}"
        fixed = {"vantage": args.side, "transport": transports[i % len(transports)]}
        network = draw_network(rng, NetworkRanges(fixed=fixed), name=name, protocol=protocol)
        say(f"{name}: {network.transport}, {network.calls_per_s:.1f} sessions a second")
        for label in (NORMAL, *FAULTS):
            for number in range(args.captures + (label == NORMAL)):
                fault = None if label == NORMAL else _fault(rng, label, args.side)
                times = {} if fault is None else {"onset_s": ONSET_S, "end_s": END_S}
                seed = int(rng.integers(1 << 32))
                long = label == NORMAL and number == 0
                length_s = BASELINE_S if long else LENGTH_S
                one = simulate_episode(network, fault, duration_s=length_s, seed=seed, **times)
                one.name = f"{name}/{label}-{number + 1}"
                yield group, name, one.log, one.intervals


def _fault(rng: np.random.Generator, label: str, side: str) -> FaultModel:
    family, given = FAULTS[label]
    if label == "one_way_block":
        given = {"way": "up" if UNSEEN[side] == "down" else "down"}
    return FaultModel(label, label, (draw_effect(rng, family, dict(given)),))


def recorded(folder: Path, networks: Sequence[str]) -> Iterator[Source]:
    """Read recorded captures."""
    by_capture: dict[str, list[LabelledInterval]] = defaultdict(list)
    for one in read_labels(folder / "labels.csv"):
        if one.network in networks:
            by_capture[one.capture].append(one)
    for capture, intervals in sorted(by_capture.items()):
        network = intervals[0].network
        log = read_series(folder / capture)
        yield f"recorded {network}", network, log, tuple(intervals)


def embed(model: Model, sources: Iterator[Source]) -> list[Asked]:
    """Embed captures against the normal of their network: that of its first normal capture."""
    asked: list[Asked] = []
    baselines: dict[str, FloatArray] = {}
    seen: Counter[tuple[str, str]] = Counter()
    spec = looks(model.bundle.info.calibration.normal_tail, model.bundle.info.window)
    for group, network, log, intervals in _normal_first(sources):
        faults = [one for one in intervals if one.label != NORMAL]
        if network not in baselines:
            values = np.concatenate([series.values for series in log.series])
            baselines[network] = learn_baseline(values)
            continue
        windows = all_windows(prepare(log, model.scaler, baseline=baselines[network]), spec)
        label = faults[0].label if faults else NORMAL
        calm = tuple(one for one in intervals if one.label == NORMAL)
        number = seen[network, label]
        seen[network, label] += 1
        found = model.encoder.embed(windows.gather())
        asked.append(
            Asked(group, network, log.name, number, faults[0] if faults else None, calm,
                  windows.start_ns, found)
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
        tail = tail_of_log(info.calibration.normal_tail, told)
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


def say(text: str) -> None:
    """Tell progress."""
    print(text, file=sys.stderr, flush=True)


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
