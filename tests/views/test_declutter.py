"""Names that do not cover one another."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from traffic_siamese.views.declutter import declutter

PLACES = st.lists(st.tuples(st.floats(0, 800), st.floats(0, 600)), min_size=1, max_size=12)


@given(PLACES)
def test_no_box_covers_another_and_all_are_inside(wanted: list[tuple[float, float]]) -> None:
    """Twelve names of 90 x 22 in a picture of 800 x 600, wherever they want to be."""
    sizes = np.tile([90.0, 22.0], (len(wanted), 1))
    places = declutter(np.array(wanted), sizes, 800, 600)
    low, high = places - sizes / 2, places + sizes / 2
    assert (low >= 0).all()
    assert (high <= [800, 600]).all()
    for one in range(len(wanted)):
        for two in range(one):
            apart = (low[one] >= high[two] - 1e-6) | (low[two] >= high[one] - 1e-6)
            assert apart.any()


def test_boxes_with_room_stay_where_they_want_to_be() -> None:
    wanted = np.array([[100.0, 100], [300, 100], [100, 200]])
    places = declutter(wanted, np.tile([90.0, 22.0], (3, 1)), 800, 600)
    np.testing.assert_allclose(places, wanted)


def test_no_boxes_are_no_trouble() -> None:
    assert declutter(np.empty((0, 2)), np.empty((0, 2)), 800, 600).shape == (0, 2)
