"""Say in words what is wrong with a capture file."""

from __future__ import annotations

from traffic_siamese.captures.records import FORMAT_NAMES, MAX_BLOCK_BYTES, RecordState
from traffic_siamese.captures.sniff import describe_bytes

_ADVICE = "Copy the capture again from its origin, or repair it (pcapfix)."
_WANTED = "expected a pcap or pcapng capture, plain, gzip or zstd"

_FAULTS = {
    3: "promises {found} captured bytes, expected at most {expected}",
    4: "is {found} bytes long, expected a multiple of 4 from {expected} to {largest}",
    5: "ends with length {found}, expected {expected} as at its start",
    6: "has byte-order magic {found:#010x}, expected {expected:#010x} or its reverse",
    7: "names interface {found}, expected one of the {expected} described before it",
    8: "promises {found} captured bytes, expected at most the {expected} that it has room for",
    9: "describes one interface more than the {expected} that are supported",
    10: "needs {found} bytes of memory for its interfaces, and there is none",
    11: "has a header of zeros, expected a time and a length: space reserved, never written",
    12: "starts a section of version {found}, expected version {expected}",
}


def describe_empty(name: str, compression: str) -> str:
    """Describe a log without a single plain byte."""
    found = "is empty" if compression == "none" else f"its {compression} data holds not one byte"
    return f"{name}: {found}, {_WANTED}. Record it again."


def describe_fault(name: str, state: RecordState, head: bytes) -> str:
    """Describe why a walk stopped for good.

    Parameters
    ----------
    name : str
        The log's name.
    state : RecordState
        Where the walk stands.
    head : bytes
        The first bytes that were not walked.

    Returns
    -------
    str
        Where, what was found, what was expected, what to do.
    """
    if state.format == 0 or state.status not in _FAULTS:
        return _describe_start(name, head)
    fault = _FAULTS[state.status].format(
        found=state.found, expected=state.expected, largest=MAX_BLOCK_BYTES
    )
    return (
        f"{name}: damaged: {_record(state)} at byte {state.position} {fault}; "
        f"{_read_before(state)}. {_ADVICE}"
    )


def describe_cut(name: str, state: RecordState, remaining: int) -> str:
    """Describe a file that ends in the middle of a record; ``remaining`` bytes of it are there."""
    return (
        f"{name}: cut short: {_record(state)} at byte {state.position} promises "
        f"{state.needed} bytes, {remaining} remain; {_read_before(state)}"
    )


def _describe_start(name: str, head: bytes) -> str:
    if _starts_capture(head):
        return (
            f"{name}: cut short inside the file header, {len(head)} bytes long, so that no packet "
            f"can be read; {_WANTED}. {_ADVICE}"
        )
    return (
        f"{name}: looks like {describe_bytes(head)}, {_WANTED}, or a table or another tool's log "
        "that its first lines tell. Name such a file."
    )


def _starts_capture(head: bytes) -> bool:
    words = ("a1b2c3d4", "d4c3b2a1", "a1b23c4d", "4d3cb2a1", "a1b2cd34", "34cdb2a1", "0a0d0d0a")
    return any(bytes.fromhex(word).startswith(head[:4]) for word in words)


def _record(state: RecordState) -> str:
    if FORMAT_NAMES[state.format] == "pcapng":
        return f"the block after packet {state.n_packets}"
    return f"packet {state.n_packets + 1}"


def _read_before(state: RecordState) -> str:
    return f"the {state.n_packets} whole packets before it were read"
