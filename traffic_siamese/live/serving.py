"""Serve the live page until Ctrl-C."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Iterable
from contextlib import suppress

import uvicorn

from traffic_siamese.errors import ServingError
from traffic_siamese.live.app import make_app
from traffic_siamese.live.viewing import Viewing

_HINTS = {
    errno.EADDRINUSE: "the port is in use, perhaps by another watch. Open that one, or take "
    "another port with --port, 0 for any that is free",
    errno.EACCES: "the port may not be used. Take one above 1023 with --port",
    errno.EADDRNOTAVAIL: "not an address of this computer. Leave --host out, or take one that it "
    "has",
}


def bind(host: str, port: int) -> socket.socket:
    """Take an address to serve at; whoever connects from now on is answered by ``serve``.

    Parameters
    ----------
    host : str
        Address or name of this computer.
    port : int
        0 takes any that is free.

    Raises
    ------
    ServingError
        If the address cannot be had.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        return socket.create_server(address[:2], family=family)
    except (socket.gaierror, UnicodeError) as err:
        raise ServingError(f"{host}: {_HINTS[errno.EADDRNOTAVAIL]}.") from err
    except OSError as err:
        hint = _HINTS.get(err.errno or 0, err.strerror or str(err))
        raise ServingError(f"{host}:{port}: {hint}.") from err


def address_of(listening: socket.socket) -> str:
    """Return the address that a browser on this computer can open."""
    host, port = listening.getsockname()[:2]
    address = ipaddress.ip_address(host.partition("%")[0])
    if address.is_unspecified:
        address = ipaddress.ip_address("127.0.0.1" if address.version == 4 else "::1")
    return f"http://[{address}]:{port}/" if address.version == 6 else f"http://{address}:{port}/"


def is_private(listening: socket.socket) -> bool:
    """Say whether only programs on this computer can connect."""
    return ipaddress.ip_address(listening.getsockname()[0].partition("%")[0]).is_loopback


def serve(viewing: Viewing, listening: socket.socket, *, names: Iterable[str] = ()) -> None:
    """Answer until Ctrl-C, or until the process is told to end.

    Parameters
    ----------
    viewing : Viewing
        What is shown.
    listening : socket
        From ``bind``; closed at the end.
    names : iterable of str
        Names of this computer that are accepted; see `guard.Guard`.
    """
    over: list[uvicorn.Server] = []
    app = make_app(viewing, names=names, is_over=lambda: over[0].should_exit)
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    over.append(uvicorn.Server(config))
    with listening, suppress(KeyboardInterrupt):
        over[0].run(sockets=[listening])
