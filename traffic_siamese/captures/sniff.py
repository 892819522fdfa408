"""Say what the first bytes of a file look like, for the error that rejects it."""

from __future__ import annotations

_KNOWN: tuple[tuple[bytes, str], ...] = (
    (b"\x7fELF", "an ELF program"),
    (b"MZ", "a Windows program"),
    (b"PK\x03\x04", "a zip archive: unpack it first"),
    (b"BZh", "bzip2-compressed data: decompress it first (bunzip2)"),
    (b"\xfd7zXZ", "xz-compressed data: decompress it first (unxz)"),
    (b"\x04\x22\x4d\x18", "lz4-compressed data: decompress it first (unlz4)"),
    (b"7z\xbc\xaf", "a 7z archive: unpack it first"),
    (b"\x1f\x8b", "gzip-compressed data inside compressed data: decompress it once first"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed data inside compressed data: decompress it once first"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"%PDF", "a PDF document"),
    (b"PAR1", "a Parquet table"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x89HDF", "an HDF5 file"),
    (b"snoop\0", "a Solaris snoop capture: convert it first (editcap -F pcapng)"),
    (b"GMBU", "a Network Monitor capture: convert it first (editcap -F pcapng)"),
    (b"TRSNIFF", "a Sniffer capture: convert it first (editcap -F pcapng)"),
)


def describe_bytes(head: bytes) -> str:
    """Describe the start of a file in a few words.

    Parameters
    ----------
    head : bytes
        The first bytes of the file, some tens are enough.

    Returns
    -------
    str
        A noun phrase, such as ``"text that starts 'Hello'"``.
    """
    for magic, words in _KNOWN:
        if head.startswith(magic):
            return words
    if not head.strip(b"\0"):
        return f"{len(head)} zero bytes" if head else "nothing"
    text = _as_text(head)
    if text is not None:
        return f"text that starts {text[:24]!r}"
    return f"bytes {head[:8].hex(' ')}"


def _as_text(head: bytes) -> str | None:
    """Decode what may be cut in the middle of a character; None where it is not text."""
    for end in range(len(head), max(len(head) - 4, 0), -1):
        try:
            text = head[:end].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return text if all(c.isprintable() or c in "\r\n\t\ufeff" for c in text) else None
    return None
