import dataclasses

import numpy as np

from traffic_siamese.branches import shown_apart
from traffic_siamese.encoder import EncoderOptions, build_encoder, embed
from traffic_siamese.generators import BalancedBatches
from traffic_siamese.member_batches import MemberBatches
from traffic_siamese.windows import WindowSet


def balanced(windows: WindowSet, member: int, **changes: int) -> BalancedBatches:
    options = {"n_labels": 3, "n_per_label": 4, "n_virtual": 0, **changes}
    return BalancedBatches(windows, n_batches=3, seed=5, member=member, **options)


def test_each_network_is_shown_batches_of_its_own(windows: WindowSet) -> None:
    """Drawn by the same rules; each one's are those that it alone would get."""
    both = MemberBatches([balanced(windows, member) for member in range(2)])
    alone = [balanced(windows, member) for member in range(2)]
    assert len(both) == 3
    for epoch in (0, 1):
        assert both.epoch == epoch
        X, y = both[1]
        assert X.shape == (12, 2, windows.n_timesteps, 12)
        for member, own in enumerate(alone):
            np.testing.assert_array_equal(X[:, member], own[1][0])
            np.testing.assert_array_equal(y[:, member], own[1][1])
            own.on_epoch_end()
        assert not np.array_equal(X[:, 0], X[:, 1])
        both.on_epoch_end()


def test_batches_made_ahead_are_those_that_are_asked_for(windows: WindowSet) -> None:
    """In order, out of order, and after an epoch has ended early."""
    both = MemberBatches([balanced(windows, member) for member in range(2)])
    for epoch, index in ((0, 0), (0, 1), (0, 2), (0, 0), (1, 1), (1, 2), (1, 0), (2, 1)):
        both.epoch = epoch
        X, _ = both[index]
        for member in range(2):
            own = balanced(windows, member)
            own.epoch = epoch
            np.testing.assert_array_equal(X[:, member], own[index][0])


def test_the_first_networks_batches_are_those_of_a_single_one(windows: WindowSet) -> None:
    rows = np.random.default_rng([5, 0, 1]).bit_generator.state
    assert rows == np.random.default_rng([5, 0, 1, 0]).bit_generator.state
    plain = BalancedBatches(windows, n_labels=3, n_per_label=4, n_batches=3, seed=5)
    np.testing.assert_array_equal(plain[1][0], balanced(windows, 0)[1][0])


def test_all_are_as_large_as_the_smallest(windows: WindowSet) -> None:
    """One network holds back a label, and has fewer virtual faults."""
    label = windows.label.copy()
    label[label == "flood"] = [f"~{n % 5}" for n in range(np.sum(label == "flood"))]
    many = dataclasses.replace(windows, label=label)
    few = many.select(~np.isin(label, ["capacity", "~0", "~1"]))
    batches = MemberBatches(
        [balanced(some, number, n_labels=8, n_virtual=9) for number, some in enumerate((many, few))]
    )
    X, y = batches[0]
    assert X.shape[:2] == y.shape == ((2 + 3) * 4, 2)
    for column in y.T:
        assert np.unique(column, return_counts=True)[1].tolist() == [4] * 5


def test_each_network_learns_from_its_own_column_of_windows() -> None:
    """And its weights are the encoder's."""
    options = EncoderOptions(embedding_dim=6, n_members=3, lstm_units=4, hidden_units=4)
    encoder = build_encoder(9, 5, options=options, seed=2)
    model = shown_apart(encoder)
    X = np.random.default_rng(1).normal(size=(4, 3, 9, 5)).astype(np.float32)
    for _ in range(2):
        parts = np.split(model.predict_on_batch(X), 3, axis=1)
        for member, part in enumerate(parts):
            own = np.split(embed(encoder, X[:, member]), 3, axis=1)[member]
            np.testing.assert_allclose(part, own, atol=1e-6)
        model.set_weights([0.5 * weight for weight in model.get_weights()])
