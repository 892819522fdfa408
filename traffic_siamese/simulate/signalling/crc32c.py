"""CRC32c, the checksum of SCTP, over many packets at once.

References
----------
RFC 9260 section 6.8 and appendix A; RFC 3720 appendix B.4 (test vectors).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_POLYNOMIAL = 0x82F63B78
"""Castagnoli's, its bits in reverse."""


def _make_table() -> NDArray[np.uint32]:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        mask = np.where(table & 1, np.uint32(_POLYNOMIAL), np.uint32(0))
        table = ((table >> np.uint32(1)) ^ mask).astype(np.uint32)
    return table


_TABLE = _make_table()


def crc32c(messages: Sequence[bytes]) -> NDArray[np.uint32]:
    """Return the checksum of each message, as a number; SCTP writes its lowest byte first.

    Parameters
    ----------
    messages : sequence of bytes

    Returns
    -------
    ndarray of shape (n_messages,), uint32
    """
    lengths = np.array([len(message) for message in messages], np.int64)
    order = np.argsort(-lengths, kind="stable")
    longest = int(lengths.max(initial=0))
    block = b"".join(messages[i].ljust(longest, b"\0") for i in order)
    columns = np.frombuffer(block, np.uint8).reshape(len(messages), longest).T.copy()
    # How many of the messages, the longest first, reach so far.
    reach = np.searchsorted(-lengths[order], -np.arange(longest), side="left")
    state = np.full(len(messages), 0xFFFFFFFF, np.uint32)
    for column, n in zip(columns, reach.tolist(), strict=True):
        state[:n] = _TABLE[(state[:n] ^ column[:n]) & 0xFF] ^ (state[:n] >> 8)
    found = np.empty(len(messages), np.uint32)
    found[order] = ~state
    return found
