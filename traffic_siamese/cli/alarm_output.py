"""Incidents as alarms for other systems, while ``classify`` runs."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from traffic_siamese.cli.classify_outputs import Asked, Output
from traffic_siamese.cli.output import complain
from traffic_siamese.noc.alarm import Alarm, alarms_of
from traffic_siamese.noc.alarm_file import AlarmFile, alarm_format
from traffic_siamese.noc.alarm_requests import POSTED_FORMATS, check_url, posted_format
from traffic_siamese.noc.alarm_sender import AlarmSender
from traffic_siamese.noc.severity import Severities

if TYPE_CHECKING:
    from traffic_siamese.classification import LogResult

AUTHORIZATION = "TRAFFIC_SIAMESE_ALARM_AUTHORIZATION"
"""Environment variable with an Authorization header: a password does not belong in a command."""


def check_alarms(asked: Asked) -> None:
    """Refuse options about alarms that cannot be met, before anything is read."""
    if asked.alarms is None and asked.alarm_url is None:
        option = "--severity" if asked.alarm_format is None else "--alarm-format"
        raise click.UsageError(
            f"{option} is given without --alarms or --alarm-url, expected one of them. "
            "Name a file for the alarms, too."
        )
    if asked.alarms is not None:
        _tell_usage("--alarms", _file_format, asked, asked.alarms)
    if asked.alarm_url is not None:
        _tell_usage("--alarm-url", _url_format, asked, asked.alarm_url)


def _tell_usage(option: str, check: Callable[[Asked, str], str], asked: Asked, target: str) -> None:
    try:
        check(asked, target)
    except ValueError as err:
        raise click.BadParameter(str(err), param_hint=f"'{option}'") from err


def _file_format(asked: Asked, target: str) -> str:
    return asked.alarm_format or alarm_format(target)


def _url_format(asked: Asked, url: str) -> str:
    check_url(url)
    form = asked.alarm_format or posted_format(url)
    if form not in POSTED_FORMATS:
        raise ValueError(
            f"the format {form} is for files, expected one of {', '.join(POSTED_FORMATS)}. "
            "Write a file with --alarms, and let a log shipper send it."
        )
    return form


class AlarmOutput(Output):
    """A file of alarms, or standard output."""

    def __init__(self, asked: Asked, target: str) -> None:
        form = _file_format(asked, target)
        self._asked = asked
        self._file = AlarmFile(target, form=form, reporter=socket.gethostname())

    def add(self, result: LogResult) -> None:
        """Write the log's alarms at once."""
        self._file.write(_alarms(result, self._asked))

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


class AlarmPost(Output):
    """Another system, told over HTTP; one that is away stops nothing."""

    def __init__(self, asked: Asked, url: str) -> None:
        self._asked = asked
        self._sender = AlarmSender(
            url,
            _url_format(asked, url),
            socket.gethostname(),
            authorization=os.environ.get(AUTHORIZATION, ""),
        )

    def add(self, result: LogResult) -> None:
        """Post the log's alarms, and complain of what could not be delivered."""
        wrong = self._sender.send(_alarms(result, self._asked))
        self.n_lost = self._sender.n_undelivered
        if wrong:
            complain(wrong, kind="Not delivered")


def _alarms(result: LogResult, asked: Asked) -> list[Alarm]:
    return alarms_of(result.incidents, asked.severities or Severities(), network=asked.network)
