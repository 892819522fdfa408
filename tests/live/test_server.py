"""The live page's server, asked over HTTP."""

from __future__ import annotations

import base64
import gzip
import json
import shutil
import struct
import threading
from typing import Any

import numpy as np
import pytest

from tests.live.conftest import ActedTraining, Server, wait_for
from traffic_siamese.live.guard import Guard
from traffic_siamese.live.run_files import CURVES


def points_drawn(answer: dict[str, Any], n_points: int) -> list[list[tuple[float, ...]]]:
    """Read the positions number by number: epoch, then axis, then point."""
    data = base64.b64decode(answer["positions"])
    numbers = iter(struct.unpack(f"<{len(data) // 2}H", data))
    epochs = []
    for _ in range(answer["n_epochs"]):
        axes = [[next(numbers) / 65535 for _ in range(n_points)] for _ in range(3)]
        epochs.append(list(zip(*axes, strict=True)))
    return epochs


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/watch.css", "text/css; charset=utf-8"),
        ("/watch.js", "text/javascript; charset=utf-8"),
        ("/plotly.js", "text/javascript; charset=utf-8"),
        ("/state", "application/json"),
    ],
)
def test_every_file_has_its_type_and_is_the_same_packed(
    server: Server, path: str, kind: str
) -> None:
    plain, packed = server.get(path), server.get(path, Accept_Encoding="gzip")
    for answer in (plain, packed):
        assert answer.status == 200
        assert answer.headers["content-type"] == kind
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body


def test_a_file_that_a_browser_has_is_not_sent_again(server: Server) -> None:
    tag = server.get("/plotly.js").headers["etag"]
    again = server.get("/plotly.js", If_None_Match=tag)
    assert (again.status, again.body) == (304, b"")
    assert server.get("/plotly.js", If_None_Match='"other"').status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/runs",
        "/runs/",
        "/runs/none/points",
        "/runs/none/epochs",
        "/../pyproject.toml",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/runs/..%2F..%2Frun.json/points",
        "/watch.html",
        "/film.css",
        "/unfinished/run.json",
    ],
)
def test_nothing_else_is_served(server: Server, training: ActedTraining, path: str) -> None:
    """No folder, no file but the page's own; told in plain text."""
    training.run(2)
    answer = server.get(path)
    assert answer.status == 404
    assert answer.headers["content-type"].startswith("text/plain")
    assert b"Traceback" not in answer.body


def test_only_reading_is_allowed(server: Server) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert server.get("/state", method=method).status == 405
    assert server.get("/state", method="HEAD").body == b""


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8765", 200),
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("[::1]:8765", 200),
        ("192.0.2.7", 200),
        ("watch.example:80", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example:8765", 421),
        ("", 421),
    ],
)
def test_a_name_that_points_here_by_trickery_is_refused(
    server: Server, host: str, status: int
) -> None:
    """A site of another's can let its name point to this computer, but not hide its name."""
    for path in ("/", "/state", "/plotly.js"):
        assert server.get(path, Host=host).status == status


def test_this_computers_own_name_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "NOC-7")
    guard = Guard(lambda *_: None, names=["Watch.Example"])  # type: ignore[arg-type, return-value]
    assert guard.accepts("noc-7:8765")
    assert guard.accepts("watch.example")
    assert not guard.accepts("noc-8:8765")


