"""S1AP and NGAP as slots, against tables of the specifications and against tshark."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests import builders as b
from tests.features import ran
from tests.features.gathered import damaged, gather, slots
from tests.features.ran import INITIATING, NGAP, S1AP, SUCCESSFUL, UNSUCCESSFUL, Dialect
from tests.features.sip import read, totals

BOTH = pytest.mark.parametrize("dialect", [S1AP, NGAP], ids=lambda dialect: dialect.name)
NEEDS_TSHARK = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
PUBLIC = Path(os.environ.get("TRAFFIC_SIAMESE_PUBLIC_CAPTURES", "no-such-folder"))
RECORDED = sorted((PUBLIC / "open5gs").glob("*.pcapng"))
HALVES = {("nonipsec_reg", "s1ap"): 1}
"""Messages whose second SCTP fragment is not in the file."""

ANSWERED = {  # TS 36.413 table 8.1-1, TS 38.413 table 8.1-1, as far as a version of them goes
    "s1ap": {0, 1, 3, 4, 5, 6, 7, 9, 14, 17, 21, 23, 29, 30, 36, 43, 48, 50, 53, 55, 56, 63},
    "ngap": {0, 10, 12, 13, 14, 20, 21, 25, 26, 27, 28, 29, 32, 35, 40, 41, 43, 51, 58, 59, 60}
    | set(range(66, 74)),
}
KINDS = {
    "s1ap": {4: "cancel", 5: "session_start", 7: "session_end", 9: "session_start"}
    | {23: "session_end", 10: "message", 13: "message"},
    "ngap": {10: "cancel", 28: "session_end", 29: "session_start", 41: "session_end"}
    | {24: "message", 46: "message"},
}
CONTEXT_SETUP = {"s1ap": 9, "ngap": 14}
TO_PHONE = {"s1ap": 11, "ngap": 4}
FIRST = {"s1ap": 12, "ngap": 15}
ERROR = {"s1ap": 15, "ngap": 9}
OVERLOAD = {"s1ap": 34, "ngap": 22}
LAST = {"s1ap": 63, "ngap": 75}

# TS 24.301 and TS 24.501: plain messages.
ATTACH = {"s1ap": b"\x07\x41\x71\x08", "ngap": b"\x7e\x00\x41\x79\x00"}
SERVICE = {"s1ap": b"\xc7\x00\x12\x34", "ngap": b"\x7e\x00\x4c\x10"}
ASK_IDENTITY = {"s1ap": b"\x07\x55\x01", "ngap": b"\x7e\x00\x5b\x01"}
CHALLENGE = {"s1ap": b"\x07\x52\x00", "ngap": b"\x7e\x00\x56\x00"}
REJECT = {"s1ap": b"\x07\x44", "ngap": b"\x7e\x00\x44"}


def sealed(dialect: Dialect, nas: bytes, *, ciphered: bool) -> bytes:
    """Return a message with a security header in front."""
    head = b"\x27" if dialect is S1AP else b"\x7e\x02"
    if not ciphered:
        head = b"\x17" if dialect is S1AP else b"\x7e\x01"
    return head + b"\xaa\xbb\xcc\xdd\x05" + (bytes(b ^ 0x5A for b in nas) if ciphered else nas)


def expected_slot(dialect: Dialect, choice: int, code: int) -> list[str]:
    """Name what a message without elements counts as; the classes without a cause."""
    name = dialect.name
    if choice != INITIATING:
        return ["answer_success" if choice == SUCCESSFUL else "answer_other_server_error"]
    if code in (TO_PHONE[name], ERROR[name], OVERLOAD[name]):
        names = {TO_PHONE[name]: "provisional", OVERLOAD[name]: "overload"}
        return [f"answer_{names.get(code, 'other_server_error')}"]
    accepted = ["answer_success"] if code == CONTEXT_SETUP[name] else []
    return [f"request_{KINDS[name].get(code, 'other')}", *accepted]


def write(tmp_path: Path, packets: list[b.Packet]) -> Path:
    """Write a capture."""
    path = tmp_path / "ran.pcap"
    path.write_bytes(b.pcap(packets, magic=b.NANOSECONDS))
    return path


@BOTH
def test_procedures_are_kinds_and_outcomes_are_classes(tmp_path: Path, dialect: Dialect) -> None:
    """Each procedure, started and ended both ways, counts as the specification's table says."""
    association, expected = ran.Association(dialect), Counter[str]()
    for code in range(LAST[dialect.name] + 1):
        for choice in (INITIATING, SUCCESSFUL, UNSUCCESSFUL):
            association.send(choice > 0, ran.message(dialect, choice, code, core=7, ran=9))
            expected.update(expected_slot(dialect, choice, code))
    path = write(tmp_path, association.packets)
    assert slots(path, dialect.name) == expected
    messages = gather(path)
    asks = messages["request_kind"] != 255
    one_way = int(messages["is_one_way"][asks].sum())
    answered = ANSWERED[dialect.name] | {FIRST[dialect.name]}
    assert int(asks.sum()) - one_way == len(answered)


