"""Tables as files: what pandas reads, however it is written; and what is said of bad ones."""

import gzip
import io
import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from traffic_siamese.errors import CaptureError, TrafficSiameseError
from traffic_siamese.logs.column_file import read_column_file
from traffic_siamese.logs.description import columns_yaml, describe_columns
from traffic_siamese.logs.options import ReadOptions
from traffic_siamese.logs.reading import read_log, read_logs
from traffic_siamese.types import TrafficLog

N = 60
START = 1_780_000_000


def frame(seed: int = 0) -> pd.DataFrame:
    """Make a running counter, an amount and two states, every 10 s."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "time": pd.to_datetime(START + 10 * np.arange(N), unit="s", utc=True),
            "rx_octets_total": np.cumsum(rng.poisson(500, N)) + 10**6,
            "tx_packets": rng.poisson(80, N),
            "cpu_util": rng.uniform(0, 1, N).round(3),
            "queue": rng.integers(0, 9, N),
        }
    )


KINDS = {"rx_octets_total": "counter", "tx_packets": "delta", "cpu_util": "gauge", "queue": "gauge"}


def values(log: TrafficLog) -> np.ndarray:
    (series,) = log.series
    return series.values


def expected(data: pd.DataFrame) -> np.ndarray:
    """Differences by pandas; the first row's, which nobody knows, is the next one's."""
    out = data.drop(columns="time").astype(float)
    out["rx_octets_total"] = out["rx_octets_total"].diff().bfill()
    return out.to_numpy(np.float32)


def write(data: pd.DataFrame, path: Path) -> Path:
    """Write by the file's name."""
    if path.suffix == ".parquet":
        parquet.write_table(pa.Table.from_pandas(data), path)
    elif path.suffix == ".jsonl":
        data.to_json(path, orient="records", lines=True, date_format="iso", date_unit="ms")
    else:
        data.to_csv(path, index=False, sep={".csv": ",", ".tsv": "\t", ".ssv": ";"}[path.suffix])
    return path


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.ssv", "t.jsonl", "t.parquet"])
def test_every_form_gives_the_same_series(name: str, tmp_path: Path) -> None:
    log = read_log(write(frame(), tmp_path / name))
    assert log.schema is not None
    assert {one.name: one.kind for one in log.schema.features} == KINDS
    assert log.series[0].bin_s == 10
    np.testing.assert_allclose(values(log), expected(frame()), rtol=1e-6)
    assert log.warnings == ()


def test_compressed_tables_and_standard_input_are_read_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(frame(), tmp_path / "t.csv")
    (tmp_path / "t.gz").write_bytes(gzip.compress(path.read_bytes()))
    np.testing.assert_array_equal(values(read_log(tmp_path / "t.gz")), values(read_log(path)))
    piped = io.TextIOWrapper(io.BytesIO(path.read_bytes()))
    monkeypatch.setattr("sys.stdin", piped)
    np.testing.assert_array_equal(values(read_log("-")), values(read_log(path)))


@pytest.mark.parametrize(
    "form",
    ["s", "ms", "us", "ns", "float s", "iso Z", "iso offset", "compact", "german", "date and time"],
)
def test_times_are_read_however_they_are_written(form: str, tmp_path: Path) -> None:
    data = frame()
    moments = data["time"]
    seconds = START + 10 * np.arange(N)
    if form == "date and time":
        data.insert(0, "date", moments.dt.strftime("%Y-%m-%d"))
        data["time"] = moments.dt.strftime("%H:%M:%S")
    else:
        data["time"] = {
            "s": seconds,
            "ms": seconds * 1000,
            "us": seconds * 10**6,
            "ns": seconds * 10**9,
            "float s": seconds + 0.0,
            "iso Z": moments.dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "iso offset": moments.dt.tz_convert("Asia/Kolkata").map(lambda m: m.isoformat()),
            "compact": moments.dt.strftime("%Y%m%d%H%M%S"),
            "german": moments.dt.strftime("%d.%m.%Y %H:%M:%S"),
        }[form]
    path = tmp_path / "t.csv"
    data.to_csv(path, index=False)
    log = read_log(path)
    assert log.series[0].start_ns == (START - 10) * 10**9  # a row tells of the time up to it
    assert log.series[0].feature_names == tuple(KINDS)


