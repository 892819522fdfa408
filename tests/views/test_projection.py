"""Which axes are drawn, and that they are the same for every epoch."""

from __future__ import annotations

import numpy as np
import pytest

from tests.views.conftest import make_history
from traffic_siamese.errors import TrainingError
from traffic_siamese.principal import principal_axes
from traffic_siamese.views.film_run import AddedExamples, FilmRun
from traffic_siamese.views.projection import choose_projection, place_history


def added(embeddings: np.ndarray) -> AddedExamples:
    names = np.full(len(embeddings), "new")
    return AddedExamples(embeddings.astype(np.float32), names, names, names, names)


def test_three_dimensions_are_drawn_as_they_are() -> None:
    """No centring and no scaling, and nothing to explain."""
    run = FilmRun(make_history())
    projection = choose_projection(run)
    assert np.array_equal(place_history(run, projection), run.history.embeddings)
    assert projection.note == ""
    assert projection.is_whole


@pytest.mark.parametrize("dim", [1, 2])
@pytest.mark.parametrize("kind", ["axes", "pca"])
def test_missing_dimensions_lie_in_the_middle(dim: int, kind: str) -> None:
    """And the page says so; there is nothing to turn."""
    run = FilmRun(make_history(dim=dim))
    projection = choose_projection(run, kind)
    positions = place_history(run, projection)
    assert np.array_equal(positions[:, :, :dim], run.history.embeddings)
    assert (positions[:, :, dim:] == 0.5).all()
    assert f"{dim} dimension" in projection.note


def test_of_many_dimensions_the_first_three_are_drawn() -> None:
    """Of the history, which may hold no others, and of examples that were added."""
    wide = make_history(dim=48).embeddings
    run = FilmRun(
        make_history(embeddings=wide[:, :, :3]), added=added(wide[-1, :2]), embedding_dim=48
    )
    projection = choose_projection(run)
    assert np.array_equal(place_history(run, projection), wide[:, :, :3])
    assert np.array_equal(projection.place(run.added.embeddings), wide[-1, :2, :3])
    assert "first three" in projection.note
    assert not projection.is_whole


def test_principal_axes_keep_the_largest_distances() -> None:
    """Points on a 3-D plane of an 8-D space: all distances keep one common proportion."""
    rng = np.random.default_rng(1)
    plane, _ = np.linalg.qr(rng.standard_normal((8, 3)))
    flat = rng.random((3, 30, 3))
    run = FilmRun(make_history(30, 2, embeddings=(0.5 + 0.2 * flat @ plane.T).astype(np.float32)))
    projection = choose_projection(run, "pca")
    positions = place_history(run, projection).reshape(-1, 3)
    before = np.linalg.norm(flat.reshape(-1, 1, 3) - flat.reshape(1, -1, 3), axis=2)
    after = np.linalg.norm(positions[:, None] - positions, axis=2)
    ratio = after[before > 0] / before[before > 0]
    assert np.allclose(ratio, ratio.mean(), rtol=1e-3)
    assert np.allclose(ratio.mean() * projection.edge, 0.2, rtol=1e-3)
    assert positions.min() >= 0
    assert positions.max() <= 1
    assert "8 dimensions" in projection.note
    assert "100%" in projection.note


def test_stored_principal_axes_give_what_the_whole_history_gives() -> None:
    """Bundles keep three axes of each epoch, turned before; half a thousandth is lost."""
    wide = make_history(dim=8)
    turned = principal_axes(wide.embeddings[-1]).turn(wide.embeddings).astype(np.float16)
    kept = make_history(
        embeddings=wide.embeddings[:, :, :3], final=wide.embeddings[-1], principal=turned
    )
    found = []
    for history in (wide, kept):
        run = FilmRun(history, added=added(wide.embeddings[-1, :3]), embedding_dim=8)
        projection = choose_projection(run, "pca")
        found.append((place_history(run, projection), projection.place(run.added.embeddings)))
    np.testing.assert_allclose(found[0][0], found[1][0], atol=1e-3)
    np.testing.assert_allclose(found[0][1], found[1][1], atol=1e-3)
    np.testing.assert_allclose(found[1][1], found[1][0][-1, :3], atol=1e-3)


@pytest.mark.parametrize("final", [np.empty((0, 0), np.float32), np.ones((40, 8), np.float32)])
def test_principal_axes_that_were_not_kept_are_refused(final: np.ndarray) -> None:
    """In one line that says what to do."""
    run = FilmRun(make_history(final=final), name="old", embedding_dim=8)
    with pytest.raises(TrainingError, match=r"'old': its history holds .* or train it again"):
        place_history(run, choose_projection(run, "pca"))


def test_a_collapsed_embedding_is_drawn_in_the_middle() -> None:
    """All points alike in five dimensions: no division by nothing."""
    run = FilmRun(make_history(4, 1, embeddings=np.full((2, 4, 5), 0.3, np.float32)))
    assert np.allclose(place_history(run, choose_projection(run, "pca")), 0.5)


def test_another_word_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 'axes' or 'pca'"):
        choose_projection(FilmRun(make_history()), "umap")  # type: ignore[arg-type]
