import numpy as np
import onnx
import onnxruntime
import pytest

from traffic_siamese.encoder import (
    POOLINGS,
    EncoderOptions,
    build_encoder,
    embed,
    load_keras,
    save_keras,
)
from traffic_siamese.errors import BundleError
from traffic_siamese.onnx_graph import to_onnx


def small(**options: object) -> EncoderOptions:
    shape = {"embedding_dim": 6, "n_members": 2, "lstm_units": 5, "hidden_units": 6}
    return EncoderOptions(**{**shape, "frame_units": 4, **options})


def windows(n: int) -> np.ndarray:
    return np.random.default_rng(n).normal(0, 2, (n, 9, 7)).astype(np.float32)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("n_layers", [1, 2, 3])
def test_onnx_and_keras_give_the_same_embedding(pooling: str, n_layers: int) -> None:
    """For random weights, any batch size, spans, with and without frames and dropout."""
    rng = np.random.default_rng(n_layers)
    frame_units, spans = 4 * (n_layers % 2), (1.0, 1 / n_layers)
    options = small(
        pooling=pooling, n_layers=n_layers, frame_units=frame_units, dropout=0.3, spans=spans
    )
    model = build_encoder(9, 7, options=options)
    model.set_weights([rng.normal(0, 0.7, w.shape) for w in model.get_weights()])
    session = onnxruntime.InferenceSession(to_onnx(model))
    for n in (1, 7, 300):
        X = windows(n)
        light = session.run(["embeddings"], {"windows": X})[0]
        assert light.dtype == np.float32
        np.testing.assert_allclose(light, model.predict_on_batch(X), atol=1e-5)
        np.testing.assert_allclose(light, embed(model, X, batch_size=128), atol=1e-5)


def test_the_onnx_graph_names_its_ends_and_leaves_the_batch_free() -> None:
    graph = onnx.load_from_string(to_onnx(build_encoder(9, 7, options=small()))).graph
    batch = graph.input[0].type.tensor_type.shape.dim[0].dim_param
    assert (graph.input[0].name, graph.output[0].name, batch) == ("windows", "embeddings", "batch")


def test_a_saved_encoder_reads_back_the_same(tmp_path: object) -> None:
    model = build_encoder(9, 7, options=small(dropout=0.1))
    data = save_keras(model)
    X = windows(3)
    np.testing.assert_array_equal(embed(load_keras(data), X), embed(model, X))


def test_damaged_bytes_are_a_bundle_error() -> None:
    with pytest.raises(BundleError, match="expected an encoder"):
        load_keras(save_keras(build_encoder(9, 7, options=small()))[:-200])
    with pytest.raises(BundleError):
        load_keras("/nowhere/encoder.keras")


def test_the_seed_alone_decides_the_first_weights() -> None:
    first, again = (build_encoder(9, 7, options=small(), seed=3).get_weights() for _ in range(2))
    other = build_encoder(9, 7, options=small(), seed=4).get_weights()
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert not (first[0] == other[0]).all()


def test_embedding_no_windows_gives_no_rows() -> None:
    encoder = build_encoder(9, 7, options=small(embedding_dim=5, n_members=1))
    assert embed(encoder, windows(1)[:0]).shape == (0, 5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pooling": "median"}, "pooling is 'median', expected one of mean_max"),
        ({"lstm_units": 0}, "lstm_units is 0"),
        ({"frame_units": -1}, "frame_units is -1"),
        ({"spans": ()}, r"spans is \(\), expected shares"),
        ({"spans": (1.0, 0.0)}, "expected shares of the window in"),
        ({"dropout": 1.0}, "dropout is 1.0"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EncoderOptions(**options)


@pytest.mark.parametrize(
    ("axes", "asked", "members"),
    [(48, 0, 3), (16, 0, 1), (3, 0, 1), (50, 0, 2), (53, 0, 1), (6, 2, 2)],
)
def test_a_member_has_sixteen_axes_or_what_it_is_told(axes: int, asked: int, members: int) -> None:
    assert EncoderOptions(embedding_dim=axes, n_members=asked).members == members


def test_members_are_networks_of_their_own() -> None:
    """Each gives its part of the axes, from weights of its own; the first is what one would be."""
    both = build_encoder(9, 7, options=small(), seed=4)
    alone = build_encoder(9, 7, options=small(embedding_dim=3, n_members=1), seed=4)
    X = windows(5)
    first, second = np.split(embed(both, X), 2, axis=1)
    np.testing.assert_allclose(first, embed(alone, X), atol=1e-6)
    assert np.abs(first - second).max() > 0.01


def test_members_that_do_not_share_the_axes_evenly_are_refused() -> None:
    with pytest.raises(ValueError, match="divisor of the 48 axes"):
        EncoderOptions(embedding_dim=48, n_members=5)


def test_a_member_looks_at_the_end_of_the_window_alone() -> None:
    """What lies before its span changes nothing; the first bin of its span does."""
    model = build_encoder(9, 7, options=small(spans=(1.0, 0.5)), seed=4)
    X = windows(5)
    before, within = X.copy(), X.copy()
    before[:, :4] += 3.0  # the last ceil(9 / 2) = 5 bins are looked at
    within[:, 4] += 3.0
    for changed, moved in ((before, False), (within, True)):
        first, second = np.split(embed(model, changed) - embed(model, X), 2, axis=1)
        assert np.abs(first).max() > 1e-3
        assert (np.abs(second).max() > 1e-3) == moved
