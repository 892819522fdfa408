import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from traffic_siamese.backend import keras, ops
from traffic_siamese.losses import LOSSES, PairwiseHead, get_loss
from traffic_siamese.nested_loss import NestedLoss

CORNERS = np.array([[0, 0, 0], [1, 1, 1]], np.float32)


def squared(a: np.ndarray, b: np.ndarray) -> float:
    return float(((a.astype(np.float64) - b.astype(np.float64)) ** 2).sum())


def differ(one: int, other: int) -> bool:
    """Two labels are compared unless one is a virtual fault (negative), the other a real one."""
    return bool(one != other and one * other >= 0)


def naive_triplet(_: np.ndarray, e: np.ndarray, margin: float = 0.4) -> float:
    return float(np.mean([max(squared(a, p) - squared(a, n) + margin, 0) for a, p, n in e]))


def naive_lossless(_: np.ndarray, e: np.ndarray) -> float:
    n_dim, eps, values = e.shape[-1], 1e-8, []
    for a, p, n in e:
        pull = 1 - squared(a, p) / n_dim + eps
        push = 1 - (n_dim - squared(a, n)) / n_dim + eps
        values.append(-np.log(pull) - np.log(push))
    return float(np.mean(values))


def naive_semi_hard(y: np.ndarray, e: np.ndarray, margin: float = 0.4) -> float:
    values = []
    for i in range(len(y)):
        far = [squared(e[i], e[k]) for k in range(len(y)) if differ(y[k], y[i])]
        for j in range(len(y)):
            if i == j or y[i] != y[j] or not far:
                continue
            near = squared(e[i], e[j])
            inside = [d for d in far if near < d < near + margin]
            nearer = [d for d in far if d <= near]
            negative = min(inside) if inside else max(nearer) if nearer else np.inf
            values.append(max(near - negative + margin, 0))
    return float(np.mean(values)) if values else 0.0


def naive_hard(y: np.ndarray, e: np.ndarray, margin: float = 0.4) -> float:
    values = []
    for i in range(len(y)):
        near = [squared(e[i], e[j]) for j in range(len(y)) if j != i and y[j] == y[i]]
        far = [squared(e[i], e[j]) for j in range(len(y)) if differ(y[j], y[i])]
        if near and far:
            values.append(max(max(near) - min(far) + margin, 0))
    return float(np.mean(values)) if values else 0.0


def naive_contrastive(y: np.ndarray, e: np.ndarray, temperature: float = 0.1) -> float:
    values = []
    for i in range(len(y)):
        compared = [j for j in range(len(y)) if j != i and (y[j] == y[i] or differ(y[j], y[i]))]
        score = {j: -squared(e[i], e[j]) / temperature for j in compared}
        total = np.logaddexp.reduce(list(score.values()) or [0.0])
        mine = [total - score[j] for j in score if y[j] == y[i]]
        if mine:
            values.append(np.mean(mine))
    return float(np.mean(values)) if values else 0.0


NAIVE = {
    "triplet": naive_triplet,
    "lossless": naive_lossless,
    "semi_hard": naive_semi_hard,
    "hard": naive_hard,
    "supervised_contrastive": naive_contrastive,
}
MINED = ("semi_hard", "hard", "supervised_contrastive")
EXPLICIT = ("triplet", "lossless")


def gradient(loss: keras.losses.Loss, y: np.ndarray, e: np.ndarray) -> np.ndarray:
    """Gradient by the embeddings, through a model that only holds them."""
    import tensorflow as tf

    value = tf.Variable(e)
    with tf.GradientTape() as tape:
        result = loss(y, value)
    return np.asarray(tape.gradient(result, value))


