"""Times in options, as people write them."""

from __future__ import annotations

import click


def moments(log: str, **texts: str) -> list[int]:
    """Read times that may count from a log's start, or leave out its day.

    Parameters
    ----------
    log : str
        Read, as far as its first moment, where a time needs it.
    **texts : str
        By the option's name: an RFC 3339 time, ``HH:MM:SS`` or ``+SECONDS``.

    Returns
    -------
    list of int
        Nanoseconds since the epoch, UTC.

    Raises
    ------
    click.UsageError
        If a text is no time, or is relative to standard input.
    """
    from traffic_siamese.logs.beginning import first_moment_ns
    from traffic_siamese.times import is_relative, parse_moment

    origin_ns = 0
    if any(is_relative(text) for text in texts.values()):
        if log == "-":
            options = " and ".join(f"--{option}" for option in texts)
            raise click.UsageError(
                f"standard input can be read only once: give {options} with the date."
            )
        origin_ns = first_moment_ns(log)
    found = []
    for option, text in texts.items():
        try:
            found.append(parse_moment(text, origin_ns=origin_ns))
        except ValueError as err:
            raise click.BadParameter(
                f"{text!r} is no time, expected 2026-11-22T06:31:13Z, 06:31:13 or +95"
                f"{'.5 (with a point)' if ',' in text else ''}.",
                param_hint=f"--{option}",
            ) from err
    return found
