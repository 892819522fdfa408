"""Keep other sites out of a page that is served on one's own computer."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Plotly sets styles in the page, hence its exception."""


class Guard:
    """Answers only requests that name this computer, and tells browsers to ask nobody else.

    A page on the internet can let its own name point to 127.0.0.1 and then read what is served
    there (DNS rebinding); its requests still carry its name. Numeric addresses cannot be pointed
    elsewhere, so they are all accepted.

    Parameters
    ----------
    app : ASGI application
        What is guarded.
    names : iterable of str
        Names that are accepted beside ``localhost`` and this computer's own.
    """

    def __init__(self, app: ASGIApp, *, names: Iterable[str] = ()) -> None:
        self.app = app
        self.names = {"localhost", socket.gethostname().lower(), *(n.lower() for n in names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
            await send(message)

        host = Headers(scope=scope).get("host", "")
        app = self.app if self.accepts(host) else _refusal(host)
        await app(scope, receive, with_headers)

    def accepts(self, host: str) -> bool:
        """Say whether a request with this ``Host`` header is answered."""
        name = _without_port(host)
        return name in self.names or _is_numeric(name)


def _without_port(host: str) -> str:
    name = host.lower()
    if name.startswith("["):
        return name.partition("]")[0][1:]
    return name.partition(":")[0]


def _is_numeric(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _refusal(host: str) -> PlainTextResponse:
    return PlainTextResponse(
        f"{host[:100]!r} is no name of this computer. Open the address that traffic-siamese watch "
        "printed, or start it with --allow-host NAME.\n",
        status_code=421,
    )
