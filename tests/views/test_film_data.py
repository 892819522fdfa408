"""What a film measures and draws of a training, against plain loops and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.views.conftest import make_history
from traffic_siamese.collapse import sample_triplets
from traffic_siamese.views.film_data import ADDED, FilmOptions, draw_run
from traffic_siamese.views.film_measures import measure_drawn, measured_reach
from traffic_siamese.views.film_run import AddedExamples, FilmRun
from traffic_siamese.views.film_words import caption_of


def examples(*names: str, dim: int = 3, captures: tuple[str, ...] = ()) -> AddedExamples:
    """Examples of added faults, each a step farther along the diagonal."""
    n = len(names)
    steps = np.linspace(0.2, 0.8, n)[:, None] * np.ones(dim)
    captures = captures or ("A/new.pcap",) * n
    return AddedExamples(
        steps.astype(np.float32),
        np.array(names),
        np.array(captures),
        np.full(n, "A"),
        np.full(n, "2026-11-22T06:38:03.000Z"),
    )


def test_measures_are_those_of_plain_loops() -> None:
    """Distances and order of each triplet, one after another."""
    history = make_history(30, 3)
    found = measure_drawn(history.embeddings, history.label, margin=0.1)
    triplets = sample_triplets(history.label, n_triplets=4096, seed=0).tolist()
    for epoch, points in enumerate(history.embeddings.astype(np.float64).tolist()):
        near, far, late = 0.0, 0.0, 0
        for anchor, positive, negative in triplets:
            to_positive = sum((points[anchor][k] - points[positive][k]) ** 2 for k in range(3))
            to_negative = sum((points[anchor][k] - points[negative][k]) ** 2 for k in range(3))
            near, far = near + to_positive**0.5, far + to_negative**0.5
            late += to_negative - to_positive < 0.1
        assert found.within[epoch] == pytest.approx(near / 4096, rel=1e-5)
        assert found.between[epoch] == pytest.approx(far / 4096, rel=1e-5)
        assert found.out_of_order[epoch] == pytest.approx(late / 4096, abs=2e-3)


def test_a_single_label_has_no_measures() -> None:
    """No pair of two labels, so no triplet; the curves are empty, not zero."""
    found = measure_drawn(np.zeros((2, 5, 3), np.float32), np.full(5, "normal"), margin=0.4)
    for curve in (found.within, found.between, found.out_of_order):
        assert np.isnan(curve).all()


def test_reach_holds_all_but_the_share_that_may_lie_beyond() -> None:
    """Windows at 0.001, 0.002 ... 0.1 from their example: the 100th of 101 x 0.99 is 0.1."""
    points = np.zeros((202, 3), np.float32)
    points[1:101, 0] = np.arange(1, 101) / 1000
    points[101:, 1] = 0.5
    label = np.repeat(["normal", "blocked"], 101)
    prototype = np.isin(np.arange(202), [0, 101])
    radii, pooled = measured_reach(points, label, prototype, false_unknown_share=0.01)
    assert radii == pytest.approx({"normal": 0.1, "blocked": 0.005}, rel=1e-5)
    assert pooled == pytest.approx((0.1 + 0.005) / 2, rel=1e-5)


def test_nothing_to_measure_on_gives_no_reach() -> None:
    """Only prototypes: there is nothing around them."""
    radii, pooled = measured_reach(
        np.zeros((2, 3), np.float32),
        np.array(["a", "b"]),
        np.ones(2, np.bool_),
        false_unknown_share=0.01,
    )
    assert radii == {}
    assert np.isnan(pooled)


def test_in_three_dimensions_the_models_own_radii_are_drawn() -> None:
    """The pooled one for what has none of its own, added faults among them."""
    run = FilmRun(make_history(), added=examples("new"), radii={"normal": 0.2}, pooled_radius=0.1)
    reach = draw_run(run, FilmOptions()).reach
    assert reach == {"blocked": 0.1, "capacity": 0.1, "flood": 0.1, "new": 0.1, "normal": 0.2}


def test_in_more_dimensions_reach_is_measured_on_the_drawn_axes() -> None:
    """The radii of 48 axes mean nothing on three; the page says what is drawn."""
    history = make_history(400)
    run = FilmRun(history, embedding_dim=48, radii={"normal": 1.4}, pooled_radius=1.4)
    drawn = draw_run(run, FilmOptions())
    normal = history.embeddings[-1][history.label == "normal"].astype(np.float64)
    example, others = normal[0], normal[1:]
    expected = np.sort(np.linalg.norm(others - example, axis=1))[-1]  # of 99: the largest
    assert drawn.reach["normal"] == pytest.approx(expected, rel=1e-5)
    assert any("measured on the three axes drawn" in note for note in drawn.notes)


def test_principal_axes_shrink_the_models_radii_with_the_cube() -> None:
    """A sphere keeps its size beside the points, whatever scale brings them into the cube."""
    run = FilmRun(make_history(), radii={"normal": 0.2}, pooled_radius=0.1)
    drawn = draw_run(run, FilmOptions(projection="pca"))
    points = run.history.embeddings[-1].astype(np.float64)
    true = np.linalg.norm(points[0] - points[1])
    order = drawn.rows.tolist()
    last = drawn.positions[-1]
    shown = np.linalg.norm(last[order.index(0)] - last[order.index(1)])
    assert drawn.reach["normal"] / 0.2 == pytest.approx(shown / true, rel=1e-4)


def test_added_examples_come_last_in_the_order_of_their_labels() -> None:
    """Each beside its own place in the cube."""
    run = FilmRun(make_history(), added=examples("zeta", "alpha", "zeta"))
    drawn = draw_run(run, FilmOptions())
    assert drawn.label[-3:].tolist() == ["alpha", "zeta", "zeta"]
    assert (drawn.kind[-3:] == ADDED).all()
    np.testing.assert_allclose(drawn.added[:, 0], [0.5, 0.2, 0.8], atol=1e-6)
    covered = [at for start, stop in drawn.groups for at in range(start, stop)]
    assert covered == list(range(43))


def test_words_count_examples_by_their_captures() -> None:
    """Five windows of one capture are one example."""
    one = FilmRun(make_history(), added=examples(*["new"] * 5))
    two = FilmRun(make_history(), added=examples("new", "new", captures=("a.pcap", "b.pcap")))
    for run, words in ((one, "one example"), (two, "2 examples")):
        caption = caption_of(draw_run(run, FilmOptions()), "new")
        assert caption == f"was added with {words}; nothing was trained"
