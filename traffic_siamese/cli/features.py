"""``traffic-siamese features``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from traffic_siamese.cli.manual import Manual
from traffic_siamese.cli.options import TABLE_FILE, common_options, json_option, max_bytes_option
from traffic_siamese.cli.output import complain, count, print_json, say
from traffic_siamese.cli.progress import Progress, reading
from traffic_siamese.cli.settings import SKIPPED
from traffic_siamese.cli.table_options import reading_of, table_options

if TYPE_CHECKING:
    from traffic_siamese.types import TrafficLog


@click.command(
    cls=Manual,
    each="bin",
    answer={
        "start": "When the bin starts, RFC 3339, UTC.",
        "log": "Of a table with several network elements: FILE#ELEMENT.",
        "...": "Every feature by its name; null where it is not known.",
    },
    files={"columns.yaml": "What the columns of a table are: by, time, timezone, columns."},
)
@click.argument("log", metavar="LOG")
@click.option(
    "-o",
    "--output",
    type=TABLE_FILE,
    default="-",
    metavar="FILE",
    help="A .csv, .jsonl or .parquet file; - is standard output, the default.",
)
@click.option(
    "--bin",
    "bin_s",
    type=click.FloatRange(min=0.01, max=86_400),
    metavar="S",
    help="Seconds in a bin; default: 1 s, of tables the time from row to row.",
)
@click.option(
    "--describe",
    is_flag=True,
    help="Write what the columns of a table were taken for, as a file for --columns.",
)
@table_options
@json_option
@max_bytes_option
@common_options
def command(
    log: str, output: str, bin_s: float | None, describe: bool, as_json: bool, **tables: Any
) -> None:
    """Write what is measured in each second of LOG, for other tools.

    One row for each bin: its start, then the features. A gap in the capture has no rows. With
    --json, standard output gets JSON lines in place of CSV.

    Of a table (CSV, TSV, Parquet, JSON Lines) the features are its columns: running counters as
    differences, amounts and states in bins. --describe says what each was taken for.

    \b
    Example:
      traffic-siamese features tonight.pcap.gz -o series.parquet
      traffic-siamese features counters.csv --describe
      traffic-siamese features counters.csv --columns columns.yaml --by node -o series.parquet
    """
    from traffic_siamese.logs.reading import read_logs

    with reading([log], then="measuring"):
        logs = read_logs(log, bin_s=bin_s, options=reading_of(**tables))
    if describe:
        _describe(logs[0], as_json=as_json)
    else:
        _write(logs, output, as_json=as_json)
    warnings = [warning for one in logs for warning in one.warnings]
    for warning in warnings:
        complain(warning)
    for one in logs:
        n_bins = sum(len(series.values) for series in one.series)
        say(
            f"{one.name}: {count(n_bins, 'bin')} of {one.series[0].bin_s:g} s in "
            f"{count(len(one.series), 'unbroken stretch')}."
        )
    if warnings:
        click.get_current_context().exit(SKIPPED)


def _write(logs: Sequence[TrafficLog], output: str, *, as_json: bool) -> None:
    from traffic_siamese.tables import Column, open_table, series_columns, series_rows

    named = (Column("log", "text"),) if len(logs) > 1 else ()
    columns = (*named, *series_columns(logs[0]))
    with Progress("writing") as progress, open_table(output, columns, as_json=as_json) as table:
        if output == "-":
            progress.clear()
        for log in logs:
            for rows in series_rows(log):
                table.write([(log.name, *row) for row in rows] if named else rows)


def _describe(log: TrafficLog, *, as_json: bool) -> None:
    from traffic_siamese.logs.description import columns_yaml, describe_columns

    if log.schema is None:
        raise click.UsageError(f"{log.name} is a capture: only columns of tables are guessed.")
    if as_json:
        print_json(describe_columns(log))
    else:
        click.echo(columns_yaml(log))
