"""Options that say how series are cut into windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from traffic_siamese.logs.options import ReadOptions
    from traffic_siamese.types import WindowSpec

F = TypeVar("F", bound=Callable[..., Any])


def window_options(function: F) -> F:
    """Add ``--window``, ``--stride`` and ``--bin``."""
    window = click.option(
        "--window",
        type=click.FloatRange(min=2),
        metavar="S",
        help="Seconds in a window; default: 32 bins.",
    )
    stride = click.option(
        "--stride",
        type=click.FloatRange(min=1),
        metavar="S",
        help="Seconds from window to window; default: 8 bins.",
    )
    bin_s = click.option(
        "--bin",
        "bin_s",
        type=click.FloatRange(min=0.01, max=86_400),
        metavar="S",
        help="Seconds in a bin; default: 1 s, of tables the time from row to row.",
    )
    return window(stride(bin_s(function)))


def window_of(
    spec: WindowSpec, *, window: float | None, stride: float | None, bin_s: float | None
) -> WindowSpec:
    """Return the windows that the options, in seconds, ask for."""
    if bin_s is not None:
        spec = replace(spec, bin_s=bin_s)
    if window is not None:
        spec = replace(spec, n_timesteps=max(2, round(window / spec.bin_s)))
        spec = replace(spec, stride=min(spec.stride, spec.n_timesteps))
    if stride is not None:
        spec = replace(spec, stride=max(1, round(stride / spec.bin_s)))
    return spec


def natural_bin_s(logs_dir: str, labels: str, reading: ReadOptions) -> float | None:
    """Return the granularity of the tables that labels name; None where they name captures."""
    from traffic_siamese.errors import CaptureError
    from traffic_siamese.labelled_reading import named_bin_s
    from traffic_siamese.labels import read_labels

    names = dict.fromkeys(one.capture for one in read_labels(labels))
    try:
        return named_bin_s(logs_dir, names, reading)
    except CaptureError:  # of none that can be read, the labels' reader tells more
        return None
