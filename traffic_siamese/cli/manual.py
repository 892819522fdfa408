"""A command whose help reads like a page of a manual."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import click

GROUPS = {
    "Tables and pages": "output incidents report video onnx projector address",
    "Alarms and metrics": "alarms alarm_format alarm_url severities metrics false_alarms_per_day",
    "Windows": "window stride bin_s",
    "Tables of counters": "columns by timezone",
    "Training": "epochs loss margin embedding_dim seed patience held_out tensorboard",
    "Starting from a model": "start_from freeze resume",
    "With --leave-out": "leave_out folds seeds peers",
    "Common": "workers max_bytes as_json quiet traceback help",
}
"""Where an option stands in a long help; those of no group come first."""

_MANY = 10
_EXIT_STATUS = (
    ("0", "Done."),
    ("1", "The data or the model cannot be used; one line says why."),
    ("2", "Wrong usage."),
    ("3", "Done, but something was skipped or damaged."),
    ("130", "Interrupted; what was finished is kept."),
)


class Manual(click.Command):
    """A command with a synopsis, a description, options in groups, files, JSON and exit status.

    Parameters
    ----------
    *args : object
        As for `click.Command`.
    files : mapping of str to str, optional
        Files that are read or written, each with its format.
    answer : mapping of str to str, optional
        What ``--json`` writes: the names in each object, with their meaning.
    each : str, optional
        What there is one JSON object for, where there may be several.
    **kwargs : object
        As for `click.Command`.
    """

    def __init__(
        self,
        *args: Any,
        files: Mapping[str, str] | None = None,
        answer: Mapping[str, str] | None = None,
        each: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.files, self.answer, self.each = files or {}, answer or {}, each

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options: in groups where there are many."""
        records = {}
        help_option = self.get_help_option(ctx)
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None and isinstance(param, click.Option):
                records["help" if param is help_option else str(param.name)] = record
        for title, names in _grouped(records):
            with formatter.section(title):
                formatter.write_dl([records[name] for name in names])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what follows the options: files, what ``--json`` writes, the exit status."""
        title = f"JSON, one object for each {self.each}" if self.each else "JSON"
        for heading, rows in (("Files", self.files), (title, self.answer)):
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(list(rows.items()), col_max=24)
        with formatter.section("Exit status"):
            formatter.write_dl(list(_EXIT_STATUS))
        super().format_epilog(ctx, formatter)


def _grouped(names: Iterable[str]) -> list[tuple[str, list[str]]]:
    """Return the options in the order of the help, below the titles of their groups."""
    names = list(names)
    if len(names) < _MANY:
        return [("Options", names)]
    placed = {title: [name for name in names if name in of.split()] for title, of in GROUPS.items()}
    others = [name for name in names if not any(name in group for group in placed.values())]
    return [pair for pair in (("Options", others), *placed.items()) if pair[1]]
