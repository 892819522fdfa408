"""Training windows that nobody captured: virtual faults, and real ones on other networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from traffic_siamese.scaling import Scaler
from traffic_siamese.simulate.elsewhere import carried_elsewhere
from traffic_siamese.simulate.faults import apply_fault, draw_fault
from traffic_siamese.simulate.permuted import SlotPermutation, permute_slots
from traffic_siamese.simulate.slot_marks import draw_permutations, slot_marks
from traffic_siamese.simulate.table_faults import apply_table_fault, draw_table_fault
from traffic_siamese.types import NORMAL, SYNTHETIC, VIRTUAL, FloatArray, StringArray
from traffic_siamese.windows import WindowSet, stack_windows

_PER_LABEL = 128
_UNSEEN = 1  # sets the chance of measuring apart from that of training


@dataclass(frozen=True, slots=True, eq=False)
class RawWindows:
    """Windows as read, with the normal of the network each was seen on; rows belong together.

    Attributes
    ----------
    values : ndarray of shape (n_windows, n_timesteps, n_features), float32
    network_index : ndarray of shape (n_windows,), int64
        Place in ``baselines``.
    baselines : sequence of ndarray of shape (2, n_features), float32
    label : ndarray of shape (n_windows,), str
    """

    values: FloatArray
    network_index: np.ndarray[tuple[int, ...], np.dtype[np.int64]]
    baselines: Sequence[FloatArray]
    label: StringArray

    def draw(self, label: str, n: int, rng: np.random.Generator) -> list[int]:
        """Draw rows of a label, its networks evenly."""
        mine = np.flatnonzero(self.label == label)
        networks = rng.permutation(np.unique(self.network_index[mine]))
        return [
            int(rng.choice(mine[self.network_index[mine] == networks[turn % len(networks)]]))
            for turn in range(n)
        ]

    def by_network(self, label: str) -> tuple[list[FloatArray], list[FloatArray]]:
        """Return a label's windows of each network that shows it, and those baselines."""
        mine = self.label == label
        places = np.unique(self.network_index[mine])
        values = [self.values[mine & (self.network_index == place)] for place in places]
        return values, [self.baselines[int(place)] for place in places]


def synthetic_windows(
    real: RawWindows,
    scaler: Scaler,
    *,
    n_faults: int,
    n_cases: int,
    seed: int | Sequence[int],
    permuted_share: float = 0.0,
) -> WindowSet:
    """Make training windows: cases of virtual faults, and real windows on other networks.

    Virtual faults are applied to real normal windows, half of them moved first to another
    network: a smaller one, perhaps over TCP. Each fault is one label, ``~0``, ``~1``, ...; its
    cases come from several networks. A share of them are real faults seen through permuted
    slots, half of their cases moved to another network afterwards.

    Parameters
    ----------
    real : RawWindows
        Labelled windows that may be trained on; ``normal`` must be among them.
    scaler : Scaler
    n_faults, n_cases : int
        Virtual faults, and windows of each.
    seed : int or sequence of int
    permuted_share : float, in [0, 1]
        Of the virtual faults: real ones in other slots. Fewer where the labels do not give so
        many that differ; none of a table, which has no slots.

    Returns
    -------
    WindowSet
        Model inputs; without virtual faults where there is no normal window.
    """
    rng = np.random.default_rng([*np.atleast_1d(seed).tolist(), n_faults])
    parts = [_on_other_networks(real, str(name), scaler, rng) for name in np.unique(real.label)]
    labels = [str(name) for name in np.unique(real.label) for _ in range(_PER_LABEL)]
    if NORMAL in real.label:
        permuted = _permutations(real, scaler, round(permuted_share * n_faults), rng)
        for name, permutation in permuted:
            parts.append(_permuted_cases(real, name, permutation, scaler, n_cases, rng))
        parts.extend(_cases(real, scaler, n_cases, rng) for _ in range(n_faults - len(permuted)))
        labels.extend(f"{VIRTUAL}{number}" for number in range(n_faults) for _ in range(n_cases))
    label = np.array(labels, np.str_)
    capture = np.full(len(label), SYNTHETIC)
    return stack_windows(np.concatenate(parts), label=label, capture=capture, network=capture)


