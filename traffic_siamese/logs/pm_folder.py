"""A folder of 3GPP measurement files, one for each period, as one series for each element.

References
----------
3GPP TS 32.432 clause 5.2 and annex A (one file for each granularity period, and its name).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from traffic_siamese.errors import CaptureError
from traffic_siamese.logs.folders import folder_parts
from traffic_siamese.logs.opening import MAX_TABLE_BYTES, OpenLog
from traffic_siamese.logs.pm_rows import Measurements
from traffic_siamese.logs.pm_xml import is_pm_xml, parse_pm_xml
from traffic_siamese.logs.table import CounterTable

_MOST_TOLD = 5


def is_pm_folder(folder: str | Path) -> bool:
    """Tell whether a folder is one log: two files or more, and they are 3GPP measurements."""
    try:
        parts = folder_parts(folder)
        if len(parts) < 2:
            return False
        with OpenLog(parts[0]) as log:
            return is_pm_xml(log.head)
    except CaptureError:
        return False


def read_pm_folder(
    name: str, parts: Sequence[Path], max_bytes: int | None = None
) -> tuple[list[CounterTable], list[str]]:
    """Read the measurement files of a folder.

    Parameters
    ----------
    name : str
        The folder's name in messages.
    parts : sequence of Path
        Its files; where two tell of the same value, the later one counts.
    max_bytes : int, optional
        What all of them may hold together, decompressed.

    Returns
    -------
    tables : list of CounterTable
        One for each measured object, a row for each period that some file tells of.
    warnings : list of str
        Files that cannot be read are told here, and are gaps.

    Raises
    ------
    CaptureError
        If no file can be read, or they hold more than ``max_bytes``.
    """
    joined = Measurements(name)
    limit = max_bytes or MAX_TABLE_BYTES
    problems: list[str] = []
    n_bytes = n_guessed = 0
    for part in parts:
        try:
            with OpenLog(part) as log:
                data = log.read_all(max_bytes)
            reader = parse_pm_xml(str(part), [data])
        except CaptureError as err:
            problems.append(str(err))
            continue
        n_bytes += len(data)
        if n_bytes > limit:
            raise CaptureError(
                f"{name}: its files hold more than {limit >> 20} MiB, expected no more in a log "
                "that is read into memory. Split it, or raise the limit with --max-bytes."
            )
        n_guessed += reader.n_guessed_periods
        joined.join(reader.rows)
    if len(problems) == len(parts):
        raise CaptureError(problems[0])
    tables = joined.tables()
    return tables, [*_told(name, problems, len(parts)), *joined.warnings(n_guessed)]


def _told(name: str, problems: list[str], n_parts: int) -> list[str]:
    if len(problems) <= _MOST_TOLD:
        return problems
    more = f"{name}: {len(problems)} of {n_parts} files cannot be read; the first ones are told."
    return [*problems[:_MOST_TOLD], more]
