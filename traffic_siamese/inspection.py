"""What is in a log, in a model, in a fault; and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from traffic_siamese.bundle import load_bundle
from traffic_siamese.captures.reader import CaptureStats, read_packets
from traffic_siamese.errors import CaptureError, LibraryError
from traffic_siamese.features.schema import FEATURE_NAMES
from traffic_siamese.features.series import read_series
from traffic_siamese.history import TrainingHistory
from traffic_siamese.model import Model
from traffic_siamese.oneshot.rows import StoredBaseline
from traffic_siamese.preparation import FEATURE_HASH, bin_ns
from traffic_siamese.times import format_time
from traffic_siamese.types import TrafficLog, WindowSpec

_LINK_TYPES = {
    0: "null",
    1: "Ethernet",
    101: "raw IP",
    108: "loopback",
    113: "Linux cooked",
    228: "raw IPv4",
    229: "raw IPv6",
    276: "Linux cooked v2",
}


@dataclass(frozen=True, slots=True)
class FaultDescription:
    """A fault of a library.

    Attributes
    ----------
    label : str
    reach : float
        Distance from an example within which a window is taken for it.
    examples : tuple of dict
        Where each example came from.
    distances : dict of str to float
        For each other label, the distance between the nearest examples of the two; nearest first.
    """

    label: str
    reach: float
    examples: tuple[dict[str, str], ...]
    distances: dict[str, float]


def first_packet_ns(log: str | Path) -> int:
    """Return when a capture starts, nanoseconds since the epoch; reads only its head.

    Raises
    ------
    CaptureError
        If it cannot be read, or holds no packet.
    """
    with read_packets(log) as reader:
        for _ in reader:
            return reader.stats.first_ns
    raise CaptureError(f"{log}: holds no packets, expected at least one. Record it again.")


def describe_log(log: str | Path, *, window: WindowSpec | None = None) -> dict[str, Any]:
    """Say what a traffic log holds, and what is wrong with it.

    Parameters
    ----------
    log : str or Path
        A capture; it is read twice, so not standard input.
    window : WindowSpec, optional
        To tell whether the log holds one; the default spec otherwise.

    Returns
    -------
    dict
        Plain values, for JSON. ``problem`` says why nothing can be classified, or is None.

    Raises
    ------
    CaptureError
        If it is no capture at all.
    """
    stats, problem = _read_all(log)
    window = window or WindowSpec()
    series: TrafficLog | None = None
    if problem is None:
        try:
            series = read_series(log, bin_s=window.bin_s)
        except CaptureError as err:
            problem = str(err)
    stretches = [] if series is None else [_stretch(one, window) for one in series.series]
    if problem is None and not any(stretch["windows"] for stretch in stretches):
        problem = (
            f"no stretch is as long as a window of {window.n_timesteps * window.bin_s:g} s; "
            "nothing can be classified."
        )
    return {
        "log": str(log),
        "format": stats.format,
        "compression": stats.compression,
        "packets": stats.n_packets,
        "bytes": stats.n_bytes,
        "first": format_time(stats.first_ns),
        "last": format_time(stats.last_ns),
        "duration_s": round((stats.last_ns - stats.first_ns) / 1e9, 3),
        "link_types": {_link_name(kind): n for kind, n in stats.link_types.items()},
        "truncated": stats.n_truncated,
        "malformed": stats.n_malformed,
        "undecoded": stats.n_undecoded,
        "out_of_order": stats.n_out_of_order,
        "sip": {} if series is None else _sip(series),
        "stretches": stretches,
        "warnings": list(stats.warnings if series is None else series.warnings),
        "problem": problem,
    }


def _read_all(log: str | Path) -> tuple[CaptureStats, str | None]:
    """Read a capture to its end, or to where it is damaged."""
    with read_packets(log) as reader:
        try:
            for _ in reader:
                pass
        except CaptureError as err:
            if reader.stats.n_packets == 0:
                raise
            reader.stats.warnings.append(str(err))
        if reader.stats.n_packets == 0:
            return reader.stats, "holds no packets."
        return reader.stats, None


def _link_name(number: int) -> str:
    return _LINK_TYPES.get(number, f"link type {number}")


def _stretch(series: Any, window: WindowSpec) -> dict[str, Any]:
    n_bins, step_ns = len(series.values), bin_ns(series)
    n_windows = max(0, (n_bins - window.n_timesteps) // window.stride + 1)
    return {
        "start": format_time(series.start_ns),
        "end": format_time(series.start_ns + n_bins * step_ns),
        "bins": n_bins,
        "windows": n_windows if n_bins >= window.n_timesteps else 0,
    }


def _sip(log: TrafficLog) -> dict[str, dict[str, int]]:
    """Count SIP messages by kind, both directions together."""
    totals = np.sum([one.values.sum(axis=0, dtype=np.float64) for one in log.series], axis=0)
    found: dict[str, dict[str, int]] = {"requests": {}, "answers": {}}
    for name, total in zip(FEATURE_NAMES, totals.tolist(), strict=True):
        plain = name.removeprefix("to_service_").removeprefix("from_service_")
        for prefix, kinds in (("request_", "requests"), ("answer_", "answers")):
            if plain.startswith(prefix) and total:
                kind = plain.removeprefix(prefix)
                found[kinds][kind] = found[kinds].get(kind, 0) + round(total)
    return found


def describe_model(path: str | Path) -> dict[str, Any]:
    """Say what a model is, and what it was trained with.

    Returns
    -------
    dict
        Plain values, for JSON.

    Raises
    ------
    BundleError
        If it is missing, damaged or of another version.
    """
    bundle = load_bundle(path)
    info, library = bundle.info, bundle.library()
    history = TrainingHistory.load(bundle.history_path)
    summary = library.summary(bundle.encoder_id)
    baselines = [library.get_baseline(name, FEATURE_HASH) for name in library.networks()]
    calibration = info.calibration
    return {
        "model": str(path),
        "created": info.created,
        "labels": {
            row.label: {
                "trained": row.n_trained,
                "added": row.n_added,
                "reach": round(calibration.radii.get(row.label, calibration.pooled_radius), 6),
            }
            for row in summary
        },
        "window_s": info.window.n_timesteps * info.window.bin_s,
        "stride_s": info.window.stride * info.window.bin_s,
        "bin_s": info.window.bin_s,
        "features": len(info.feature_names),
        "same_features": info.feature_names == FEATURE_NAMES,
        "embedding_dim": info.embedding_dim,
        "false_unknown_share": calibration.false_unknown_share,
        "temperature": calibration.temperature,
        "networks": {one.network: _baseline(one) for one in baselines if one is not None},
        "training": {
            "epochs": history.n_epochs,
            "windows_followed": len(history.label),
            "captures": len(np.unique(history.capture)),
            "loss": info.training.get("loss"),
            "separation": _finite(history.separation[-1]) if history.n_epochs else None,
            **info.metrics,
        },
        "versions": info.versions,
    }


def _baseline(stored: StoredBaseline) -> dict[str, Any]:
    return {"bins": stored.n_bins, "learned_at": stored.learned_at}


def _finite(value: float) -> float | None:
    return round(float(value), 3) if np.isfinite(value) else None


def describe_fault(model: Model, label: str) -> FaultDescription:
    """Say where a fault's examples came from and how far the other labels are.

    Raises
    ------
    LibraryError
        If the model does not know it.
    """
    mine = model.prototype_labels == label
    if not mine.any():
        known = ", ".join(sorted(set(model.prototype_labels.tolist()))) or "(none)"
        raise LibraryError(
            f"label {label!r} is not in {model.bundle.path}, expected one of: {known}."
        )
    prototypes = model.library.prototypes(model.bundle.encoder_id)
    gaps = np.linalg.norm(model.prototypes[mine][:, None] - model.prototypes[None], axis=2)
    nearest = gaps.min(axis=0)
    others = sorted(set(model.prototype_labels.tolist()) - {label})
    distances = {name: float(nearest[model.prototype_labels == name].min()) for name in others}
    calibration = model.bundle.info.calibration
    return FaultDescription(
        label,
        calibration.radii.get(label, calibration.pooled_radius),
        tuple(p.source for p in prototypes if p.label == label),
        dict(sorted(distances.items(), key=lambda pair: pair[1])),
    )