def test_local_times_follow_the_clocks_that_change(tmp_path: Path) -> None:
    """From 01:30 to 03:30 in Berlin, the night the clocks go back: three hours, not two."""
    zone = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 10, 25, 1, 30, tzinfo=zone).timestamp()
    moments = [datetime.fromtimestamp(first + 600 * i, zone) for i in range(19)]
    rows = [f"{m:%Y-%m-%d %H:%M:%S},{i}" for i, m in enumerate(moments)]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["time,level", *rows]))
    log = read_log(path, options=ReadOptions(timezone="Europe/Berlin"))
    np.testing.assert_array_equal(values(log)[:, 0], np.arange(19))
    assert log.series[0].start_ns == round((first - 600) * 1e9)


def test_elements_of_one_table_are_told_apart(tmp_path: Path) -> None:
    parts = [frame(seed).assign(node=name) for seed, name in enumerate(["amf", "smf"])]
    path = tmp_path / "t.csv"
    pd.concat(parts).sort_values("time").to_csv(path, index=False)
    with pytest.raises(CaptureError, match=r"60 of 120 rows .* --by: one of node"):
        read_logs(path)
    by_node = ReadOptions(by="node")
    logs = read_logs(path, options=by_node)
    assert [log.name for log in logs] == [f"{path}#amf", f"{path}#smf"]
    for log, part in zip(logs, parts, strict=True):
        np.testing.assert_allclose(values(log), expected(part.drop(columns="node")), rtol=1e-6)
    one = read_log(f"{path}#smf", options=by_node)
    np.testing.assert_array_equal(values(one), values(logs[1]))
    with pytest.raises(CaptureError, match="no network element 'upf'; it holds 'amf', 'smf'"):
        read_log(f"{path}#upf", options=by_node)
    with pytest.raises(CaptureError, match="holds 2 network elements, expected one"):
        read_log(path, options=by_node)


def test_decimal_commas_byte_order_marks_comments_and_missing_values(tmp_path: Path) -> None:
    rows = ("100000000;0,5;1", "100000010;n/a;-", "100000020;1,5;3", "100000030;2;3")
    text = "\n".join(("# exported", "", "time;cpu;queue", *rows))
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    np.testing.assert_array_equal(values(read_log(path)), [[0.5, 1], [1.5, 3], [1.5, 3], [2, 3]])