@BOTH
@pytest.mark.parametrize(
    ("nas", "cause", "slot"),
    [
        (ASK_IDENTITY, b"", "provisional"),
        (CHALLENGE, b"", "challenge"),
        (REJECT, b"\x03", "forbidden"),
        (REJECT, b"\x0b", "forbidden"),
        (REJECT, b"\x09", "not_found"),
        (REJECT, b"\x16", "overload"),
        (REJECT, b"\x6f", "bad_request"),
    ],
)
def test_what_the_core_tells_a_phone_answers_it(
    tmp_path: Path, dialect: Dialect, nas: dict[str, bytes], cause: bytes, slot: str
) -> None:
    """A phone registers; the core's plain or sealed answer has a class, and is in time."""
    association, told = ran.Association(dialect), nas[dialect.name] + cause
    first, name = FIRST[dialect.name], dialect.name
    association.send(0, ran.message(dialect, INITIATING, first, ran=9, nas=ATTACH[name]))
    association.send(0, ran.message(dialect, INITIATING, first, ran=8, nas=SERVICE[name]), 0.01)
    for phone, text in ((9, told), (8, sealed(dialect, told, ciphered=False))):
        down = ran.message(dialect, INITIATING, TO_PHONE[name], core=5, ran=phone, nas=text)
        association.send(1, down, 0.1)
    association.send(0, ran.message(dialect, INITIATING, ERROR[name], ran=9), 9)
    log = read(write(tmp_path, []), association.packets)
    found = totals(log)
    assert found["to_service_request_registration"] == 1
    assert found["to_service_request_other"] == 1
    assert found[f"from_service_answer_{slot}"] == 2
    assert "to_service_unanswered_t1" not in found


@BOTH
def test_a_phone_nobody_answers_is_seen(tmp_path: Path, dialect: Dialect) -> None:
    """Of three phones one is accepted at once, one is told something ciphered, one nothing."""
    association, name = ran.Association(dialect), dialect.name
    for phone in (1, 2, 3):
        first = ran.message(dialect, INITIATING, FIRST[name], ran=phone, nas=ATTACH[name])
        association.send(0, first)
    setup = CONTEXT_SETUP[name]
    association.send(1, ran.message(dialect, INITIATING, setup, core=11, ran=1), 0.1)
    association.send(0, ran.message(dialect, SUCCESSFUL, setup, core=11, ran=1), 0.2)
    ciphered = sealed(dialect, CHALLENGE[name], ciphered=True)
    down = ran.message(dialect, INITIATING, TO_PHONE[name], core=12, ran=2, nas=ciphered)
    association.send(1, down, 0.1)
    association.send(0, ran.message(dialect, INITIATING, ERROR[name]), 9)
    found = totals(read(write(tmp_path, []), association.packets))
    assert found["to_service_unanswered_t1"] == 1
    assert found["from_service_answer_provisional"] == 1
    assert found["from_service_answer_success"] == 1


@BOTH
def test_sessions_last_from_setup_to_release(tmp_path: Path, dialect: Dialect) -> None:
    """A bearer or PDU session is set up at 0.1 s; the phone's context is released at 6 s."""
    association = ran.Association(dialect)
    setup, release = (5, 23) if dialect is S1AP else (29, 41)
    pair = (99 if dialect is S1AP else 114, _pair(dialect, 70000, 3))
    association.send(1, ran.message(dialect, INITIATING, setup, core=70000, ran=3))
    association.send(0, ran.message(dialect, SUCCESSFUL, setup, core=70000, ran=3), 0.1)
    association.send(1, ran.message(dialect, INITIATING, release, more=[pair]), 6)
    association.send(0, ran.message(dialect, SUCCESSFUL, release, core=70000, ran=3), 6.1)
    log = read(write(tmp_path, []), association.packets)
    series, found = log.series[0], totals(log)
    columns = [i for i, name in enumerate(series.feature_names) if "session_length" in name]
    assert [v for v in series.values[:, columns].ravel() if v > 0] == [pytest.approx(5.9, abs=0.01)]
    assert not any(name.endswith("unanswered_t1") for name in found)


