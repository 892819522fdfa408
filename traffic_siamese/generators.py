"""Batches of windows for training: drawn by label, reproducible whoever draws them.

What a batch holds depends on (seed, epoch, batch number, member) and on nothing else, so several
workers, another order or a resumed run give the same batches.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.augment import AugmentOptions, augment
from traffic_siamese.backend import keras
from traffic_siamese.errors import TrainingError
from traffic_siamese.types import NORMAL, SYNTHETIC, VIRTUAL, FloatArray, Int64Array, StringArray
from traffic_siamese.windows import WindowSet

_COMPARED_SHARE = 0.5


class WindowSampler:
    """Draws rows of a label so that its networks, and the captures of each, come up evenly.

    Parameters
    ----------
    label, capture, network : ndarray of shape (n_windows,), str
        What each window shows and where it was seen; unlabelled windows (empty) are never drawn.

    Attributes
    ----------
    labels : ndarray of shape (n_labels,), str
        The labels in order; a label's number is its place here.
    """

    def __init__(self, label: StringArray, capture: StringArray, network: StringArray) -> None:
        self.labels = np.unique(label[label != ""])
        self._tree: list[dict[str, list[Int64Array]]] = []
        for name in self.labels:
            mine = label == name
            seen_on = {str(one): mine & (network == one) for one in np.unique(network[mine])}
            self._tree.append({one: _rows_by(capture, where) for one, where in seen_on.items()})

    def networks(self, number: int) -> set[str]:
        """Return the networks that show a label."""
        return set(self._tree[number])

    def draw(
        self, number: int, n_rows: int, rng: np.random.Generator, *, network: str = ""
    ) -> Int64Array:
        """Draw rows of a label; none twice before the captures drawn from are used up.

        Parameters
        ----------
        number : int
            Place in ``labels``.
        n_rows : int
            How many.
        rng : numpy.random.Generator
            Where chance comes from.
        network : str, optional
            Draw from this one alone, if it shows the label.
        """
        seen_on = self._tree[number]
        if network in seen_on:
            return _draw_evenly(seen_on[network], n_rows, rng)
        networks = list(seen_on.values())
        order = rng.permutation(len(networks))
        out = np.empty(n_rows, np.int64)
        for turn, place in enumerate(order):
            places = slice(turn, None, len(order))
            out[places] = _draw_evenly(networks[place], len(out[places]), rng)
        return out


def _rows_by(capture: StringArray, where: NDArray[np.bool_]) -> list[Int64Array]:
    return [np.flatnonzero(where & (capture == one)) for one in np.unique(capture[where])]


def _draw_evenly(groups: list[Int64Array], n_rows: int, rng: np.random.Generator) -> Int64Array:
    out = np.empty(n_rows, np.int64)
    order = rng.permutation(len(groups))
    for turn, group in enumerate(order):
        places = slice(turn, None, len(order))
        n_places = len(out[places])
        rows = groups[group]
        out[places] = rng.choice(rows, n_places, replace=n_places > len(rows))
    return out


class _Batches(keras.utils.PyDataset):
    """What all kinds of batches share: chance, epochs and augmentation."""

    def __init__(
        self,
        windows: WindowSet,
        *,
        n_batches: int,
        seed: int,
        augment: AugmentOptions | None = None,
        epoch: int = 0,
        member: int = 0,
    ) -> None:
        super().__init__()
        self.windows = windows
        self.sampler = WindowSampler(windows.label, windows.capture, windows.network)
        if len(self.sampler.labels) < 2:
            raise TrainingError(
                f"the windows show {len(self.sampler.labels)} label(s), expected at least 2: "
                "a triplet needs a negative. Label traffic of another kind too."
            )
        self.n_batches = n_batches
        self.seed = seed
        self.epoch = epoch
        self.member = member
        self.augment = augment
        self._normal = _rows_by_network(windows) if augment and augment.severity else {}

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return self.n_batches

    def __getitem__(self, index: int) -> tuple[FloatArray, NDArray[Any]]:
        """Return one batch of the present epoch."""
        rng = np.random.default_rng([self.seed, self.epoch, index, self.member])
        rows, y = self.draw(rng)
        X = self.windows.gather(rows.ravel())
        if self.augment is not None:
            normal = self._normal_windows(X, rows.ravel(), rng)
            X = augment(X, options=self.augment, rng=rng, normal=normal)
        return X.reshape(*rows.shape, *X.shape[1:]), y

    def draw(self, rng: np.random.Generator) -> tuple[Int64Array, NDArray[Any]]:
        """Return the rows of a batch in the shape that X gets, and y."""
        raise NotImplementedError

    def on_epoch_end(self) -> None:
        """Go on to the next epoch's batches."""
        self.epoch += 1

    def _normal_windows(
        self, X: FloatArray, rows: Int64Array, rng: np.random.Generator
    ) -> FloatArray | None:
        if not self._normal:
            return None
        chosen = rows.copy()
        network, label = self.windows.network[rows], self.windows.label[rows]
        for name, normal_rows in self._normal.items():
            faulty = (network == name) & (label != NORMAL)
            chosen[faulty] = rng.choice(normal_rows, int(faulty.sum()))
        return self.windows.gather(chosen)


def _rows_by_network(windows: WindowSet) -> dict[str, Int64Array]:
    normal = windows.label == NORMAL
    names = np.unique(windows.network[normal])
    return {str(name): np.flatnonzero(normal & (windows.network == name)) for name in names}


