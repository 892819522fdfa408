"""Simulated traffic: episodes of networks and faults drawn at random, and folders to train on.

The parts are in ``simulate.signalling``; these are the calls for a notebook.
"""

from __future__ import annotations

import csv
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from traffic_siamese.errors import SimulationError
from traffic_siamese.simulate.signalling.episode import Episode, simulate_episode
from traffic_siamese.simulate.signalling.fault_model import (
    NAMES,
    FaultModel,
    check_family,
    draw_fault,
    names_in,
)
from traffic_siamese.simulate.signalling.network_model import (
    NetworkModel,
    NetworkRanges,
    draw_network,
)
from traffic_siamese.simulate.signalling.protocols import PROTOCOLS
from traffic_siamese.simulate.signalling.recipes import Recipe, read_recipe
from traffic_siamese.simulate.signalling.transports import check_transport
from traffic_siamese.tables import open_table, series_columns, series_rows
from traffic_siamese.times import format_time
from traffic_siamese.types import NORMAL, LabelledInterval

__all__ = [
    "FORMATS",
    "NAMES",
    "PROTOCOLS",
    "Episode",
    "FaultModel",
    "NetworkModel",
    "Recipe",
    "SimulationPlan",
    "SimulationReport",
    "draw_fault",
    "draw_network",
    "read_recipe",
    "simulate",
    "simulate_episode",
]

FORMATS = ("pcap", "pcap.zst", "parquet")
LABELS = "labels.csv"
Progress = Callable[[int, int, str], None]

_FAULT_BEGINS = (0.25, 0.32)
_FAULT_LASTS = (0.42, 0.5)
_LEAST_AROUND_S = 60.0
"""Normal traffic that is left before and after a fault whose recipe says how long it lasts."""


@dataclass(frozen=True, slots=True)
class SimulationPlan:
    """What to simulate.

    Attributes
    ----------
    faults : tuple of str, optional
        Names of NAMES, or several with ``+`` between them; by default all that the protocol shows.
    recipes : tuple of Recipe
    n_networks, captures_per_fault : int, > 0
        Each network has this many captures of each fault, and of none.
    minutes : float, > 0
        Length of a capture.
    seed : int, >= 0
        The same plan with the same seed gives the same bytes; a capture does not depend on which
        others are asked for.
    format : str
        One of FORMATS; Parquet holds per-second series, which training does not read.
    protocol : str
        One of PROTOCOLS.
    transport : str, optional
        What it runs over: SIP over udp, tcp or tcp_per_call (a connection for each call), drawn for
        each network where none is asked for; Diameter over tcp, which is usual, or sctp. A recipe
        may name another one.
    """

    faults: tuple[str, ...] | None = None
    recipes: tuple[Recipe, ...] = ()
    n_networks: int = 3
    captures_per_fault: int = 1
    minutes: float = 5.0
    seed: int = 0
    format: str = "pcap.zst"
    protocol: str = "sip"
    transport: str | None = None

    @property
    def wanted(self) -> tuple[str, ...]:
        """The faults, named."""
        if self.faults is None:
            return names_in(PROTOCOLS[self.protocol])
        return tuple(dict.fromkeys(self.faults))

    def ranges(self, special: NetworkRanges | None = None) -> NetworkRanges:
        """Return what networks may be drawn, those of a recipe as it says."""
        special = special or NetworkRanges()
        fixed = {} if self.transport is None else {"transport": self.transport}
        return replace(special, fixed={**fixed, **special.fixed})


@dataclass(slots=True)
class SimulationReport:
    """What was written.

    Attributes
    ----------
    labels : Path
        The table of what the captures show.
    captures : list of Path
    intervals : list of LabelledInterval
    n_bytes : int
        Bytes of the captures before compression; 0 for Parquet.
    """

    labels: Path
    captures: list[Path] = field(default_factory=list)
    intervals: list[LabelledInterval] = field(default_factory=list)
    n_bytes: int = 0


def simulate(
    folder: str | Path,
    plan: SimulationPlan | None = None,
    *,
    force: bool = False,
    progress: Progress | None = None,
) -> SimulationReport:
    """Write labelled captures of simulated networks, as `train` and `evaluate` read them.

    The captures are ``NETWORK/FAULT-N.pcap.zst`` below the folder, and ``labels.csv`` says what
    they show. Networks are drawn at random, and each recipe's own ones for it.

    Parameters
    ----------
    folder : str or Path
        Made if it is not there.
    plan : SimulationPlan, optional
    force : bool
        Write into a folder that is not empty.
    progress : callable, optional
        Told the number of captures done, of all, and the next one's name.

    Raises
    ------
    SimulationError
        If the folder is not empty.
    ValueError
        If the plan names a fault, a format or a protocol that there is not, a fault or a transport
        that the protocol does not have, or captures too short for a fault.
    """
    plan = plan or SimulationPlan()
    _check(plan)
    folder = Path(folder)
    _check_empty(folder, force=force)
    report = SimulationReport(folder / LABELS)
    episodes = list(_episodes(plan))
    for n_done, (name, episode) in enumerate(episodes):
        if progress is not None:
            progress(n_done, len(episodes), name)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        report.n_bytes += _write(episode, path)
        report.captures.append(path)
        report.intervals += [
            LabelledInterval(name, one.start_ns, one.end_ns, one.label, one.network)
            for one in episode.intervals
        ]
    _write_labels(report)
    return report


