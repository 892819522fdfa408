"""A small model made without TensorFlow, and small captures to go with it."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.cli.tiny import make_captures, make_model

Invoke = Callable[..., Result]


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Let children be interrupted although the tests run in the background of a shell.

    Such a shell ignores the signal, and what it starts would go on doing so.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder of captures of two networks with their labels; not to be changed."""
    return make_captures(tmp_path_factory.mktemp("captures"))


@pytest.fixture(scope="session")
def made_model(captures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a model of ``normal`` and ``refused``; not to be changed."""
    return make_model(tmp_path_factory.mktemp("made") / "model", captures)


@pytest.fixture
def model(made_model: Path, tmp_path: Path) -> Path:
    """Copy the model, to be changed."""
    return Path(shutil.copytree(made_model, tmp_path / "model"))


@pytest.fixture
def invoke() -> Invoke:
    """Run the command line in this process; nothing but an exit may come out of it."""
    from traffic_siamese.cli.app import cli

    def run(*arguments: object, code: int | None = 0, stdin: bytes | None = None) -> Result:
        result = CliRunner().invoke(cli, [str(a) for a in arguments], input=stdin)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        assert "Traceback" not in result.output
        assert code is None or result.exit_code == code, result.output
        return result

    return run