class BalancedBatches(_Batches):
    """Batches of a few labels with equally many windows each, label by label, for mining.

    Gives X (n_labels * n_per_label, n_timesteps, n_channels) float32 and y (n_labels *
    n_per_label,) int64: 0 for ``normal``, positive for other labels. A virtual fault may be just
    what a label is, so it is set against the labels in every other batch only: its number is
    negative where it is not. A label's windows come from as many networks and captures as there
    are.

    Parameters
    ----------
    windows : WindowSet
        Where to draw from; unlabelled windows are left out.
    n_labels, n_per_label : int
        Labels in a batch (fewer if there are fewer) and windows of each. ``normal`` is always one
        of them.
    n_virtual : int, default 0
        Virtual faults in a batch, beside the labels.
    same_network_share : float, default 0, in [0, 1]
        Share of the batches in which all labels come from one network where it shows them, so
        that they differ by what they show and not by where; drawn from the networks that show
        several labels. Virtual faults come from where they come from.
    **options
        n_batches: batches in an epoch; seed; augment: AugmentOptions, none by default; epoch: the
        epoch to start with, 0 by default; member: the network that is shown them, 0 by default.

    Raises
    ------
    TrainingError
        If the windows show fewer than two labels.
    """

    def __init__(
        self,
        windows: WindowSet,
        *,
        n_labels: int,
        n_per_label: int,
        n_virtual: int = 0,
        same_network_share: float = 0.0,
        **options: Any,
    ) -> None:
        super().__init__(windows, **options)
        is_virtual = np.char.startswith(self.sampler.labels, VIRTUAL)
        is_normal = self.sampler.labels == NORMAL
        self._normal_number = np.flatnonzero(is_normal)
        self._fault_numbers = np.flatnonzero(~is_virtual & ~is_normal)
        self._virtual_numbers = np.flatnonzero(is_virtual)
        self._y = np.where(is_normal, 0, np.arange(1, len(is_normal) + 1))
        self._is_virtual = is_virtual
        n_real = len(self._normal_number) + len(self._fault_numbers)
        self.n_labels = min(n_labels, n_real)
        self.n_virtual = min(n_virtual, len(self._virtual_numbers))
        self.n_per_label = n_per_label
        self.same_network_share = same_network_share
        real = np.flatnonzero(~is_virtual)
        shown = Counter(name for number in real for name in self.sampler.networks(int(number)))
        self._networks = sorted(name for name, n in shown.items() if n > 1 and name != SYNTHETIC)

    def draw(self, rng: np.random.Generator) -> tuple[Int64Array, NDArray[Any]]:
        """Draw rows, n_per_label for each label and virtual fault, and their labels as numbers."""
        n_faults = self.n_labels - len(self._normal_number)
        numbers = np.concatenate(
            [
                self._normal_number,
                rng.choice(self._fault_numbers, n_faults, replace=False),
                rng.choice(self._virtual_numbers, self.n_virtual, replace=False),
            ]
        )
        network = self._draw_network(rng)
        rows = [
            self.sampler.draw(int(number), self.n_per_label, rng, network=network)
            for number in numbers
        ]
        compared = rng.random() < _COMPARED_SHARE
        sign = np.where(self._is_virtual & (not compared), -1, 1)
        return np.concatenate(rows), np.repeat((self._y * sign)[numbers], self.n_per_label)

    def _draw_network(self, rng: np.random.Generator) -> str:
        """Draw the network that all labels of a batch come from; empty for as many as there are."""
        if not self.same_network_share or not self._networks:
            return ""
        alone = rng.random() < self.same_network_share
        return str(rng.choice(self._networks)) if alone else ""


class TripletBatches(_Batches):
    """Batches of explicit triplets: X (batch, 3, n_timesteps, n_channels), y zeros.

    The axis of three is anchor, positive, negative. Labels are even among anchors and among
    negatives; a positive comes from another network or capture than its anchor where it can.

    Parameters
    ----------
    windows : WindowSet
        Where to draw from; unlabelled windows are left out.
    batch_size : int
        Triplets in a batch.
    **options
        As for ``BalancedBatches``.

    Raises
    ------
    TrainingError
        If the windows show fewer than two labels.
    """

    def __init__(self, windows: WindowSet, *, batch_size: int, **options: Any) -> None:
        super().__init__(windows, **options)
        self.batch_size = batch_size

    def draw(self, rng: np.random.Generator) -> tuple[Int64Array, NDArray[Any]]:
        """Draw rows (batch_size, 3)."""
        rows = np.empty((self.batch_size, 3), np.int64)
        for triplet in rows:
            mine, other = (int(n) for n in rng.choice(len(self.sampler.labels), 2, replace=False))
            triplet[:2] = self.sampler.draw(mine, 2, rng)
            triplet[2:] = self.sampler.draw(other, 1, rng)
        return rows, np.zeros(self.batch_size, np.float32)


class PairBatches(TripletBatches):
    """Batches of pairs: X (batch, 2, n_timesteps, n_channels), y (batch, 1), 1 for one label.

    Every second pair is of one label. Parameters are those of ``TripletBatches``.
    """

    def draw(self, rng: np.random.Generator) -> tuple[Int64Array, NDArray[Any]]:
        """Draw rows (batch_size, 2)."""
        triplets, _ = super().draw(rng)
        same = np.arange(self.batch_size) % 2 == 0
        rows = np.where(same[:, None], triplets[:, :2], triplets[:, ::2])
        return rows, same.astype(np.float32)[:, None]
