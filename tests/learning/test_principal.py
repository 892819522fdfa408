"""The principal axes, against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
from sklearn.decomposition import PCA

from traffic_siamese.principal import principal_axes


def test_axes_are_those_of_scikit_learn_up_to_the_sign() -> None:
    """Positions, too, and how much of the spread they hold."""
    rng = np.random.default_rng(3)
    points = (rng.random((50, 8)) * np.arange(1, 9)).astype(np.float32)
    mine, theirs = principal_axes(points), PCA(3).fit(points.astype(np.float64))
    np.testing.assert_allclose(np.abs(mine.directions), np.abs(theirs.components_.T), atol=1e-5)
    np.testing.assert_allclose(
        np.abs(mine.turn(points)), np.abs(theirs.transform(points)), atol=1e-4
    )
    np.testing.assert_allclose(mine.share, theirs.explained_variance_ratio_.sum(), rtol=1e-5)


def test_each_axis_has_a_positive_largest_loading() -> None:
    """So that points mirrored in memory are not mirrored on the screen."""
    points = np.random.default_rng(4).random((30, 6), np.float32)
    for axis in principal_axes(points).directions.T:
        assert axis[np.abs(axis).argmax()] > 0


def test_points_in_one_place_and_too_few_points_are_no_trouble() -> None:
    """All alike: no spread at all, and nothing missing from it. Two points span one axis."""
    alike = principal_axes(np.full((4, 5), 0.3, np.float32))
    assert alike.share == 1.0
    np.testing.assert_allclose(alike.turn(np.full((4, 5), 0.3, np.float32)), 0, atol=1e-6)
    pair = np.array([[0, 0, 0, 0], [0, 3, 0, 4]], np.float32)
    turned = principal_axes(pair).turn(pair)
    np.testing.assert_allclose(np.abs(turned[:, 0]), 2.5)
    assert np.linalg.norm(turned[1] - turned[0]) == np.float32(5)
