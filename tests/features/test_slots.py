"""The slots of Python and of the native kernel are the same, in the same order."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path

import numpy as np
import pytest

from traffic_siamese import native
from traffic_siamese.features.batches import MESSAGE, PACKET
from traffic_siamese.features.counting import COUNTED, SUMS
from traffic_siamese.features.schema import COUNTER_INDEX, FEATURE_NAMES, FEATURES
from traffic_siamese.features.slots import ANSWER_CLASSES, NONE, REQUEST_KINDS
from traffic_siamese.native import kernel

HEADER = (Path(native.__file__).parent / "message.h").read_text()
COUNTING = (Path(native.__file__).parent / "counting.h").read_text()


@pytest.mark.parametrize(
    ("enum", "prefix", "slots"),
    [
        ("request_kind", "REQUEST_", REQUEST_KINDS),
        ("answer_class", "ANSWER_", ANSWER_CLASSES),
    ],
)
def test_slots_stand_in_the_order_of_the_header(
    enum: str, prefix: str, slots: tuple[str, ...]
) -> None:
    body = re.search(rf"enum {enum} {{(.*?)}}", HEADER, re.DOTALL)
    assert body
    *names, none = [name.strip() for name in body[1].split(",")]
    assert tuple(name.removeprefix(prefix).lower() for name in names) == slots
    assert none.endswith(f"= {NONE}")


def test_feature_names_are_unique_and_floors_positive() -> None:
    assert len(set(FEATURE_NAMES)) == len(FEATURE_NAMES)
    assert all(feature.floor > 0 for feature in FEATURES)


def test_the_kernel_counts_in_the_order_of_its_header() -> None:
    """One place each for what is no slot; kinds and classes follow in the order of the slots."""
    body = re.sub(r"/\*.*?\*/", "", re.search(r"enum counted {(.*?)}", COUNTING, re.DOTALL)[1])
    names = [
        name.split("=")[0].strip().removeprefix("COUNTED_").lower() for name in body.split(",")
    ]
    assert names == [*COUNTED[: len(names) - 2], "requests", "answers"]
    slots = [*(f"request_{k}" for k in REQUEST_KINDS), *(f"answer_{k}" for k in ANSWER_CLASSES)]
    assert [*COUNTED[len(names) - 2 :]] == slots


def test_every_counter_is_counted_once() -> None:
    """By the kernel, as a sum, or when a request's patience runs out."""
    waited = ("unanswered_t1", "unanswered_4s")
    assert sorted((*COUNTED, *SUMS, *waited)) == sorted(COUNTER_INDEX)


@pytest.mark.parametrize(("row", "name"), [(PACKET, "packet"), (MESSAGE, "message")])
def test_rows_have_the_size_that_the_kernel_expects(row: np.dtype, name: str) -> None:
    size_of = getattr(kernel, f"ts_{name}_row_bytes")
    size_of.restype = ctypes.c_uint64
    assert row.itemsize == size_of()
