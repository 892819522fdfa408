"""Metrics: counted as a slow loop counts, written as Prometheus reads, bounded in number."""

from __future__ import annotations

import sys
import threading
import urllib.request
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.noc.made import ENDED, OPEN
from traffic_siamese.classification import LogResult
from traffic_siamese.errors import MissingExtraError, TrafficSiameseError
from traffic_siamese.noc.exposition import MetricsServer, read_counters, write_metrics
from traffic_siamese.noc.run_metrics import COUNTERS, GAUGES, MAX_OPEN, RunMetrics, UsedModel
from traffic_siamese.types import Verdict

USED = UsedModel("model", "0123456789abcdef", "0.1.0", ("blocked", "capacity", "normal"))


def _verdict(label: str) -> Verdict:
    return Verdict("a.pcap", 0, 32 * 10**9, label, 0.1, 0.9, "", 0.5, 0, 0, 0, "")


def _result(
    labels: str, *, n_open: int = 0, error: str = "", warnings: tuple[str, ...] = ()
) -> LogResult:
    incidents = (ENDED, *(replace(OPEN, capture=f"log{i}") for i in range(n_open)))
    verdicts = tuple(map(_verdict, labels.split()))
    return LogResult("a.pcap", verdicts, incidents, warnings, error, n_packets=1000)


def _metrics(*results: LogResult, network: str = "C", **options: object) -> RunMetrics:
    metrics = RunMetrics(network, USED, **options)  # type: ignore[arg-type]
    for result in results:
        metrics.add(result, spent_s=0.25, now_s=1_800_000_000.0)
    return metrics


