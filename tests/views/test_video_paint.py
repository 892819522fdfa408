"""How a video's pictures are painted, against slow loops and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.views.conftest import make_history
from tests.views.test_film_data import examples
from traffic_siamese.views.colours import label_colour
from traffic_siamese.views.film import draw_runs
from traffic_siamese.views.film_data import ADDED, HELD_OUT, PROTOTYPE
from traffic_siamese.views.film_run import FilmRun
from traffic_siamese.views.video_camera import camera_at
from traffic_siamese.views.video_ink import rgb
from traffic_siamese.views.video_picture import VideoPicture
from traffic_siamese.views.video_points import OUTLINE, paint_points
from traffic_siamese.views.video_time import (
    newest_label,
    places_at,
    settled_labels,
    timing_of,
)


def painted_slowly(
    shape: tuple[int, int], places: np.ndarray, colour: np.ndarray, kind: np.ndarray, radius: float
) -> np.ndarray:
    """Paint point by point, the farthest first, asking every pixel."""
    picture = np.zeros(shape, np.uint8)
    mean = places[:, 2].mean()
    for point in sorted(range(len(places)), key=lambda k: -places[k, 2]):
        across, down, away = places[point]
        size = round(4 * radius * (2.2 if kind[point] >= PROTOTYPE else 1) * mean / away) / 4
        for row in range(shape[0]):
            for column in range(shape[1]):
                dx, dy = column - round(across), row - round(down)
                if kind[point] >= PROTOTYPE:
                    inside = (size - abs(dx) - abs(dy)) / math.sqrt(2)
                    value = OUTLINE if inside < 2 else colour[point]
                else:
                    inside = size - math.hypot(dx, dy)
                    hollow = kind[point] == HELD_OUT and inside > 0.42 * size
                    value = 0 if hollow else colour[point]
                if inside > 0 and value:
                    picture[row, column] = value
    return picture


def test_points_are_painted_as_in_a_slow_loop() -> None:
    """Discs, rings and diamonds, over one another and over the edge."""
    rng = np.random.default_rng(2)
    places = np.stack(
        [rng.uniform(-5, 65, 40), rng.uniform(-5, 45, 40), rng.uniform(1.5, 2.5, 40)], axis=1
    )
    colour, kind = rng.integers(1, 9, 40), rng.integers(0, 4, 40)
    picture = np.zeros((40, 60), np.uint8)
    paint_points(picture, places, colour=colour, kind=kind, radius=4.0)
    assert np.array_equal(picture, painted_slowly((40, 60), places, colour, kind, 4.0))
    assert set(np.unique(picture)) >= {0, OUTLINE}


def test_points_that_are_not_there_yet_are_not_painted() -> None:
    picture = np.zeros((9, 9), np.uint8)
    nowhere = np.full((2, 3), np.nan)
    paint_points(picture, nowhere, colour=np.array([1, 2]), kind=np.array([0, ADDED]), radius=3.0)
    assert not picture.any()


def test_the_camera_sees_as_a_pinhole_does() -> None:
    """From the middle of the rotation: a point on the line to the eye stays where it is seen."""
    camera = camera_at(0.5, 800, 600)
    assert np.allclose(camera.turn @ camera.turn.T, np.eye(3))
    point = np.array([0.3, 0.6, 0.2])
    halfway = (point + camera.eye + 0.5) / 2  # in the cube's own coordinates
    seen = camera.project(np.stack([point, halfway]))
    assert np.allclose(seen[0, :2], seen[1, :2])
    assert np.allclose(seen[0, 2], 2 * seen[1, 2])
    up = camera.project(np.array([[0.5, 0.5, 0.0], [0.5, 0.5, 1.0]]))
    assert up[1, 1] < up[0, 1]
    assert np.allclose(up[:, 0], 400)


@pytest.mark.parametrize("size", [(838, 628), (608, 464)])
def test_the_cube_is_never_cut_off(size: tuple[int, int]) -> None:
    """Its corners are inside the picture all the way around."""
    corners = np.array([[k & 1, k >> 1 & 1, k >> 2 & 1] for k in range(8)], np.float64)
    for share in np.linspace(0, 1, 21):
        seen = camera_at(share, *size).project(corners)[:, :2]
        assert (seen > 0).all()
        assert (seen < size).all()


def test_points_are_where_they_are_between_two_epochs() -> None:
    """Each coordinate on the straight line between its epochs; added faults after the last."""
    run = FilmRun(make_history(12, 6), added=examples("new"))
    drawn = draw_runs(run)[0]
    timing = timing_of([drawn])
    assert timing.training_s == pytest.approx(3)  # two epochs a second
    for time_s in (0.0, 0.8, 1.9, 3.1):
        epoch = min(max((time_s - 0.8) * 2, 0), 6)
        assert timing.epoch(time_s) == pytest.approx(epoch)
        here = places_at(drawn, timing, time_s)
        for row, at in enumerate(drawn.rows):
            path = run.history.embeddings[:, at]
            wanted = [np.interp(epoch, np.arange(7), path[:, axis]) for axis in range(3)]
            assert here[row] == pytest.approx(wanted, abs=1e-6)
        assert np.isnan(here[-1]).all()
    assert newest_label(drawn, timing, 3.7) is None
    assert newest_label(drawn, timing, 4.0) == "new"
    assert places_at(drawn, timing, 4.0)[-1, 2] > drawn.added[0, 2]  # it comes from above
    np.testing.assert_allclose(places_at(drawn, timing, timing.total_s)[-1], drawn.added[0])


def test_spheres_wait_until_their_examples_rest() -> None:
    """None in training; then the trained labels'; at the end the added ones' too."""
    run = FilmRun(make_history(), added=examples("new"), pooled_radius=0.1)
    drawn = draw_runs(run)[0]
    timing = timing_of([drawn])
    trained = {"normal", "blocked", "capacity", "flood"}
    over_s = timing.total_s - timing.entering_s - 1.6
    assert settled_labels(drawn, timing, over_s - 0.1) == []
    assert set(settled_labels(drawn, timing, over_s + 0.1)) == trained
    assert set(settled_labels(drawn, timing, timing.total_s)) == {*trained, "new"}


def colours_in(picture: object) -> dict[tuple[int, int, int], int]:
    """Count a picture's pixels by colour."""
    pixels = np.asarray(picture).reshape(-1, 3)
    found, counts = np.unique(pixels, axis=0, return_counts=True)
    return {
        tuple(colour): int(n) for colour, n in zip(found.tolist(), counts.tolist(), strict=True)
    }


