"""``watch`` on the command line: where it serves, how it ends, and what it says when it cannot."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Invoke
from traffic_siamese.errors import ServingError
from traffic_siamese.live import serving


@contextmanager
def watching(model: Path, *more: object) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Run ``watch`` as users do; give the process and what it printed for programs."""
    words = ["watch", str(model), "--port", "0", "--json", *map(str, more)]
    child = subprocess.Popen(
        [sys.executable, "-m", "traffic_siamese", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    try:
        yield child, json.loads(child.stdout.readline())
    finally:
        if child.poll() is None:
            child.kill()
        child.communicate()


@contextmanager
def listening_to(url: str) -> Iterator[http.client.HTTPResponse]:
    """Ask for the events and keep the connection open."""
    host = url.removeprefix("http://").rstrip("/")
    with closing(http.client.HTTPConnection(host, timeout=20)) as connection:
        connection.request("GET", "/events")
        with connection.getresponse() as answer:
            yield answer


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_ends_it_at_once_though_someone_watches(tmp_path: Path) -> None:
    """Status 0, one line for people, no traceback; the viewer's connection is closed."""
    model = tmp_path / "model"
    with watching(model) as (child, told), listening_to(told["url"]) as answer:
        assert answer.readline() == b"retry: 1000\n"
        started = time.monotonic()
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=20)
        assert child.returncode == 0
        assert time.monotonic() - started < 10
    (line,) = said.splitlines()
    assert line == f"Watching {model} at {told['url']}  Leave with Ctrl-C; a training goes on."


@pytest.mark.slow
def test_all_addresses_are_served_with_a_warning(tmp_path: Path) -> None:
    with watching(tmp_path, "--host", "0.0.0.0") as (child, told):
        with listening_to(told["url"]) as answer:
            assert answer.status == 200
        child.kill()
        _, said = child.communicate()
        assert "everyone who can reach 0.0.0.0" in said
        assert told["url"].startswith("http://127.0.0.1:")


def test_a_port_in_use_is_told_in_one_line(invoke: Invoke, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = invoke("watch", tmp_path, "--port", port, code=1)
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"Error: 127.0.0.1:{port}: the port is in use")
    assert "--port" in line


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host", "nothing.invalid", "a" * 70])
def test_an_address_that_is_not_here_is_told_in_one_line(
    invoke: Invoke, tmp_path: Path, host: str
) -> None:
    (line,) = invoke("watch", tmp_path, "--port", 0, "--host", host, code=1).stderr.splitlines()
    assert line.startswith(f"Error: {host}")
    assert "not an address of this computer" in line


def test_only_this_computer_can_connect_unless_told_otherwise() -> None:
    with serving.bind("127.0.0.1", 0) as near, serving.bind("0.0.0.0", 0) as far:
        assert serving.is_private(near)
        assert not serving.is_private(far)
        assert serving.address_of(far).startswith("http://127.0.0.1:")


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_an_address_of_ipv6_is_written_in_brackets() -> None:
    try:
        listening = serving.bind("::1", 0)
    except ServingError:  # a kernel that knows of IPv6 may still have no address of it
        pytest.skip("no IPv6 here")
    with listening:
        assert serving.address_of(listening).startswith("http://[::1]:")
        assert serving.is_private(listening)


def test_the_browser_is_opened_when_asked(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And where there is none, the address is told."""
    opened: list[str] = []
    served: list[Any] = []

    def serve(viewing: Any, listening: socket.socket, *, names: Any) -> None:
        served.append((viewing.model, tuple(names)))
        listening.close()

    monkeypatch.setattr(serving, "serve", serve)
    monkeypatch.setattr("webbrowser.open", opened.append)
    words = ("watch", tmp_path, "--port", 0, "--open", "--allow-host", "noc.example", "--json")
    result = invoke(*words)
    assert opened == [json.loads(result.stdout)["url"]]
    assert served == [(tmp_path, ("noc.example",))]
    assert f"Open {opened[0]} yourself" in result.stderr


def test_without_the_extra_its_name_is_told(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("traffic_siamese.live.serving")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    import traffic_siamese.live

    monkeypatch.delattr(traffic_siamese.live, "serving", raising=False)
    (line,) = invoke("watch", tmp_path, code=1).stderr.splitlines()
    assert 'pip install "traffic-siamese[watch]"' in line
    assert "uvicorn" in line


def test_watching_needs_neither_tensorflow_nor_pandas(tmp_path: Path) -> None:
    """The server reads small files; plotly is only packed."""
    code = (
        "import sys; from pathlib import Path; from traffic_siamese.live.serving import bind;"
        "from traffic_siamese.live.app import make_app; from traffic_siamese.live.viewing import"
        f" Viewing; make_app(Viewing(Path({str(tmp_path)!r})));"
        "print([n for n in ('tensorflow', 'keras', 'pandas', 'sklearn') if n in sys.modules])"
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert child.stdout.strip() == "[]"
