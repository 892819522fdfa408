"""``traffic-siamese features``."""

from __future__ import annotations

import click

from traffic_siamese.cli.options import TABLE_FILE, common_options, json_option
from traffic_siamese.cli.output import complain, count, say
from traffic_siamese.cli.settings import SKIPPED


@click.command()
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
    type=click.FloatRange(min=0.01, max=3600),
    default=1.0,
    show_default=True,
    metavar="S",
    help="Seconds in a bin.",
)
@json_option
@common_options
def command(log: str, output: str, bin_s: float, as_json: bool) -> None:
    """Write what is measured in each second of LOG, for other tools.

    One row for each bin: its start, then the features. A gap in the capture has no rows. With
    --json, standard output gets JSON lines in place of CSV.

    \b
    Example:
      traffic-siamese features tonight.pcap.gz -o series.parquet
    """
    from traffic_siamese.features.series import read_series
    from traffic_siamese.tables import open_table, series_columns, series_rows

    read = read_series(log, bin_s=bin_s)
    with open_table(output, series_columns(read), as_json=as_json) as table:
        for rows in series_rows(read):
            table.write(rows)
    for warning in read.warnings:
        complain(warning)
    n_bins = sum(len(series.values) for series in read.series)
    say(
        f"{log}: {count(n_bins, 'bin')} of {bin_s:g} s in "
        f"{count(len(read.series), 'unbroken stretch')}."
    )
    if read.warnings:
        click.get_current_context().exit(SKIPPED)
