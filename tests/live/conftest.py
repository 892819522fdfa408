"""A training that is only acted, and a server to watch it with."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.views.conftest import browser, make_history, wait_for
from traffic_siamese.history import TrainingHistory
from traffic_siamese.live.run_files import CURVES, WatchedEpoch, WatchedPoints, to_steps
from traffic_siamese.live.run_log import RunLog

__all__ = ["ActedTraining", "Server", "browser", "wait_for"]


@dataclass
class ActedTraining:
    """Leaves the files that a training leaves, epoch by epoch as a test wants."""

    model: Path
    history: TrainingHistory = field(default_factory=make_history)
    first_epoch: int = 0
    log: RunLog = field(init=False)

    def __post_init__(self) -> None:
        history = self.history
        points = WatchedPoints(
            label=history.label,
            capture=history.capture,
            network=history.network,
            start_ns=history.start_ns,
            held_out=history.held_out,
            prototype=np.zeros(len(history.label), bool),
        )
        self.log = RunLog(
            self.model / "unfinished",
            points,
            n_epochs=history.n_epochs,
            first_epoch=self.first_epoch,
        )

    def run(self, epoch: int, *, state: Any = "training") -> ActedTraining:
        """Go on until an epoch is done."""
        for number in range(self.log.n_rows, epoch + 1):
            curves = {name: float(getattr(self.history, name)[number]) for name in CURVES}
            row = WatchedEpoch(to_steps(self.history.embeddings[number]), curves)
            self.log.add(row, eta_s=100.0 * (self.history.n_epochs - number))
        self.log.tell(state)
        return self


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


class Server:
    """The live page's server, in a thread of this process, on a port of its own."""

    def __init__(self, model: Path) -> None:
        from traffic_siamese.live.serving import bind

        self.model = model
        self._listening = bind("127.0.0.1", 0)
        self.port = self._listening.getsockname()[1]
        self._start()

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port}/"

    def _start(self) -> None:
        import uvicorn

        from traffic_siamese.live.app import make_app
        from traffic_siamese.live.viewing import Viewing

        app = make_app(
            Viewing(self.model), names=["watch.example"], is_over=lambda: self._server.should_exit
        )
        config = uvicorn.Config(
            app, log_config=None, log_level="critical", lifespan="off", ws="none", loop="asyncio",
            http="h11",
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listening]}, daemon=True
        )
        self._thread.start()
        wait_for(lambda: self._server.started)

    def stop(self) -> None:
        """Stop; viewers are cut off."""
        self._server.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive()

    def restart(self) -> None:
        """Start again on the same port, as another process would."""
        from traffic_siamese.live.serving import bind

        self._listening = bind("127.0.0.1", self.port)
        self._start()

    def get(self, path: str, *, method: str = "GET", **headers: str) -> Answer:
        """Ask for a path; underscores in header names stand for hyphens."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, headers=named)
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def events(self, seen: list[dict[str, Any]], enough: Callable[[], bool]) -> None:
        """Listen to the events until there are enough; give up after twenty seconds."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("GET", "/events")
        response = connection.getresponse()
        assert response.getheader("content-type", "").startswith("text/event-stream")
        deadline = time.monotonic() + 20
        while not enough() and time.monotonic() < deadline:
            line = response.readline().decode()
            if line.startswith("data: "):
                seen.append(json.loads(line.removeprefix("data: ")))
        connection.close()


@pytest.fixture
def training(tmp_path: Path) -> ActedTraining:
    """Forty windows of four labels, over six epochs; none is done yet."""
    return ActedTraining(tmp_path / "watched")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Serve the model that ``training`` makes, whether it is there or not."""
    served = Server(tmp_path / "watched")
    yield served
    served.stop()