@pytest.mark.parametrize("name", MINED)
@pytest.mark.parametrize("seed", range(5))
def test_mined_losses_agree_with_plain_loops(name: str, seed: int) -> None:
    """On random batches, with labels of one window and labels as a column among them."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 5, 17)
    e = rng.random((17, 3), dtype=np.float32) ** (seed + 1)
    expected = NAIVE[name](y, e)
    assert float(get_loss(name)(y, e)) == pytest.approx(expected, rel=1e-4, abs=1e-6)
    assert float(get_loss(name)(y[:, None], e)) == pytest.approx(expected, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("name", MINED)
@pytest.mark.parametrize("seed", range(4))
def test_virtual_faults_and_real_ones_are_not_told_apart(name: str, seed: int) -> None:
    """Negative against positive labels counts for nothing; 0, normal, is told from both."""
    rng = np.random.default_rng(seed)
    y = rng.integers(-3, 4, 24)
    e = rng.random((24, 3), dtype=np.float32)
    expected = NAIVE[name](y, e)
    assert float(get_loss(name)(y, e)) == pytest.approx(expected, rel=1e-4, abs=1e-6)
    opposed = np.array([1, 1, -1, -1])
    loss = float(get_loss(name)(opposed, e[:4]))
    assert loss == pytest.approx(NAIVE[name](opposed, e[:4]), abs=1e-6)
    assert name == "supervised_contrastive" or loss == 0


@pytest.mark.parametrize("name", EXPLICIT)
@pytest.mark.parametrize("dim", [2, 3, 6])
def test_explicit_losses_agree_with_plain_loops(name: str, dim: int) -> None:
    e = np.random.default_rng(dim).random((11, 3, dim), dtype=np.float32)
    expected = NAIVE[name](np.zeros(11), e)
    assert float(get_loss(name)(np.zeros(11), e)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_semi_hard_with_few_columns_equals_all_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(4), 5))
    e = rng.random((20, 3), dtype=np.float32)
    some, every = get_loss("semi_hard", n_per_label=5), get_loss("semi_hard")
    assert float(some(y, e)) == pytest.approx(float(every(y, e)), rel=1e-5)
    np.testing.assert_allclose(gradient(some, y, e), gradient(every, y, e), atol=1e-6)


@pytest.mark.parametrize(
    ("corners", "expected"),
    [((0, 0, 1), 0.0), ((0, 0, 0), 18.42), ((0, 1, 0), 36.84)],
    ids=["perfect", "collapsed", "worst"],
)
def test_lossless_at_its_landmarks(corners: tuple[int, ...], expected: float) -> None:
    """-ln(1e-8) = 18.42 for each of the two terms that is at its end."""
    e = np.stack([CORNERS[list(corners)]] * 4)
    assert float(get_loss("lossless")(np.zeros(4), e)) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("name", ["semi_hard", "hard"])
def test_margin_losses_at_their_landmarks(name: str) -> None:
    """Perfect 0; collapsed the margin; superposed opposites 3 + margin for the hardest."""
    y = np.array([0, 0, 1, 1])
    assert float(get_loss(name)(y, CORNERS[y])) == 0
    assert float(get_loss(name)(y, np.full((4, 3), 0.5, np.float32))) == pytest.approx(0.4)
    worst = float(get_loss(name)(y, CORNERS[[0, 1, 0, 1]]))
    assert worst == pytest.approx(naive_hard(y, CORNERS[[0, 1, 0, 1]]) if name == "hard" else 0.4)


@pytest.mark.parametrize("name", MINED)
@pytest.mark.parametrize("y", [[0, 0, 0], [0, 1, 2], [0]], ids=["one label", "no pair", "alone"])
def test_batches_without_triplets_do_no_harm(name: str, y: list[int]) -> None:
    e = np.random.default_rng(0).random((len(y), 3), dtype=np.float32)
    loss = get_loss(name)
    assert float(loss(np.array(y), e)) == pytest.approx(NAIVE[name](np.array(y), e), abs=1e-5)
    assert np.isfinite(gradient(loss, np.array(y), e)).all()


@pytest.mark.parametrize("name", MINED + EXPLICIT)
@pytest.mark.parametrize("corner", [0.0, 0.5, 1.0])
def test_gradients_are_finite_where_all_points_coincide(name: str, corner: float) -> None:
    shape = (6, 3) if name in MINED else (6, 3, 3)
    e, y = np.full(shape, corner, np.float32), np.array([0, 0, 1, 1, 2, 2])
    assert np.isfinite(gradient(get_loss(name), y, e)).all()
    e[:, 0] = 1 - e[:, 0]
    assert np.isfinite(gradient(get_loss(name), y, e)).all()


def test_lossless_pushes_apart_what_nearly_coincides() -> None:
    """At |a - n| = 1e-4 the published form has no gradient; here it is 2d / (d^2 + 3e-8)."""
    e = np.full((1, 3, 3), 0.5, np.float32)
    e[0, 2, 0] += 1e-4
    found = gradient(get_loss("lossless"), np.zeros(1), e)[0, 2, 0]
    step = float(e[0, 2, 0] - e[0, 0, 0])
    assert found == pytest.approx(-2 * step / (step**2 + 3e-8), rel=1e-3)


def test_the_pairwise_head_is_a_weighted_difference() -> None:
    head = PairwiseHead()
    pairs = np.random.default_rng(0).random((5, 2, 3), dtype=np.float32)
    head.build(pairs.shape)
    head.set_weights([np.array([-1.0, -2.0, 3.0]), np.array(0.5)])
    logit = np.abs(pairs[:, 0] - pairs[:, 1]) @ [-1, -2, 3] + 0.5
    p = 1 / (1 + np.exp(-logit))
    np.testing.assert_allclose(np.asarray(head(pairs))[:, 0], p, rtol=1e-5)
    y = np.array([1, 0, 1, 0, 1], np.float32)
    expected = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    assert float(get_loss("pairwise")(y[:, None], head(pairs))) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_survives_its_configuration(name: str) -> None:
    options = {"semi_hard": {"margin": 0.3, "n_per_label": 4}, "lossless": {"beta": 5.0}}
    loss = get_loss(name, **options.get(name, {}))
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()


@pytest.mark.parametrize("name", ["supervised_contrastive", "semi_hard", "hard"])
def test_a_nested_loss_is_that_of_all_axes_and_a_share_of_that_of_the_first(name: str) -> None:
    rng = np.random.default_rng(2)
    e, y = rng.random((12, 7)).astype(np.float32), np.repeat(np.arange(4), 3)
    naive = {
        "supervised_contrastive": naive_contrastive,
        "semi_hard": naive_semi_hard,
        "hard": naive_hard,
    }[name]
    for n_axes, weight in ((3, 0.3), (2, 1.5)):
        loss = NestedLoss(get_loss(name), n_axes, weight)
        expected = naive(y, e) + weight * naive(y, e[:, :n_axes])
        assert float(loss(y, e)) == pytest.approx(expected, rel=1e-4)
        assert loss.layout == "labels"


def test_each_member_has_a_loss_of_its_own() -> None:
    rng = np.random.default_rng(7)
    e, y = rng.random((12, 8)).astype(np.float32), np.repeat(np.arange(4), 3)
    loss = NestedLoss(get_loss("supervised_contrastive"), 3, 0.3, n_members=2)
    parts = naive_contrastive(y, e[:, :4]) + naive_contrastive(y, e[:, 4:])
    assert float(loss(y, e)) == pytest.approx(
        parts + 0.3 * naive_contrastive(y, e[:, :3]), rel=1e-4
    )


def test_members_may_have_labels_of_their_own() -> None:
    """A column for each; the cube is the first one's."""
    rng = np.random.default_rng(8)
    e, y = rng.random((12, 8)).astype(np.float32), np.repeat(np.arange(4), 3)
    columns = np.stack([y, rng.permutation(y)], axis=1)
    loss = NestedLoss(get_loss("supervised_contrastive"), 3, 0.3, n_members=2)
    parts = naive_contrastive(y, e[:, :4]) + naive_contrastive(columns[:, 1], e[:, 4:])
    assert float(loss(columns, e)) == pytest.approx(
        parts + 0.3 * naive_contrastive(y, e[:, :3]), rel=1e-4
    )


