"""What is drawn of a log: which features, at which points, against which band."""

from __future__ import annotations

import pickle
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from traffic_siamese.detailing import log_detail
from traffic_siamese.feature_schema import Feature, FeatureSchema
from traffic_siamese.features.schema import FEATURE_NAMES, SIGNALLING
from traffic_siamese.preparation import PreparedLog
from traffic_siamese.types import Incident, TrafficLog, TrafficSeries

SECOND = 10**9
START_NS = 1_700_000_000 * SECOND
N_FEATURES = len(FEATURE_NAMES)
OVERLOAD, PACKETS = "from_service_answer_overload", "to_service_packets"
DELAY = "to_service_first_answer_delay_median_s"


def make_log(*lengths: int, seed: int = 0) -> PreparedLog:
    """Return a log of stretches of so many seconds, a minute's gap between two of them."""
    rng = np.random.default_rng(seed)
    series, start_ns = [], START_NS
    for length in lengths:
        values = rng.gamma(2, 5, (length, N_FEATURES)).astype(np.float32)
        series.append(TrafficSeries(values, start_ns, 1.0, FEATURE_NAMES))
        start_ns += (length + 60) * SECOND
    baseline = np.stack([np.full(N_FEATURES, 1.5), np.full(N_FEATURES, 0.25)]).astype(np.float32)
    return PreparedLog(TrafficLog("a.pcap", tuple(series), 1), baseline, (), "A")


def make_incident(first_s: int, last_s: int, *features: str) -> Incident:
    times = START_NS + first_s * SECOND, START_NS + last_s * SECOND
    return Incident("a.pcap", *times, "overload", 0.9, 5, "why", features=features)


def column(prepared: PreparedLog, name: str) -> np.ndarray:
    values = np.concatenate([series.values for series in prepared.log.series])
    return values[:, FEATURE_NAMES.index(name)]


def test_a_short_log_is_drawn_second_by_second() -> None:
    prepared = make_log(200, 100)
    detail = log_detail(prepared, [make_incident(50, 90, OVERLOAD)])
    first = detail.tracks[0]
    assert first.name == OVERLOAD
    assert np.array_equal(first.values, column(prepared, OVERLOAD))
    seconds = [*range(200), *range(260, 360)]
    assert (detail.start_ns == START_NS + SECOND * np.array(seconds)).all()
    assert detail.stretch.tolist() == [0] * 200 + [1] * 100
    assert (detail.network, detail.bin_s) == ("A", 1.0)


def test_a_long_log_is_fine_only_near_its_incidents() -> None:
    """A day of seconds, and a fault of five minutes; each point is the mean until the next."""
    n_bins, fault = 86_400, (40_000, 40_300)
    prepared = make_log(n_bins)
    detail = log_detail(prepared, [make_incident(*fault, PACKETS)])
    edges = ((detail.start_ns - START_NS) // SECOND).tolist()
    assert set(range(fault[0] - 60, fault[1] + 60)) <= set(edges)
    assert len(edges) < 2_000 + 420 + 50
    values = column(prepared, PACKETS).astype(np.float64)
    bounds = [*edges, n_bins]
    slow = [values[a:b].mean() for a, b in pairwise(bounds)]
    assert np.allclose(detail.tracks[0].values, slow, rtol=1e-5)


def test_many_long_incidents_stay_small() -> None:
    """Eight features of a day with an incident every ten minutes: less than a megabyte."""
    names = [(OVERLOAD,), (PACKETS, DELAY), ("from_service_packets",)]
    incidents = [make_incident(600 * i, 600 * i + 500, *names[i % 3]) for i in range(144)]
    detail = log_detail(make_log(86_400), incidents)
    assert len(detail.start_ns) < 25_000
    assert len(pickle.dumps(detail)) < 1_000_000


def test_each_incidents_first_feature_comes_before_any_second_one() -> None:
    incidents = [make_incident(0, 9, OVERLOAD, DELAY), make_incident(20, 29, PACKETS, OVERLOAD)]
    names = [track.name for track in log_detail(make_log(60), incidents).tracks]
    assert names[:3] == [OVERLOAD, PACKETS, DELAY]
    assert len(names) == 4
    assert len(set(names)) == 4


def test_no_more_than_eight_features_are_drawn() -> None:
    names = FEATURE_NAMES[:20]
    detail = log_detail(make_log(60), [make_incident(0, 9, *names)])
    assert tuple(track.name for track in detail.tracks) == names[:8]


def test_normal_traffic_shows_the_usual_features() -> None:
    titles = {track.title: track.unit for track in log_detail(make_log(60), []).tracks}
    assert titles["requests"] == "requests/s"
    assert titles["time to the first answer, median"] == "s"


def test_features_are_called_as_the_reasons_call_them() -> None:
    """By SIP's own words where the log is SIP, and by whose requests a delay was of."""
    incident = make_incident(0, 9, OVERLOAD, "from_service_first_answer_delay_p95_s")
    plain = make_log(60)
    sip = replace(plain, log=replace(plain.log, protocols={"sip": 99, "dns": 1}))
    titles = [[t.title for t in log_detail(log, [incident]).tracks[:2]] for log in (plain, sip)]
    delay = "time to the first answer, 95th percentile, asked by the service"
    assert titles == [["overload answers", delay], ["503 answers", delay]]


def test_the_band_is_two_spreads_wide_as_measured() -> None:
    """Of the view log(1 + value / floor), centre 1.5 and spread 0.25; a delay's floor is 1 ms."""
    tracks = {t.name: t.normal for t in log_detail(make_log(60), []).tracks}
    for name, floor in ((PACKETS, 1.0), (DELAY, 0.001)):
        expected = [floor * (np.exp(1.5 + 2 * k * 0.25) - 1) for k in (-1, 0, 1)]
        assert tracks[name] == pytest.approx(expected, rel=1e-5)


def test_the_band_of_what_hardly_happens_begins_at_zero() -> None:
    prepared = make_log(60)
    baseline = np.stack([np.full(N_FEATURES, 0.1), np.full(N_FEATURES, 0.2)]).astype(np.float32)
    prepared = PreparedLog(prepared.log, baseline, (), "")
    low, centre, high = log_detail(prepared, []).tracks[0].normal
    assert low == 0
    assert 0 < centre < high


def test_a_tables_columns_keep_their_names_and_values_below_zero() -> None:
    features = (
        Feature("temperature", "°C", "", floor=0.5, held=True, view="linear", kind="gauge"),
        Feature("drops", "", "", kind="counter"),
    )
    schema = FeatureSchema(features, is_table=True)
    values = np.array([[-4, 1], [-6, 3]] * 30, np.float32)
    series = TrafficSeries(values, START_NS, 300.0, schema.names)
    baseline = np.array([[-10, 1], [1, 0.5]], np.float32)
    log = TrafficLog("t.csv", (series,), 0, schema=schema)
    temperature, drops = log_detail(PreparedLog(log, baseline, (), ""), []).tracks
    assert temperature.normal == (-6, -5, -4)
    assert (temperature.title, temperature.unit) == ("temperature", "°C")
    assert (drops.title, drops.unit) == ("drops", "per 300 s")
    assert np.array_equal(temperature.values, values[:, 0])


def test_a_feature_of_another_version_is_passed_over() -> None:
    detail = log_detail(make_log(60), [make_incident(0, 9, "no_such_feature", OVERLOAD)])
    assert detail.tracks[0].name == OVERLOAD
    assert all(track.name in SIGNALLING.names for track in detail.tracks)
