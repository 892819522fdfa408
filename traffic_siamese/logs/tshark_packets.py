"""From tshark's fields to packets: payloads where they were exported, messages told again else."""

from __future__ import annotations

from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.captures.reader import CaptureStats
from traffic_siamese.logs.packet_rows import PacketRows, RowPackets
from traffic_siamese.logs.told_columns import Texts
from traffic_siamese.logs.told_messages import (
    SCTP_DIAMETER,
    SCTP_UNSPECIFIED,
    ToldDiameter,
    ToldSip,
    sctp_chunks,
)
from traffic_siamese.logs.told_times import times_of
from traffic_siamese.logs.tshark import merged, split_values

_ICMP, _TCP, _UDP, _SCTP = 1, 6, 17, 132
_SYN = 2
_FAR = 1 << 25
_REPEATED = (
    "tcp.analysis.retransmission",
    "tcp.analysis.fast_retransmission",
    "tcp.analysis.spurious_retransmission",
)
_SIP, _DIAMETER = ("sip.Method", "sip.Status-Code"), "diameter.cmd.code"


def has_packets(columns: Texts) -> bool:
    """Tell whether there are addresses, without which no features of packets can be measured."""
    return any(f"{ip}.src" in columns and f"{ip}.dst" in columns for ip in ("ip", "ipv6"))


def has_signalling(columns: Texts) -> bool:
    """Tell whether there are messages, or bytes in which they can be looked for."""
    names = (*_SIP, _DIAMETER, "udp.payload", "tcp.payload")
    return any(any(columns.get(name, ())) for name in names)


def packets_of(stats: CaptureStats, columns: Texts) -> RowPackets:
    """Return the packets that fields tell of.

    Parameters
    ----------
    stats : CaptureStats
        With the log's name; filled.
    columns : dict of str to list of str
        Values by field.

    Returns
    -------
    RowPackets

    Raises
    ------
    CaptureError
        If no row has a readable time.
    """
    time_name = next(t for t in ("frame.time_epoch", "frame.time") if t in columns)
    time_ns, known = times_of(stats.name, columns[time_name], column=time_name)
    if not known.all():
        stats.warnings.append(
            f"{stats.name}: {int((~known).sum())} rows have no readable {time_name} and were "
            "left out."
        )
        keep = np.flatnonzero(known).tolist()
        columns = {name: [column[i] for i in keep] for name, column in columns.items()}
        time_ns = time_ns[known]
    return RowPackets(stats, _Rows(columns, len(time_ns)).build(time_ns))


