"""Walk over a capture file's records: the ctypes side of native/records.h."""

from __future__ import annotations

import ctypes

import numpy as np

from traffic_siamese.captures.packets import RecordColumns, UInt8Array
from traffic_siamese.native import kernel, pointer

MORE = 0
FULL = 1
BAD_MAGIC = 2
FORMAT_NAMES = ("unknown", "pcap", "pcapng")
MAX_BLOCK_BYTES = 64 << 20


class RecordState(ctypes.Structure):
    """Mirror of ``ts_records``: all that survives from one buffer to the next."""

    _fields_ = (
        ("position", ctypes.c_uint64),
        ("consumed", ctypes.c_uint64),
        ("needed", ctypes.c_uint64),
        ("found", ctypes.c_uint64),
        ("expected", ctypes.c_uint64),
        ("n_packets", ctypes.c_uint64),
        ("n_late", ctypes.c_uint64),
        ("n_untimed", ctypes.c_uint64),
        ("first_ns", ctypes.c_int64),
        ("last_ns", ctypes.c_int64),
        ("previous_ns", ctypes.c_int64),
        ("interfaces", ctypes.c_void_p),
        ("n_interfaces", ctypes.c_uint32),
        ("interface_room", ctypes.c_uint32),
        ("ns_per_tick", ctypes.c_uint32),
        ("max_captured", ctypes.c_uint32),
        ("record_header_bytes", ctypes.c_uint32),
        ("lengths_order", ctypes.c_uint32),
        ("format", ctypes.c_int32),
        ("status", ctypes.c_int32),
        ("swapped", ctypes.c_int32),
        ("link_type", ctypes.c_uint16),
    )


class _Columns(ctypes.Structure):
    """Mirror of ``ts_record_columns``."""

    _fields_ = (
        ("time_ns", ctypes.c_void_p),
        ("offset", ctypes.c_void_p),
        ("captured_bytes", ctypes.c_void_p),
        ("wire_bytes", ctypes.c_void_p),
        ("link_type", ctypes.c_void_p),
        ("room", ctypes.c_uint64),
        ("n", ctypes.c_uint64),
    )


kernel.ts_records_walk.restype = ctypes.c_uint64
kernel.ts_records_walk.argtypes = (
    ctypes.POINTER(RecordState),
    ctypes.c_void_p,
    ctypes.c_uint64,
    ctypes.POINTER(_Columns),
)
kernel.ts_records_free.restype = None
kernel.ts_records_free.argtypes = (ctypes.POINTER(RecordState),)


class RecordWalk:
    """A resumable walk; ``state`` tells where it stands and why it stopped.

    Parameters
    ----------
    room : int
        Most packets that one step returns.
    """

    def __init__(self, room: int) -> None:
        self.state = RecordState()
        self._scratch = RecordColumns(
            time_ns=np.empty(room, np.int64),
            offset=np.empty(room, np.int64),
            captured_bytes=np.empty(room, np.uint32),
            wire_bytes=np.empty(room, np.uint32),
            link_type=np.empty(room, np.uint16),
        )
        self._columns = _Columns(room=room)
        for name in RecordColumns.__slots__:
            setattr(self._columns, name, getattr(self._scratch, name).ctypes.data)

    def step(self, data: UInt8Array, begin: int, end: int) -> RecordColumns:
        """Walk over the whole records in ``data[begin:end]``, at most ``room`` of them."""
        self.state.consumed = begin
        n = kernel.ts_records_walk(
            ctypes.byref(self.state), pointer(data), end, ctypes.byref(self._columns)
        )
        return RecordColumns(
            **{name: getattr(self._scratch, name)[:n].copy() for name in RecordColumns.__slots__}
        )

    def close(self) -> None:
        """Release what the kernel allocated."""
        kernel.ts_records_free(ctypes.byref(self.state))

    def __del__(self) -> None:
        self.close()
