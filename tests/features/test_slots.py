"""The slots of Python and of the native kernel are the same, in the same order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from traffic_siamese import native
from traffic_siamese.features.schema import FEATURE_NAMES, FEATURES
from traffic_siamese.features.slots import ANSWER_CLASSES, NONE, REQUEST_KINDS

HEADER = (Path(native.__file__).parent / "sip.h").read_text()


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
