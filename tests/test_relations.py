"""What does not follow from the other columns, beside regressions made one by one."""

from dataclasses import replace

import numpy as np
import pytest

from traffic_siamese.errors import BundleError
from traffic_siamese.feature_schema import Feature, FeatureSchema
from traffic_siamese.relations import fit_relations, remainders
from traffic_siamese.scaling import Scaler

RNG = np.random.default_rng


def load_and_noise(n: int = 3000, seed: int = 0) -> np.ndarray:
    """Three columns that follow one load, with a noise of 0.05, and one by itself."""
    rng = RNG(seed)
    load = rng.normal(0, 1, n)
    follow = np.outer(load, (1.0, 0.5, -0.8)) + rng.normal(0, 0.05, (n, 3))
    return np.column_stack([follow, rng.normal(0, 1, n)]).astype(np.float32)


def slow_remainders(taught: np.ndarray, asked: np.ndarray, ridge: float = 0.01) -> np.ndarray:
    """Regress each column on the others, as a least-squares problem with the ridge as rows."""
    spread = np.sqrt((taught.astype(np.float64) ** 2).mean(axis=0)) + 0.1
    rows, queries = taught / spread, asked / spread
    n, n_columns = rows.shape
    left = np.empty(asked.shape)
    for i in range(n_columns):
        others = np.delete(np.arange(n_columns), i)
        A = np.concatenate([rows[:, others], np.sqrt(n * ridge) * np.eye(n_columns - 1)])
        b = np.concatenate([rows[:, i], np.zeros(n_columns - 1)])
        coefficients = np.linalg.lstsq(A, b, rcond=None)[0]
        left[:, i] = (queries[:, i] - queries[:, others] @ coefficients) * spread[i]
    return left


def test_remainders_are_those_of_regressions_one_by_one() -> None:
    """In units of what is usually left, 0.1 at least; no row is odd, so all tell the same."""
    view = load_and_noise()
    mirrored = np.concatenate([view, -view])
    found = remainders(view, fit_relations(mirrored))
    slow = slow_remainders(mirrored, view)
    for i in range(4):
        usual = max(np.sqrt((slow[:, i] ** 2).mean()), 0.1)
        assert np.corrcoef(found[:, i], slow[:, i])[0, 1] > 0.99
        assert np.std(found[:, i]) == pytest.approx(np.std(slow[:, i]) / usual, rel=0.1)


def test_what_the_load_does_leaves_nothing_and_a_column_alone_does() -> None:
    relations = fit_relations(load_and_noise())
    more_load = np.array([[2.0, 1.0, -1.6, 0.0]], np.float32)
    assert np.abs(remainders(more_load, relations)).max() < 1.5
    alone = more_load + np.array([[0.0, 0.8, 0.0, 0.0]], np.float32)
    assert remainders(alone, relations)[0, 1] > 4


def test_faults_among_the_rows_hardly_count() -> None:
    """A fifth of the rows with a column that stopped: the relations are those without them."""
    view = load_and_noise()
    damaged = view.copy()
    damaged[::5, 1] = -3.0
    clean, other = (remainders(view, fit_relations(one)) for one in (view, damaged))
    assert np.corrcoef(clean[:, 1], other[:, 1])[0, 1] > 0.95


def test_columns_that_never_move_are_left_as_they_are() -> None:
    view = load_and_noise()
    view[:, 3] = 0
    relations = fit_relations(view)
    assert np.isfinite(relations).all()
    assert np.array_equal(relations[3, :3], np.zeros(3))
    assert np.array_equal(relations[:3, 3], np.zeros(3))
    assert fit_relations(view[:2]).shape == (4, 4)  # fewer rows than columns


def fitted() -> tuple[Scaler, np.ndarray]:
    names = ("amf_in", "amf_out", "udm_in", "udm_out")
    features = tuple(Feature(name, "", "", kind="delta", floor=1.0) for name in names)
    schema = FeatureSchema(features, True, alike=("amf", "udm"), relations=True)
    values = np.exp(load_and_noise() + 5).astype(np.float32)
    center = np.log1p(values).mean(axis=0)
    return Scaler.fit(values, np.broadcast_to(center, values.shape), schema=schema), values


def test_the_inputs_are_the_relative_view_and_what_is_left_each_by_rank() -> None:
    scaler, values = fitted()
    assert scaler.n_channels_each == 2
    baseline = np.stack([np.log1p(values).mean(axis=0), np.ones(4)]).astype(np.float32)
    X = scaler.inputs(values[:50], baseline)
    assert X.shape == (50, 8)
    view = ((np.log1p(values[:50]) - baseline[0]) / scaler.scale[-1]).clip(-8, 8)
    assert scaler.relations is not None
    left = (view @ scaler.relations.T).clip(-8, 8)
    for block, expected in ((X[:, :4], view), (X[:, 4:], left)):
        for like in ([0, 2], [1, 3]):
            np.testing.assert_allclose(
                block[:, like], -np.sort(-expected[:, like], axis=1), atol=2e-4
            )


def test_relations_come_back_from_the_bundle_or_are_refused() -> None:
    scaler, values = fitted()
    again = Scaler.from_arrays(scaler.arrays())
    baseline = np.ones((2, 4), np.float32)
    assert again.schema.relations
    assert np.array_equal(again.inputs(values, baseline), scaler.inputs(values, baseline))
    arrays = scaler.arrays() | {"column_relations": np.ones((3, 4), np.float32)}
    with pytest.raises(BundleError, match=r"relations have shape \(3, 4\), expected \(4, 4\)"):
        Scaler.from_arrays(arrays)
    plain = Scaler(scaler.center, scaler.scale, replace(scaler.schema, relations=False))
    assert plain.n_channels_each == 1
    assert not Scaler.from_arrays(plain.arrays()).schema.relations


def test_relations_are_of_the_relative_view() -> None:
    scaler, values = fitted()
    with pytest.raises(ValueError, match="views is 'both', expected relative where relations"):
        Scaler.fit(values, values, views="both", schema=scaler.schema)
