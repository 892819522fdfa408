"""Columns of like elements, by rank: found by name, and the same whichever element is hit."""

from itertools import permutations

import numpy as np
import pytest

from traffic_siamese.feature_schema import Feature, FeatureSchema
from traffic_siamese.like_columns import by_rank, like_columns
from traffic_siamese.scaling import Scaler

NAMES = ("amf_cpu", "ausf_cpu", "udm_cpu", "calls", "amf_memory", "udm_memory", "amf_only")


def schema(names: tuple[str, ...] = NAMES, alike: tuple[str, ...] = ()) -> FeatureSchema:
    return FeatureSchema(
        tuple(Feature(name, "", "", kind="gauge") for name in names), True, alike=alike
    )


def test_columns_that_differ_by_an_element_alone_go_together() -> None:
    groups = like_columns(schema(alike=("amf", "ausf", "udm")))
    assert groups == ((0, 1, 2), (4, 5))
    assert like_columns(schema(alike=("amf", "udm"))) == ((0, 2), (4, 5))
    assert like_columns(schema()) == ()


@pytest.mark.parametrize(
    ("names", "alike", "groups"),
    [
        (("xin", "yin"), ("x", "y"), ()),  # a letter beside it: another word
        (("x1", "y1"), ("x", "y"), ()),
        (("node x/in", "node y/in"), ("x", "y"), ((0, 1),)),
        (("a.x.b", "a.y.b", "b.x.a"), ("x", "y"), ((0, 1),)),
        (("pod-1 cpu", "pod-10 cpu"), ("pod-1", "pod-10"), ((0, 1),)),
        (("x+ load", "y load"), ("x+", "y"), ((0, 1),)),  # no pattern, a name
    ],
)
def test_an_element_is_a_whole_word_of_the_name(
    names: tuple[str, ...], alike: tuple[str, ...], groups: tuple[tuple[int, ...], ...]
) -> None:
    assert like_columns(schema(names, alike)) == groups


def test_ranks_are_those_of_a_plain_sort() -> None:
    values = np.random.default_rng(0).normal(size=(3, 5, 7)).astype(np.float32)
    before = values.copy()
    ranked = by_rank(values, ((0, 1, 2), (4, 5)))
    for place in np.ndindex(3, 5):
        row = values[place].tolist()
        assert ranked[place][:3].tolist() == sorted(row[:3], reverse=True)
        assert ranked[place][4:6].tolist() == sorted(row[4:6], reverse=True)
        assert ranked[place][[3, 6]].tolist() == [row[3], row[6]]
    assert np.array_equal(values, before)
    assert ranked.dtype == values.dtype


def test_a_fault_gives_the_same_inputs_whichever_element_it_befalls() -> None:
    """Each element has a normal of its own; the fault doubles what is normal there."""
    names = ("amf_cpu", "ausf_cpu", "udm_cpu", "calls")
    mine = schema(names, ("amf", "ausf", "udm"))
    usual = np.array([10.0, 40.0, 90.0, 300.0], np.float32)
    baseline = np.stack([np.log1p(usual), np.full(4, 0.1)]).astype(np.float32)
    scaler = Scaler(np.zeros((1, 4), np.float32), np.ones((1, 4), np.float32), mine)
    found = []
    for hit in range(3):
        seen = np.tile(usual, (6, 1))
        seen[:, hit] = 2 * seen[:, hit] + 1  # 1 + value doubles: the same way in the logarithm
        found.append(scaler.inputs(seen, baseline))
    for one, other in permutations(found, 2):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert found[0][:, 0] == pytest.approx(np.log(2), rel=1e-5)
    apart = Scaler(scaler.center, scaler.scale, schema(names)).inputs(seen, baseline)
    assert apart[:, 2] == pytest.approx(np.log(2), rel=1e-5)


def test_the_elements_come_back_from_the_bundle() -> None:
    mine = schema(alike=("amf", "udm"))
    ones = np.ones((1, len(NAMES)), np.float32)
    assert Scaler.from_arrays(Scaler(ones, ones, mine).arrays()).schema.alike == ("amf", "udm")
    arrays = Scaler(ones, ones, mine).arrays()
    arrays.pop("column_alike")  # as bundles were written before
    assert Scaler.from_arrays(arrays).schema.alike == ()
