"""The live page's server: what is asked for, and what is answered."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import anyio
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from traffic_siamese.live.guard import Guard
from traffic_siamese.live.shown import ShownRun
from traffic_siamese.live.viewing import Viewing
from traffic_siamese.views.watch_page import PageFile, watch_page

_LOOK_EVERY_S = 0.3
_SPEAK_EVERY_S = 8.0
"""A viewer that hears nothing for longer than that knows that the connection is gone."""

_NO_STORE = {"Cache-Control": "no-store"}


def make_app(
    viewing: Viewing, *, names: Iterable[str] = (), is_over: Callable[[], bool] = lambda: False
) -> ASGIApp:
    """Return the application that serves a model's training.

    ``/`` is the page; ``/state`` says how the training stands, ``/events`` says it again whenever
    it changes (Server-Sent Events); ``/runs/ID/points`` and ``/runs/ID/epochs?after=N`` give what
    is drawn.

    Parameters
    ----------
    viewing : Viewing
        What is shown.
    names : iterable of str
        See `Guard`.
    is_over : callable, optional
        True when the server stops and events should end.
    """

    def state(request: Request) -> Response:
        return _json(request, described(viewing))

    def points(request: Request) -> Response:
        return _json(request, _run(viewing, request).described_points())

    def epochs(request: Request) -> Response:
        run, after = _run(viewing, request), request.query_params.get("after", "-1")
        try:
            return _json(request, run.described_epochs(int(after)))
        except ValueError:
            raise HTTPException(400, f"after={after!r}, expected a number of an epoch") from None

    async def events(request: Request) -> Response:
        stream = _events(viewing, is_over)
        return StreamingResponse(stream, media_type="text/event-stream", headers=_NO_STORE)

    routes = [
        Route("/state", state),
        Route("/events", events),
        Route("/runs/{run_id}/points", points),
        Route("/runs/{run_id}/epochs", epochs),
        *(Route("/" + path, _page_file(file)) for path, file in watch_page().items()),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _plainly})
    return Guard(app, names=names)


def described(viewing: Viewing) -> dict[str, Any]:
    """Return how a training stands, for JSON."""
    view = viewing.look()
    status, run = view.status, view.run
    return {
        "model": viewing.model.resolve().name,
        "phase": status.phase,
        "headline": status.headline,
        "detail": status.detail,
        "command": status.command,
        "run": run.run_id if run else None,
        "epoch": run.epoch if run else 0,
        "n_epochs": status.n_epochs,
        "first_epoch": status.first_epoch,
        "eta_s": None if status.eta_s is None else round(status.eta_s, 1),
    }


async def _events(viewing: Viewing, is_over: Callable[[], bool]) -> AsyncIterator[str]:
    told: dict[str, Any] = {}
    silent_s = 0.0
    yield "retry: 1000\n\n"
    while not is_over():
        now = await run_in_threadpool(described, viewing)
        if silent_s >= _SPEAK_EVERY_S or _differ(told, now):
            yield f"event: state\ndata: {json.dumps(now)}\n\n"
            told, silent_s = now, 0.0
        await anyio.sleep(_LOOK_EVERY_S)
        silent_s += _LOOK_EVERY_S


def _differ(told: dict[str, Any], now: dict[str, Any]) -> bool:
    """Say whether there is news; the page counts the time to go down by itself."""
    return {**told, "eta_s": None} != {**now, "eta_s": None}


def _run(viewing: Viewing, request: Request) -> ShownRun:
    run = viewing.look().run
    if run is None or run.run_id != request.path_params["run_id"]:
        raise HTTPException(404, "another training is shown by now; ask for /state")
    return run


def _page_file(file: PageFile) -> Callable[[Request], Response]:
    tag = f'"{file.tag}"'

    def answer(request: Request) -> Response:
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return _packed(request, file.packed, kind=file.kind, headers=headers)

    return answer


def _json(request: Request, value: dict[str, Any]) -> Response:
    packed = gzip.compress(json.dumps(value, allow_nan=False).encode(), 3)
    return _packed(request, packed, kind="application/json", headers=_NO_STORE)


def _packed(request: Request, packed: bytes, *, kind: str, headers: dict[str, str]) -> Response:
    headers = {**headers, "Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(gzip.decompress(packed), media_type=kind, headers=headers)
    return Response(packed, media_type=kind, headers={**headers, "Content-Encoding": "gzip"})


def _plainly(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = error.detail if isinstance(error, HTTPException) else "error"
    return PlainTextResponse(f"{detail}\n", status_code=status, headers=_NO_STORE)
