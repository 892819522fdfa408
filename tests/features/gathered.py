"""The messages of a capture as the kernel gathers them, and their counts by slot."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.captures.reader import read_packets
from traffic_siamese.features.batches import Batcher
from traffic_siamese.features.slots import ANSWER_CLASSES, NONE, PROTOCOLS, REQUEST_KINDS


def gather(path: Path) -> NDArray[Any]:
    """Return all messages of a capture."""
    batcher = Batcher()
    parts = [
        batch.messages.copy() for chunk in read_packets(path) for batch in batcher.add(chunk)
    ] + [batch.messages.copy() for batch in batcher.rest()]
    batcher.close()
    return np.concatenate(parts)


def slot(message: NDArray[Any]) -> str:
    """Name a message's slot."""
    if message["request_kind"] == NONE:
        return f"answer_{ANSWER_CLASSES[message['answer_class']]}"
    return f"request_{REQUEST_KINDS[message['request_kind']]}"


def slots(path: Path, protocol: str) -> Counter[str]:
    """Count a protocol's messages by slot."""
    messages = gather(path)
    mine = messages[messages["protocol"] == PROTOCOLS.index(protocol)]
    return Counter(slot(message) for message in mine)


def damaged(whole: bytes, chance: random.Random) -> bytes:
    """Return a message with up to four bytes replaced."""
    message = bytearray(whole)
    for _ in range(chance.randint(1, 4)):
        message[chance.randrange(len(message))] = chance.randrange(256)
    return bytes(message)
