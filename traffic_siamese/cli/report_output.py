"""The incident page, while ``classify`` runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import click

from traffic_siamese.bundle import load_bundle
from traffic_siamese.cli.classify_outputs import Asked, Output
from traffic_siamese.cli.output import count, say
from traffic_siamese.explanation.log_reasons import ESTIMATED
from traffic_siamese.views.report import ReportAbout, ReportWriter

if TYPE_CHECKING:
    from traffic_siamese.classification import LogResult


def check_report(target: str) -> None:
    """Refuse a name that is no page's: a capture named by mistake must not be replaced."""
    if Path(target).suffix.lower() not in (".html", ".htm"):
        raise click.BadParameter(
            f"{target!r} does not end in .html, expected the name of a page.",
            param_hint="'--report'",
        )


class ReportOutput(Output):
    """The page, which is put in place when all is done, or when it is broken off."""

    def __init__(self, asked: Asked, target: str) -> None:
        self._target = target
        self._writer = ReportWriter(target, _about(asked))

    def add(self, result: LogResult) -> None:
        """Put the log into the page's draft."""
        self._writer.add(_without_notes(result))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish the page; of a run that is broken off, with what it had until then."""
        self._writer.__exit__(kind, value, traceback)
        if self._writer.n_logs:
            size = f"{Path(self._target).stat().st_size / 1e6:.1f} MB"
            logs = count(self._writer.n_logs, "log")
            until = "" if kind is None else ", all before it was broken off"
            say(f"{self._target}: {logs}{until}, {size}. Open it in a browser.")


def _without_notes(result: LogResult) -> LogResult:
    """Leave out of each reason what the page says once: that normal was estimated."""
    note = f" ({ESTIMATED})"
    verdicts = [replace(one, reason=one.reason.removesuffix(note)) for one in result.verdicts]
    incidents = [replace(one, reason=one.reason.removesuffix(note)) for one in result.incidents]
    return replace(result, verdicts=tuple(verdicts), incidents=tuple(incidents))


def _about(asked: Asked) -> ReportAbout:
    bundle = load_bundle(asked.model)
    return ReportAbout(
        Path(asked.model).resolve().name,
        bundle.info.window,
        bundle.info.embedding_dim,
        bundle.library().prototypes(bundle.encoder_id),
        network=asked.network or "",
        n_logs=len(asked.logs),
    )
