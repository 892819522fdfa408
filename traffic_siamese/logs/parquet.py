"""Tables in Parquet files."""

from __future__ import annotations

from traffic_siamese.errors import CaptureError
from traffic_siamese.logs.opening import OpenLog
from traffic_siamese.logs.options import ReadOptions
from traffic_siamese.logs.raw_table import check_size, from_arrow
from traffic_siamese.logs.raw_to_tables import tables_of
from traffic_siamese.logs.table import CounterTable

_MAGIC = b"PAR1"


def is_parquet(head: bytes) -> bool:
    """Tell whether a log that starts like this is a Parquet file."""
    return head.startswith(_MAGIC)


def read_parquet(log: OpenLog, options: ReadOptions) -> list[CounterTable]:
    """Read a Parquet file.

    Raises
    ------
    CaptureError
        If it is too large, damaged, or holds no times or numbers.
    """
    import pyarrow as pa
    from pyarrow import parquet

    data = log.read_all(options.max_bytes)
    try:
        with parquet.ParquetFile(pa.BufferReader(data)) as file:
            check_size(log.name, file.metadata.num_columns, max(file.metadata.num_rows, 1))
            table = file.read(use_threads=False)
    except (pa.ArrowException, OSError, ValueError, MemoryError) as err:
        words = str(err).splitlines()[0][:160].rstrip(".") if str(err) else type(err).__name__
        raise CaptureError(
            f"{log.name}: damaged Parquet file of {len(data)} bytes: {words}. Copy it again."
        ) from err
    return tables_of(from_arrow(table, log.name, first_row=0), options)