def test_a_nested_loss_takes_triplets_on_their_own_axis() -> None:
    e = np.random.default_rng(3).random((6, 3, 5)).astype(np.float32)
    loss = NestedLoss(get_loss("triplet", margin=0.2), 3, 0.5)
    expected = naive_triplet(e, e, margin=0.2) + 0.5 * naive_triplet(e, e[..., :3], margin=0.2)
    assert loss.layout == "triplets"
    assert float(loss(np.zeros(6), e)) == pytest.approx(expected, rel=1e-4)


def test_a_nested_loss_survives_its_configuration() -> None:
    """Rebuilt, it gives the same values."""
    loss = NestedLoss(get_loss("semi_hard", margin=0.7, n_per_label=3), 2, 0.9, n_members=5)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert again.get_config() == loss.get_config()
    e = np.random.default_rng(4).random((9, 5)).astype(np.float32)
    y = np.repeat(np.arange(3), 3)
    assert again.inner.margin == 0.7
    assert float(again(y, e)) == float(loss(y, e))


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras' own, on saving
def test_a_compiled_model_loads_in_another_process(tmp_path: Path) -> None:
    """The loss and the head are found by their registered names."""
    branches = keras.Input((2, 3))
    model = keras.Model(branches, PairwiseHead()(branches))
    model.compile(loss=get_loss("pairwise"))
    model.save(tmp_path / "m.keras")
    code = (
        "import keras, sys, traffic_siamese.losses\n"
        "model = keras.saving.load_model(sys.argv[1])\n"
        "sys.exit(0 if type(model.loss).__name__ == 'PairwiseLoss' else 5)"
    )
    run = subprocess.run([sys.executable, "-c", code, tmp_path / "m.keras"], capture_output=True)
    assert run.returncode == 0, run.stderr.decode()


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("contrastive", {}, "loss is 'contrastive', expected one of triplet"),
        ("hard", {"margin": 0}, "margin is 0"),
        ("supervised_contrastive", {"temperature": 0}, "temperature is 0"),
    ],
)
def test_impossible_losses_are_refused(name: str, options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        get_loss(name, **options)


def test_lossless_refuses_a_beta_without_logarithm() -> None:
    with pytest.raises(ValueError, match="beta is 2"):
        get_loss("lossless", beta=2)(np.zeros(2), ops.zeros((2, 3, 3)))
