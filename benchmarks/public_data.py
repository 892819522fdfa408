"""Public recordings of real faults as logs and labels: a 5G core, an IP core, routers.

None of these files is part of this project. They are read as somebody would hand them in, as
tables, through the package's own functions. A network is cut into captures of consecutive rows, so
that a part of it can be held out.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.feature_schema import Kind
from traffic_siamese.logs.series import table_log
from traffic_siamese.logs.table import CounterTable
from traffic_siamese.types import NORMAL, LabelledInterval, TrafficLog

BASELINE = "normal"
"""First word of the names of captures that a network's normal is learned from."""
_ORIGIN_NS = 1_600_000_000 * 10**9
_NORMAL_ROWS = 16  # of each stretch of normal traffic: enough to ask about
_CAPTURES = 12
_TEACHING = 2  # captures of a network that its normal is learned from

FIVE_G_FAULTS = ("bridge_removed", "interface_down", "interface_loss", "memory_stress", "cpu_load")
_FIVE_G_ELEMENTS = ("x", "y", "z")
_FIVE_G_COLUMNS = (
    *("x_oper_down", "y_oper_down", "z_oper_down"),
    *(f"{one}_{way}_octets" for way in ("in", "out") for one in ("x", "z", "y")),
    *(f"{one}_cpu{n}_{what}" for one in "xyz" for n in (0, 1) for what in ("user", "sys", "idle")),
    *(f"{one}_memory_{what}" for one in "xyz" for what in ("alarm", "used")),
)
IP_FAULTS = ("bgp_hijack", "bgp_injection", "node_down", "interface_down", "loss", "delay")
_IP_TABLES = {
    "admin": "admin-status",
    "cpu": "cpu_util",
    "prefixes": "prefix-activity-received-current-prefixes",
    "rx": "rx-pps",
    "tx": "tx-pps",
}


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of one network in time order, with what each shows.

    Attributes
    ----------
    network : str
    columns : dict of str to ndarray of shape (n_rows,), float64
    kinds : dict of str to kind
    label : ndarray of shape (n_rows,), str
        Empty where nobody says.
    time_s : ndarray of shape (n_rows,), float64
        Since any moment.
    step_s : float
    alike : tuple of str
        Elements that a fault may befall alike, as one who hands in the table may say; how the
        columns go together is looked at as well, then.
    """

    network: str
    columns: dict[str, NDArray[np.float64]]
    kinds: dict[str, Kind]
    label: NDArray[np.str_]
    time_s: NDArray[np.float64]
    step_s: float
    alike: tuple[str, ...] = ()


def read_5g_core(folder: Path) -> list[Rows]:
    """Read sites a and b; a second recording of b would only make more of the same."""
    return [_five_g_site(folder, name, site) for name, site in (("01_a", "a"), ("02_b", "b"))]


def _five_g_site(folder: Path, name: str, site: str) -> Rows:
    data = np.loadtxt(folder / f"{name}_test_data.txt.gz")[1:]  # octets since boot in the first row
    number = np.loadtxt(folder / f"{name}_test_label.txt.gz").astype(int)[1:]
    if data.shape != (len(number), len(_FIVE_G_COLUMNS)):
        raise SystemExit(f"{folder}: {data.shape} numbers and {len(number)} labels do not fit.")
    kinds: dict[str, Kind] = {
        column: "delta" if column.endswith("octets") else "gauge" for column in _FIVE_G_COLUMNS
    }
    label = np.array([NORMAL, *FIVE_G_FAULTS])[number]
    columns = dict(zip(_FIVE_G_COLUMNS, data.T, strict=True))
    return Rows(site, columns, kinds, label, 10.0 * np.arange(len(label)), 10.0)


def read_5g_alike(folder: Path) -> list[Rows]:
    """Read the 5G core as the folder above holds it, its three network functions said alike."""
    return [replace(rows, alike=_FIVE_G_ELEMENTS) for rows in read_5g_core(folder.parent)]


def read_ip_core(folder: Path) -> list[Rows]:
    """Read the IP core, as two networks: its first and its second half in time."""
    tables = {short: _by_time(folder / f"{name}.tsv.gz") for short, name in _IP_TABLES.items()}
    shows = {stamp: row["status"] for stamp, row in _by_time(folder / "label.tsv.gz").items()}
    stamps = sorted(set(shows).intersection(*map(set, tables.values())))
    columns = {
        f"{short} {name}": np.array([float(table[stamp][name] or "nan") for stamp in stamps])
        for short, table in tables.items()
        for name in table[stamps[0]]
    }
    number = np.array([int(float(shows[stamp] or "0")) for stamp in stamps])
    label = np.array([NORMAL, *IP_FAULTS])[number]
    text = [f"{s[:4]}-{s[4:6]}-{s[6:8]}T{s[8:10]}:{s[10:12]}:{s[12:14]}" for s in stamps]
    moments = np.array(text, "datetime64[s]").astype(np.float64)
    kinds: dict[str, Kind] = {
        column: "delta" if column[:2] in ("rx", "tx") else "gauge" for column in columns
    }
    whole = Rows("core", columns, kinds, label, moments - moments[0], 60.0)
    half = len(stamps) // 2
    return [_part(whole, slice(0, half), "early"), _part(whole, slice(half, None), "late")]


def _part(rows: Rows, where: slice, network: str) -> Rows:
    columns = {name: values[where] for name, values in rows.columns.items()}
    label, time_s = rows.label[where], rows.time_s[where]
    return Rows(network, columns, rows.kinds, label, time_s, rows.step_s)


def _by_time(path: Path) -> dict[str, dict[str, str]]:
    with gzip.open(path, "rt", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return {row.pop("timestamp"): {k: v for k, v in row.items() if k} for row in rows}


def read_routers(folder: Path) -> list[Rows]:
    """Read the routers that had a BGP session cleared; leaves and spines are two networks each."""
    with open(folder / "GroundTruth_bgpclear_second.txt", newline="") as file:
        events = list(csv.DictReader(file))
    found = []
    for router in sorted({event["Node"] for event in events}):
        mine = [(float(e["Start"]), float(e["End"])) for e in events if e["Node"] == router]
        theirs = [(float(e["Start"]), float(e["End"])) for e in events]
        found.append(_router(folder / f"{router}bgpclear_second.csv.gz", router, mine, theirs))
    return found


def _router(
    path: Path,
    router: str,
    mine: Sequence[tuple[float, float]],
    theirs: Sequence[tuple[float, float]],
) -> Rows:
    with gzip.open(path, "rt", newline="") as file:
        reader = csv.reader(file)
        names = next(reader)
        data = np.array([[float(cell or "nan") for cell in row] for row in reader])
    time_s = data[:, names.index("time")]
    label = np.full(len(data), NORMAL, "U16")
    label[_within(time_s, theirs)] = ""  # a neighbour's trouble is neither
    label[_within(time_s, mine)] = "bgp_clear"
    columns = {name: data[:, i] for i, name in enumerate(names) if name not in ("", "time")}
    kinds: dict[str, Kind] = dict.fromkeys(columns, "gauge")
    return Rows(router, columns, kinds, label, time_s - time_s[0], 5.0)


def _within(time_s: NDArray[np.float64], spans: Sequence[tuple[float, float]]) -> NDArray[np.bool_]:
    return np.any([(time_s >= start) & (time_s < end) for start, end in spans], axis=0)


def as_captures(rows: Rows, *, seed: int) -> tuple[list[TrafficLog], list[LabelledInterval]]:
    """Cut a network into captures; the first of them teach its normal.

    Of each stretch of normal traffic, some consecutive rows at a random place are labelled.
    """
    rng = np.random.default_rng(seed)
    cuts = np.linspace(0, len(rows.label), _CAPTURES + 1).astype(int)
    logs, intervals = [], []
    for number, (first, last) in enumerate(pairwise(cuts.tolist())):
        name = f"{BASELINE if number < _TEACHING else 'rest'}-{rows.network}-{number:02}"
        times = _ORIGIN_NS + np.rint(rows.time_s[first:last] * 1e9).astype(np.int64)
        columns = {one: values[first:last] for one, values in rows.columns.items()}
        log = table_log([CounterTable(name, "", times, columns, rows.kinds, rows.step_s)])
        schema = log.schema and replace(log.schema, alike=rows.alike, relations=bool(rows.alike))
        logs.append(replace(log, schema=schema))
        for start, end, label in _stretches(rows.label[first:last]):
            if label == NORMAL and end - start > _NORMAL_ROWS:
                start += int(rng.integers(end - start - _NORMAL_ROWS))
                end = start + _NORMAL_ROWS
            step_ns = round(rows.step_s * 1e9)
            span = (int(times[start]) - step_ns, int(times[end - 1]))
            if label:
                intervals.append(LabelledInterval(name, *span, label, rows.network))
    return logs, intervals


def _stretches(label: NDArray[np.str_]) -> list[tuple[int, int, str]]:
    """Return where runs of one label start and end."""
    cuts = [0, *(np.flatnonzero(label[1:] != label[:-1]) + 1).tolist(), len(label)]
    return [(a, b, str(label[a])) for a, b in pairwise(cuts) if b > a]
