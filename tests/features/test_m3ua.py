"""M3UA, SCCP and TCAP as slots, against their specifications and tshark."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests import builders as b
from tests.features import ss7
from tests.features.gathered import damaged, gather, slots
from tests.features.sip import START_NS, read, totals
from tests.features.wire import data_chunk, sctp_packet

A, B = 1001, 2002
"""Signalling points of host 2, which begins the dialogues, and of host 1."""

OPERATIONS = [  # TS 29.002 clause 17.5, TS 29.078 clause 5: subsystem called, operation
    (ss7.HLR, 2, "registration"),
    (ss7.HLR, 23, "registration"),
    (ss7.HLR, 56, "registration"),
    (ss7.HLR, 22, "session_start"),
    (ss7.HLR, 45, "message"),
    (ss7.HLR, 46, "message"),
    (ss7.HLR, 59, "message"),
    (ss7.HLR, 71, "other"),
    (ss7.CAMEL, 0, "session_start"),
    (ss7.CAMEL, 60, "message"),
    (ss7.CAMEL, 24, "other"),
]
ERRORS = [  # TS 29.002 clause 17.6
    (1, "not_found"),
    (27, "user_unavailable"),
    (8, "forbidden"),
    (34, "other_server_error"),
    (35, "bad_request"),
    (51, "overload"),
    (21, "other_client_error"),
]


class Link:
    """An association between host 2 and host 1."""

    def __init__(self) -> None:
        self.packets: list[b.Packet] = []

    def send(self, side: int, payload: bytes, time_s: float = 0.0) -> None:
        """Send an M3UA message from host 2 (0) or host 1 (1)."""
        hosts = ((2, 1), (1, 2))[side]
        chunk = data_chunk(payload, len(self.packets) + 1, ppid=ss7.PPID)
        time_ns = START_NS + round(time_s * 1e9)
        packet = sctp_packet(chunk, time_ns, hosts=hosts, ports=(ss7.PORT, ss7.PORT))
        self.packets.append(packet)

    def tcap(
        self, side: int, message: bytes, time_s: float = 0.0, *, called: int = ss7.HLR
    ) -> None:
        """Send a TCAP message in UDT."""
        points = ((A, B), (B, A))[side]
        data = ss7.unitdata(message, called=called)
        self.send(side, ss7.transfer(data, points), time_s)

    def write(self, tmp_path: Path) -> Path:
        """Write what was sent to a capture."""
        path = tmp_path / "m3ua.pcap"
        path.write_bytes(b.pcap(self.packets, magic=b.NANOSECONDS))
        return path


def either_way(found: dict[str, float]) -> dict[str, float]:
    """Add both directions: neither end of a link is known to be the service."""
    sums: Counter[str] = Counter()
    for name, value in found.items():
        sums[name.removeprefix("to_service_").removeprefix("from_service_")] += value
    return dict(sums)


@pytest.mark.parametrize("open_ended", [False, True])
def test_operations_are_kinds(tmp_path: Path, open_ended: bool) -> None:
    """A dialogue that begins with an operation asks what the operation is for."""
    link = Link()
    for i, (called, operation, _) in enumerate(OPERATIONS):
        invoke = ss7.component(ss7.INVOKE, operation)
        begin = ss7.dialogue(ss7.BEGIN, invoke, origin=i, open_ended=open_ended)
        link.tcap(0, begin, called=called)
    expected = Counter(f"request_{kind}" for _, _, kind in OPERATIONS)
    assert slots(link.write(tmp_path), "tcap") == expected


def test_ends_are_answers_by_their_components(tmp_path: Path) -> None:
    """A result is a success, an error has its class, a reject is a bad request."""
    link = Link()
    link.tcap(1, ss7.dialogue(ss7.END, ss7.component(ss7.RESULT, 2), target=1))
    link.tcap(1, ss7.dialogue(ss7.END, target=1))
    link.tcap(1, ss7.dialogue(ss7.CONTINUE, ss7.component(ss7.INVOKE, 7), origin=3, target=1))
    link.tcap(1, ss7.dialogue(ss7.END, ss7.component(ss7.REJECT, 1), target=1))
    for code, _ in ERRORS:
        link.tcap(1, ss7.dialogue(ss7.END, ss7.component(ss7.ERROR, code), target=1))
    expected = Counter(f"answer_{name}" for _, name in ERRORS)
    expected += Counter(answer_success=2, answer_provisional=1, answer_bad_request=1)
    path = link.write(tmp_path)
    assert slots(path, "tcap") == expected
    assert [int(status) for status in gather(path)["status"][4:]] == [code for code, _ in ERRORS]


def test_aborts_and_returns_are_answers(tmp_path: Path) -> None:
    """Q.773's provider causes, a user's abort, and Q.713's causes of what is not delivered."""
    link = Link()
    for cause in (1, 2, 4):
        link.tcap(1, ss7.dialogue(ss7.ABORT, target=1, cause=cause))
    link.tcap(1, ss7.dialogue(ss7.ABORT, target=1))
    begin = ss7.dialogue(ss7.BEGIN, ss7.component(ss7.INVOKE, 2), origin=1)
    for cause in (1, 3, 5, 7):
        link.send(1, ss7.transfer(ss7.returned(begin, cause), (B, A)))
    assert slots(link.write(tmp_path), "tcap") == {
        "answer_not_found": 2,
        "answer_bad_request": 1,
        "answer_overload": 2,
        "answer_other_server_error": 2,
        "answer_user_unavailable": 1,
    }


