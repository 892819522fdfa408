"""Columns of one's own: how they are seen, what is common to several tables, what is missing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.logs.own_tables import N_ROWS, write_lab
from traffic_siamese.baseline import as_measured, estimate_baseline, learn_baseline, log_view
from traffic_siamese.conforming import conformed, reading_options
from traffic_siamese.drift import find_drift
from traffic_siamese.errors import BundleError, CaptureError, LabelError
from traffic_siamese.feature_schema import Feature, FeatureSchema, Kind
from traffic_siamese.features.schema import SIGNALLING
from traffic_siamese.labelled_logs import read_labelled_logs
from traffic_siamese.scaling import Scaler
from traffic_siamese.schema_arrays import schema_arrays, schema_from_arrays
from traffic_siamese.simulate.elsewhere import carried_elsewhere
from traffic_siamese.simulate.table_faults import apply_table_fault, draw_table_fault
from traffic_siamese.table_schema import agreed_kinds, common_schema, fit_schema
from traffic_siamese.types import TrafficLog, TrafficSeries, WindowSpec

RNG = np.random.default_rng


def schema_from(kinds: dict[str, Kind]) -> FeatureSchema:
    return FeatureSchema(
        tuple(Feature(name, "", "", kind=kind) for name, kind in kinds.items()), True
    )


def own(n: int = 400, seed: int = 0) -> tuple[FeatureSchema, np.ndarray]:
    """Amounts about 1000, a rare count, a steady state, a signed one, a busy one."""
    rng = RNG(seed)
    values = np.stack(
        [
            rng.poisson(1000, n),
            rng.poisson(0.2, n),
            0.98 + rng.normal(0, 0.005, n),
            rng.normal(0, 3, n),
            rng.exponential(40, n),
        ],
        axis=1,
    ).astype(np.float32)
    kinds: dict[str, Kind] = {"octets": "delta", "drops": "delta"}
    kinds |= {"idle": "gauge", "offset": "gauge", "queue": "gauge"}
    return fit_schema(schema_from(kinds), [values]), values


def log_of(schema: FeatureSchema, values: np.ndarray, name: str = "t.csv") -> TrafficLog:
    series = TrafficSeries(values, 0, 10.0, schema.names)
    return TrafficLog(name, (series,), len(values), schema=schema)


def test_floors_and_views_follow_the_data() -> None:
    """A tenth of what is usual, of counts 1 at least; a state's spread where it is steady."""
    schema, values = own()
    views = {one.name: one.view for one in schema.features}
    assert views == {
        "octets": "log", "drops": "log", "idle": "linear", "offset": "linear", "queue": "log"
    }  # fmt: skip
    floors = {one.name: one.floor for one in schema.features}
    assert floors["octets"] == pytest.approx(100, rel=0.05)
    assert floors["drops"] == 1
    assert floors["idle"] == pytest.approx(0.005, rel=0.3)
    assert floors["offset"] == pytest.approx(3, rel=0.3)
    assert floors["queue"] == pytest.approx(np.median(values[:, 4]) / 10, rel=0.05)


def test_what_normal_traffic_has_none_of_takes_its_size_from_other_traffic() -> None:
    kinds: dict[str, Kind] = {"drops": "delta"}
    faulty = np.array([[0], [500], [520]], np.float32)
    fitted = fit_schema(schema_from(kinds), [np.zeros((9, 1), np.float32)], others=[faulty])
    assert fitted.features[0].floor == pytest.approx(51)


