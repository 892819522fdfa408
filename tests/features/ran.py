"""Write S1AP and NGAP messages, with nothing but bytes, and send them over SCTP."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from tests import builders as b
from tests.features.sip import START_NS
from tests.features.wire import data_chunk, sctp_packet

INITIATING, SUCCESSFUL, UNSUCCESSFUL = range(3)
RADIO, TRANSPORT, NAS, PROTOCOL, MISC = range(5)


@dataclass(frozen=True)
class Dialect:
    """What tells S1AP from NGAP: identifiers, and how some types are packed."""

    name: str
    ppid: int
    port: int
    core_id: int
    ran_id: int
    cause_id: int
    nas_id: int
    core_length_bits: int
    cause_choice: str  # bits in front of the choice's three


S1AP = Dialect("s1ap", 18, 36412, 0, 8, 2, 26, 2, "0")
NGAP = Dialect("ngap", 60, 38412, 10, 85, 15, 38, 3, "")
CAUSE_BITS = (6, 1, 2, 3, 3)
ROOT_CAUSES = {"s1ap": (36, 2, 4, 7, 6), "ngap": (45, 2, 4, 7, 6)}


def length(n: int) -> bytes:
    """Return a length determinant."""
    return bytes([n]) if n < 128 else struct.pack("!H", 0x8000 | n)


def bits(text: str) -> bytes:
    """Return bits, filled with zeros to whole bytes."""
    text += "0" * (-len(text) % 8)
    return bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8))


def integer(value: int, length_bits: int) -> bytes:
    """Return an integer of a wide range: how many octets, then the octets."""
    octets = value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")
    return bits(f"{len(octets) - 1:0{length_bits}b}") + octets


def cause(dialect: Dialect, group: int, number: int) -> bytes:
    """Return a Cause; a number beyond the first version's is an extension."""
    root = ROOT_CAUSES[dialect.name][group]
    tail = f"0{number:0{CAUSE_BITS[group]}b}" if number < root else f"10{number - root:06b}"
    return bits(dialect.cause_choice + f"{group:03b}" + tail)


def message(
    dialect: Dialect,
    choice: int,
    code: int,
    *,
    core: int | None = None,
    ran: int | None = None,
    nas: bytes = b"",
    why: tuple[int, int] | None = None,
    more: Iterable[tuple[int, bytes]] = (),
) -> bytes:
    """Return a message with the elements that are given."""
    elements = [] if core is None else [(dialect.core_id, integer(core, dialect.core_length_bits))]
    elements += [] if ran is None else [(dialect.ran_id, integer(ran, 2))]
    elements += [(dialect.nas_id, length(len(nas)) + nas)] if nas else []
    elements += [(dialect.cause_id, cause(dialect, *why))] if why else []
    packed = [
        struct.pack("!HB", number, 0) + length(len(value)) + value
        for number, value in (*elements, *more)
    ]
    value = b"\0" + struct.pack("!H", len(packed)) + b"".join(packed)
    return bytes([choice << 5, code, 0]) + length(len(value)) + value


class Association:
    """An SCTP association of a base station, host 2, with the core, host 1."""

    def __init__(self, dialect: Dialect) -> None:
        self.packets: list[b.Packet] = []
        self._dialect = dialect
        self._tsn = 1

    def send(self, side: int, payload: bytes, time_s: float = 0.0) -> None:
        """Send a message from the base station (0) or the core (1)."""
        hosts, ports = ((2, 1), (45000, self._dialect.port))
        if side:
            hosts, ports = hosts[::-1], ports[::-1]
        self._tsn += 1
        chunk = data_chunk(payload, self._tsn, ppid=self._dialect.ppid)
        time_ns = START_NS + round(time_s * 1e9)
        self.packets.append(sctp_packet(chunk, time_ns, hosts=hosts, ports=ports))