def test_dialogues_meet_their_answers(tmp_path: Path) -> None:
    """Of four dialogues one is continued and ended, one aborted, one comes back, one is lost."""
    link = Link()
    begins = [
        ss7.dialogue(ss7.BEGIN, ss7.component(ss7.INVOKE, 2), origin=0x1000 + i) for i in range(4)
    ]
    for begin in begins:
        link.tcap(0, begin)
    link.tcap(1, ss7.dialogue(ss7.CONTINUE, origin=77, target=0x1000), 0.1)
    link.tcap(0, ss7.dialogue(ss7.CONTINUE, origin=0x1000, target=77), 0.2)
    link.tcap(1, ss7.dialogue(ss7.END, ss7.component(ss7.RESULT, 2), target=0x1000), 0.3)
    link.tcap(1, ss7.dialogue(ss7.ABORT, target=0x1001, cause=4), 0.1)
    link.send(1, ss7.transfer(ss7.returned(begins[2], 1), (B, A)), 0.1)
    link.send(0, ss7.m3ua(0x303), 9)
    found = either_way(totals(read(tmp_path / "dialogues.pcap", link.packets)))
    assert found["new_transactions"] == 5
    assert found["unanswered_t1"] == 1


def test_later_segments_are_no_messages(tmp_path: Path) -> None:
    """XUDT in two segments: the first one tells what the message is."""
    link = Link()
    begin = ss7.dialogue(ss7.BEGIN, ss7.component(ss7.INVOKE, 46), origin=1)
    link.send(0, ss7.transfer(ss7.extended(begin), (A, B)))
    link.send(0, ss7.transfer(ss7.extended(begin, first=False), (A, B)))
    assert slots(link.write(tmp_path), "tcap") == {"request_message": 1}


def test_connections_are_sessions(tmp_path: Path) -> None:
    """A connection is confirmed at 0.1 s and released by the other side at 4 s; one is refused."""
    link, ours, theirs = Link(), b"\0\0\7", b"\0\0\x09"
    link.send(0, ss7.transfer(b"\1" + ours + b"\2\2\2\x42\6\0", (A, B)))
    link.send(1, ss7.transfer(b"\2" + ours + theirs + b"\2\0", (B, A)), 0.1)
    link.send(1, ss7.transfer(b"\4" + ours + theirs + b"\0\0", (B, A)), 4)
    link.send(0, ss7.transfer(b"\5" + theirs + ours, (A, B)), 4.1)
    link.send(0, ss7.transfer(b"\1\0\0\x08\2\2\2\x42\6\0", (A, B)), 5)
    link.send(1, ss7.transfer(b"\3\0\0\x08\3\0", (B, A)), 5.1)
    path = link.write(tmp_path)
    assert slots(path, "m3ua") == {
        "request_session_start": 2,
        "request_session_end": 1,
        "answer_success": 2,
        "answer_other_server_error": 1,
    }
    log = read(path, link.packets)
    series = log.series[0]
    columns = [i for i, name in enumerate(series.feature_names) if "session_length" in name]
    lengths = [value for value in series.values[:, columns].ravel() if value > 0]
    assert lengths == [pytest.approx(3.9, abs=0.01)] * len(lengths)
    assert not any(name.endswith("unanswered_t1") for name in totals(log))


