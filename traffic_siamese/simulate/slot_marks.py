"""Which real faults show in certain slots, and so are other faults in others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.simulate.permuted import (
    COUNTED,
    FAILURES,
    KINDS,
    SlotPermutation,
    brought_share,
    columns_of,
    first_share,
    usual_rates,
)
from traffic_siamese.types import FloatArray

_SHOWS = 0.5  # of the logarithm of a failure's rate
_SURGES = 1.0  # of the logarithm of a request's rate, beyond the other kinds'
_COMMON_RATE = 0.2  # events per bin: a kind that is rarer says nothing about the others
_FAILS = 0.6  # times the share of normal successes that other requests still have
_SWAP_SHARE = 0.25
_TRIES = 20


@dataclass(frozen=True, slots=True)
class SlotMarks:
    """The slots that a fault shows in.

    Attributes
    ----------
    failures : tuple of str
        Answers that it brings; of `FAILURES`.
    surging, failing : tuple of str
        Requests that it brings more of, and those that fail more than others; of `KINDS`.
    """

    failures: tuple[str, ...] = ()
    surging: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether another slot makes it another fault.

        What all requests fail by is the same fault on a network with another mix of requests.
        """
        return bool(self.failures or self.surging)

    def shown(self, permutation: SlotPermutation) -> tuple[object, ...]:
        """Return what tells the permuted fault from others of its kind.

        Which requests fail can be told of those only whose successes are counted.
        """
        kinds = dict(zip(KINDS, permutation.kinds, strict=True))
        failures = dict(zip(FAILURES, permutation.failures, strict=True))
        return (
            permutation.swaps_directions,
            tuple(failures[name] for name in self.failures),
            tuple(kinds[name] for name in self.surging),
            tuple(kinds[name] if kinds[name] in COUNTED else "" for name in self.failing),
        )


def slot_marks(values: Sequence[FloatArray], baselines: Sequence[FloatArray]) -> SlotMarks:
    """Find the slots that a fault shows in.

    Parameters
    ----------
    values : sequence of ndarray of shape (n_windows, n_timesteps, n_features), float32
        Its windows, network by network.
    baselines : sequence of ndarray of shape (2, n_features), float32
        Of those networks.
    """
    networks = list(zip(values, baselines, strict=True))
    failures = np.mean([_rise_of_failures(*one) for one in networks], axis=0)
    surges = np.mean([_rise_of_requests(*one) for one in networks], axis=0)
    successes = np.mean([_left_of_successes(*one) for one in networks], axis=0)
    return SlotMarks(
        failures=_where(FAILURES, failures >= _SHOWS),
        surging=_where(KINDS, surges >= _SURGES),
        failing=_where(tuple(COUNTED), successes < _FAILS * min(successes.max(), 1.0)),
    )


def draw_permutations(
    marks: Mapping[str, SlotMarks], n: int, rng: np.random.Generator
) -> list[tuple[str, SlotPermutation]]:
    """Draw permutations of faults, each of which shows another fault than all others.

    Parameters
    ----------
    marks : mapping of str to SlotMarks
        What each real fault shows in; those that no slot marks are left out.
    n : int
        How many.
    rng : numpy.random.Generator

    Returns
    -------
    list of (str, SlotPermutation)
        The real fault and its permutation; fewer than ``n`` where there are not so many.
    """
    labels = sorted(label for label, mark in marks.items() if mark)
    seen = {(label, *marks[label].shown(SlotPermutation())) for label in labels}
    drawn: list[tuple[str, SlotPermutation]] = []
    for _ in range(_TRIES * n if labels else 0):
        label = labels[int(rng.integers(len(labels)))]
        permutation = _draw(rng)
        shown = (label, *marks[label].shown(permutation))
        if shown not in seen:
            seen.add(shown)
            drawn.append((label, permutation))
        if len(drawn) == n:
            break
    return drawn


def _draw(rng: np.random.Generator) -> SlotPermutation:
    return SlotPermutation(
        tuple(rng.permutation(KINDS).tolist()),
        tuple(rng.permutation(FAILURES).tolist()),
        bool(rng.random() < _SWAP_SHARE),
    )


def _where(names: tuple[str, ...], mask: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(name for name, shows in zip(names, mask, strict=True) if shows)


def _rise_of_failures(values: FloatArray, baseline: FloatArray) -> NDArray[np.float64]:
    """Return how much the fault brought of each failure, the logarithm's mean over windows."""
    rises = []
    for direction in (0, 1):
        rates = values[..., columns_of(direction, [f"answer_{name}" for name in FAILURES])]
        brought = brought_share(values, baseline, direction) * rates.mean(axis=1)
        rises.append(np.log1p(brought).mean(axis=0))
    return np.asarray(np.maximum(*rises), np.float64)


def _rise_of_requests(values: FloatArray, baseline: FloatArray) -> NDArray[np.float64]:
    """Return how much each kind rose beyond the common ones' median; repeats do not count."""
    rises = []
    for direction in (0, 1):
        columns = columns_of(direction, [f"request_{kind}" for kind in KINDS])
        rates = values[..., columns].mean(axis=1)
        rates = rates * first_share(values, direction, "requests")
        usual = usual_rates(baseline, columns)
        rise = (np.log1p(rates) - np.log1p(usual)).mean(axis=0)
        common = rise[usual >= _COMMON_RATE]
        rises.append(rise - max(0.0, float(np.median(common)) if len(common) else 0.0))
    return np.asarray(np.maximum(*rises), np.float64)


def _left_of_successes(values: FloatArray, baseline: FloatArray) -> NDArray[np.float64]:
    """Return the share of normal that is left of the counted successes, both directions."""
    columns = [columns_of(direction, list(COUNTED.values())) for direction in (0, 1)]
    rates = sum(values[..., one].mean(axis=(0, 1), dtype=np.float64) for one in columns)
    usual = sum(usual_rates(baseline, one) for one in columns)
    common = np.asarray(usual >= _COMMON_RATE)
    return np.where(common, rates / np.maximum(usual, _COMMON_RATE), 1.0)
