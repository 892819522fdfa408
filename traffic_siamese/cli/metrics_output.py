"""Counts for a monitoring system, while ``classify`` runs."""

from __future__ import annotations

import re
import time
from types import TracebackType
from typing import TYPE_CHECKING

import click

from traffic_siamese.cli.classify_outputs import Asked, Output
from traffic_siamese.cli.output import say

if TYPE_CHECKING:
    from traffic_siamese.classification import LogResult
    from traffic_siamese.noc.run_metrics import UsedModel

_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[\w.-]*):(?P<port>\d{1,5})", re.ASCII)
_SUFFIX = ".prom"


def address_of(target: str) -> tuple[str, int] | None:
    """Return host and port of ``HOST:PORT``; None where it is no such thing."""
    match = _ADDRESS.fullmatch(target)
    return (match["host"].strip("[]") or "127.0.0.1", int(match["port"])) if match else None


def check_metrics(asked: Asked, target: str) -> None:
    """Refuse what is neither an address nor a file whose counters can go on, before all else."""
    from traffic_siamese.noc.exposition import client, read_counters

    client()
    is_file = address_of(target) is None
    if is_file and not target.endswith(_SUFFIX):
        raise click.BadParameter(
            f"{target!r} is neither HOST:PORT nor a file that ends in {_SUFFIX}, expected one of "
            "these. Others are not read by the textfile collector of node_exporter.",
            param_hint="'--metrics'",
        )
    if is_file:
        read_counters(target, network=asked.network or "")


class MetricsOutput(Output):
    """A file that is written at the end, or a server that listens while the command runs."""

    def __init__(self, asked: Asked, target: str) -> None:
        from traffic_siamese.noc.exposition import MetricsServer, read_counters
        from traffic_siamese.noc.run_metrics import RunMetrics

        address, network = address_of(target), asked.network or ""
        before = {} if address else read_counters(target, network=network)
        self._file = "" if address else target
        self._metrics = RunMetrics(network, _used_model(asked.model), before)
        self._server = MetricsServer(*address, self._metrics) if address else None
        self._last_s = asked.began_s
        if address and self._server:
            say(f"Metrics at http://{address[0]}:{self._server.port}/metrics until this ends.")

    def add(self, result: LogResult) -> None:
        """Count the log."""
        now_s = time.monotonic()
        self._metrics.add(result, spent_s=now_s - self._last_s, now_s=time.time())
        self._last_s = now_s

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Say how the run ended; write the file, or stop serving."""
        from traffic_siamese.noc.exposition import write_metrics

        self._metrics.finish(success=kind is None, now_s=time.time())
        if self._server:
            self._server.close()
        else:
            write_metrics(self._file, self._metrics)


def _used_model(path: str) -> UsedModel:
    from traffic_siamese import __version__
    from traffic_siamese.bundle import load_bundle
    from traffic_siamese.noc.run_metrics import UsedModel
    from traffic_siamese.tables import plain_value

    bundle = load_bundle(path)
    labels = bundle.library().labels(bundle.encoder_id)
    return UsedModel(plain_value("text", path), bundle.encoder_id, __version__, labels)