def one_shot_distances(
    real: RawWindows,
    scaler: Scaler,
    embed: Callable[[FloatArray], FloatArray],
    *,
    seed: int,
    n_faults: int = 100,
    n_cases: int = 8,
) -> FloatArray:
    """How far one example of a fault lies from its other cases, on this and other networks.

    Measured on virtual faults that were not trained on: what an embedding promises for a fault
    that is yet to come.

    Parameters
    ----------
    real : RawWindows
    scaler : Scaler
    embed : callable
        From (n, n_timesteps, n_channels) to (n, embedding_dim).
    seed : int
        Of the training; the faults drawn here are others.
    n_faults, n_cases : int

    Returns
    -------
    ndarray of float32
        Distances; a single 0 where no normal window was given.
    """
    if NORMAL not in real.label:
        return np.zeros(1, np.float32)
    rng = np.random.default_rng([seed, n_faults, _UNSEEN])
    cases = np.stack([_cases(real, scaler, n_cases, rng) for _ in range(n_faults)])
    embedded = embed(cases.reshape(-1, *cases.shape[2:])).reshape(n_faults, n_cases, -1)
    apart = np.linalg.norm(embedded[:, 1:] - embedded[:, :1], axis=-1)
    return np.asarray(apart.ravel(), np.float32)


def _on_other_networks(
    real: RawWindows, label: str, scaler: Scaler, rng: np.random.Generator
) -> FloatArray:
    return np.concatenate(
        [
            scaler.inputs(*_elsewhere(real, row, scaler, rng))
            for row in real.draw(label, _PER_LABEL, rng)
        ]
    )


def _elsewhere(
    real: RawWindows, row: int, scaler: Scaler, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return a window (1, n_timesteps, n_features) as on another network, and its baseline."""
    values, baseline = real.values[row : row + 1], real.baselines[int(real.network_index[row])]
    return carried_elsewhere(values, baseline, scaler.schema, rng)


def _cases(real: RawWindows, scaler: Scaler, n_cases: int, rng: np.random.Generator) -> FloatArray:
    values, baselines = [], []
    for row in real.draw(NORMAL, n_cases, rng):
        if rng.random() < 0.5:
            window, baseline = _elsewhere(real, row, scaler, rng)
        else:
            window = real.values[row : row + 1]
            baseline = real.baselines[int(real.network_index[row])]
        values.append(window)
        baselines.append(baseline)
    faulty = _faulty(np.concatenate(values), np.stack(baselines), scaler, rng)
    pairs = zip(faulty, baselines, strict=True)
    return np.stack([scaler.inputs(window, baseline) for window, baseline in pairs])


def _permutations(
    real: RawWindows, scaler: Scaler, n: int, rng: np.random.Generator
) -> list[tuple[str, SlotPermutation]]:
    if scaler.schema.is_table or not n:
        return []
    faults = [str(name) for name in np.unique(real.label) if name != NORMAL]
    return draw_permutations({name: slot_marks(*real.by_network(name)) for name in faults}, n, rng)


def _permuted_cases(
    real: RawWindows,
    label: str,
    permutation: SlotPermutation,
    scaler: Scaler,
    n_cases: int,
    rng: np.random.Generator,
) -> FloatArray:
    cases = []
    for row in real.draw(label, n_cases, rng):
        place = int(real.network_index[row])
        calm = np.flatnonzero((real.label == NORMAL) & (real.network_index == place))
        window, baseline = permute_slots(
            real.values[row],
            real.baselines[place],
            permutation,
            rng,
            normal=real.values[rng.choice(calm)] if len(calm) else None,
        )
        if rng.random() < 0.5:
            (window,), baseline = carried_elsewhere(window[None], baseline, scaler.schema, rng)
        cases.append(scaler.inputs(window, baseline))
    return np.stack(cases)


def _faulty(
    values: FloatArray, baselines: FloatArray, scaler: Scaler, rng: np.random.Generator
) -> FloatArray:
    """Let windows go through one fault, drawn at random from those that the features can show."""
    if scaler.schema.is_table:
        fault = draw_table_fault(scaler.schema, values, rng)
        return apply_table_fault(fault, values, baselines, scaler.schema, rng)
    return apply_fault(draw_fault(rng), values, rng).astype(np.float32)
