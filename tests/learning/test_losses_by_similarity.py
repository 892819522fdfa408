"""Multi-similarity and proxy-anchor: against the published sums, window after window."""

from __future__ import annotations

import numpy as np
import pytest

from traffic_siamese import mining
from traffic_siamese.backend import keras
from traffic_siamese.losses import get_loss
from traffic_siamese.nested_loss import NestedLoss

CORNERS = np.array([[0, 0, 0], [1, 1, 1]], np.float32)
NAMES = ("multi_similarity", "proxy_anchor")


def squared(a: np.ndarray, b: np.ndarray) -> float:
    return float(((np.float64(a) - np.float64(b)) ** 2).sum())


def differ(one: int, other: int) -> bool:
    """Two labels are compared unless one is a virtual fault (negative), the other a real one."""
    return bool(one != other and one * other >= 0)


def log_sum(exponents: list[float]) -> float:
    return float(np.log(1 + np.sum(np.exp(exponents))))


def naive_multi_similarity(
    y: np.ndarray,
    e: np.ndarray,
    alpha: float = 2,
    beta: float = 50,
    base: float = 0.75,
    epsilon: float = 0.1,
) -> float:
    values = []
    for i in range(len(y)):
        near = [1 - squared(e[i], e[j]) / 2 for j in range(len(y)) if j != i and y[j] == y[i]]
        far = [1 - squared(e[i], e[j]) / 2 for j in range(len(y)) if differ(y[j], y[i])]
        if near and far:
            pulled = [s for s in near if s - epsilon < max(far)]
            pushed = [s for s in far if s + epsilon > min(near)]
            pull = log_sum([-alpha * (s - base) for s in pulled]) / alpha
            values.append(pull + log_sum([beta * (s - base) for s in pushed]) / beta)
    return float(np.mean(values)) if values else 0.0


def naive_proxy_anchor(
    y: np.ndarray, e: np.ndarray, alpha: float = 32, delta: float = 0.4, boundary: float = 1
) -> float:
    pulls, pushes = [], []
    for label in set(y.tolist()):
        mine = [i for i in range(len(y)) if y[i] == label]
        proxy = np.mean(np.float64(e[mine]), axis=0)
        near = [
            (boundary - squared(e[i], np.mean(np.float64(e[[j for j in mine if j != i]]), axis=0)))
            / 2
            for i in mine
            if len(mine) > 1
        ]
        far = [(boundary - squared(e[i], proxy)) / 2 for i in range(len(y)) if differ(y[i], label)]
        pulls += [log_sum([-alpha * (s - delta) for s in near])] if near else []
        pushes += [log_sum([alpha * (s + delta) for s in far])] if far else []
    return float((np.mean(pulls) if pulls else 0.0) + (np.mean(pushes) if pushes else 0.0))


NAIVE = {"multi_similarity": naive_multi_similarity, "proxy_anchor": naive_proxy_anchor}


def gradient(loss: keras.losses.Loss, y: np.ndarray, e: np.ndarray) -> np.ndarray:
    """Gradient by the embeddings."""
    import tensorflow as tf

    value = tf.Variable(e)
    with tf.GradientTape() as tape:
        result = loss(y, value)
    return np.asarray(tape.gradient(result, value))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(6))