def _pair(dialect: Dialect, core: int, phone: int) -> bytes:
    """Return both numbers of a phone: choice 0, a sequence without options."""
    octets = core.to_bytes((core.bit_length() + 7) // 8, "big")
    head = ran.bits("00" + "00" + f"{len(octets) - 1:0{dialect.core_length_bits}b}")
    return head + octets + ran.integer(phone, 2)


@NEEDS_TSHARK
@BOTH
def test_causes_are_those_that_tshark_reads(tmp_path: Path, dialect: Dialect) -> None:
    """Every cause of each group, later ones too: the status is tshark's group and number."""
    association, n_causes = ran.Association(dialect), (43, 2, 4, 7, 6)
    for group, n in enumerate(n_causes):
        for number in range(n):
            refusal = ran.message(
                dialect,
                UNSUCCESSFUL,
                CONTEXT_SETUP[dialect.name],
                core=1,
                ran=2,
                why=(group, number),
            )
            association.send(1, refusal)
    path = write(tmp_path, association.packets)
    ours = [divmod(int(status), 256) for status in gather(path)["status"]]
    fields = [f"{dialect.name}.{what}" for what in ("Cause", "radioNetwork", "transport")]
    fields += [f"{dialect.name}.{what}" for what in ("nas", "protocol", "misc")]
    theirs = [
        (int(group), int(next(filter(None, numbers))))
        for group, *numbers in tshark(path, dialect, fields)
    ]
    assert ours == theirs


def tshark(path: Path, dialect: Dialect, fields: list[str]) -> list[list[str]]:
    """Return tshark's fields of each packet of a protocol."""
    command = ["tshark", "-n", "-r", str(path), "-Y", dialect.name, "-T", "fields"]
    command += ["-E", "occurrence=a"] + [word for field in fields for word in ("-e", field)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def tshark_slots(path: Path, dialect: Dialect) -> Counter[str]:
    """Count what tshark sees, as far as it goes without what is inside: see `coarse`."""
    counts: Counter[str] = Counter()
    pdu = f"{dialect.name}.{dialect.name.upper()}_PDU"
    for choices, codes in tshark(path, dialect, [pdu, f"{dialect.name}.procedureCode"]):
        for choice, code in zip(choices.split(","), codes.split(","), strict=False):
            if choice:
                counts.update(expected_slot(dialect, int(choice), int(code)))
    return coarse(counts)


def coarse(counts: Counter[str]) -> Counter[str]:
    """Put together the slots that depend on what is inside a message."""
    out: Counter[str] = Counter()
    for name, n in counts.items():
        inside = name in ("request_other", "request_registration", "request_session_start")
        is_bad = name.startswith("answer_") and name != "answer_success"
        out["other" if inside else "answer" if is_bad else name] += n
    return out


@NEEDS_TSHARK
@BOTH
@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_recorded_networks_count_as_in_tshark(path: Path, dialect: Dialect) -> None:
    """Every message that tshark finds is counted, and no other; tshark counts half ones."""
    expected = tshark_slots(path, dialect)
    expected["other"] -= HALVES.get((path.stem, dialect.name), 0)
    assert coarse(slots(path, dialect.name)) == +expected


@BOTH
def test_cut_and_flipped_messages_break_nothing(tmp_path: Path, dialect: Dialect) -> None:
    """A message cut at every byte, and with random bytes flipped: a capture is still read."""
    chance, association = random.Random(3), ran.Association(dialect)
    whole = ran.message(
        dialect, INITIATING, CONTEXT_SETUP[dialect.name], core=70000, ran=9, why=(0, 2), nas=b"\x7e"
    )
    for n in range(len(whole) + 1):
        association.send(0, whole[:n])
    for _ in range(2000):
        association.send(0, damaged(whole, chance))
    assert slots(write(tmp_path, association.packets), dialect.name)