class _Rows:
    """The columns of packets, one after another."""

    def __init__(self, columns: Texts, n: int) -> None:
        self._columns, self._n = columns, n
        self._is_error = [bool(text) for text in self._texts("icmp.type", "icmpv6.type")]
        self._icmp = self._numbers("icmp.type", "icmpv6.type", missing=-1)
        self._protocol = self._protocols()
        self._ports = np.stack(
            [self._numbers(*(f"{t}.{end}port" for t in ("tcp", "udp", "sctp"))) for end in
             ("src", "dst")], axis=1,
        )  # fmt: skip

    def build(self, time_ns: NDArray[np.int64]) -> PacketRows:
        """Return them as rows."""
        payload, protocol, sequence, wire = self._payloads()
        return PacketRows(
            time_ns=time_ns,
            wire_bytes=self._numbers("frame.len"),
            source=self._addresses("src"),
            target=self._addresses("dst"),
            ports=self._ports,
            protocol=protocol,
            tcp_flags=self._numbers("tcp.flags"),
            tcp_seq=sequence,
            icmp_type=np.maximum(self._icmp, 0),
            fragment=self._fragments(),
            payload=payload,
            payload_wire_bytes=wire,
        )

    def _texts(self, *names: str) -> list[str]:
        return merged(self._columns, names, self._n)

    def _innermost(self, *names: str) -> list[str]:
        """Return one value per packet: the innermost; of an ICMP error, what is its own."""
        return [
            text if "," not in text else text.split(",")[0 if is_error else -1]
            for text, is_error in zip(self._texts(*names), self._is_error, strict=True)
        ]

    def _numbers(self, *names: str, missing: int = 0) -> NDArray[np.int64]:
        """Return one number per packet; decimal, or hexadecimal with 0x."""
        texts = self._innermost(*names)
        values = {text: _number(text, missing) for text in dict.fromkeys(texts)}
        return np.array([values[text] for text in texts], np.int64)

    def _addresses(self, end: str) -> list[str]:
        return self._innermost(f"ip.{end}", f"ipv6.{end}")

    def _protocols(self) -> NDArray[np.int64]:
        """Return the protocol number: told, or known by which ports are there."""
        found = self._numbers("ip.proto", "ipv6.nxt")
        for name, number in (("tcp", _TCP), ("udp", _UDP), ("sctp", _SCTP)):
            there = np.array([bool(text) for text in self._texts(f"{name}.srcport")])
            found[there] = number
        found[self._icmp >= 0] = _ICMP
        return found

    def _fragments(self) -> NDArray[np.int64]:
        later = self._numbers("ip.frag_offset") > 0
        more = np.array([t in ("1", "True", "true") for t in self._innermost("ip.flags.mf")])
        return np.where(later, 2, np.where(more, 1, 0))

    def _payloads(
        self,
    ) -> tuple[list[bytes], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return payload, protocol, TCP sequence number and length on the wire of each packet."""
        protocol = self._protocol.copy()
        sequence = self._numbers("tcp.seq_raw", "tcp.seq")
        told_wire = np.where(
            protocol == _TCP, self._numbers("tcp.len"), self._numbers("udp.length") - 8
        )
        raw = [_bytes(text) for text in self._texts("udp.payload", "tcp.payload")]
        is_told = "udp.payload" not in self._columns and "tcp.payload" not in self._columns
        if not is_told:
            wire = np.maximum(told_wire, [len(one) for one in raw])
            return raw, protocol, sequence, wire
        messages = list(self._messages())
        streams = _Streams()
        repeated = [bool(text) for text in self._texts(*_REPEATED)]
        is_syn = (self._numbers("tcp.flags") & _SYN) != 0
        payload: list[bytes] = []
        wire = np.maximum(told_wire, 0)
        ends = zip(self._addresses("src"), self._addresses("dst"), self._ports.tolist(),
                   strict=True)  # fmt: skip
        for i, end in enumerate(ends):
            if protocol[i] == _TCP:
                payload.append(b"".join(message for _, message in messages[i]))
                told = (int(sequence[i]), 1 if is_syn[i] else int(wire[i]))
                sequence[i] = streams.place(str(end), told, is_repeated=repeated[i])
            elif len(messages[i]) == 1 and protocol[i] == _UDP and messages[i][0][0] == 0:
                payload.append(messages[i][0][1])
            elif messages[i]:
                payload.append(sctp_chunks(messages[i], first_tsn=i * 256))
                protocol[i] = _SCTP
            else:
                payload.append(b"")
        return payload, protocol, sequence, wire

    def _messages(self) -> list[list[tuple[int, bytes]]]:
        """Return the messages of each packet, each with its SCTP payload protocol identifier."""
        found: list[list[tuple[int, bytes]]] = [[] for _ in range(self._n)]
        for i, text in enumerate(self._texts(*_SIP)):
            if text and not self._is_error[i]:  # what an error quotes was sent before
                found[i] += [(SCTP_UNSPECIFIED, one.wire()) for one in self._sip(i)]
        for i, text in enumerate(self._texts(_DIAMETER)):
            if text and not self._is_error[i]:  # what an error quotes was sent before
                found[i] += [(SCTP_DIAMETER, one.wire()) for one in self._diameter(i)]
        return found

    def _at(self, name: str, i: int) -> list[str]:
        column = self._columns.get(name)
        return split_values(column[i]) if column else []

    def _sip(self, i: int) -> list[ToldSip]:
        """Return requests, then answers: their order in the packet is not told."""
        methods, statuses = self._at("sip.Method", i), self._at("sip.Status-Code", i)
        calls, branches = self._at("sip.Call-ID", i), self._at("sip.Via.branch", i)
        users = self._at("sip.r-uri.user", i) or self._at("sip.to.user", i)
        n = len(methods) + len(statuses)
        sequences = self._at("sip.CSeq", i) or [
            " ".join(pair)
            for pair in zip_longest(
                self._at("sip.CSeq.seq", i), self._at("sip.CSeq.method", i), fillvalue=""
            )
        ]
        return [
            ToldSip(
                method=methods[k] if k < len(methods) else "",
                status=_number(statuses[k - len(methods)], 0) if k >= len(methods) else 0,
                call_id=_nth(calls, k, n),
                sequence=_nth(sequences, k, n) or _nth(methods, k, n),
                branch=_nth(branches, k, n) if n > 1 else next(iter(branches), ""),
                user=_nth(users, k, n),
                size=next(iter(self._at("frame.len", i)), ""),
            )
            for k in range(n)
        ]

    def _diameter(self, i: int) -> list[ToldDiameter]:
        commands = self._at(_DIAMETER, i)
        n = len(commands)
        applications, hops, ends = (
            self._at(f"diameter.{name}", i)
            for name in ("applicationId", "hopbyhopid", "endtoendid")
        )
        asks = [text in ("1", "True", "true") for text in self._at("diameter.flags.request", i)]
        sessions = self._at("diameter.Session-Id", i)
        credit = self._at("diameter.CC-Request-Type", i)
        plain = self._at("diameter.Result-Code", i)
        results = plain or self._at("diameter.Experimental-Result-Code", i)
        n_asking = sum(asks[:n])
        found = []
        for k, command in enumerate(commands):
            is_request = asks[k] if k < len(asks) else not results
            place = k - sum(asks[:k])
            result = None if is_request else _nth(results, place, n - n_asking)
            found.append(
                ToldDiameter(
                    _number(command, 0),
                    is_request,
                    application=_number(_nth(applications, k, n), 0),
                    hop_by_hop=_number(_nth(hops, k, n), 0),
                    end_to_end=_number(_nth(ends, k, n), 0),
                    session=_nth(sessions, k, n),
                    result=_number(result, 0) if result else None,
                    is_experimental=not plain,
                    credit_request=_number(_nth(credit, k, n), 0) if credit else None,
                )
            )
        return found


class _Streams:
    """Sequence numbers that make the kernel read each packet's messages, and nothing else.

    What a packet told of stands whole in it, so each starts far from the one before, as another
    connection would; a repeated segment lies where the one before it did.
    """

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, int]] = {}

    def place(self, stream: str, told: tuple[int, int], *, is_repeated: bool) -> int:
        """Return the sequence number for a segment of this told number and length."""
        sequence, size = told
        place, end = self._last.get(stream, (0, -1))
        if sequence and size and end >= 0:  # else tshark may tell by its analysis
            is_repeated = is_repeated or 0 <= end - sequence - size < _FAR
        if is_repeated:
            return place
        place = (place + _FAR) & 0xFFFFFFFF
        self._last[stream] = place, max(end, sequence + size) if sequence and size else end
        return place


def _number(text: str, missing: int) -> int:
    """Read a whole number, the last of several; decimal, or hexadecimal with 0x."""
    last = text.rpartition(",")[2].strip()
    if last in ("True", "true"):
        return 1
    try:
        return int(last, 0) if last[:2].lower() == "0x" else int(last)
    except ValueError:
        return missing


def _nth(values: list[str], place: int, n: int) -> str:
    """Return a message's value, where there is one for each message, or one for all."""
    if len(values) == n and place < n:
        return values[place]
    return values[0] if len(values) == 1 else ""


def _bytes(text: str) -> bytes:
    """Read bytes in hexadecimal, with colons or without; none where they are not readable."""
    try:
        return bytes.fromhex(text.rpartition(",")[2].replace(":", ""))
    except ValueError:
        return b""