def test_values_are_those_of_plain_loops(name: str, seed: int) -> None:
    """Random batches of 2 to 16 axes, some close to collapse; labels as a row or a column."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 5, 19)
    dim = (2, 3, 16)[seed % 3]
    e = (0.5 + (rng.random((19, dim)) - 0.5) * (1, 0.1)[seed % 2]).astype(np.float32)
    expected = NAIVE[name](y, e)
    assert float(get_loss(name)(y, e)) == pytest.approx(expected, rel=1e-4, abs=1e-5)
    assert float(get_loss(name)(y[:, None], e)) == pytest.approx(expected, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("multi_similarity", {"alpha": 3.0, "beta": 11.0, "base": 0.8, "epsilon": 0.3}),
        ("proxy_anchor", {"alpha": 7.0, "delta": 0.25, "boundary": 2.0}),
    ],
)
def test_settings_mean_what_the_formula_says(name: str, settings: dict[str, float]) -> None:
    rng = np.random.default_rng(9)
    y, e = rng.integers(0, 4, 15), rng.random((15, 3), dtype=np.float32)
    expected = NAIVE[name](y, e, **settings)
    assert float(get_loss(name, **settings)(y, e)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(4))
def test_virtual_faults_and_real_ones_are_not_told_apart(name: str, seed: int) -> None:
    """Negative against positive labels counts for nothing; 0, normal, is told from both."""
    rng = np.random.default_rng(seed)
    y = rng.integers(-3, 4, 24)
    e = rng.random((24, 3), dtype=np.float32)
    assert float(get_loss(name)(y, e)) == pytest.approx(NAIVE[name](y, e), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_real_window_is_not_moved_by_a_virtual_fault_on_top_of_it(name: str) -> None:
    """With labels 1 and -1 alone nothing may be pushed: all pairs left are to be pulled."""
    e = np.array([[0.2, 0.2], [0.3, 0.2], [0.2, 0.2], [0.3, 0.2]], np.float32)
    opposed = np.array([1, 1, -1, -1])
    apart = gradient(get_loss(name), opposed, e)[:2]
    alone = gradient(get_loss(name), np.array([1, 1]), e[:2])
    # The mean is over twice as many proxies; multi-similarity has no anchor with both kinds.
    np.testing.assert_allclose(apart, alone / 2, atol=1e-7)


PERFECT, COLLAPSED, WORST = CORNERS[[0, 0, 1, 1]], np.full((4, 3), 0.5), CORNERS[[0, 1, 0, 1]]


@pytest.mark.parametrize(
    ("name", "e", "expected"),
    [
        # s is 1 and -0.5: every pair is clear of the other kind
        ("multi_similarity", PERFECT, 0.0),
        # all s are 1: ln(1 + exp(-0.5)) / 2 to pull, ln(1 + 2 exp(12.5)) / 50 to push two
        (
            "multi_similarity",
            COLLAPSED,
            np.log1p(np.exp(-0.5)) / 2 + np.log1p(2 * np.exp(12.5)) / 50,
        ),
        # the positive at -0.5, one negative on top of the anchor, the other as far as the positive
        ("multi_similarity", WORST, np.log1p(np.exp(2.5)) / 2 + np.log1p(np.exp(12.5)) / 50),
        # windows on their proxy, s = 0.5; others at d = 3, s = -1
        ("proxy_anchor", PERFECT, np.log1p(2 * np.exp(-3.2)) + np.log1p(2 * np.exp(-19.2))),
        # all s are 0.5
        ("proxy_anchor", COLLAPSED, np.log1p(2 * np.exp(-3.2)) + np.log1p(2 * np.exp(28.8))),
        # the other window of the label at d = 3; both proxies in the middle, d = 0.75 to all
        ("proxy_anchor", WORST, np.log1p(2 * np.exp(44.8)) + np.log1p(2 * np.exp(16.8))),
    ],
)
def test_landmarks_have_their_closed_form(name: str, e: np.ndarray, expected: float) -> None:
    """Two labels of two windows: on opposite corners, all on one point, and crosswise."""
    found = float(get_loss(name)(np.array([0, 0, 1, 1]), e.astype(np.float32)))
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("y", [[0, 0, 0], [0, 1, 2], [0]], ids=["one label", "no pair", "alone"])
def test_batches_without_one_kind_of_pair_do_no_harm(name: str, y: list[int]) -> None:
    e = np.random.default_rng(0).random((len(y), 3), dtype=np.float32)
    labels = np.array(y)
    assert float(get_loss(name)(labels, e)) == pytest.approx(NAIVE[name](labels, e), abs=1e-5)
    assert np.isfinite(gradient(get_loss(name), labels, e)).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dim", [3, 16, 200])
def test_gradients_are_finite_everywhere(name: str, dim: int) -> None:
    """On one point, on corners, crosswise, and in wide cubes where exponents leave float32."""
    y = np.array([0, 0, 1, 1, -2, -2, 3])
    places = [np.full((7, dim), 0.5), np.repeat([[0.0], [1]] * 4, dim, axis=1)[:7]]
    for e in (*places, np.random.default_rng(0).integers(0, 2, (7, dim))):
        values = e.astype(np.float32)
        assert np.isfinite(float(get_loss(name)(y, values)))
        assert np.isfinite(gradient(get_loss(name), y, values)).all()


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_those_of_small_steps(name: str) -> None:
    """Central differences of the plain loops, away from where the choice of pairs changes."""
    rng = np.random.default_rng(4)
    y, e = np.array([0, 0, 0, 1, 1, -2, -2, 3]), rng.random((8, 3))
    found = gradient(get_loss(name), y, e.astype(np.float32))
    step = 1e-5
    for place in np.ndindex(*e.shape):
        up, down = e.copy(), e.copy()
        up[place] += step
        down[place] -= step
        slope = (NAIVE[name](y, up) - NAIVE[name](y, down)) / (2 * step)
        assert found[place] == pytest.approx(slope, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_a_step_downhill_pulls_together_and_pushes_apart(name: str) -> None:
    rng = np.random.default_rng(1)
    y = np.repeat([0, 1, 2], 4)
    e = (0.5 + 0.1 * rng.standard_normal((12, 3))).astype(np.float32)
    loss = get_loss(name)
    for _ in range(150):
        e = np.clip(e - 0.2 * gradient(loss, y, e), 0, 1)
    apart = ((e[:, None] - e) ** 2).sum(-1)
    same = y[:, None] == y
    assert apart[same].max() < apart[~same].min()


@pytest.mark.parametrize("name", NAMES)
def test_a_nested_loss_holds_them(name: str) -> None:
    rng = np.random.default_rng(2)
    e, y = rng.random((12, 7)).astype(np.float32), np.repeat(np.arange(4), 3)
    loss = NestedLoss(get_loss(name), 3, 0.3)
    expected = NAIVE[name](y, e) + 0.3 * NAIVE[name](y, e[:, :3])
    assert float(loss(y, e)) == pytest.approx(expected, rel=1e-4)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert float(again(y, e)) == float(loss(y, e))


def test_chosen_pairs_are_those_of_the_definition() -> None:
    """Anchor 0: positives at 0.9 and 0.2, negatives at 0.5 and 0.05; 0.9 and 0.05 are clear."""
    similarity = np.array([[1, 0.9, 0.2, 0.5, 0.05]] * 5, np.float32)
    same, other = mining.same_label(np.array([0, 0, 0, 1, 2]))
    pulled, pushed = mining.informative_pairs(similarity, same, other, epsilon=0.1)
    assert np.asarray(pulled)[0].tolist() == [False, False, True, False, False]
    assert np.asarray(pushed)[0].tolist() == [False, False, False, True, False]


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("multi_similarity", {"alpha": 0}),
        ("multi_similarity", {"beta": -1}),
        ("proxy_anchor", {"alpha": 0}),
        ("proxy_anchor", {"boundary": 0}),
    ],
)
def test_settings_without_meaning_are_refused(name: str, settings: dict[str, float]) -> None:
    (what, value), *_ = settings.items()
    with pytest.raises(ValueError, match=f"{what} is {value}, expected more than 0"):
        get_loss(name, **settings)
