"""Answers of Prometheus: series by element and labels, counters and gauges, and what is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from traffic_siamese.errors import CaptureError
from traffic_siamese.logs.prometheus import is_prometheus, metric_kind, read_prometheus
from traffic_siamese.logs.reading import read_logs

START = 1_700_000_000


def answer(*series: tuple[dict[str, str], list[list[object]]], kind: str = "matrix") -> str:
    result = [{"metric": labels, "values": values} for labels, values in series]
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}})


def samples(*values: float, step: int = 15) -> list[list[object]]:
    return [[START + i * step, str(value)] for i, value in enumerate(values)]


def test_series_become_columns_of_their_element(tmp_path: Path) -> None:
    labels = {"__name__": "http_requests_total", "job": "amf", "instance": "amf1"}
    text = answer(
        (labels | {"code": "200"}, samples(100, 130, 190)),
        (labels | {"code": "500"}, samples(5, 5, 8)),
        ({"__name__": "cpu_load", "job": "amf", "instance": "amf1"}, samples(0.5, 0.75, math.nan)),
        (labels | {"instance": "amf2", "code": "200"}, samples(1, 2, 3)),
    )
    assert is_prometheus(text.encode())
    one, two = read_prometheus("x", text)
    assert (one.element, two.element) == ("amf1", "amf2")
    assert set(one.columns) == {
        'http_requests_total{code="200"}', 'http_requests_total{code="500"}', "cpu_load",
    }  # fmt: skip
    assert one.kinds["cpu_load"] == "gauge"
    path = tmp_path / "x.json"
    path.write_text(text)
    log = read_logs(path)[0]
    series = log.series[0]
    assert (log.name, series.bin_s) == (f"{path}#amf1", 15)
    column = series.feature_names.index('http_requests_total{code="200"}')
    assert series.values[-2:, column].tolist() == [30, 60]  # differences of the counter


def test_kinds_follow_the_names_of_metrics() -> None:
    kinds = {n: metric_kind(n) for n in ("a_total", "a_count", "a_sum", 'a_bucket{le="1"}', "a")}
    assert list(kinds.values()) == ["counter"] * 4 + ["gauge"]


def test_series_may_have_samples_at_other_times() -> None:
    a, b = ({"__name__": name} for name in "ab")
    text = answer((a, samples(1, 2)), (b, [[START + 15, "7"], [START + 30.5, "8"]]))
    table = read_prometheus("x", text)[0]
    assert ((table.time_ns - START * 10**9) / 1e9).tolist() == [0, 15, 30.5]
    assert table.columns["b"][1:].tolist() == [7, 8]
    assert math.isnan(table.columns["b"][0])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"status":"error","errorType":"bad_data","error":"parse error"}', "parse error"),
        (answer(({"a": "b"}, samples(1)), kind="vector"), "of type 'vector'"),
        (answer(), "holds no sample"),
        (answer(({}, samples(1, 2)))[:-30], "cut short"),
        (answer(({}, [["now", "1"]])), "no \\[time, value\\] pairs"),
        (answer(({}, [[1e300, "1"]])), "no seconds since 1970"),
        (answer(({}, samples(1))).replace("[[", "[" * 100_000, 1), "found"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(text: str, told: str) -> None:
    with pytest.raises(CaptureError, match=told) as caught:
        read_prometheus("x", text)
    assert "\n" not in str(caught.value)