def _check(plan: SimulationPlan) -> None:
    if plan.format not in FORMATS:
        raise ValueError(f"found format {plan.format!r}, expected one of {', '.join(FORMATS)}")
    if plan.protocol not in PROTOCOLS:
        raise ValueError(f"found protocol {plan.protocol!r}, expected {' or '.join(PROTOCOLS)}")
    if plan.transport is not None:
        check_transport(plan.protocol, plan.transport)
    for name in plan.wanted:
        for part in name.split("+"):
            check_family(part, PROTOCOLS[plan.protocol])
    if not plan.minutes * 60 >= 2 * _LEAST_AROUND_S:
        raise ValueError(f"minutes={plan.minutes:g}: expected 2 or more, a fault with its before")
    for recipe in plan.recipes:
        _check_recipe(recipe, plan)
        needed_s = recipe.duration_s[0] + 2 * _LEAST_AROUND_S
        if plan.minutes * 60 < needed_s:
            raise ValueError(
                f"minutes={plan.minutes:g}: recipe {recipe.name!r} lasts at least "
                f"{recipe.duration_s[0]:g} s; expected {needed_s / 60:.1f} minutes or more"
            )


def _check_recipe(recipe: Recipe, plan: SimulationPlan) -> None:
    """Refuse what a protocol cannot show, or does not run over."""
    ranges = plan.ranges(recipe.network)
    try:
        for family, _ in recipe.effects:
            check_family(family, PROTOCOLS[plan.protocol])
        draw_network(np.random.default_rng(0), ranges, protocol=plan.protocol)
    except ValueError as err:
        raise ValueError(f"recipe {recipe.name!r}: {err}") from err


def _check_empty(folder: Path, *, force: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise SimulationError(f"{folder}: is a file, expected a folder. Name another one.")
    found = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    if found and not force:
        raise SimulationError(
            f"{folder}: holds {len(found)} entries already, the first is {found[0]}; expected an "
            "empty folder. Name another one, or pass --force to write over what has the same name."
        )


def _episodes(plan: SimulationPlan) -> Iterator[tuple[str, Episode]]:
    """Name and set up every capture."""
    for i in range(plan.n_networks):
        name = f"network-{i + 1}"
        network = _network(plan, name)
        for fault in (NORMAL, *plan.wanted):
            for n in range(plan.captures_per_fault):
                yield _episode(plan, network, fault, n)
        for recipe in plan.recipes:
            special = network
            if recipe.network.ranges or recipe.network.fixed:
                special = replace(
                    _network(plan, name, recipe.network), name=f"{name}-{recipe.name}"
                )
                for n in range(plan.captures_per_fault):
                    yield _episode(plan, special, NORMAL, n)
            for n in range(plan.captures_per_fault):
                yield _episode(plan, special, recipe, n)


def _network(plan: SimulationPlan, name: str, special: NetworkRanges | None = None) -> NetworkModel:
    ranges = plan.ranges(special)
    return draw_network(_rng(plan, name), ranges, name=name, protocol=plan.protocol)


def _episode(
    plan: SimulationPlan, network: NetworkModel, what: str | Recipe, n: int
) -> tuple[str, Episode]:
    fault_name = what.name if isinstance(what, Recipe) else what
    name = f"{network.name}/{fault_name.replace('+', '_and_')}-{n + 1}.{plan.format}"
    rng = _rng(plan, name.removesuffix(f".{plan.format}"))
    duration_s = 60.0 * plan.minutes
    onset_s = duration_s * float(rng.uniform(*_FAULT_BEGINS))
    length_s = duration_s * float(rng.uniform(*_FAULT_LASTS))
    fault = None
    if isinstance(what, Recipe):
        fault = what.draw(rng)
        longest_s = duration_s - 2 * _LEAST_AROUND_S
        length_s = float(rng.uniform(what.duration_s[0], min(what.duration_s[1], longest_s)))
        onset_s = min(onset_s, duration_s - length_s - _LEAST_AROUND_S)
    elif what != NORMAL:
        fault = draw_fault(rng, what, network=network)
    seed = int(rng.integers(1 << 32))
    times = {} if fault is None else {"onset_s": onset_s, "end_s": onset_s + length_s}
    return name, simulate_episode(network, fault, duration_s=duration_s, seed=seed, **times)


def _rng(plan: SimulationPlan, name: str) -> np.random.Generator:
    """Chance that depends on the seed and a name, not on what else is simulated."""
    return np.random.default_rng([plan.seed, zlib.crc32(name.encode())])


def _write(episode: Episode, path: Path) -> int:
    if path.suffix != ".parquet":
        return episode.write_pcap(path)
    log = episode.log
    with open_table(str(path), series_columns(log)) as table:
        for rows in series_rows(log):
            table.write(rows)
    return 0


def _write_labels(report: SimulationReport) -> None:
    with report.labels.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("capture", "start", "end", "label"))
        for one in report.intervals:
            times = format_time(one.start_ns), format_time(one.end_ns)
            rows.writerow((one.capture, *times, one.label))
