"""Every signalling protocol against tshark's dissection, and against the names tshark gives."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import builders as b
from tests.features import wire as w
from tests.features.dissection import (
    CLASSES,
    KINDS,
    RESULTS,
    by_rule,
    messages_of,
    our_counts,
    slots_of,
    tshark_counts,
    tshark_values,
)
from tests.features.sip import START_NS, datagram, segment

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

PUBLIC = Path(os.environ.get("TRAFFIC_SIAMESE_PUBLIC_CAPTURES", "/nowhere"))
REFUSED = {
    "test901.pcapng": "made with a section of version 2, where reading must stop",
}
ACCEPTED = sorted(
    path
    for pattern in ("*.pcap", "*.pcapng", "*.cap", "*.gz")
    for path in PUBLIC.rglob(pattern)
    if path.name not in REFUSED
)
FOOLED = {
    "gtp_false_positive.pcapng": "tshark takes two datagrams of others for malformed GTP",
}
RESULT_CODES = [
    *(1001, 2001, 2002, 3001, 3002, 3003, 3004, 3005, 3006, 3007, 3008, 3009, 3010, 4001, 4002),
    *(4010, 4011, 4012, 5001, 5002, 5003, 5004, 5005, 5006, 5007, 5008, 5009, 5010, 5011, 5012),
    *(5013, 5014, 5015, 5016, 5030, 5031),
]
EXPERIMENTAL_CODES = [
    *(2001, 2002, 2003, 2004, 4100, 4101, 4181, 5001, 5002, 5003, 5004, 5005, 5006, 5007, 5008),
    *(5009, 5011, 5012, 5063, 5420, 5421, 5422, 5450, 5550, 5551),
]


def write(path: Path, payloads: list[bytes], ports: tuple[int, int]) -> Path:
    """Write each payload into a datagram of its own."""
    packets = [datagram(data, START_NS + i * 10**6, ports=ports) for i, data in enumerate(payloads)]
    path.write_bytes(b.pcap(packets, magic=b.NANOSECONDS))
    return path


def slots(tmp_path: Path, payloads: list[bytes], ports: tuple[int, int]) -> list[str]:
    """Return the slot of each payload; all must be messages."""
    found = slots_of(messages_of(write(tmp_path / "one.pcap", payloads, ports)))
    assert len(found) == len(payloads)
    return [slot.removeprefix("answer_").removeprefix("request_") for slot in found]


CAUSES: list[tuple[str, Callable[[int], bytes], tuple[int, int], int]] = [
    ("gtpv2.cause", lambda cause: w.gtp2(33, w.cause2(cause)), (2123, 2123), 16),
    ("gtp.cause", lambda cause: w.gtp1(17, bytes([1, cause])), (2123, 2123), 128),
    ("pfcp.cause", lambda c: w.pfcp(51, w.element_pfcp(19, bytes([c])), seid=1), (8805, 8805), 1),
]


@pytest.mark.parametrize(("field", "answer", "ports", "first"), CAUSES, ids=lambda x: str(x)[:10])
def test_a_cause_is_in_the_class_that_its_name_tells(
    tmp_path: Path,
    field: str,
    answer: Callable[[int], bytes],
    ports: tuple[int, int],
    first: int,
) -> None:
    """All causes of answers that tshark knows by name, in one capture."""
    names = {n: name for n, name in tshark_values()[field].items() if n >= first}
    names = {n: name for n, name in names.items() if name not in ("Spare", "Reserved")}
    found = slots(tmp_path, [answer(number) for number in names], ports)
    wrong = [
        (name, slot)
        for name, slot in zip(names.values(), found, strict=True)
        if slot != by_rule(CLASSES, name.strip())
    ]
    assert not wrong


KIND_FIELDS: list[tuple[str, Callable[[int], bytes], tuple[int, int]]] = [
    ("gtpv2.message_type", lambda kind: w.gtp2(kind), (2123, 2123)),
    ("gtp.message", lambda kind: w.gtp1(kind), (2123, 2123)),
    ("pfcp.msg_type", lambda kind: w.pfcp(kind), (8805, 8805)),
]


@pytest.mark.parametrize(("field", "request_of", "ports"), KIND_FIELDS, ids=lambda x: str(x)[:10])
def test_a_request_is_of_the_kind_that_its_name_tells(
    tmp_path: Path, field: str, request_of: Callable[[int], bytes], ports: tuple[int, int]
) -> None:
    named = tshark_values()[field].items()
    names = {n: name for n, name in named if name.lower().endswith("request")}
    if field.startswith("gtpv2"):  # GTP' types, which GTPv2 does not have
        names = {n: name for n, name in names.items() if n not in (4, 6)}
    found = slots(tmp_path, [request_of(number) for number in names], ports)
    expected = [by_rule(KINDS, name) for name in names.values()]
    assert dict(zip(names.values(), found, strict=True)) == dict(
        zip(names.values(), expected, strict=True)
    )


def diameter_capture(path: Path, messages: list[bytes]) -> Path:
    """Write one Diameter message to an SCTP packet."""
    packets = [
        w.sctp_packet(w.data_chunk(message, i + 1), START_NS + i * 10**6)
        for i, message in enumerate(messages)
    ]
    path.write_bytes(b.pcap(packets, magic=b.NANOSECONDS))
    return path


@pytest.mark.parametrize(
    ("field", "avp", "codes"),
    [
        ("diameter.Result-Code", w.result, RESULT_CODES),
        ("diameter.Experimental-Result-Code", w.experimental, EXPERIMENTAL_CODES),
    ],
)
def test_a_result_is_in_the_class_that_its_name_tells(
    tmp_path: Path, field: str, avp: Callable[[int], bytes], codes: list[int]
) -> None:
    answers = [w.diameter(316, [avp(code)], request=False, hop=code) for code in codes]
    found = slots_of(messages_of(diameter_capture(tmp_path / "codes.pcap", answers)))
    names = [tshark_values()[field][code] for code in codes]
    expected = [f"answer_{by_rule(RESULTS, name)}" for name in names]
    assert dict(zip(names, found, strict=True)) == dict(zip(names, expected, strict=True))


def test_a_diameter_request_is_of_the_kind_that_its_name_tells(tmp_path: Path) -> None:
    """All commands of the base protocol and of 3GPP's applications that are told apart."""
    commands = [257, 258, 265, 268, 274, 275, 280, 282, *range(300, 310), *range(316, 325)]
    commands += [*range(8388620, 8388623), *range(8388645, 8388650)]
    requests = [w.diameter(command, hop=command) for command in commands]
    found = slots_of(messages_of(diameter_capture(tmp_path / "commands.pcap", requests)))
    names = [tshark_values()["diameter.cmd.code"][command] for command in commands]
    expected = [f"request_{by_rule(KINDS, name)}" for name in names]
    assert dict(zip(names, found, strict=True)) == dict(zip(names, expected, strict=True))