def test_a_picture_shows_each_label_and_changes_with_time() -> None:
    """1280 x 720; every label's colour inside the cube, an added one only at the end."""
    run = FilmRun(make_history(200), added=examples("new"), pooled_radius=0.08)
    drawn = draw_runs(run)
    timing = timing_of(drawn)
    picture = VideoPicture(drawn, timing, "A title that is long enough to be worth reading")
    first, last = picture.paint(0.0), picture.paint(timing.total_s)
    assert first.size == (1280, 720)
    assert np.abs(np.asarray(first).astype(int) - np.asarray(last)).max() > 100
    stage = (21, 71, 859, 699)
    for name in ("normal", "blocked", "capacity", "flood", "new"):
        there = [colours_in(p.crop(stage)).get(rgb(label_colour(name)), 0) for p in (first, last)]
        assert there[1] > 20
        assert (there[0] > 20) == (name != "new")


def test_two_trainings_stand_side_by_side() -> None:
    """A label that only one of them knows is seen on its side alone."""
    left = FilmRun(make_history(80, labels=("normal", "blocked")), name="triplet")
    right = FilmRun(make_history(80, 3, labels=("normal", "capacity")), name="lossless")
    drawn = draw_runs([left, right])
    timing = timing_of(drawn)
    assert timing.n_epochs == 6
    picture = VideoPicture(drawn, timing, "Two").paint(timing.total_s)
    halves = [colours_in(picture.crop((21 + at, 71, 629 + at, 535))) for at in (0, 630)]
    for name, sides in (("normal", (1, 1)), ("blocked", (1, 0)), ("capacity", (0, 1))):
        found = [half.get(rgb(label_colour(name)), 0) > 20 for half in halves]
        assert found == [bool(side) for side in sides]


def test_more_labels_than_colour_numbers_are_painted() -> None:
    """Three hundred labels: numbers come round again; forty of them are named."""
    names = tuple(f"fault{k:03}" for k in range(300))
    drawn = draw_runs(FilmRun(make_history(300, 1, labels=names)))
    picture = VideoPicture(drawn, timing_of(drawn), "Many").paint(0.0)
    assert picture.size == (1280, 720)
