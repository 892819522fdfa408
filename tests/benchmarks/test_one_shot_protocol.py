"""What the protocol asks and counts, on spaces whose figures are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from oneshot_data import Corpus, Fold
from oneshot_encoders import original_options, product_options, train
from oneshot_incidents import watch
from oneshot_peers import Points, fold_inputs, peers, summary
from oneshot_protocol import (
    Tally,
    draw_examples,
    library_rows,
    measure,
    pairs,
    query_rows,
    verification,
)

from traffic_siamese.fit_options import FitOptions


def _one_hot(corpus: Corpus) -> Points:
    names, index = np.unique(corpus.labels, return_inverse=True)
    return Points(np.eye(len(names), dtype=np.float32)[index])


def test_a_perfect_space_is_always_right(corpus: Corpus, folds: list[Fold]) -> None:
    for fold in folds:
        draws = draw_examples(corpus, fold, n=3, seed=0)
        tally = measure(corpus, fold, _one_hot(corpus), draws)
        assert set(tally.values.pop("FPR@95")) == {0}
        assert all(set(values) == {1} for values in tally.values.values())


def test_a_network_without_a_peer_leaves_the_other_cells_out(
    corpus: Corpus, folds: list[Fold]
) -> None:
    fold = next(fold for fold in folds if not fold.source)
    draws = draw_examples(corpus, fold, n=1, seed=0)
    values = measure(corpus, fold, _one_hot(corpus), draws).values
    assert "same, 1 shot" in values
    assert not any("other" in name or name.startswith("known") for name in values)


def test_a_space_of_one_point_knows_one_label(corpus: Corpus, folds: list[Fold]) -> None:
    """All distances tie: the first label of the library, normal, is the answer to everything."""
    tally = measure(
        corpus,
        folds[0],
        Points(np.zeros((len(corpus.labels), 2), np.float32)),
        draw_examples(corpus, folds[0], n=2, seed=0),
    )
    assert set(tally.values["known"]) == {1 / 3}
    assert set(tally.values["same, 1 shot"]) == {0}
    assert set(tally.values["normal kept, other"]) == {1}
    assert set(tally.values["unknown AUROC"]) == {0.5}
    assert set(tally.values["FPR@95"]) == {1}


def test_examples_come_from_where_they_should(corpus: Corpus, folds: list[Fold]) -> None:
    fold = folds[0]
    for draw in draw_examples(corpus, fold, n=5, seed=0):
        assert set(corpus.windows.network[draw.known].tolist()) == {fold.source}
        assert set(corpus.labels[draw.known].tolist()) == {"normal", *fold.known}
        for network, shots in ((fold.network, draw.same), (fold.source, draw.other)):
            assert set(shots) == set(fold.new)
            for label, rows in shots.items():
                assert set(corpus.labels[rows].tolist()) == {label}
                assert set(corpus.windows.network[rows].tolist()) == {network}
                assert len(set(corpus.windows.capture[rows].tolist())) == 1


class _Captures:
    """A space where windows of one capture are alike, and all others nearest to known labels."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus

    def distances(self, queries: np.ndarray, library: np.ndarray) -> np.ndarray:
        captures, labels = self.corpus.windows.capture, self.corpus.labels
        alike = captures[queries][:, None] == captures[library]
        return np.where(alike, 0.0, np.where(labels[library] == "normal", 1.0, 2.0))


def test_the_capture_of_an_example_is_not_asked_about(corpus: Corpus, folds: list[Fold]) -> None:
    """All that this space finds is in the example's own capture: nothing that counts."""
    draws = draw_examples(corpus, folds[0], n=3, seed=0)
    values = measure(corpus, folds[0], _Captures(corpus), draws).values
    assert set(values["same, 1 shot"]) == {0}


def test_a_fault_of_one_capture_is_asked_about_apart_from_its_example(
    corpus: Corpus, folds: list[Fold]
) -> None:
    """With the second capture taken away, windows that share no second with the example count."""
    kept = np.char.find(corpus.windows.capture, "-2") < 0
    single = replace(
        corpus, windows=corpus.windows.select(kept), is_baseline=np.zeros(kept.sum(), bool)
    )
    draws = draw_examples(single, folds[0], n=3, seed=0)
    tally = measure(single, folds[0], _Captures(single), draws)
    asked = sum(tally.confusion["new, same"].values())
    rows = query_rows(single, folds[0])
    expected = [
        single.apart(rows, shots[:1])[single.labels[rows] == label].sum()
        for draw in draws
        for label, shots in draw.same.items()
    ]
    assert asked == sum(expected) > 0
    assert set(tally.values["same, 1 shot"]) == {1}


