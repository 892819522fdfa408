"""Look at a model's folder, as often as viewers ask, and say what there is to show."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from traffic_siamese.bundle import load_bundle
from traffic_siamese.errors import BundleError
from traffic_siamese.live.run_files import UnreadableRunError, read_head
from traffic_siamese.live.shown import ShownRun, extended, finished, written_at
from traffic_siamese.live.status import Status, diverged, done, status_of, waiting

UNFINISHED = "unfinished"
"""Folder in a model's directory where a training leaves its files until the model is written."""

_POINTER = "bundle.json"
_KEEP_S = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What there is to show.

    Attributes
    ----------
    status : Status
        How the training stands.
    run : ShownRun or None
        Its points; None when there is none.
    """

    status: Status
    run: ShownRun | None = None


class Viewing:
    """Keeps what was read, so that many viewers cost as much as one.

    Parameters
    ----------
    model : Path
        Directory of the model, which need not be there yet.
    clock : callable, optional
        Gives seconds since the Unix epoch.
    """

    def __init__(self, model: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.model = model
        self._clock = clock
        self._lock = threading.Lock()
        self._view: View | None = None
        self._looked_s = 0.0
        self._running: ShownRun | None = None
        self._finished: tuple[object, View] | None = None

    def look(self) -> View:
        """Return what there is to show now; files are read at most five times a second."""
        with self._lock:
            now_s = time.monotonic()
            if self._view is None or now_s - self._looked_s > _KEEP_S:
                self._view, self._looked_s = self._look(), now_s
            return self._view

    def _look(self) -> View:
        try:
            head = read_head(self.model / UNFINISHED)
            run = extended(self._running, self.model / UNFINISHED, head)
        except UnreadableRunError:
            return self._look_at_model()
        self._running = run
        status = status_of(head, now_s=self._clock())
        return View(diverged(status) if run.has_diverged else status, run)

    def _look_at_model(self) -> View:
        stamp = _stamp(self.model / _POINTER)
        if stamp is None:
            return View(waiting(str(self.model)))
        if self._finished is None or self._finished[0] != stamp:
            self._finished = (stamp, self._read_model())
        return self._finished[1]

    def _read_model(self) -> View:
        try:
            bundle = load_bundle(self.model)
            run = finished(bundle)
        except BundleError as err:
            return View(Status("waiting", "The model cannot be read", str(err)))
        return View(done(run.epoch, written_at(bundle), str(self.model)), run)


def _stamp(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