def test_management_asks_and_acknowledges(tmp_path: Path) -> None:
    """RFC 4666 sections 3.4 to 3.8: what is acknowledged, what is not."""
    link = Link()
    for kind in (0x301, 0x401, 0x303, 0x402, 0x302):
        link.send(0, ss7.m3ua(kind, ss7.parameter(4, b"hello")))
    for kind in (0x304, 0x403, 0x306, 0x404, 0x305):
        link.send(1, ss7.m3ua(kind), 0.1)
    link.send(1, ss7.m3ua(0x001, ss7.parameter(0xD, struct.pack("!HH", 1, 3))), 0.2)
    link.send(1, ss7.m3ua(0x000, ss7.parameter(0xC, struct.pack("!I", 3))), 0.2)
    link.send(1, ss7.m3ua(0x201, ss7.parameter(0x12, struct.pack("!I", 5))), 9)
    path = link.write(tmp_path)
    assert slots(path, "m3ua") == {
        "request_other": 6,
        "request_keep_alive": 1,
        "answer_success": 5,
        "answer_bad_request": 1,
    }
    assert not any(name.endswith("unanswered_t1") for name in totals(read(path, link.packets)))


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_random_dialogues_count_as_in_tshark(tmp_path: Path) -> None:
    """TCAP's messages by tag, and M3UA's by class and type, are those that tshark finds."""
    chance, link = random.Random(11), Link()
    kinds = (ss7.BEGIN, ss7.END, ss7.CONTINUE, ss7.ABORT)
    for _ in range(300):
        kind = chance.choice(kinds)
        ids = {"origin": chance.getrandbits(32)} if kind in (ss7.BEGIN, ss7.CONTINUE) else {}
        ids |= {} if kind == ss7.BEGIN else {"target": chance.getrandbits(32)}
        part = ss7.INVOKE if kind == ss7.BEGIN else ss7.RESULT
        parts = b"" if kind == ss7.ABORT else ss7.component(part, 2)
        link.tcap(chance.randrange(2), ss7.dialogue(kind, parts, **ids))
        link.send(chance.randrange(2), ss7.m3ua(chance.choice([0x303, 0x306])))
    path = link.write(tmp_path)
    tags, management = tshark_counts(path)
    mine = slots(path, "tcap")
    assert mine == {
        "request_registration": tags["begin"],
        "answer_success": tags["end"],
        "answer_provisional": tags["continue"],
        "answer_other_server_error": tags["abort"],
    }
    assert slots(path, "m3ua") == {
        "request_keep_alive": management["3"],
        "answer_success": management["6"],
    }


def tshark_counts(path: Path) -> tuple[Counter[str], Counter[str]]:
    """Count TCAP messages by name, and M3UA's of ASP state maintenance by type."""
    names = ("begin", "end", "continue", "abort")
    fields = [f"tcap.{name}_element" for name in names] + [
        "m3ua.message_class",
        "m3ua.message_type",
    ]
    command = ["tshark", "-n", "-r", str(path), "-T", "fields"]
    command += [word for field in fields for word in ("-e", field)]
    tags: Counter[str] = Counter()
    types: Counter[str] = Counter()
    for line in subprocess.run(
        command, capture_output=True, text=True, check=True
    ).stdout.splitlines():
        *found, group, kind = line.split("\t")
        tags.update(name for name, value in zip(names, found, strict=True) if value)
        types.update([kind] if group == "3" else [])
    return tags, types


def test_cut_and_flipped_messages_break_nothing(tmp_path: Path) -> None:
    """A dialogue cut at every byte, and with random bytes flipped: a capture is still read."""
    chance, link = random.Random(5), Link()
    begin = ss7.dialogue(ss7.BEGIN, ss7.component(ss7.INVOKE, 2), origin=1, open_ended=True)
    for whole in (
        ss7.transfer(ss7.unitdata(begin), (A, B)),
        ss7.transfer(ss7.extended(begin), (A, B)),
        ss7.transfer(ss7.returned(begin, 1), (B, A)),
        ss7.transfer(b"\2\0\0\7\0\0\x09\2\0", (B, A)),
    ):
        for n in range(len(whole) + 1):
            link.send(0, whole[:n])
        for _ in range(700):
            link.send(0, damaged(whole, chance))
    assert slots(link.write(tmp_path), "tcap")
