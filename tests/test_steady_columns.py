"""A state that stays near one value, thousands of its spreads from zero."""

from __future__ import annotations

import numpy as np

from traffic_siamese.baseline import as_measured
from traffic_siamese.feature_schema import Feature, FeatureSchema
from traffic_siamese.simulate.elsewhere import carried_elsewhere

_STEADY = Feature("bandwidth", "", "", floor=0.5, held=True, view="linear", kind="gauge")
_COUNT = Feature("packets", "", "", floor=2.0, kind="delta")
_SCHEMA = FeatureSchema((_STEADY, _COUNT), is_table=True)


def test_views_far_from_zero_are_measured_without_overflow() -> None:
    """5000 spreads of 0.5 are 2500; log(1 + 6 / 2) is 6."""
    view = np.array([[5000.0, np.log(4.0)]])
    np.testing.assert_allclose(as_measured(view, _SCHEMA), [[2500.0, 6.0]], rtol=1e-6)


def test_a_steady_state_moves_with_its_normal_on_another_network() -> None:
    """In spreads: the value and the centre by the same."""
    values = np.full((1, 4, 2), (2500.0, 6.0), np.float32)
    baseline = np.array([[5000.0, np.log(4.0)], [1.0, 0.1]], np.float32)
    moved, other = carried_elsewhere(values, baseline, _SCHEMA, np.random.default_rng(0))
    np.testing.assert_allclose(moved[0, :, 0] / 0.5, other[0, 0], rtol=1e-5)
    assert np.isfinite(other).all()
