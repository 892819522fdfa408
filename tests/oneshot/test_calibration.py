"""Radii, temperature and verdicts on geometry where the answer is known."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traffic_siamese.errors import BundleError, LibraryError
from traffic_siamese.oneshot.calibrate import calibrate
from traffic_siamese.oneshot.calibration import LEVELS, Calibration
from traffic_siamese.oneshot.forecast import confusion_forecast
from traffic_siamese.oneshot.recognition import recognise
from traffic_siamese.oneshot.tail import NormalTail, SpanTail

PROTOTYPES = np.array([[0.0, 0.0], [1.0, 0.0]], np.float32)
LABELS = np.array(["blocked", "normal"])
CALIBRATION = Calibration({"blocked": 0.2}, 0.4, 0.05)


def on_axis(*positions):
    return np.array([[x, 0.0] for x in positions], np.float32)


def test_radius_is_the_conformal_rank():
    """Of 99 distances 0.01 ... 0.99, the ceil(100 x 0.9) = 90th smallest."""
    windows = on_axis(*(np.arange(1, 100) / 100))
    found = calibrate(
        windows, np.full(99, "a"), on_axis(0), np.array(["a"]), false_unknown_share=0.1
    )
    assert found.radii["a"] == pytest.approx(0.90)
    assert found.pooled_radius == pytest.approx(0.90)


def test_fresh_windows_are_unknown_as_seldom_as_promised():
    """Averaged over many calibrations from 50 windows: beyond the 46th of 50, so 5 / 51."""
    rng = np.random.default_rng(3)
    shares = []
    for _ in range(300):
        seen = rng.normal(0, 0.1, (50, 2)).astype(np.float32)
        fresh = rng.normal(0, 0.1, (500, 2))
        labels = np.full(50, "a")
        radius = calibrate(
            seen, labels, on_axis(0), np.array(["a"]), false_unknown_share=0.1
        ).radii["a"]
        shares.append(np.mean(np.hypot(*fresh.T) > radius))
    assert np.mean(shares) == pytest.approx(5 / 51, abs=0.008)  # three standard errors


def test_rare_labels_share_the_pooled_radius():
    """Of 29 windows nothing is learned alone; the common label gives the reach."""
    rng = np.random.default_rng(0)
    windows = np.concatenate([rng.normal(0, 0.1, (200, 2)), rng.normal(1, 0.01, (29, 2))])
    labels = np.repeat(["common", "rare"], [200, 29])
    found = calibrate(
        windows.astype(np.float32),
        labels,
        np.eye(2, dtype=np.float32),
        np.array(["common", "rare"]),
    )
    assert list(found.radii) == ["common"]
    assert found.radius_of(np.array(["rare", "new"])).tolist() == [found.pooled_radius] * 2


def test_pooled_radius_is_that_of_a_lone_example():
    """Prototypes at both ends: each window is near one of them, but up to 1 from any."""
    windows = on_axis(*np.linspace(0, 1, 101))
    found = calibrate(
        windows, np.full(101, "a"), on_axis(0, 1), np.array(["a", "a"]), false_unknown_share=0.01
    )
    assert found.radii["a"] == pytest.approx(0.5)
    assert found.pooled_radius == pytest.approx(1.0, abs=0.02)


def test_radius_has_a_floor():
    found = calibrate(on_axis(*[0.0] * 40), np.full(40, "a"), on_axis(0), np.array(["a"]))
    assert found.radii["a"] == 0.05


def test_temperature_maximises_the_likelihood():
    """Against a fine grid over the same smoothed, label-balanced likelihood."""
    rng = np.random.default_rng(5)
    windows = np.concatenate([rng.normal(0, 0.4, (60, 2)), rng.normal([1, 0], 0.4, (20, 2))])
    labels = np.repeat(["blocked", "normal"], [60, 20])
    found = calibrate(windows.astype(np.float32), labels, PROTOTYPES, LABELS).temperature
    own = (labels == "normal").astype(int)

    def loss(temperature):
        total, smoothing = 0.0, 1 / 82
        for window, label in zip(windows, own, strict=True):
            squared = [sum((window - p) ** 2) for p in PROTOTYPES.astype(float)]
            powers = np.exp(-np.array(squared) / temperature)
            log_share = np.log(powers / powers.sum())
            term = (1 - smoothing) * log_share[label] + smoothing * log_share[1 - label]
            total -= term / (60, 20)[label]
        return total

    grid = np.geomspace(found / 3, found * 3, 61)
    assert abs(np.argmin([loss(t) for t in grid]) - 30) <= 1


def test_flawless_windows_do_not_make_it_sure_without_limit():
    labels = np.repeat(LABELS, 40)
    found = calibrate(np.repeat(PROTOTYPES, 40, axis=0), labels, PROTOTYPES, LABELS)
    share = 1 / (1 + np.exp(-1 / found.temperature))
    assert share == pytest.approx(1 - 1 / 82, abs=1e-3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"false_unknown_share": 0.0}, "share is 0.0"), ({"min_radius": 0.0}, "min_radius is 0.0")],
)
def test_settings_out_of_range(settings, message):
    with pytest.raises(ValueError, match=message):
        calibrate(PROTOTYPES, LABELS, PROTOTYPES, LABELS, **settings)


def test_wants_windows_and_prototypes_for_them():
    with pytest.raises(ValueError, match="got 0 windows"):
        calibrate(PROTOTYPES[:0], LABELS[:0], PROTOTYPES, LABELS)
    with pytest.raises(ValueError, match="have no prototype"):
        calibrate(PROTOTYPES, np.array(["blocked", "flood"]), PROTOTYPES, LABELS)


@given(
    st.dictionaries(st.text(max_size=8), st.floats(1e-6, 10), max_size=4),
    st.floats(1e-6, 10),
    st.floats(1e-6, 10),
)
def test_survives_json(radii, pooled, temperature):
    calibration = Calibration(radii, pooled, temperature)
    assert Calibration.from_json(json.loads(json.dumps(calibration.to_json()))) == calibration


@pytest.mark.parametrize(
    "change",
    [{"temperature": 0}, {"pooled_radius": None}, {"radii": {"a": -1}}, {"radii": []}],
)
def test_malformed_json_is_refused(change):
    with pytest.raises(BundleError, match="calibration: found"):
        Calibration.from_json({**CALIBRATION.to_json(), **change})


def test_missing_and_wrong_json_are_refused():
    for data in ({}, [], None, "text"):
        with pytest.raises(BundleError, match="Train the model again"):
            Calibration.from_json(data)


def test_verdicts_on_a_line():
    """Radius of blocked 0.2, of normal 0.4 (pooled)."""
    found = recognise(on_axis(0.1, 0.3, 0.65, -0.4), PROTOTYPES, LABELS, CALIBRATION)
    assert found.label.tolist() == ["blocked", "unknown", "normal", "unknown"]
    assert found.second_label.tolist() == ["normal", "blocked", "blocked", "blocked"]
    np.testing.assert_allclose(found.distance, [0.1, 0.3, 0.35, 0.4], atol=1e-6)
    np.testing.assert_allclose(found.second_distance, [0.9, 0.3, 0.65, 0.4], atol=1e-6)


def test_confidence_follows_its_formula():
    """P at half a radius, p / 2 at the radius; for unknown half of the radii, at most 1."""
    found = recognise(on_axis(0.1, 0.19999, 0.21, 0.3, -0.9), PROTOTYPES, LABELS, CALIBRATION)

    def share(x):
        return 1 / (1 + np.exp((x**2 - (1 - x) ** 2) / 0.05))

    expected = [share(0.1), share(0.2) / 2, 0.525, 0.75, 1.0]
    np.testing.assert_allclose(found.confidence, expected, rtol=1e-3)


def test_one_label_has_no_runner_up():
    found = recognise(on_axis(0.1, 5.0), PROTOTYPES[:1], LABELS[:1], CALIBRATION)
    assert found.label.tolist() == ["blocked", "unknown"]
    assert found.second_label.tolist() == ["", "blocked"]
    np.testing.assert_allclose(found.second_distance, [np.nan, 5.0])


def test_nan_is_unknown_without_confidence():
    with np.errstate(invalid="ignore"):
        found = recognise(on_axis(np.nan), PROTOTYPES, LABELS, CALIBRATION)
    assert found.label.tolist() == ["unknown"]
    assert found.confidence.tolist() == [0.0]


def test_no_windows_give_no_verdicts():
    assert len(recognise(on_axis()[:0].reshape(0, 2), PROTOTYPES, LABELS, CALIBRATION).label) == 0


def test_an_empty_library_is_an_error():
    with pytest.raises(LibraryError, match="no examples"):
        recognise(on_axis(0.1), PROTOTYPES[:0], LABELS[:0], CALIBRATION)


def test_forecast_of_a_distant_fault_promises_little_confusion():
    found = confusion_forecast(on_axis(3.0), PROTOTYPES, LABELS, CALIBRATION)
    assert found.nearest_label == "normal"
    assert found.separation == pytest.approx(2.0 / 0.4)
    assert found.shares["normal"] < 1e-6
    assert found.words().startswith("Well apart from its nearest, 'normal': 2.000 away")


def test_forecast_of_an_overlapping_fault_warns():
    """At the place of a known example, that one takes more than half: 1 / (1 + exp(-0.04 / T))."""
    found = confusion_forecast(on_axis(0.0), PROTOTYPES, LABELS, CALIBRATION)
    assert found.separation == 0
    assert found.shares["blocked"] == pytest.approx(1 / (1 + np.exp(-0.04 / 0.05)), abs=1e-3)
    assert found.words().startswith("Will often be confused with 'blocked'")


def test_forecast_counts_the_spread_of_the_example():
    """Windows of one example far from each other are nearer to a known fault than to a fellow."""
    found = confusion_forecast(on_axis(0.3, 9.0), PROTOTYPES, LABELS, CALIBRATION)
    assert found.shares["blocked"] > 0.45


def test_forecast_without_known_faults():
    found = confusion_forecast(on_axis(0.0), PROTOTYPES[:0], LABELS[:0], CALIBRATION)
    assert found.shares == {}
    assert "Nothing else is known" in found.words()
    with pytest.raises(ValueError, match="got 0 windows"):
        confusion_forecast(PROTOTYPES[:0], PROTOTYPES, LABELS, CALIBRATION)


def exponential(n=2000, seed=0):
    """Windows whose distance to the example at 0 is exponential, mean 0.1, and to another far."""
    rng = np.random.default_rng(seed)
    return on_axis(*-rng.exponential(0.1, n))


def test_p_values_are_the_share_of_windows_farther_away():
    """Against the exact survival function; interpolation errs by little."""
    found = calibrate(exponential(), np.full(2000, "blocked"), PROTOTYPES, LABELS, min_radius=1e-9)
    distances = np.array([0.01, 0.05, 0.1, 0.2, 0.3, 0.4], np.float32)
    p_values = found.p_value(distances, np.full(6, "blocked"))
    np.testing.assert_allclose(p_values, np.exp(-distances / 0.1), rtol=0.25)
    assert found.p_value(np.array([0.0, 9.0]), LABELS[[0, 0]]).tolist() == pytest.approx(
        [1, LEVELS[-1]]
    )
    assert np.isnan(found.p_value(np.array([np.nan]), LABELS[:1])[0])


def test_p_values_of_fresh_windows_are_evenly_spread():
    """Of windows never seen, the share with p below any level is the level, as long as it holds."""
    found = calibrate(exponential(), np.full(2000, "blocked"), PROTOTYPES, LABELS, min_radius=1e-9)
    fresh = recognise(exponential(seed=1), PROTOTYPES, LABELS, found).p_value
    for level in (0.5, 0.2, 0.05, 0.01):
        assert np.mean(fresh < level) == pytest.approx(level, abs=4 * np.sqrt(level / 2000))


@given(
    distance=st.floats(0, 3, width=32),
    share=st.sampled_from([0.001, 0.01, 0.03, 0.2]),
    least=st.floats(0.01, 1),
    label=st.sampled_from(["blocked", "normal", "new"]),
)
def test_unknown_is_a_p_value_below_the_share(distance, share, least, label):
    """For labels with a radius of their own and without, and in models that know it alone."""
    found = calibrate(
        exponential(200), np.full(200, "blocked"), PROTOTYPES, LABELS,
        false_unknown_share=share, min_radius=least,
    )  # fmt: skip
    for calibration in (found, replace(found, reaches={})):
        windows, here = on_axis(-distance), np.array([label])
        seen = recognise(windows, PROTOTYPES[:1], here, calibration)
        assert (seen.p_value[0] < share) == (seen.label[0] == "unknown")
        farther = calibration.p_value(np.array([distance, distance + 0.1]), np.repeat(here, 2))
        assert 1 >= farther[0] >= farther[1] > 0


def test_a_callable_least_radius_is_asked_for_every_share():
    found = calibrate(
        on_axis(*[0.0] * 40),
        np.full(40, "a"),
        on_axis(0),
        np.array(["a"]),
        min_radius=lambda p: 1 - p,
    )
    assert found.radii["a"] == found.pooled_radius == 0.99
    assert found.reaches["a"] == found.reaches[""] == tuple(1 - p for p in LEVELS)


def test_reaches_and_the_tail_survive_json():
    tail = NormalTail(2, 3.5, (SpanTail(1, 0.3, 400.0, 0.05, 0.1),))
    found = calibrate(exponential(), np.full(2000, "blocked"), PROTOTYPES, LABELS)
    found = replace(found, normal_tail=tail)
    plain = json.loads(json.dumps(found.to_json()))
    assert Calibration.from_json(plain) == found
    del plain["reaches"], plain["normal_tail"]  # as older versions wrote it
    assert Calibration.from_json(plain) == replace(found, reaches={}, normal_tail=None)
    for reach in ([0.1], [0.2] * 7 + [0.1], [0] * 8):
        with pytest.raises(BundleError, match="calibration: found"):
            Calibration.from_json({**plain, "reaches": {"a": reach}})


def test_a_window_is_ambiguous_where_two_labels_are_nearly_as_likely():
    """Squared distances that differ by less than temperature x ln 2; never beyond the radius."""
    edge = (1 - 0.05 * np.log(2)) / 2  # x^2 - (1 - x)^2 = 2 x - 1
    calibration = Calibration({}, 0.6, 0.05)
    places = on_axis(edge - 0.001, edge + 0.001, 0.5, 1 - edge + 0.001, -0.7)
    found = recognise(places, PROTOTYPES, LABELS, calibration)
    assert found.ambiguous.tolist() == [False, True, True, False, False]
    assert not recognise(on_axis(0.5), PROTOTYPES[:1], LABELS[:1], calibration).ambiguous[0]


def test_the_distance_to_normal_is_there_whatever_the_label():
    found = recognise(on_axis(0.1, 0.8, 5.0), PROTOTYPES, LABELS, CALIBRATION)
    np.testing.assert_allclose(found.normal_distance, [0.9, 0.2, 4.0], rtol=1e-6)
    alone = recognise(on_axis(0.1), PROTOTYPES[:1], LABELS[:1], CALIBRATION)
    assert np.isnan(alone.normal_distance[0])


def test_a_renamed_label_keeps_its_radius_and_its_p_values():
    found = calibrate(exponential(), np.full(2000, "blocked"), PROTOTYPES, LABELS)
    renamed = found.renamed("blocked", "cut off")
    distances, labels = np.array([0.05, 0.3]), np.array(["blocked", "blocked"])
    same = renamed.p_value(distances, np.array(["cut off", "cut off"]))
    assert same.tolist() == found.p_value(distances, labels).tolist()
    assert list(renamed.radii) == ["cut off"]
