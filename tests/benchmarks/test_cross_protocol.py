"""The script that asks about one protocol what was taught on another: what it counts."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace

import numpy as np
import pytest
from cross_protocol import Asked, Library, _normal_first, cross
from cross_protocol_report import shares, side_by_side
from cross_protocol_sources import Source, _network

from traffic_siamese.model import Model, load_model
from traffic_siamese.starting import shipped_model
from traffic_siamese.types import NORMAL, LabelledInterval, TrafficLog

SECOND = 10**9


@pytest.fixture(scope="module")
def model() -> Model:
    with shipped_model() as path:
        return load_model(path)


def asked(model: Model, network: str, label: str, shown: str) -> Asked:
    """Return a capture of 200 s, from 60 s on of a fault; its windows lie where ``shown`` does."""
    normal, fault = (
        LabelledInterval(network, start * SECOND, end * SECOND, name, network)
        for start, end, name in ((0, 60, NORMAL), (60, 200, label))
    )
    starts = np.arange(0, 168, 2, dtype=np.int64) * SECOND
    places = {name: model.prototypes[model.prototype_labels == name][0] for name in (NORMAL, shown)}
    rows = [places[shown if start >= 60 * SECOND else NORMAL] for start in starts.tolist()]
    return Asked("g", network, f"{network}/{label}", 0, fault, (normal,), starts, np.array(rows))


def test_what_lies_where_its_example_lies_is_right_and_what_does_not_is_counted(
    model: Model,
) -> None:
    """Two faults taught; one capture shows the first, one called the second shows the first."""
    teachers = [asked(model, "a", name, name) for name in ("latency", "capacity")]
    about = [asked(model, "b", "latency", "latency"), asked(model, "b", "capacity", "latency")]
    counts = cross(model, teachers, about)
    assert shares(counts["latency"]) == [1, 0, 0, 1, 1]
    assert shares(counts["capacity"]) == [0, 0, 0, 1, 0]
    assert counts["capacity"]["as latency"] == counts["capacity"]["windows"] == 54
    assert counts[NORMAL]["right"] == counts[NORMAL]["windows"] == 2 * 15


def test_a_network_is_not_asked_about_what_it_taught(model: Model) -> None:
    teachers = [asked(model, "a", "latency", "latency")]
    assert not cross(model, teachers, teachers)
    assert not cross(model, teachers, [asked(model, "b", "capacity", "capacity")])


def test_a_library_holds_normal_and_what_was_taught(model: Model) -> None:
    taught = asked(model, "a", "latency", "latency")
    calm = replace(taught, fault=None)
    assert set(Library(model, [taught, calm]).labels) == {NORMAL, "latency"}


def test_the_first_normal_capture_of_a_network_comes_first() -> None:
    def log(name: str) -> TrafficLog:
        return TrafficLog(name, (), 0)

    def sources() -> Iterator[Source]:
        for network, label in (("a", "x"), ("b", NORMAL), ("a", NORMAL), ("b", "y"), ("a", NORMAL)):
            intervals = (LabelledInterval("c", 0, 1, label, network),)
            yield "g", network, log(label), intervals

    found = [(network, log.name) for _, network, log, _ in _normal_first(sources())]
    assert found == [("b", NORMAL), ("a", NORMAL), ("a", "x"), ("b", "y"), ("a", NORMAL)]


def test_columns_stand_side_by_side_with_their_means() -> None:
    def counts(right: int) -> dict[str, Counter[str]]:
        return {
            "latency": Counter(windows=10, right=right, captures=2, raised=2, named=1),
            NORMAL: Counter(windows=4, right=3),
        }

    rows = side_by_side({"p": counts(10), "q": counts(5)}).splitlines()
    assert rows[2] == "| latency | 1.00 / 0.50 | 0.50 / 0.50 |"
    assert rows[3] == "| **mean** | 1.00 / 0.50 | 0.50 / 0.50 |"
    assert rows[4] == "| normal kept | 0.750 | 0.750 |"


def test_diameter_over_sctp_has_the_networks_and_faults_of_diameter_over_tcp() -> None:
    """All but the transport and its timers; and chance goes on alike."""
    args = Namespace(seed=4, side="core")
    (tcp, first), (sctp, second) = (
        _network(f"Diameter over {name}", "x", 1, args) for name in ("TCP", "SCTP")
    )
    own = {"transport", "rto_min_s", "rto_max_s", "heartbeat_s", "association_retries"}
    told, other = asdict(tcp), asdict(sctp)
    assert {key for key in told if told[key] != other[key]} == own
    assert (tcp.transport, sctp.transport, sctp.vantage) == ("tcp", "sctp", "core")
    assert first.random() == second.random()


def test_a_network_that_strays_is_given_more_room(model: Model) -> None:
    """A capture nearer to normal than its network's own twentieth farthest raises nothing."""
    one = asked(model, "b", "latency", NORMAL)
    tail = model.bundle.info.calibration.normal_tail
    assert tail is not None
    level = tail.levels(1.0)[0]
    axis = np.zeros(one.embeddings.shape[1], np.float32)
    axis[0] = 1.5 * level
    inside = np.array(one.start_ns >= 60 * SECOND)
    moved = np.where(inside[:, None], one.embeddings + axis, one.embeddings).astype(np.float32)
    library = Library(model, [asked(model, "a", "latency", "latency")])
    _, plain = library.ask(replace(one, embeddings=moved))
    _, known = library.ask(replace(one, embeddings=moved, straying=3 * level))
    assert plain
    assert not known
