"""The distance kernel against plain loops."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traffic_siamese.oneshot.nearest import label_index, nearest_labels


def slow_nearest(embeddings, prototypes, index, n_labels):
    out = np.full((len(embeddings), n_labels), np.inf)
    for i, point in enumerate(embeddings):
        for prototype, label in zip(prototypes, index, strict=True):
            axes = zip(point.tolist(), prototype.tolist(), strict=True)
            distance = sum((a - b) ** 2 for a, b in axes) ** 0.5
            out[i, label] = min(out[i, label], distance)
    return out


@given(
    n=st.integers(0, 20),
    n_prototypes=st.integers(0, 15),
    dim=st.integers(1, 5),
    n_labels=st.integers(1, 6),
    seed=st.integers(0, 2**32 - 1),
)
def test_agrees_with_loops(n, n_prototypes, dim, n_labels, seed):
    """Any shape, labels in any order, labels without prototypes."""
    rng = np.random.default_rng(seed)
    embeddings = rng.random((n, dim), np.float32)
    prototypes = rng.random((n_prototypes, dim), np.float32)
    index = rng.integers(0, n_labels, n_prototypes)
    found = nearest_labels(embeddings, prototypes, index, n_labels)
    assert found.dtype == np.float32
    np.testing.assert_allclose(
        found, slow_nearest(embeddings, prototypes, index, n_labels), rtol=1e-5, atol=1e-7
    )


def test_blocks_join_without_a_seam(monkeypatch):
    rng = np.random.default_rng(0)
    points, prototypes = rng.random((50, 3)), rng.random((7, 3))
    index = np.arange(7) % 3
    whole = nearest_labels(points, prototypes, index, 3)
    monkeypatch.setattr("traffic_siamese.oneshot.nearest._BLOCK_ELEMENTS", 7 * 8)
    np.testing.assert_array_equal(nearest_labels(points, prototypes, index, 3), whole)


def test_keeps_the_digits_of_a_tiny_distance():
    """Expanding |a - b|^2 into norms and a product would give 0 or NaN here."""
    a = np.full((1, 3), 0.9, np.float32)
    b = np.nextafter(a, np.float32(1))
    expected = float(np.sqrt(3) * (b[0, 0] - a[0, 0]))
    assert nearest_labels(a, b, np.array([0]), 1)[0, 0] == pytest.approx(expected, rel=1e-6)


def test_is_fast_enough_for_long_captures():
    """1e5 windows against 100 prototypes within a second (some 40 ms on a quiet core)."""
    rng = np.random.default_rng(0)
    points, prototypes = rng.random((100_000, 3), np.float32), rng.random((100, 3), np.float32)
    start = time.perf_counter()
    nearest_labels(points, prototypes, np.arange(100) % 8, 8)
    assert time.perf_counter() - start < 1.0


def test_label_index_sorts_names():
    names, index = label_index(np.array(["b", "a", "b"]))
    assert names.tolist() == ["a", "b"]
    assert index.tolist() == [1, 0, 1]
