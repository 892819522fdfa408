"""The classifier against scikit-learn's own checks and its nearest-neighbour rule."""

import subprocess
import sys

import numpy as np
import pytest

from traffic_siamese.errors import TrafficSiameseError
from traffic_siamese.oneshot.classifier import OneShotClassifier
from traffic_siamese.oneshot.validation import NotFittedError

CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Estimator OneShotClassifier does not inherit:UserWarning")
@pytest.mark.parametrize("settings", [{}, {"radii": 0.1, "unknown_label": None}])
def test_passes_every_check_of_scikit_learn(settings):
    from sklearn.utils.estimator_checks import check_estimator

    results = check_estimator(OneShotClassifier(**settings), on_skip=None)
    assert len(results) > 30
    assert {row["status"] for row in results} <= {"passed", "skipped"}


@pytest.mark.slow
def test_agrees_with_one_nearest_neighbour():
    """Without radii, the label of the nearest example is the whole rule."""
    from sklearn.neighbors import KNeighborsClassifier

    rng = np.random.default_rng(1)
    X, y = rng.random((60, 3)), rng.choice(["a", "b", "c"], 60)
    queries = rng.random((500, 3))
    expected = KNeighborsClassifier(1).fit(X, y).predict(queries)
    np.testing.assert_array_equal(OneShotClassifier().fit(X, y).predict(queries), expected)


@pytest.mark.slow
def test_works_in_a_grid_search():
    from sklearn.model_selection import GridSearchCV

    rng = np.random.default_rng(2)
    X = np.concatenate([rng.normal(0, 0.1, (30, 2)), rng.normal(1, 0.1, (30, 2))])
    y = np.repeat(["a", "b"], 30)
    search = GridSearchCV(OneShotClassifier(), {"radii": [1e-6, 1.0]}, cv=3).fit(X, y)
    assert search.best_params_ == {"radii": 1.0}
    assert search.best_score_ == 1.0


def test_rejects_beyond_the_radius_of_the_nearest_label():
    classifier = OneShotClassifier(radii={"a": 0.3}).fit(CORNERS, ["a", "b", "c"])
    queries = [[0.29, 0.0], [0.31, 0.0], [5.0, 0.0]]
    assert classifier.predict(queries).tolist() == ["a", "unknown", "b"]


def test_a_longer_unknown_label_is_not_cut():
    classifier = OneShotClassifier(radii=0.1, unknown_label="something else")
    assert classifier.fit(CORNERS, list("abc")).predict([[9.0, 9.0]]).tolist() == ["something else"]


def test_rejects_nothing_without_an_unknown_label():
    classifier = OneShotClassifier(radii=0.1, unknown_label=None).fit(CORNERS, list("abc"))
    assert classifier.predict([[9.0, 9.0]]).tolist() == ["c"]


def test_numbered_labels_want_a_numbered_unknown():
    with pytest.raises(ValueError, match="both to be text or both numbers"):
        OneShotClassifier(radii=0.1).fit(CORNERS, [0, 1, 2])
    classifier = OneShotClassifier(radii=0.1, unknown_label=-1).fit(CORNERS, [0, 1, 2])
    assert classifier.predict([[9.0, 9.0], [1.0, 1.0]]).tolist() == [-1, 2]


def test_probabilities_are_the_softmax_of_squared_distances():
    """At (0, 0) the corners lie at squared distances 0, 1 and 2."""
    classifier = OneShotClassifier(temperature=0.5).fit(CORNERS, list("abc"))
    powers = np.exp([0.0, -2.0, -4.0])
    np.testing.assert_allclose(classifier.predict_proba([[0, 0]])[0], powers / powers.sum())


def test_not_fitted_is_one_of_our_errors_and_a_value_error():
    with pytest.raises(NotFittedError, match="Call fit first") as caught:
        OneShotClassifier().predict(CORNERS)
    assert isinstance(caught.value, TrafficSiameseError)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, AttributeError)


def test_settings_are_checked_and_named():
    with pytest.raises(ValueError, match="Invalid parameter 'margin'"):
        OneShotClassifier().set_params(margin=1)
    with pytest.raises(ValueError, match="temperature is 0"):
        OneShotClassifier(temperature=0).fit(CORNERS, list("abc"))
    assert repr(OneShotClassifier().set_params(radii=2.0)) == "OneShotClassifier(radii=2.0)"


def test_score_counts_a_rejected_row_as_wrong():
    classifier = OneShotClassifier(radii=0.1).fit(CORNERS, list("abc"))
    assert classifier.score([[0, 0], [0.5, 0.5]], ["a", "a"]) == 0.5


def test_runs_without_scikit_learn():
    """Classifying must not pay for its import."""
    code = (
        "import sys; from traffic_siamese.oneshot.classifier import OneShotClassifier as C\n"
        "C(radii=1.0).fit([[0.0], [1.0]], ['a', 'b']).predict([[0.2]])\n"
        "sys.exit(any(name in sys.modules for name in ('sklearn', 'pandas', 'tensorflow')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