def test_views_are_what_a_slow_loop_computes_and_turn_back() -> None:
    schema, values = own(50)
    expected = [
        [
            v / f.floor if f.view == "linear" else np.sign(v) * np.log(1 + abs(v) / f.floor)
            for v, f in zip(row.tolist(), schema.features, strict=True)
        ]
        for row in values
    ]
    view = log_view(values, schema)
    np.testing.assert_allclose(view, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(as_measured(view, schema), values, rtol=1e-4, atol=1e-4)


def test_normal_is_estimated_from_the_calm_majority() -> None:
    """With a third of the bins in trouble the centre is that of the other two thirds."""
    schema, values = own(600)
    troubled = values.copy()
    troubled[100:300, 0] = 0
    troubled[100:300, 2] -= 0.2
    found, true = estimate_baseline(troubled, schema), learn_baseline(values, schema)
    np.testing.assert_allclose(found[0], true[0], atol=0.3 * np.maximum(true[1], 0.5).max())


def test_drift_of_a_table_is_told_and_a_busier_hour_is_not() -> None:
    schema, values = own(300)
    baseline = learn_baseline(values, schema)
    busier, moved = values.copy(), values.copy()
    busier[:, 0] *= 1.5
    moved[:, 2] -= 0.1
    assert find_drift(log_of(schema, values), baseline) is None
    assert find_drift(log_of(schema, busier), baseline) is None
    found = find_drift(log_of(schema, moved), baseline)
    assert found is not None
    assert found.changes[0].startswith("idle 0.98 -> 0.88")


def test_the_scaler_keeps_its_columns_in_the_bundle() -> None:
    schema, values = own()
    schema = replace(schema, by="node", timezone="Europe/Berlin")
    baseline = learn_baseline(values, schema)
    scaler = Scaler.fit(values, np.tile(baseline[0], (len(values), 1)), schema=schema)
    arrays = scaler.arrays()
    assert not any(array.dtype.hasobject for array in arrays.values())
    again = Scaler.from_arrays(arrays)
    assert again.schema.names == schema.names
    assert again.schema.digest == schema.digest
    assert (again.schema.by, again.schema.timezone) == ("node", "Europe/Berlin")
    np.testing.assert_array_equal(again.inputs(values, baseline), scaler.inputs(values, baseline))
    assert schema_from_arrays({}) is SIGNALLING
    arrays = schema_arrays(schema)
    arrays["column_floors"] = arrays["column_floors"] * 0
    with pytest.raises(BundleError, match="malformed"):
        schema_from_arrays(arrays)


def test_a_log_takes_the_models_order_and_says_what_is_missing() -> None:
    schema, values = own(20)
    turned = FeatureSchema(schema.features[::-1], True)
    log = conformed(log_of(turned, values[:, ::-1]), schema)
    np.testing.assert_array_equal(log.series[0].values, values)
    fewer = FeatureSchema(schema.features[1:], True)
    with pytest.raises(CaptureError, match=r"missing octets\. Export"):
        conformed(log_of(fewer, values[:, 1:]), schema)
    extra = conformed(log_of(schema, values), fewer)
    assert "does not know are left out: octets" in extra.warnings[0]
    with pytest.raises(CaptureError, match="5 columns of a table, the model was trained on 95"):
        conformed(log_of(schema, values), SIGNALLING)
    assert reading_options(SIGNALLING).kinds == {}
    assert reading_options(schema).kinds["idle"] == "gauge"


def test_tables_share_what_they_have_in_common() -> None:
    schema, values = own(20)
    fewer = FeatureSchema(schema.features[1:], True)
    logs = {"a": log_of(schema, values), "b": log_of(fewer, values[:, 1:])}
    found, warnings = common_schema(logs)
    assert found is not None
    assert found.names == fewer.names
    assert "octets" in warnings[0]
    capture = TrafficLog("c", logs["a"].series, 1)
    with pytest.raises(LabelError, match="c is a capture, a a table"):
        common_schema({"a": logs["a"], "c": capture})
    assert common_schema({"c": capture}) == (None, [])
    other = FeatureSchema((Feature("else", "", "", kind="gauge"),), True)
    with pytest.raises(LabelError, match="d has no column of a"):
        common_schema({"a": logs["a"], "d": log_of(other, values[:, :1])})


def test_elements_that_no_columns_differ_by_are_refused() -> None:
    schema, values = own(20)
    like = replace(schema, alike=("amf", "udm"))
    told = r"a has no two columns that differ only by one of amf, udm.*it has octets, drops"
    with pytest.raises(LabelError, match=told):
        common_schema({"a": log_of(like, values)})
    named = [f"{one}_cpu" for one in ("amf", "udm")] + ["c", "d", "e"]
    like = replace(schema_from(dict.fromkeys(named, "gauge")), alike=("amf", "udm"))
    found, _ = common_schema({"a": log_of(like, values)})
    assert found is not None
    assert found.alike == ("amf", "udm")
    assert reading_options(found).alike == ("amf", "udm")


def test_relations_are_not_looked_for_among_too_many_columns() -> None:
    many = replace(schema_from({f"c{i}": "gauge" for i in range(1001)}), relations=True)
    with pytest.raises(LabelError, match="a has 1001 columns, expected at most 1000 where"):
        common_schema({"a": log_of(many, np.ones((9, 1001), np.float32))})


def test_the_kind_that_varying_columns_say_wins() -> None:
    """A counter that stood still in one log looks like a state there."""
    still, moving = np.ones((9, 1), np.float32), np.arange(9, dtype=np.float32)[:, None]
    gauge, counter = schema_from({"x": "gauge"}), schema_from({"x": "counter"})
    logs = [log_of(gauge, still), log_of(gauge, still), log_of(counter, moving)]
    assert agreed_kinds(logs) == {"x": "counter"}


def test_virtual_faults_change_some_columns_and_leave_the_rest() -> None:
    schema, values = own(640)
    windows = values.reshape(20, 32, 5)
    baselines = np.repeat(learn_baseline(values, schema)[None], 20, axis=0)
    rng = RNG(1)
    changed = np.zeros(5)
    for _ in range(60):
        fault = draw_table_fault(schema, windows, rng)
        out = apply_table_fault(fault, windows, baselines, schema, rng)
        assert np.isfinite(out).all()
        untouched = np.setdiff1d(np.arange(5), fault.columns)
        np.testing.assert_array_equal(out[..., untouched], windows[..., untouched])
        changed[fault.columns] += (out != windows).any(axis=(0, 1))[fault.columns]
        assert (out[..., [0, 1, 4]] >= 0).all()
        assert np.all(out[..., :2] == np.rint(out[..., :2]))
    assert (changed > 5).all()


def test_elsewhere_normal_stays_normal() -> None:
    """Windows carried to another network look as usual relative to its baseline."""
    schema, values = own(640)
    baseline = learn_baseline(values, schema)
    scaler = Scaler.fit(values, np.tile(baseline[0], (len(values), 1)), schema=schema)
    for seed in range(10):
        moved, other = carried_elsewhere(values[None], baseline, schema, RNG(seed))
        assert np.abs(scaler.inputs(moved[0], other).mean(axis=0)).max() < 0.35


def test_labelled_tables_are_read_alike(tmp_path: Path) -> None:
    """Kinds of all are agreed on, floors come from normal traffic, windows from the intervals."""
    labels = write_lab(tmp_path)
    data = read_labelled_logs(tmp_path, labels, WindowSpec(8, 2, 10.0))
    schema = data.scaler.schema
    assert {one.name: one.kind for one in schema.features} == {
        "rx_bytes_total": "counter", "tx_bytes": "delta", "cpu_percent": "gauge", "drops": "delta"
    }  # fmt: skip
    assert all(prepared.log.schema is schema for prepared in data.prepared)
    assert set(data.windows.label.tolist()) == {"normal", "link_down", "overload"}
    assert len(data.prepared[0].log.series[0].values) == N_ROWS
    normal = data.windows.gather(np.flatnonzero(data.windows.label == "normal"))
    down = data.windows.gather(np.flatnonzero(data.windows.label == "link_down"))
    assert np.abs(normal.mean(axis=(0, 1))).max() < 0.5
    assert down.mean(axis=(0, 1))[0] < -1.5
