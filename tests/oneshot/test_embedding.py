"""The encoder's runtime, on a graph whose output is known: embeddings = windows' last bin."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from traffic_siamese.embedding import OnnxEncoder
from traffic_siamese.errors import BundleError, ShapeError


def last_bin_model(n_timesteps=4, n_channels=3, names=("windows", "embeddings"), width=3):
    """Gather the last time step."""
    given = helper.make_tensor_value_info(
        names[0], TensorProto.FLOAT, ["n", n_timesteps, n_channels]
    )
    made = helper.make_tensor_value_info(names[1], TensorProto.FLOAT, ["n", width])
    last = helper.make_tensor("last", TensorProto.INT64, [], [-1])
    node = helper.make_node("Gather", [names[0], "last"], [names[1]], axis=1)
    graph = helper.make_graph([node], "last_bin", [given], [made], [last])
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


@pytest.mark.parametrize("n", [0, 1, 511, 512, 513, 1300])
def test_batches_join_in_order(n):
    X = np.random.default_rng(n).random((n, 4, 3), np.float32)
    found = OnnxEncoder(last_bin_model()).embed(X)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, X[:, -1])


def test_takes_strided_and_float64_windows():
    X = np.random.default_rng(0).random((8, 3, 10))[:, :, ::3].transpose(0, 2, 1)
    found = OnnxEncoder(last_bin_model()).embed(X)
    np.testing.assert_array_equal(found, X[:, -1].astype(np.float32))


def test_several_threads_share_one_encoder():
    encoder = OnnxEncoder(last_bin_model(), threads=1)
    batches = np.random.default_rng(1).random((40, 50, 4, 3)).astype(np.float32)
    with ThreadPoolExecutor(8) as pool:
        for X, found in zip(batches, pool.map(encoder.embed, batches), strict=True):
            np.testing.assert_array_equal(found, X[:, -1])


def test_reads_a_file_and_knows_its_shape(tmp_path):
    path = tmp_path / "encoder.onnx"
    path.write_bytes(last_bin_model())
    encoder = OnnxEncoder(path)
    assert (encoder.n_timesteps, encoder.n_channels, encoder.embedding_dim) == (4, 3, 3)


def test_a_free_axis_takes_any_length():
    encoder = OnnxEncoder(last_bin_model(n_timesteps="t"))
    assert encoder.n_timesteps is None
    assert encoder.embed(np.ones((2, 9, 3), np.float32)).shape == (2, 3)


@pytest.mark.parametrize("shape", [(2, 5, 3), (2, 4, 2), (4, 3), (2, 4, 3, 1)])
def test_other_shapes_are_named(shape):
    with pytest.raises(ShapeError, match=r"trained with \(n, 4, 3\)"):
        OnnxEncoder(last_bin_model()).embed(np.zeros(shape, np.float32))


def test_a_damaged_model_is_one_line(tmp_path):
    model = last_bin_model()
    for bad in (b"", b"not a model", model[: len(model) // 2], tmp_path / "missing.onnx"):
        with pytest.raises(BundleError) as caught:
            OnnxEncoder(bad)
        assert "\n" not in str(caught.value)


def test_other_inputs_and_outputs_are_refused():
    with pytest.raises(BundleError, match="'windows' with 3 axes"):
        OnnxEncoder(last_bin_model(names=("x", "y")))
    with pytest.raises(BundleError, match="fixed embedding width"):
        OnnxEncoder(last_bin_model(n_channels="c", width="d"))


def test_the_model_of_this_test_is_valid():
    onnx.checker.check_model(last_bin_model())