def mixed_packets() -> list[b.Packet]:
    """Return some of everything: bundles, fragments, cut segments, piggybacked answers."""
    session = w.avp(263, "host;1;2")
    credit = [w.diameter(272, [session, w.avp(416, kind)], hop=kind) for kind in (1, 2, 3, 4)]
    bundle = b"".join(w.data_chunk(message, i + 1) for i, message in enumerate(credit))
    long = w.diameter(306, [session, w.avp(702, bytes(3000))], hop=9)
    cut = [long[at : at + 1000] for at in range(0, len(long), 1000)]
    flags = [2, *[0] * (len(cut) - 2), 1]
    packets = [w.sctp_packet(bundle, START_NS)]
    packets += [
        w.sctp_packet(w.data_chunk(part, 5 + i, flags=flags[i]), START_NS + 10**6 * (i + 1))
        for i, part in enumerate(cut)
    ]
    stream = b"".join(
        w.diameter(
            316, [w.avp(1, f"00101{i}"), w.avp(999, bytes(i * 37))], hop=i, application=16777251
        )
        for i in range(1, 40)
    )
    for at in range(0, len(stream), 333):
        part = stream[at : at + 333]
        packets.append(segment(part, at, time_ns=START_NS + 10**8 + at, ports=(40001, 3868)))
    piggy = w.gtp2(33, w.cause2(16) + w.fteid2(5), flags=0x10) + w.gtp2(95, sequence=2)
    follow = w.pfcp(52, seid=1, followed=True) + w.pfcp(54, seid=1, sequence=2)
    rest = [
        (piggy, 2123),
        (w.gtp2(1, teid=None), 2123),
        (w.gtp1(16, teid=0), 2123),
        (w.gtp1(17, b"\1\xc7"), 2123),
        (follow, 8805),
        (w.radius(1, w.attribute(1, b"bob")), 1812),
        (w.radius(3), 1812),
        *((w.radius(4, w.attribute(40, kind), identifier=kind), 1813) for kind in (1, 2, 3, 7)),
        (w.radius(40, w.attribute(44, b"x")), 3799),
        (w.radius(42, w.attribute(101, 406)), 3799),
        (w.dns(), 53),
        *((w.dns(rcode=rcode), 53) for rcode in range(10)),
    ]
    packets += [
        datagram(data, START_NS + 2 * 10**8 + i * 10**6, ports=(port, port))
        for i, (data, port) in enumerate(rest)
    ]
    return packets


def test_bundles_fragments_and_segments_count_as_in_tshark(tmp_path: Path) -> None:
    path = tmp_path / "mixed.pcap"
    path.write_bytes(b.pcap(mixed_packets(), magic=b.NANOSECONDS))
    ours, theirs = our_counts(path), tshark_counts(path)
    assert sum(ours.values()) == 4 + 1 + 39 + 2 + 3 + 2 + 2 + 4 + 2 + 11
    assert ours == theirs


@pytest.mark.skipif(not ACCEPTED, reason="no folder of public captures")
@pytest.mark.slow
@pytest.mark.parametrize("path", ACCEPTED, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_public_capture_counts_as_in_tshark(path: Path) -> None:
    """Requests by kind and answers by class; set TRAFFIC_SIAMESE_PUBLIC_CAPTURES to a folder."""
    ours = our_counts(path)
    theirs = Counter() if path.name in FOOLED else tshark_counts(path)
    assert ours == theirs
