"""Changes in words: each figure worked out in the row that it stands in."""

from __future__ import annotations

import numpy as np
import pytest

from tests.explanation.stretches import compared
from traffic_siamese.baseline import learn_baseline
from traffic_siamese.explanation.comparison import compare
from traffic_siamese.explanation.phrases import change_phrase, unchanged_phrase
from traffic_siamese.explanation.vocabulary import protocol_of, subject
from traffic_siamese.feature_schema import Feature, FeatureSchema
from traffic_siamese.features.schema import FEATURE_NAMES

# Usual: 10 INVITEs, 2 REGISTERs, 9 answers 2xx and 1 busy, 8 calls, 40 packets each way, 24 ms.
CASES = {
    "503 share 0 % → 41 %": {"from_service_answer_overload": 7},  # 7 of 17
    "403 share 0 % → 100 %": {
        "from_service_answer_forbidden": 5,
        "from_service_answer_success": 0,
        "from_service_answer_user_unavailable": 0,
    },
    "busy (480/486) share 10 % → 31 %": {"from_service_answer_user_unavailable": 4},  # 4 of 13
    "3× more busy (480/486) answers (1 → 3/s)": {  # 3 of 30, as 1 of 10: the share tells nothing
        "from_service_answer_user_unavailable": 3,
        "from_service_answer_success": 27,
    },
    "INVITEs fell to a tenth (10 → 1/s)": {"to_service_request_session_start": 1},
    "INVITEs almost stopped (10 → 0.1/s)": {"to_service_request_session_start": 0.1},
    "INVITEs stopped (was 10/s)": {"to_service_request_session_start": 0},
    "3× more REGISTERs (2 → 6/s)": {"to_service_request_registration": 6},
    "answered calls fell to half (8 → 4/s)": {"from_service_started_sessions": 4},
    "5× more 2xx answers to INVITEs (8 → 40/s)": {"from_service_started_sessions": 40},
    "traffic from the service fell to a quarter (40 → 10 packets/s)": {"from_service_packets": 10},
    "bytes from the service fell to half (16 kB/s → 8 kB/s)": {"from_service_bytes": 8_000},
    "repeats from phones 0 → 83/s": {"to_service_repeats": 83},
    "repeats from the service 0 → 5/s": {"from_service_repeats": 5},
    "unanswered requests 0 % → 60 %": {"to_service_unanswered_t1": 6},
    "unanswered requests 0 → 12/s": {"to_service_unanswered_t1": 12},  # more than were sent
    "ICMP unreachable from the service 0 → 4/s": {"from_service_icmp_unreachable": 4},
    "silence from the service 0 % → 80 % of the time": {"from_service_idle_share": 0.8},
    "active phones 0 → 30": {"active_endpoints": 30},
    "phones' answers take 120 ms": {"from_service_first_answer_delay_median_s": 0.12},
    "slowest answers take 2 s": {"to_service_first_answer_delay_p95_s": 2},
    "BYEs from the service 0 → 3/s": {"from_service_request_session_end": 3},
    "503 answers from phones 0 → 3/s": {"to_service_answer_overload": 3},
}


@pytest.mark.parametrize(("text", "values"), CASES.items())
def test_a_change_is_told_with_its_figures(text: str, values: dict[str, float]) -> None:
    seen = compared(**values)
    column = seen.index(next(iter(values)))
    assert change_phrase(seen, column) == text


@pytest.mark.parametrize(
    ("delay_s", "text"),
    [
        (0.144, "answers 6× slower (24 ms → 144 ms)"),
        (1.2, "answers 50× slower (24 ms → 1.2 s)"),
        (0.012, "answers 2× faster (24 ms → 12 ms)"),
    ],
)
def test_delays_are_told_as_ratios(delay_s: float, text: str) -> None:
    name = "to_service_first_answer_delay_median_s"
    seen = compared(**{name: delay_s})
    assert change_phrase(seen, seen.index(name)) == text


def test_rates_are_told_per_second_whatever_the_bin() -> None:
    """Ten a bin of 5 s are two a second."""
    seen = compared(bin_s=5, to_service_request_session_start=100)
    column = seen.index("to_service_request_session_start")
    assert change_phrase(seen, column) == "10× more INVITEs (2 → 20/s)"