def _samples(text: str) -> dict[str, dict[tuple[str, ...], float]]:
    """Read by Prometheus' own parser: values by metric, then by the other labels' values."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = dict(sample.labels)
            assert labels.pop("network") == "C"
            key = tuple(labels[name] for name in sorted(labels))
            found.setdefault(sample.name.removeprefix("traffic_siamese_"), {})[key] = sample.value
    return found


def _written(path: Path, metrics: RunMetrics) -> dict[str, dict[tuple[str, ...], float]]:
    write_metrics(path, metrics)
    return _samples(path.read_text())


def test_what_is_counted_is_what_a_loop_counts(tmp_path: Path) -> None:
    labels = "normal normal blocked unknown", "capacity capacity normal"
    results = [_result(one, n_open=i) for i, one in enumerate(labels)]
    found = _written(tmp_path / "m.prom", _metrics(*results))
    for label, n in Counter(" ".join(labels).split()).items():
        assert found["windows_total"][label,] == n
    assert found["incidents_total"] == {("blocked",): 2, ("capacity",): 1, ("unknown",): 0}
    assert found["trouble_seconds_total"]["blocked",] == pytest.approx(2 * 207.75)
    assert found["packets_total"] == {(): 2000}
    assert found["classify_seconds_total"] == {(): 0.5}
    assert found["open_incidents"]["capacity",] == 1
    assert found["incident_open"] == {("capacity", "log0"): 1}
    assert found["last_run_timestamp_seconds"] == {(): 1_800_000_000.0}
    assert list(found["model_info"]) == [("0123456789abcdef", "model", "0.1.0")]


def test_logs_are_counted_by_what_became_of_them(tmp_path: Path) -> None:
    results = [_result("normal"), _result("", error="no capture"), _result("", warnings=("cut",))]
    found = _written(tmp_path / "m.prom", _metrics(*results))
    assert found["logs_total"] == {("read",): 1, ("damaged",): 1, ("skipped",): 1}


def test_everything_that_can_happen_counts_from_zero(tmp_path: Path) -> None:
    """Else the first incident is no rise, and ``increase()`` does not see it."""
    found = _written(tmp_path / "m.prom", _metrics())
    assert found["windows_total"] == dict.fromkeys(
        [("blocked",), ("capacity",), ("normal",), ("unknown",)], 0
    )
    assert ("normal",) not in found["incidents_total"]
    assert "incident_open" not in found


def test_names_follow_the_conventions(tmp_path: Path) -> None:
    """Counters end in _total, all have help, times are in seconds, nothing comes twice."""
    write_metrics(tmp_path / "m.prom", _metrics(_result("normal", n_open=2)))
    text = (tmp_path / "m.prom").read_text()
    samples = [line.rpartition(" ")[0] for line in text.splitlines() if line[0] != "#"]
    assert len(samples) == len(set(samples))
    families = list(text_string_to_metric_families(text))
    assert len(families) == len(COUNTERS) + len(GAUGES)
    for family in families:
        assert family.documentation.endswith(".")
        assert family.name.startswith("traffic_siamese_")
        is_counter = family.type == "counter"
        assert all(s.name.endswith("_total") == is_counter for s in family.samples)
        assert not any(word in family.name for word in ("_ms", "_ns", "milli", "minutes"))


def test_open_incidents_are_named_up_to_a_bound_and_counted_beyond(tmp_path: Path) -> None:
    results = [_result("", n_open=MAX_OPEN - 1), _result("", n_open=40)]
    found = _written(tmp_path / "m.prom", _metrics(*results))
    assert len(found["incident_open"]) <= MAX_OPEN
    assert found["open_incidents"]["capacity",] == MAX_OPEN - 1 + 40


def test_counters_go_on_in_the_next_run_and_gauges_do_not(tmp_path: Path) -> None:
    path = tmp_path / "m.prom"
    _written(path, _metrics(_result("normal blocked", n_open=1)))
    before = read_counters(path, network="C")
    again = _written(path, _metrics(_result("normal"), before=before))
    assert again["windows_total"]["normal",] == 2
    assert again["windows_total"]["blocked",] == 1
    assert again["incidents_total"] == {("blocked",): 2, ("capacity",): 1, ("unknown",): 0}
    assert again["packets_total"] == {(): 2000}
    assert again["open_incidents"]["capacity",] == 0
    assert "incident_open" not in again


@pytest.mark.parametrize(
    ("labels", "error", "ended", "success"),
    [("normal", "", True, 1), ("normal", "", False, 0), ("", "no capture", True, 0)],
)
def test_a_run_succeeds_that_ended_and_read_something(
    tmp_path: Path, labels: str, error: str, ended: bool, success: int
) -> None:
    """What an earlier run read does not count."""
    before = {"logs": {("read",): 5.0}}
    metrics = _metrics(_result(labels, error=error), before=before)
    metrics.finish(success=ended, now_s=1_800_000_007.0)
    found = _written(tmp_path / "m.prom", metrics)
    assert found["last_run_success"] == {(): success}
    assert found["last_run_timestamp_seconds"] == {(): 1_800_000_007.0}


def test_there_is_nothing_to_continue_where_there_is_no_file(tmp_path: Path) -> None:
    assert read_counters(tmp_path / "none.prom", network="") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("node_load1 0.5\n", "holds the metric 'node_load1'"),
        ("this is no metrics file {\n", "holds no metrics"),
        ('traffic_siamese_packets_total{network="A"} 3\n', "holds metrics of network 'A'"),
        ("traffic_siamese_packets_total 3\n", "holds metrics of no network, expected network 'C'"),
    ],
)
def test_a_file_of_others_is_not_written_over(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "m.prom"
    path.write_text(text)
    with pytest.raises(TrafficSiameseError) as err:
        read_counters(path, network="C")
    assert said in str(err.value)
    assert "\n" not in str(err.value)
    assert path.read_text() == text


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    """Who reads meanwhile sees the old file or the new one, whole."""
    path = tmp_path / "m.prom"
    write_metrics(path, _metrics(_result("normal")))
    stop, seen = threading.Event(), []

    def read() -> None:
        while not stop.is_set():
            seen.append(len(_samples(path.read_text())))

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(20):
        write_metrics(path, _metrics(_result("normal")))
    stop.set()
    reader.join()
    assert len(set(seen)) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["m.prom"]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(TrafficSiameseError, match=r"no/m\.prom: cannot be written"):
        write_metrics(tmp_path / "no/m.prom", _metrics())


def test_metrics_are_served_as_they_stand() -> None:
    metrics = _metrics()
    server = MetricsServer("127.0.0.1", 0, metrics)
    try:
        counts = []
        for _ in range(2):
            url = f"http://127.0.0.1:{server.port}/metrics"
            with urllib.request.urlopen(url, timeout=10) as answer:
                assert answer.headers["Content-Type"].startswith("text/plain")
                found = _samples(answer.read().decode())
            counts.append(found["windows_total"]["normal",])
            metrics.add(_result("normal"), spent_s=0.1, now_s=0.0)
        assert counts == [0, 1]
        with pytest.raises(TrafficSiameseError, match=r"127\.0\.0\.1:\d+: metrics cannot be"):
            MetricsServer("127.0.0.1", server.port, metrics)
    finally:
        server.close()


def test_who_lacks_the_client_is_told_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(MissingExtraError, match=r'pip install "traffic-siamese\[metrics\]"'):
        write_metrics(tmp_path / "m.prom", _metrics())
