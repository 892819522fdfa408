"""CRC32c against the published vectors."""

from __future__ import annotations

import pytest

from traffic_siamese.simulate.signalling.crc32c import crc32c

VECTORS = {
    bytes(32): 0x8A9136AA,
    b"\xff" * 32: 0x62A8AB43,
    bytes(range(32)): 0x46DD794E,
    bytes(range(31, -1, -1)): 0x113FDB5C,
    b"123456789": 0xE3069283,
    b"": 0,
}
"""RFC 3720 appendix B.4, and the check value that CRC catalogues give."""


@pytest.mark.parametrize("message", VECTORS)
def test_a_published_vector(message: bytes) -> None:
    assert crc32c([message]).tolist() == [VECTORS[message]]


def test_messages_of_any_lengths_together() -> None:
    assert crc32c(list(VECTORS)).tolist() == list(VECTORS.values())
    assert crc32c([]).tolist() == []