def test_what_comes_in_bursts_has_not_become_more() -> None:
    """Every other second twice as much: the mean is as usual, the mean logarithm is not."""
    name = "from_service_packets"
    usual = np.zeros((8, len(FEATURE_NAMES)), np.float32)
    usual[:, FEATURE_NAMES.index(name)] = 40
    bursts = usual * np.array([0, 2] * 4, np.float32)[:, None]
    seen = compare(bursts, learn_baseline(usual), compared().schema, protocol="sip")
    text = "traffic from the service in bursts (as much as usual)"
    assert change_phrase(seen, seen.index(name)) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("to_service_request_session_start", "INVITE rate unchanged"),
        ("to_service_request_keep_alive", "no OPTIONS"),
        ("to_service_new_transactions", "request rate unchanged"),
        ("to_service_first_answer_delay_median_s", "answer times unchanged"),
        ("from_service_first_answer_delay_p95_s", "phones' answer times unchanged"),
        ("to_service_repeats", "no repeats from phones"),
        ("from_service_answer_overload", "no 503 answers"),
        ("from_service_answer_user_unavailable", "busy (480/486) share unchanged"),
        ("from_service_answer_success", "2xx answers unchanged"),
        ("source_entropy_bits", "number of senders unchanged"),
    ],
)
def test_what_is_as_usual_is_told_as_that(name: str, text: str) -> None:
    seen = compared()
    assert unchanged_phrase(seen, seen.index(name)) == text


def test_without_a_protocol_of_its_own_the_words_fit_any() -> None:
    seen = compared(protocol="", from_service_answer_overload=10)
    column = seen.index("from_service_answer_overload")
    assert change_phrase(seen, column) == "overload share 0 % → 50 %"
    seen = compared(protocol="diameter", to_service_request_session_start=40)
    column = seen.index("to_service_request_session_start")
    assert change_phrase(seen, column) == "4× more session starts (10 → 40/s)"


@pytest.mark.parametrize("protocol", ["", "sip", "diameter"])
def test_every_feature_has_words(protocol: str) -> None:
    """Going up from nothing, falling to it, and staying; no feature's own name shows."""
    up = compared(protocol, **dict.fromkeys(FEATURE_NAMES, 1_000.0))
    down = compared(protocol, **dict.fromkeys(FEATURE_NAMES, 0.0))
    for column, name in enumerate(FEATURE_NAMES):
        for text in (
            change_phrase(up, column),
            change_phrase(down, column),
            unchanged_phrase(compared(protocol), column),
        ):
            assert text
            assert "_" not in text, name
            assert "service service" not in text


def test_columns_of_tables_keep_their_names() -> None:
    schema = FeatureSchema((Feature("rx_octets", "", "", kind="delta"),), is_table=True)
    usual = np.full((8, 1), 1_200, np.float32)
    baseline = learn_baseline(usual, schema)
    texts = [
        change_phrase(compare(usual * np.float32(factor), baseline, schema), 0)
        for factor in (3, 0.1, 1.2)
    ]
    assert texts == [
        "rx_octets 1,200 → 3,600 (3×)",
        "rx_octets 1,200 → 120 (a tenth)",
        "rx_octets 1,200 → 1,440",
    ]
    assert unchanged_phrase(compare(usual, baseline, schema), 0) == "rx_octets unchanged"


def test_a_protocol_counts_where_nearly_all_messages_are_its() -> None:
    assert protocol_of({"sip": 95, "dns": 5}) == "sip"
    assert protocol_of({"sip": 80, "dns": 20}) == ""
    assert protocol_of({}) == ""


def test_a_direction_is_said_where_it_is_not_the_usual_one() -> None:
    assert subject("to_service_request_session_start", "sip") == "INVITEs"
    assert subject("from_service_request_session_start", "sip") == "INVITEs from the service"
    assert subject("to_service_started_sessions", "sip") == "answered calls by phones"
    assert subject("to_service_packets", "") == "traffic from clients"
