"""How a training stands, case by case."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from traffic_siamese.live.run_files import RunHead
from traffic_siamese.live.status import process_runs, status_of, waiting

HEAD = RunHead(
    run_id="a",
    state="training",
    epoch=12,
    n_epochs=40,
    first_epoch=0,
    eta_s=60.0,
    longest_epoch_s=20.0,
    written_s=1000.0,
    pid=1,
    host="elsewhere",
)


@pytest.mark.parametrize(
    ("changes", "after_s", "alive", "phase", "words"),
    [
        ({}, 5, True, "training", "Training"),
        ({}, 99, None, "training", "Training"),
        ({}, 101, None, "silent", "No news from the training for 2 min"),
        ({}, 101, True, "silent", "No news"),
        ({"longest_epoch_s": 1.0}, 59, True, "training", ""),
        ({"longest_epoch_s": 1.0}, 61, True, "silent", ""),
        ({"epoch": 0, "longest_epoch_s": 0.0}, 599, True, "training", ""),
        ({"epoch": 0, "longest_epoch_s": 0.0}, 601, True, "silent", ""),
        ({}, 1, False, "broken off", "after epoch 12"),
        ({"state": "broken off"}, 1, True, "broken off", "after epoch 12"),
        ({"state": "trained", "epoch": 40}, 30, True, "saving", "nearly done"),
        ({"state": "trained", "epoch": 40}, 30, False, "broken off", "after epoch 40"),
    ],
)
def test_a_run_stands_as_its_process_and_its_silence_say(
    changes: dict[str, Any], after_s: float, alive: bool | None, phase: str, words: str
) -> None:
    """Silence is five times the longest epoch, a minute at least, ten before the first."""
    head = replace(HEAD, **changes)
    status = status_of(head, now_s=1000.0 + after_s, is_alive=lambda _: alive)
    assert status.phase == phase
    assert words in status.headline
    assert status.n_epochs == 40


def test_the_time_to_go_runs_on_between_epochs_and_ends_at_nothing() -> None:
    for now_s, eta_s in ((1000.0, 60.0), (1010.0, 50.0), (1070.0, 0.0), (990.0, 60.0)):
        assert status_of(HEAD, now_s=now_s, is_alive=lambda _: True).eta_s == eta_s
    unknown = replace(HEAD, eta_s=None)
    assert status_of(unknown, now_s=1000.0, is_alive=lambda _: True).eta_s is None


def test_a_continued_run_says_so_and_a_broken_one_how_to_go_on() -> None:
    continued = status_of(replace(HEAD, first_epoch=7), now_s=1000.0, is_alive=lambda _: True)
    assert continued.detail == "Continued after epoch 7."
    assert "--resume" in status_of(HEAD, now_s=1000.0, is_alive=lambda _: False).detail


def test_whether_a_process_runs_is_known_only_on_its_own_computer() -> None:
    """The one that asks runs, one that has ended does not."""
    here = replace(HEAD, host=platform.node())
    assert process_runs(replace(here, pid=os.getpid())) is True
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert process_runs(replace(here, pid=child.pid)) is False
    assert process_runs(replace(here, pid=2**80)) is None
    assert process_runs(replace(HEAD, pid=os.getpid())) is None


def test_what_to_type_is_quoted() -> None:
    assert waiting("my model").command.endswith("--model 'my model'")