def test_the_same_seed_draws_the_same(corpus: Corpus, folds: list[Fold]) -> None:
    first, again, other = (
        library_rows(draw_examples(corpus, folds[0], n=2, seed=seed)).tolist() for seed in (0, 0, 1)
    )
    assert first == again != other


def test_points_are_as_far_apart_as_the_slow_way_says() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(100, 1, (20, 7)).astype(np.float32)
    queries, library = np.arange(5), np.arange(3, 20)
    expected = [[np.linalg.norm(points[q] - points[p]) for p in library] for q in queries]
    np.testing.assert_allclose(Points(points).distances(queries, library), expected, atol=1e-4)


def test_pairs_are_of_two_captures() -> None:
    rng = np.random.default_rng(0)
    points, labels, captures = rng.random(12), rng.integers(3, size=12), rng.integers(4, size=12)
    apart = np.abs(points[:, None] - points)
    found: dict[bool, list[float]] = {True: [], False: []}
    for i in range(12):
        for j in range(i + 1, 12):
            if captures[i] != captures[j]:
                found[bool(labels[i] == labels[j])].append(apart[i, j])
    same, different = pairs(apart, labels, captures)
    assert (same.tolist(), different.tolist()) == (found[True], found[False])


def test_a_perfect_space_verifies_without_error(corpus: Corpus, folds: list[Fold]) -> None:
    figures = verification(corpus, folds[0], _one_hot(corpus))
    assert figures["EER"] == 0
    assert figures["Cohen's d"] > 1e6


def test_peers_that_need_nothing_more_tell_these_faults_apart(
    corpus: Corpus, folds: list[Fold]
) -> None:
    inputs = fold_inputs(corpus, folds[0])
    draws = draw_examples(corpus, folds[0], n=2, seed=0)
    assert set(corpus.windows.network[inputs.taught].tolist()) == set(folds[0].trained)
    for name in ("nearest, summary of relative", "LDA on summary, nearest"):
        values = measure(corpus, folds[0], peers()[name](inputs), draws).values
        assert min(values["known"]) > 0.95


@pytest.mark.filterwarnings("ignore:unsafe cast")  # inside numba, on behalf of aeon
def test_warping_finds_a_shifted_series() -> None:
    pytest.importorskip("aeon")
    from oneshot_peers import Warped

    series = np.zeros((3, 1, 32))
    series[0, 0, 10:14], series[1, 0, 12:16], series[2, 0, 10:14] = 1, 1, -1
    space = Warped(series, {})
    space.prepare(np.array([0]), np.array([1, 2]))
    shifted, other = space.distances(np.array([0]), np.array([1, 2]))[0]
    assert shifted == 0 < other


def test_a_summary_is_mean_deviation_least_and_most() -> None:
    X = np.array([[[1.0], [3.0]]], np.float32)
    assert summary(X).tolist() == [[2, 1, 1, 3]]


@pytest.mark.slow
def test_an_encoder_is_trained_measured_and_watched(corpus: Corpus, folds: list[Fold]) -> None:
    options = replace(product_options(embedding_dim=4, steps=1, seed=0), n_virtual_faults=3)
    fold = folds[1]
    trained = train(corpus, fold, options)
    draws = draw_examples(corpus, fold, n=1, seed=0)
    tally = Tally()
    watch(corpus, fold, trained, draws, tally)
    assert trained.embeddings.shape == (len(corpus.labels), 4)
    assert set(trained.prototype_labels.tolist()) == {"normal", *fold.known}
    assert len(tally.values["any incident raised"]) == 2 * len(fold.known)
    assert tally.values["false incidents per hour"][0] >= 0
    assert len(query_rows(corpus, fold))


def test_the_original_recipe_is_semi_hard_triplets_in_a_cube() -> None:
    options = original_options(steps=100, seed=0)
    assert options.training.loss == "semi_hard"
    assert options.training.encoder.embedding_dim == 3
    assert (options.views, options.n_virtual_faults) == ("both", 0)


def test_steps_are_kept_to_the_nearest_epoch() -> None:
    training = product_options(embedding_dim=5, steps=1000, seed=3).training
    assert abs(training.epochs * training.batches_per_epoch - 1000) <= training.batches_per_epoch
    assert (training.encoder.embedding_dim, training.seed) == (5, 3)


def test_without_steps_the_defaults_of_the_package_are_measured() -> None:
    options = product_options(embedding_dim=96, steps=None, seed=0)
    assert options == FitOptions()
