"""One example of each fault, against a loop over windows, and on spaces that are known."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from traffic_siamese.evaluation.one_example import Library, OneExample, draw_rows
from traffic_siamese.oneshot.calibration import Calibration
from traffic_siamese.types import Int64Array
from traffic_siamese.windows import WindowSet

N_TIMESTEPS, STRIDE = 8, 4
LABELS = ("normal", "blocked", "latency", "storm")


@pytest.fixture(scope="module")
def windows() -> WindowSet:
    """Networks A and B, two captures of each label with ten windows that overlap by half."""
    rows = [
        (network, f"{network}/{label}-{number}", label, STRIDE * start)
        for network in "AB"
        for label in LABELS
        for number in (1, 2)
        for start in range(10)
        if (network, label, number) != ("B", "latency", 2)
    ]
    network, capture, label, start = (list(column) for column in zip(*rows, strict=True))
    series = np.unique(capture, return_inverse=True)[1]
    return WindowSet(
        (),
        N_TIMESTEPS,
        series.astype(np.int64),
        np.array(start, np.int64),
        np.array(start, np.int64),
        np.array(label),
        np.array(capture),
        np.array(network),
    )


@pytest.fixture(scope="module")
def embeddings(windows: WindowSet) -> np.ndarray:
    """Blobs that overlap somewhat."""
    rng = np.random.default_rng(0)
    centers = {label: rng.normal(0, 1, 3) for label in LABELS}
    places = np.array([centers[str(label)] for label in windows.label])
    return (places + rng.normal(0, 0.6, places.shape)).astype(np.float32)


@pytest.fixture(scope="module")
def library(windows: WindowSet, embeddings: np.ndarray) -> Library:
    """Three examples of each label but storm, from the first captures of A and B."""
    mine = np.char.endswith(windows.capture, "-1") & (windows.label != "storm")
    rows = np.flatnonzero(mine)[::7]
    calibration = Calibration({"normal": 1.5, "blocked": 0.9, "latency": 0.8}, 0.7, 0.01)
    return Library(embeddings[rows], windows.label[rows], windows.capture[rows], calibration)


def _rest(windows, embeddings, library: Library, row: int, fault: str) -> tuple[float, str]:
    """Nearest example of a label other than the fault, by a loop; none of the own capture."""
    best = (np.inf, "")
    for point, label, capture in zip(library.points, library.labels, library.captures, strict=True):
        others = (library.labels == label) & (library.captures != capture)
        if label == fault or (capture == windows.capture[row] and others.any()):
            continue
        best = min(best, (float(np.linalg.norm(embeddings[row] - point)), str(label)))
    return best


def _free(windows: WindowSet, rows: list[int], example: int) -> list[int]:
    elsewhere = [row for row in rows if windows.capture[row] != windows.capture[example]]
    return elsewhere or [
        row
        for row in rows
        if abs(windows.start_bin[row] - windows.start_bin[example]) >= N_TIMESTEPS
    ]


@pytest.mark.parametrize("fault", LABELS[1:])
def test_recalls_are_those_of_a_loop(windows, embeddings, library, fault: str) -> None:
    draws = draw_rows(windows, fault, sides=[["A", "B"]], n=4, rng=np.random.default_rng(3))
    found = OneExample(windows, embeddings, library).ask(fault, draws=draws)
    for where, by_network in draws.items():
        for number, (network, examples) in enumerate(by_network.items()):
            mine = windows.network == network
            asked = np.flatnonzero(mine & (windows.label == fault)).tolist()
            normal = np.flatnonzero(mine & (windows.label == "normal")).tolist()
            for draw, example in enumerate(examples.tolist()):

                def distance(row: int, example: int = example) -> float:
                    return float(np.linalg.norm(embeddings[row] - embeddings[example]))

                rest = {r: _rest(windows, embeddings, library, r, fault) for r in asked + normal}
                free = _free(windows, asked, example)
                near = [distance(row) < rest[row][0] for row in free]
                within = [distance(row) <= 0.7 for row in free]
                kept = [rest[r][1] == "normal" and rest[r][0] <= distance(r) for r in normal]
                assert found.nearest[where][number][draw] == pytest.approx(np.mean(near))
                assert found.accepted[where][number][draw] == pytest.approx(
                    np.mean(np.logical_and(near, within))
                )
                assert found.normal_kept[where][number][draw] == pytest.approx(np.mean(kept))


@pytest.mark.parametrize("fault", LABELS[1:])
def test_unknowns_are_told_as_scikit_learn_says(windows, embeddings, library, fault: str) -> None:
    draws: dict[str, dict[str, Int64Array]] = {}
    found = OneExample(windows, embeddings, library).ask(fault, draws=draws)
    for network in "AB":
        rows = np.flatnonzero(
            (windows.network == network) & np.isin(windows.label, [*library.labels, fault])
        )
        gaps = [_rest(windows, embeddings, library, row, fault) for row in rows.tolist()]
        truth = windows.label[rows] == fault
        assert found.auroc[network] == pytest.approx(roc_auc_score(truth, [gap for gap, _ in gaps]))
        beyond = [gap > library.calibration.radii[name] for gap, name in gaps]
        assert found.called_unknown[network] == pytest.approx(np.mean(np.array(beyond)[truth]))


def test_examples_are_of_the_network_they_should_be_of(windows: WindowSet) -> None:
    rng = np.random.default_rng(0)
    draws = draw_rows(windows, "blocked", sides=[["A", "B"]], n=9, rng=rng)
    for network, other in ("AB", "BA"):
        assert set(windows.network[draws["same"][network]]) == {network}
        assert set(windows.network[draws["other"][network]]) == {other}
    apart = draw_rows(windows, "blocked", sides=[["A"], ["B"]], n=9, rng=rng)
    assert not apart["other"]


def test_a_fault_that_is_all_the_library_has_is_not_asked_about(windows, embeddings) -> None:
    rows = np.flatnonzero(windows.label == "storm")[:2]
    alone = Library(
        embeddings[rows], windows.label[rows], windows.capture[rows], Calibration({}, 0.5, 1.0)
    )
    draws = draw_rows(windows, "storm", sides=[["A", "B"]], n=2, rng=np.random.default_rng(0))
    found = OneExample(windows, embeddings, alone).ask("storm", draws=draws)
    assert not found.nearest
    assert not found.auroc
