"""What a watcher is shown: a training that runs, or the one that a finished model came from."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from traffic_siamese.bundle import Bundle
from traffic_siamese.history import TrainingHistory
from traffic_siamese.live.run_files import (
    CURVES,
    RunHead,
    UnreadableRunError,
    WatchedEpoch,
    WatchedPoints,
    read_epoch,
    read_points,
    to_steps,
)
from traffic_siamese.types import Int64Array
from traffic_siamese.views.colours import UNLABELLED, label_colours


@dataclass(frozen=True, slots=True, eq=False)
class ShownRun:
    """The points of one run and where they stood; epochs are only ever added.

    Attributes
    ----------
    run_id : str
        Another one for another run.
    points : WatchedPoints
        What is drawn.
    epochs : list of WatchedEpoch
        Before training, and after each epoch so far.
    """

    run_id: str
    points: WatchedPoints
    epochs: list[WatchedEpoch] = field(default_factory=list)

    @property
    def epoch(self) -> int:
        """The newest epoch."""
        return len(self.epochs) - 1

    @property
    def has_diverged(self) -> bool:
        """True when the training's numbers have run away; before training there is no loss."""
        return self.epoch > 0 and not np.isfinite(self.epochs[-1].curves["loss"])

    @property
    def order(self) -> Int64Array:
        """The points as the page has them: those of one label and kind together."""
        points = self.points
        order = np.lexsort((points.start_ns, points.held_out, points.prototype, points.label))
        return order.astype(np.int64)

    def described_points(self) -> dict[str, Any]:
        """Return what the page needs to know of the points, for JSON; names are kept once."""
        points, order = self.points, self.order
        labels, label = np.unique(points.label[order], return_inverse=True)
        captures, capture = np.unique(points.capture[order], return_inverse=True)
        networks, network = np.unique(points.network[order], return_inverse=True)
        colours, counts = label_colours(labels.tolist()), np.bincount(label)
        return {
            "run": self.run_id,
            "labels": [
                {"name": name or UNLABELLED, "colour": colours[name], "windows": int(number)}
                for name, number in zip(labels.tolist(), counts, strict=True)
            ],
            "captures": captures.tolist(),
            "networks": networks.tolist(),
            "label": label.tolist(),
            "capture": capture.tolist(),
            "network": network.tolist(),
            "start_ms": (points.start_ns[order] // 1_000_000).tolist(),
            "held_out": points.held_out[order].astype(int).tolist(),
            "prototype": points.prototype[order].astype(int).tolist(),
        }

    def described_epochs(self, after: int) -> dict[str, Any]:
        """Return the epochs after one, for JSON.

        Parameters
        ----------
        after : int
            The newest epoch that the viewer has; -1 if it has none.

        Returns
        -------
        dict
            ``first``, the number of the first epoch given; ``curves``, by name a number or None
            for each; ``positions``, base64 of unsigned 16-bit numbers, low byte first, in the
            order epoch, axis, point.
        """
        first = max(after + 1, 0)
        new = self.epochs[first:]
        order = self.order
        stack = np.array([epoch.positions[order].T for epoch in new], "<u2")
        return {
            "run": self.run_id,
            "first": first,
            "n_epochs": len(new),
            "curves": {name: [_number(e.curves[name]) for e in new] for name in CURVES},
            "positions": base64.b64encode(stack.tobytes()).decode("ascii"),
        }


def extended(before: ShownRun | None, folder: Path, head: RunHead) -> ShownRun:
    """Return a run as far as it is, reading only the epochs that were not read before.

    Parameters
    ----------
    before : ShownRun or None
        What was shown last.
    folder : Path
        Where the training leaves its files.
    head : RunHead
        What it says of itself.

    Raises
    ------
    UnreadableRunError
        If a file is missing or damaged.
    """
    if before is None or before.run_id != head.run_id:
        before = ShownRun(head.run_id, read_points(folder))
    n_points = len(before.points.label)
    epochs = before.epochs[: head.epoch + 1]
    for number in range(len(epochs), head.epoch + 1):
        epochs.append(read_epoch(folder, number, n_points=n_points))
    if not epochs:
        raise UnreadableRunError("no epoch yet")
    return ShownRun(before.run_id, before.points, epochs)


def finished(bundle: Bundle) -> ShownRun:
    """Return the run that a finished model came from.

    Parameters
    ----------
    bundle : Bundle
        The model.

    Raises
    ------
    BundleError
        If its history is damaged.
    """
    history = TrainingHistory.load(bundle.history_path)
    points = WatchedPoints(
        label=history.label,
        capture=history.capture,
        network=history.network,
        start_ns=history.start_ns,
        held_out=history.held_out,
        prototype=history.prototype,
    )
    curves = zip(*(getattr(history, name).tolist() for name in CURVES), strict=True)
    epochs = [
        WatchedEpoch(positions, dict(zip(CURVES, values, strict=True)))
        for positions, values in zip(to_steps(history.embeddings), curves, strict=True)
    ]
    return ShownRun(bundle.history_path.stem, points, epochs)


def written_at(bundle: Bundle) -> str:
    """Say when a model was made, such as ``2026-11-22 14:00 UTC``."""
    try:
        moment = datetime.fromisoformat(bundle.info.created).astimezone(UTC)
    except ValueError:
        return bundle.info.created
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _number(value: float) -> float | None:
    return float(f"{value:.6g}") if np.isfinite(value) else None
