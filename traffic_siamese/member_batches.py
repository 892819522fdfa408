"""Batches for the networks of one encoder, each of which learns from its own."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.backend import keras
from traffic_siamese.generators import BalancedBatches
from traffic_siamese.types import FloatArray

_Batch = tuple[FloatArray, NDArray[Any]]


class MemberBatches(keras.utils.PyDataset):
    """Batches for networks side by side: each is shown batches of its own.

    Gives X (batch, n_members, n_timesteps, n_channels) float32 and y (batch, n_members) int64.
    Networks that were shown the same would overlook the same. The next batch is made while one is
    trained on.

    Parameters
    ----------
    members : sequence of BalancedBatches
        One for each network, of equally many batches. From now on all are as large as the smallest.
    """

    def __init__(self, members: Sequence[BalancedBatches]) -> None:
        super().__init__()
        for size in ("n_labels", "n_virtual"):
            least = min(getattr(member, size) for member in members)
            for member in members:
                setattr(member, size, least)
        self.members = members
        self._maker = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._next: tuple[tuple[int, int], Future[_Batch]] | None = None

    @property
    def epoch(self) -> int:
        """The present epoch."""
        return self.members[0].epoch

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        for member in self.members:
            member.epoch = epoch

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return len(self.members[0])

    def __getitem__(self, index: int) -> _Batch:
        """Return one batch of the present epoch."""
        wanted, ahead = (self.epoch, index), self._next
        self._next = None
        batch = ahead[1].result() if ahead and ahead[0] == wanted else self._make(index)
        if index + 1 < len(self):
            self._next = (self.epoch, index + 1), self._maker.submit(self._make, index + 1)
        return batch

    def _make(self, index: int) -> _Batch:
        X, y = zip(*(member[index] for member in self.members), strict=True)
        return np.stack(X, axis=1), np.stack(y, axis=1)

    def on_epoch_end(self) -> None:
        """Go on to the next epoch's batches."""
        self.epoch += 1