def test_row_numbers_are_no_measurement(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    frame().to_csv(path)
    assert read_log(path).series[0].feature_names == tuple(KINDS)


def test_nested_objects_get_names_with_points(tmp_path: Path) -> None:
    rows = [{"ts": START + i, "cell": {"rx": {"octets": i * i}}, "queue": i} for i in range(9)]
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    assert set(read_log(path).series[0].feature_names) == {"cell.rx.octets", "queue"}


def test_a_status_with_episodes_is_no_counter(tmp_path: Path) -> None:
    """0 and 1 in turn rise as often as they fall."""
    data = frame()[["time"]].assign(link=np.arange(N) // 10 % 2, uptime=np.arange(N) * 10)
    schema = read_log(write(data, tmp_path / "t.csv")).schema
    assert schema is not None
    assert [one.kind for one in schema.features] == ["gauge", "counter"]


def test_what_was_guessed_can_be_corrected_in_the_file_that_shows_it(tmp_path: Path) -> None:
    path = write(frame(), tmp_path / "t.csv")
    log = read_log(path)
    shown = columns_yaml(log)
    assert [one["kind"] for one in describe_columns(log)] == list(KINDS.values())
    file = tmp_path / "columns.yaml"
    file.write_text(shown)
    assert read_column_file(file).kinds == KINDS
    file.write_text(
        shown.replace("total: counter", "total: gauge").replace("queue: gauge", "queue: ignore")
    )
    corrected = read_log(path, options=read_column_file(file))
    assert corrected.series[0].feature_names == tuple(KINDS)[:3]
    np.testing.assert_allclose(values(corrected)[:, 0], frame()["rx_octets_total"], rtol=1e-6)


def test_how_columns_belong_together_is_told_in_the_same_file(tmp_path: Path) -> None:
    """And shown again, with the log that was read so."""
    file, path = tmp_path / "columns.yaml", write(frame(), tmp_path / "t.csv")
    file.write_text('alike: ["n 1", amf]\nrelations: true\n')
    options = read_column_file(file)
    assert (options.alike, options.relations) == (("n 1", "amf"), True)
    schema = read_log(path, options=options).schema
    assert schema is not None
    assert (schema.alike, schema.relations) == (("n 1", "amf"), True)
    file.write_text(columns_yaml(read_log(path, options=options)))
    assert read_column_file(file).alike == ("n 1", "amf")
    assert read_column_file(file).relations


def test_a_table_without_header_and_times_is_told_both(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text("1 5\n2 6\n3 7\n")
    with pytest.raises(CaptureError, match="holds numbers, expected names"):
        read_log(path)
    file = tmp_path / "columns.yaml"
    file.write_text("names: [a, b]\nstart: 2026-01-01T00:00:10Z\nstep_s: 10\n")
    log = read_log(path, options=read_column_file(file))
    np.testing.assert_array_equal(values(log), [[1, 5], [2, 6], [3, 7]])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("time,x\n", "holds a header and no rows"),
        ("time,x\n2026-01-01,5\n2026-01-02,5\nsoon,6\n", "row 4, column 'time': found 'soon'"),
        ("time,x\n100000000,5\n100000010,ok\n100000020,7\n", "row 3, column 'x': found 'ok'"),
        ("a,b\n5,6\n7,8\n5,1\n", "no column of times among a, b"),
        ("time,x\n100000000,a\n100000010,b\n", "no column of numbers among time, x"),
        ("time,x\n" + 9 * "1,2\n" + 3 * "2,3,4\n", "3 rows with another .* first is row 11"),
        (",".join(map(str, range(20_000))) + "\n1\n", "has 20000 columns, expected at most"),
        ('{"time": 1}\n{"time": \n', "line 2: no JSON"),
        ('{"time": 1}\n[1, 2]\n', r"line 2: found '\[1, 2\]', expected an object"),
        ('{"time": 1, "x": 1}\n{"time": 2, "x": "a"}\n', "cannot be read as a table"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(CaptureError, match=words) as found:
        read_log(path)
    assert "\n" not in str(found.value)
    assert str(found.value).startswith(str(path))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("columns: {x: meter}", "column 'x' is 'meter', expected one of counter, delta"),
        ("colums: {}", "a key is 'colums'"),
        ("[1, 2]", "expected names with values"),
        ("a: [", "no YAML"),
        ("step_s: -1", "step_s is '-1', expected seconds"),
        ("names: [a, a]", "expected each name once"),
        ("alike: amf", "alike is 'amf', expected a list of names"),
        ("alike: [amf]", "expected two elements or more"),
        ("alike: [amf, '']", "expected a list of names"),
        ("relations: 1", "relations is '1', expected true or false"),
    ],
)
def test_a_column_file_that_says_nothing_is_refused(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "columns.yaml"
    file.write_text(text)
    with pytest.raises(CaptureError, match=words):
        read_column_file(file)


def test_a_million_columns_are_refused_before_they_are_read(tmp_path: Path) -> None:
    names = ",".join(f"c{i}" for i in range(1_000_000))
    (tmp_path / "t.csv").write_text(f"{names}\n{names}\n")
    row = "{" + ",".join(f'"c{i}":1' for i in range(1_000_000)) + "}\n"
    (tmp_path / "t.jsonl").write_text(row)
    for name in ("t.csv", "t.jsonl"):
        with pytest.raises(CaptureError, match=r"has 1\d{6} columns, expected at most 10000"):
            read_log(tmp_path / name)


def test_a_limit_of_bytes_is_kept(tmp_path: Path) -> None:
    path = write(frame(), tmp_path / "t.csv")
    with pytest.raises(CaptureError, match="holds more than 0 MiB"):
        read_log(path, options=ReadOptions(max_bytes=1000))


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet"])
def test_damage_gives_a_series_or_one_line(name: str, tmp_path: Path) -> None:
    """Cut anywhere, and with random bytes changed."""
    whole = write(frame(), tmp_path / name).read_bytes()
    rng = np.random.default_rng(0)
    path = tmp_path / f"damaged-{name}"
    for case in range(120):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), rng.integers(0, 6)).tolist():
            data[place] = int(rng.integers(256))
        if case % 2:
            del data[int(rng.integers(len(data))) :]
        path.write_bytes(bytes(data))
        found = ""
        try:
            assert read_logs(path)
        except TrafficSiameseError as err:
            found = str(err)
        assert "\n" not in found