def test_a_viewer_gets_the_points_and_then_only_what_it_lacks(
    server: Server, training: ActedTraining
) -> None:
    """Epoch k + 1 and later, to the viewer that has k."""
    history = training.run(4).history
    state = server.get("/state").json()
    assert (state["phase"], state["epoch"], state["n_epochs"]) == ("training", 4, 6)
    assert 170.0 < state["eta_s"] <= 200.0
    run = f"/runs/{state['run']}"
    points = server.get(f"{run}/points").json()
    names = [points["labels"][index]["name"] for index in points["label"]]
    assert names == sorted(history.label.tolist())
    order = sorted(range(40), key=lambda i: (history.label[i], history.held_out[i], i))
    starts = [int(history.start_ns[i]) // 1_000_000 for i in order]
    assert points["start_ms"] == starts
    for after, expected in ((-1, [0, 1, 2, 3, 4]), (2, [3, 4]), (4, []), (99, [])):
        found = server.get(f"{run}/epochs?after={after}").json()
        assert found["n_epochs"] == len(expected)
        drawn = points_drawn(found, 40)
        for number, epoch in enumerate(expected):
            assert found["first"] + number == epoch
            np.testing.assert_allclose(
                drawn[number], history.embeddings[epoch][order], atol=1 / 65535
            )
            for name in CURVES:
                value, told = getattr(history, name)[epoch], found["curves"][name][number]
                assert told is None if np.isnan(value) else told == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize("after", ["x", "1.5", "", "1e3"])
def test_a_number_that_is_none_is_refused(
    server: Server, training: ActedTraining, after: str
) -> None:
    training.run(1)
    run = server.get("/state").json()["run"]
    answer = server.get(f"/runs/{run}/epochs?after={after}")
    assert answer.status == 400
    assert b"expected a number" in answer.body


def test_several_viewers_are_told_of_each_change(server: Server, training: ActedTraining) -> None:
    """Three at once, one of which comes late; all end with the same."""
    seen: list[list[dict[str, Any]]] = [[], [], []]

    def listen(mine: list[dict[str, Any]]) -> threading.Thread:
        enough = lambda: bool(mine) and mine[-1]["phase"] == "broken off"  # noqa: E731
        thread = threading.Thread(target=server.events, args=(mine, enough), daemon=True)
        thread.start()
        return thread

    threads = [listen(seen[0]), listen(seen[1])]
    for mine in seen[:2]:
        wait_for(lambda mine=mine: bool(mine))
    training.run(0)
    wait_for(lambda: seen[0][-1]["phase"] == "training")
    threads.append(listen(seen[2]))
    training.run(3)
    wait_for(lambda: all(mine and mine[-1]["epoch"] == 3 for mine in seen))
    training.run(3, state="broken off")
    for thread in threads:
        thread.join(20)
    assert seen[0][0]["phase"] == "waiting"
    assert seen[2][0]["phase"] == "training"
    assert {json.dumps({**mine[-1], "eta_s": None}) for mine in seen} == {
        json.dumps({**seen[0][-1], "eta_s": None})
    }


def test_a_viewer_that_comes_back_after_a_restart_gets_what_it_missed(
    server: Server, training: ActedTraining
) -> None:
    """The server keeps nothing of its own: the run's name and epochs are the same."""
    training.run(2)
    before = server.get("/state").json()
    server.stop()
    training.run(5)
    server.restart()
    after = server.get("/state").json()
    assert after["run"] == before["run"]
    missed = server.get(f"/runs/{after['run']}/epochs?after={before['epoch']}").json()
    assert (missed["first"], missed["n_epochs"]) == (3, 3)


def test_a_run_that_is_no_more_is_not_mixed_with_the_next(
    server: Server, training: ActedTraining
) -> None:
    training.run(2)
    old = server.get("/state").json()["run"]
    shutil.rmtree(training.model / "unfinished")
    ActedTraining(training.model).run(1)
    wait_for(lambda: server.get("/state").json()["run"] not in (old, None))
    assert server.get(f"/runs/{old}/points").status == 404
    assert server.get(f"/runs/{old}/epochs?after=2").status == 404


def test_names_are_data_and_never_markup(server: Server, tmp_path: Any) -> None:
    """Whatever a capture is called, the answer is JSON and is typed so."""
    from tests.views.conftest import make_history

    name = "</script><script>alert(1)</script>\x00\ud800".encode("utf-8", "replace").decode()
    history = make_history(labels=("normal", name))
    ActedTraining(server.model, history).run(1)
    state = server.get("/state").json()
    answer = server.get(f"/runs/{state['run']}/points")
    assert answer.headers["content-type"] == "application/json"
    assert name.strip("\x00") in {label["name"].strip("\x00") for label in answer.json()["labels"]}
