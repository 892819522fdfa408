"""Incidents as alarms for other systems, while ``classify`` runs."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import click

from traffic_siamese.cli.classify_outputs import Asked, Output
from traffic_siamese.noc.alarm import alarms_of
from traffic_siamese.noc.alarm_file import AlarmFile, alarm_format
from traffic_siamese.noc.severity import Severities

if TYPE_CHECKING:
    from traffic_siamese.classification import LogResult


def check_alarms(asked: Asked) -> None:
    """Refuse options about alarms that cannot be met, before anything is read."""
    if asked.alarms is None:
        for option, value in (
            ("--alarm-format", asked.alarm_format),
            ("--severity", asked.severities),
        ):
            if value is not None:
                raise click.UsageError(
                    f"{option} is given without --alarms, expected both. "
                    "Name a file for the alarms, too."
                )
    elif asked.alarm_format is None:
        try:
            alarm_format(asked.alarms)
        except ValueError as err:
            raise click.BadParameter(str(err), param_hint="'--alarms'") from err


class AlarmOutput(Output):
    """A file of alarms, or standard output."""

    def __init__(self, asked: Asked, target: str) -> None:
        form = asked.alarm_format or alarm_format(target)
        self._network = asked.network
        self._severities = asked.severities or Severities()
        self._file = AlarmFile(target, form=form, reporter=socket.gethostname())

    def add(self, result: LogResult) -> None:
        """Write the log's alarms at once."""
        alarms = alarms_of(result.incidents, self._severities, network=self._network)
        self._file.write(alarms)

    def close(self) -> None:
        """Finish the file."""
        self._file.close()
