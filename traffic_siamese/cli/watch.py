"""``traffic-siamese watch``."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from traffic_siamese.cli.manual import Manual
from traffic_siamese.cli.options import common_options, json_option
from traffic_siamese.cli.output import complain, print_json, say
from traffic_siamese.errors import MissingExtraError

if TYPE_CHECKING:
    from types import ModuleType

_EXTRA = ("anyio", "h11", "starlette", "uvicorn")


@click.command(
    cls=Manual,
    files={"MODEL/unfinished": "What a training leaves after each epoch; only read."},
    answer={"url": "Where the page is; written once it can be opened."},
)
@click.argument("model", type=click.Path(file_okay=False), metavar="MODEL")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Address of this computer to serve at; 0.0.0.0 is all that it has.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8765,
    show_default=True,
    help="Port to serve at; 0 takes any that is free.",
)
@click.option(
    "--allow-host",
    "names",
    multiple=True,
    metavar="NAME",
    help="Another name of this computer that browsers may ask for; may be repeated.",
)
@click.option("--open", "open_page", is_flag=True, help="Open the page in a browser.")
@json_option
@common_options
def command(
    model: str, host: str, port: int, names: tuple[str, ...], open_page: bool, as_json: bool
) -> None:
    """Show the training of MODEL in a browser while it runs.

    Start it before, during or after the training, which is another process; the page finds by
    itself what there is, and what it missed. Any number of browsers may watch. Leave with Ctrl-C;
    the training goes on. Needs the extra: pip install "traffic-siamese[watch]".

    Only this computer can open the page, unless --host says otherwise. From another one, an SSH
    tunnel is the safe way: ssh -L 8765:127.0.0.1:8765 COMPUTER

    \b
    Example:
      traffic-siamese watch model --open
      traffic-siamese watch model --port 0 --json
    """
    serving = _load_serving()
    from traffic_siamese.live.viewing import Viewing

    listening = serving.bind(host, port)
    address = serving.address_of(listening)
    if not serving.is_private(listening):
        complain(
            f"everyone who can reach {host} can open the page, without a password: it names "
            "captures, networks and faults. Leave --host out to keep it to this computer."
        )
    say(f"Watching {model} at {address}  Leave with Ctrl-C; a training goes on.")
    if as_json:
        print_json({"url": address})
    if open_page and not webbrowser.open(address):
        complain(f"no browser could be started. Open {address} yourself.")
    serving.serve(Viewing(Path(model)), listening, names=names)


def _load_serving() -> ModuleType:
    try:
        from traffic_siamese.live import serving
    except ModuleNotFoundError as err:
        if (err.name or "").split(".")[0] not in _EXTRA:
            raise
        raise MissingExtraError(
            f"watching needs {err.name}, which is not installed. "
            'Install it with: pip install "traffic-siamese[watch]"'
        ) from err
    return serving
