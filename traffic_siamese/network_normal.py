"""The normal of a network: learned from its traffic, and refreshed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from traffic_siamese.baseline import (
    MIN_BINS,
    blend_baselines,
    learn_baseline,
    untroubled_bins,
)
from traffic_siamese.drift import find_drift
from traffic_siamese.errors import LibraryError, WindowError
from traffic_siamese.model import Model, load_model
from traffic_siamese.network_straying import measure_straying
from traffic_siamese.oneshot.rows import StoredBaseline
from traffic_siamese.steadiness import Steadiness, measure_steadiness
from traffic_siamese.types import FloatArray, TrafficLog

_REMEMBERED_BINS = 3600  # an update counts at least as much beside an hour
_MUCH_TROUBLE = 0.1  # of the bins
_MOSTLY = 0.5


@dataclass(frozen=True, slots=True)
class LearnedNormal:
    """What learning a network's normal gave.

    Attributes
    ----------
    stored : StoredBaseline
        What is now in the model.
    n_bins, n_given : int
        Bins learned from, and bins of the logs.
    bin_s : float
        Length of a bin in seconds.
    steadiness : Steadiness
        Whether the bins learned from were enough.
    warnings : tuple of str
    """

    stored: StoredBaseline
    n_bins: int
    n_given: int
    bin_s: float
    steadiness: Steadiness
    warnings: tuple[str, ...]


def learn_network(
    logs: Sequence[str | Path],
    *,
    model: str | Path,
    network: str,
    mostly_normal: bool = False,
    update: bool = False,
) -> LearnedNormal:
    """Learn a network's normal from its traffic, and keep it in the model.

    Parameters
    ----------
    logs : sequence of str or Path
        Captures of normal traffic, in the order in which they were taken.
    model : str or Path
        The model bundle's directory.
    network : str
        What to call the network.
    mostly_normal : bool, default False
        Leave out what looks like trouble.
    update : bool, default False
        Follow a slow drift: what was known counts as much as the bins it was learned from, an
        hour at most. Trouble is left out.

    Raises
    ------
    CaptureError
        If a log cannot be read.
    WindowError
        If the logs together are too short to tell what is normal.
    LibraryError
        If there is nothing to update, or the network has moved too far for it.
    """
    loaded = load_model(model)
    old = loaded.baseline_of(network) if update else None
    schema = loaded.schema
    read = [one for log in logs for one in loaded.read_all(log)]
    if old is not None:
        _require_same_network(read, old, network)
    values = np.concatenate([series.values for log in read for series in log.series])
    _require_bins(read, len(values))
    calm = untroubled_bins(values, schema)
    used = values[calm] if mostly_normal or update else values
    baseline, weight = _learned(loaded, network, used, update=update)
    stored = _stored(network, schema.digest, read, baseline, weight)
    farthest = measure_straying(loaded, read, baseline, mostly_normal=mostly_normal or update)
    if farthest is not None:
        stored = stored.strays(farthest, loaded.bundle.encoder_id)
    loaded.library.set_baseline(stored)
    warnings = [warning for log in read for warning in log.warnings]
    warnings += _about_trouble(float(np.mean(~calm)), left_out=mostly_normal or update)
    bin_s = loaded.bundle.info.window.bin_s
    steadiness = measure_steadiness(used, schema)
    return LearnedNormal(stored, len(used), len(values), bin_s, steadiness, tuple(warnings))


def _require_bins(read: Sequence[TrafficLog], n_bins: int) -> None:
    if n_bins < MIN_BINS:
        raise WindowError(
            f"{', '.join(log.name for log in read)}: {n_bins} bins in all, expected at least "
            f"{MIN_BINS} to tell what is normal. Use a longer stretch of normal traffic."
        )


def _require_same_network(read: Sequence[TrafficLog], old: FloatArray, network: str) -> None:
    for log in read:
        drift = find_drift(log, old)
        if drift is not None:
            raise LibraryError(
                f"{log.name}: {drift.words(network)}, too far for an update, which would blend "
                "two states into one that never was. Learn it anew, without --update."
            )


def _learned(
    model: Model, network: str, values: FloatArray, *, update: bool
) -> tuple[FloatArray, int]:
    """Return the baseline and how many bins it counts for."""
    fresh = learn_baseline(values, model.schema)
    old = model.library.get_baseline(network, model.schema.digest) if update else None
    if old is None:
        return fresh, len(values)
    remembered = min(old.n_bins, _REMEMBERED_BINS)
    known = np.stack([old.center, old.spread])
    blended = blend_baselines(known, fresh, old_bins=remembered, new_bins=len(values))
    return blended, remembered + len(values)


def _stored(
    network: str, digest: str, read: Sequence[TrafficLog], baseline: FloatArray, n_bins: int
) -> StoredBaseline:
    return StoredBaseline(
        network,
        digest,
        baseline[0],
        baseline[1],
        n_bins,
        {"captures": ", ".join(log.name for log in read)},
        datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    )


def _about_trouble(share: float, *, left_out: bool) -> list[str]:
    if left_out and share > _MOSTLY:
        return [
            f"{share:.0%} of the traffic looks like trouble and was left out: it is not mostly "
            "normal. Check that what was learned is, or use other captures."
        ]
    if left_out or share <= _MUCH_TROUBLE:
        return []
    return [
        f"{share:.0%} of the traffic looks like trouble and was learned as normal. "
        "Use calmer captures, or --mostly-normal to leave it out."
    ]
