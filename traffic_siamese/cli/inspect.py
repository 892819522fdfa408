"""``traffic-siamese inspect``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from traffic_siamese.cli.inspect_text import print_log
from traffic_siamese.cli.manual import Manual
from traffic_siamese.cli.options import common_options, json_option, max_bytes_option
from traffic_siamese.cli.output import complain, count, duration, print_json, print_table
from traffic_siamese.cli.progress import reading
from traffic_siamese.cli.settings import SKIPPED
from traffic_siamese.cli.table_options import reading_of, table_options


@click.command(
    cls=Manual,
    answer={
        "log, format, compression": "What was looked at, and as what it was read.",
        "start, end, length_s": "From when to when something was measured; stretches tells where.",
        "bin_s, window_s, windows": "Seconds of a bin and of a window; how many fit.",
        "features, constant_features": "How many are measured; those that never change.",
        "protocols, signalling": "Messages by protocol; by kind of request and answer.",
        "enough_for_baseline": "The logs that are long enough to learn what is normal.",
        "warnings, problem": "What is odd; why nothing can be classified, or null.",
        "of a capture": "packets, bytes, first, last, duration_s, link_types, encapsulations, "
        "transports, truncated, malformed, undecoded, out_of_order, fragments, gaps, clock_jumps.",
        "of a table": "elements, and columns: what each was taken for.",
        "of a model": "model, created, versions, labels, networks, training, window_s, stride_s, "
        "bin_s, features, table_columns, alike, relations, embedding_dim, false_unknown_share, "
        "temperature, and same_features: whether this version measures the same.",
    },
)
@click.argument("path", type=click.Path(), metavar="LOG|MODEL")
@click.option(
    "-m",
    "--model",
    type=click.Path(),
    metavar="MODEL",
    help="Whose window the log must hold; default: 32 bins.",
)
@table_options
@json_option
@max_bytes_option
@common_options
def command(path: str, model: str | None, as_json: bool, **tables: Any) -> None:
    """Say what is in a log or a model, and what is wrong with it.

    Of a log: its format, what its packets or columns are, from when to when, where it is silent,
    what could not be read and why, what never changes in it, and whether it is long enough.

    \b
    Example:
      traffic-siamese inspect tonight.pcap.gz
      traffic-siamese inspect counters.csv --by node --json
      traffic-siamese inspect pm/2026-01-31
      traffic-siamese inspect model
    """
    from traffic_siamese.logs.pm_folder import is_pm_folder

    if Path(path).is_dir() and not is_pm_folder(path):
        _inspect_model(path, as_json=as_json)
    else:
        _inspect_log(path, model, tables, as_json=as_json)


def _inspect_log(path: str, model: str | None, tables: Any, *, as_json: bool) -> None:
    from traffic_siamese.bundle import load_bundle
    from traffic_siamese.inspection.logs import describe_log

    window = load_bundle(model).info.window if model else None
    with reading([path], then="looking at what was read"):
        found = describe_log(path, window=window, options=reading_of(**tables))
    if as_json:
        print_json(found)
    else:
        print_log(found)
        for warning in found["warnings"]:
            complain(warning)
        if found["problem"]:
            complain(found["problem"], kind="Problem")
    if found["problem"] or found["warnings"]:
        click.get_current_context().exit(SKIPPED)


def _inspect_model(path: str, *, as_json: bool) -> None:
    from traffic_siamese.inspection.models import describe_model

    found = describe_model(path)
    if as_json:
        print_json(found)
        return
    print_table(
        [
            ["model", found["model"]],
            ["created", found["created"] + _written_with(found["versions"])],
            ["window", f"{found['window_s']:g} s, one every {found['stride_s']:g} s"],
            ["features", _features(found)],
            ["embedding", f"{found['embedding_dim']} dimensions"],
            ["unknown", f"beyond the reach, which {found['false_unknown_share']:.0%} exceed"],
            *([name, text] for name, text in _training(found["training"])),
            ["networks", _networks(found["networks"])],
        ]
    )
    click.echo()
    cells = [
        [label, str(one["trained"]), str(one["added"]), f"{one['reach']:.3f}"]
        for label, one in found["labels"].items()
    ]
    print_table([["LABEL", "TRAINED", "ADDED", "REACH"], *cells], right=(1, 2, 3))
    if not found["same_features"]:
        complain(
            "trained on other features than this version reads. Train it again.", kind="Problem"
        )
        click.get_current_context().exit(SKIPPED)


def _features(found: dict[str, Any]) -> str:
    text = f"{found['features']} per bin of {found['bin_s']:g} s"
    columns = found["table_columns"]
    if columns is None:
        return f"{text}, measured in signalling"
    more = ", …" if len(columns) > 5 else ""
    text = f"{text}, columns of a table: {', '.join(columns[:5])}{more}"
    if found["alike"]:
        text += f"; alike: {', '.join(found['alike'])}"
    return f"{text}; with their relations" if found["relations"] else text


def _written_with(versions: dict[str, str]) -> str:
    names = ("traffic-siamese", "keras", "tensorflow")
    known = [f"{name} {versions[name]}" for name in names if name in versions]
    return f" with {', '.join(known)}" if known else ""


def _training(training: dict[str, Any]) -> list[tuple[str, str]]:
    lines = [
        (
            "training",
            f"{training['loss']} loss, {count(training['epochs'], 'epoch')}, "
            f"{count(training['captures'], 'capture')}",
        )
    ]
    if training["separation"] is not None:
        lines.append(("separation", f"{training['separation']:.1f}"))
    accuracy = training.get("held_out_balanced_accuracy")
    if accuracy is not None:
        lines.append(("accuracy", f"{accuracy:.2f} balanced, on held-out captures"))
    return lines


def _networks(networks: dict[str, dict[str, Any]]) -> str:
    parts = (f"{name} ({duration(one['bins'])} of traffic)" for name, one in networks.items())
    return ", ".join(parts) or "none"
