"""How a training stands, in words."""

from __future__ import annotations

import os
import platform
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from traffic_siamese.live.run_files import RunHead

Phase = Literal["waiting", "training", "silent", "saving", "broken off", "done"]

_LEAST_SILENCE_S = 60.0
_FIRST_EPOCH_S = 600.0
"""The first epoch also compiles the network, and its usual length is not known."""

_EPOCHS_OF_SILENCE = 5


@dataclass(frozen=True, slots=True)
class Status:
    """How a training stands.

    Attributes
    ----------
    phase : str
        One of ``waiting``, ``training``, ``silent`` (no news for long), ``saving`` (no epoch is to
        come), ``broken off`` and ``done``.
    headline, detail : str
        What to tell people; the detail may be empty.
    command : str
        What they can type now, or empty.
    n_epochs : int
        Epochs at most; 0 when nothing is known.
    first_epoch : int
        The epoch after which the run was continued; 0 if it was not.
    eta_s : float or None
        Time to go; None when not known, or there is none.
    """

    phase: Phase
    headline: str
    detail: str = ""
    command: str = ""
    n_epochs: int = 0
    first_epoch: int = 0
    eta_s: float | None = None


def waiting(model: str) -> Status:
    """Return the status when there is neither a run nor a model."""
    return Status(
        "waiting",
        "No training to show yet",
        "It shows up here by itself, once its captures are read. Start one with:",
        f"traffic-siamese train LOGS --labels LOGS/labels.csv --model {shlex.quote(model)}",
    )


def done(n_epochs: int, when: str, model: str) -> Status:
    """Return the status when there is a finished model.

    Parameters
    ----------
    n_epochs : int
        The epoch that was kept.
    when : str
        When the model was made.
    model : str
        Its directory.
    """
    return Status(
        "done",
        "Training is done",
        f"The model was written on {when}; the points stand where it puts them (epoch {n_epochs}). "
        "Its film, to keep:",
        f"traffic-siamese film {shlex.quote(model)} -o separation.html",
        n_epochs=n_epochs,
    )


def diverged(status: Status) -> Status:
    """Return a status that says as well that the training's numbers have run away."""
    detail = (
        "The loss is no longer a number: the training has failed. Stop it, and try another --loss."
    )
    return replace(status, detail=detail)


def status_of(
    head: RunHead, *, now_s: float, is_alive: Callable[[RunHead], bool | None] | None = None
) -> Status:
    """Return the status of a run that is not finished.

    Parameters
    ----------
    head : RunHead
        What it says of itself.
    now_s : float
        Seconds since the Unix epoch.
    is_alive : callable, optional
        Says whether its process runs; None where that cannot be known. `process_runs` by default.
    """
    silent_s = max(now_s - head.written_s, 0.0)
    alive = (is_alive or process_runs)(head)
    if head.state == "broken off" or alive is False:
        return _broken_off(head)
    if silent_s > _patience_s(head):
        return _silent(head, silent_s)
    if head.state == "trained":
        detail = "No more epochs: examples are chosen and the model is written."
        return _status(head, "saving", "Training is nearly done", detail)
    eta_s = None if head.eta_s is None else max(head.eta_s - silent_s, 0.0)
    resumed = f"Continued after epoch {head.first_epoch}." if head.first_epoch else ""
    return _status(head, "training", "Training", resumed, eta_s=eta_s)


def process_runs(head: RunHead) -> bool | None:
    """Say whether the process that trains is there; None if it is not known from here."""
    if os.name != "posix" or head.host != platform.node():
        return None  # on Windows the same question would end the process
    try:
        os.kill(head.pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return None
    return True


def _patience_s(head: RunHead) -> float:
    if head.longest_epoch_s <= 0 or head.state == "trained":
        return _FIRST_EPOCH_S
    return max(_LEAST_SILENCE_S, _EPOCHS_OF_SILENCE * head.longest_epoch_s)


def _broken_off(head: RunHead) -> Status:
    detail = "Continue it with the command that started it, and --resume."
    if head.state == "trained":
        detail = f"All epochs were done, but no model was written. {detail}"
    headline = f"Training was broken off after epoch {head.epoch}"
    return _status(head, "broken off", headline, detail)


def _silent(head: RunHead, silent_s: float) -> Status:
    usual = f" Epochs took {head.longest_epoch_s:.0f} s at most." if head.longest_epoch_s else ""
    return _status(
        head,
        "silent",
        f"No news from the training for {silent_s / 60:.0f} min",
        f"It was stopped, or its computer sleeps.{usual}",
    )


def _status(
    head: RunHead, phase: Phase, headline: str, detail: str, *, eta_s: float | None = None
) -> Status:
    return Status(
        phase,
        headline,
        detail,
        n_epochs=head.n_epochs,
        first_epoch=head.first_epoch,
        eta_s=eta_s,
    )
