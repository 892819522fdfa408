"""Alarms over HTTP: what is asked of the other system, and what happens when it is away."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Invoke
from tests.noc.listener import Listener, listening
from tests.noc.made import END, ENDED, OPEN, alarm
from traffic_siamese.noc.alarm_requests import posted_format
from traffic_siamese.noc.alarm_sender import AlarmSender
from traffic_siamese.noc.alertmanager import alertmanager_alert
from traffic_siamese.noc.ves import ves_event

ALARMS = [alarm(), alarm(OPEN)]


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as one:
        yield one


@pytest.fixture
def away() -> str:
    """Return an address where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/api/v2/alerts"


def _sender(url: str, form: str, **options: Any) -> tuple[AlarmSender, list[float]]:
    waits: list[float] = []
    return AlarmSender(url, form, "probe1", sleep=waits.append, **options), waits


def test_alertmanager_gets_the_alerts_of_a_log_at_once(listener: Listener) -> None:
    sender, _ = _sender(f"{listener.url}/api/v2/alerts", "alertmanager")
    assert sender.send(ALARMS) == ""
    (asked,) = listener.asked
    assert (asked["method"], asked["path"]) == ("POST", "/api/v2/alerts")
    assert asked["headers"]["Content-Type"] == "application/json"
    assert listener.bodies == [[alertmanager_alert(one) for one in ALARMS]]


def test_ves_takes_a_batch_or_one_event_at_a_time(listener: Listener) -> None:
    """API 7: an ``eventList`` at eventBatch, an ``event`` elsewhere."""
    events = [ves_event(notice, "probe1") for one in ALARMS for notice in one.notices()]
    for path in ("/eventListener/v7/eventBatch", "/eventListener/v7"):
        assert _sender(listener.url + path, "ves")[0].send(ALARMS) == ""
    assert listener.bodies == [{"eventList": events}, *({"event": event} for event in events)]


@pytest.mark.parametrize(
    ("answer", "name"),
    [(b'{"id": "no/17"}', "no%2F17"), (b'{"id": 4711}', "4711"), (b"[]", ""), (b"thanks", "")],
)
def test_tmf642_clears_by_what_the_other_system_calls_the_alarm(
    listener: Listener, answer: bytes, name: str
) -> None:
    """A raise makes it, by POST; a clear changes it, by PATCH. Own ids where nothing was said."""
    listener.answer = answer
    assert _sender(f"{listener.url}/tmf-api/alarm", "tmf642")[0].send(ALARMS) == ""
    assert [one["method"] for one in listener.asked] == ["POST", "PATCH", "POST"]
    raised, cleared, _ = listener.bodies
    assert "id" not in raised
    assert raised["state"] == "raised"
    assert cleared["state"] == cleared["perceivedSeverity"] == "cleared"
    assert cleared["alarmClearedTime"] == END
    assert not {"id", "href", "alarmRaisedTime", "sourceSystemId"} & set(cleared)
    path = listener.asked[1]["path"]
    assert path.startswith("/tmf-api/alarm/")
    assert path.endswith(f"/{name}") if name else path.split("/")[-1].isdigit()


def test_json_lines_for_anything_else(listener: Listener) -> None:
    assert _sender(listener.url, "jsonl")[0].send(ALARMS) == ""
    (asked,) = listener.asked
    assert asked["headers"]["Content-Type"] == "application/x-ndjson"
    states = [json.loads(line)["state"] for line in asked["body"].decode().splitlines()]
    assert states == ["raised", "cleared", "raised"]


def test_nothing_is_sent_of_nothing(listener: Listener) -> None:
    assert _sender(listener.url, "jsonl")[0].send([]) == ""
    assert listener.asked == []


def test_an_authorization_header_is_sent_where_there_is_one(listener: Listener) -> None:
    _sender(listener.url, "jsonl", authorization="Bearer abc")[0].send(ALARMS)
    _sender(listener.url, "jsonl")[0].send(ALARMS)
    found = [one["headers"].get("Authorization") for one in listener.asked]
    assert found == ["Bearer abc", None]


def test_a_system_that_is_busy_is_asked_again(listener: Listener) -> None:
    listener.statuses = [503, 429]
    sender, waits = _sender(listener.url, "jsonl")
    assert sender.send(ALARMS) == ""
    assert len(listener.asked) == 3
    assert waits == sorted(waits)
    assert sender.n_undelivered == 0


@pytest.mark.parametrize(("status", "n_tries"), [(400, 1), (401, 1), (404, 1), (500, 3)])
def test_what_is_refused_is_told_in_one_line(listener: Listener, status: int, n_tries: int) -> None:
    """A request that is wrong is not better the second time."""
    listener.statuses = [status] * 9
    sender, _ = _sender(listener.url, "jsonl")
    said = sender.send(ALARMS)
    assert said.startswith(f"{listener.url}: 2 alarms were not delivered (answer {status} ")
    assert "\n" not in said
    assert (len(listener.asked), sender.n_undelivered) == (n_tries, 2)


def test_an_alarm_that_was_not_raised_is_not_cleared(listener: Listener) -> None:
    """The other alarm is."""
    listener.statuses = [400]
    sender, _ = _sender(f"{listener.url}/alarm", "tmf642")
    said = sender.send([alarm(), alarm(replace(ENDED, label="capacity"))])
    assert "an alarm was not delivered" in said
    assert [one["method"] for one in listener.asked] == ["POST", "POST", "PATCH"]
    assert sender.n_undelivered == 1


def test_a_redirection_is_a_refusal(listener: Listener) -> None:
    """Followed, it would become a GET, and take the Authorization header elsewhere."""
    listener.statuses = [302]
    sender, _ = _sender(listener.url, "jsonl")
    assert "answer 302" in sender.send(ALARMS)
    assert len(listener.asked) == 1


def test_a_query_stays_at_the_end_of_a_url_and_is_not_told(listener: Listener) -> None:
    listener.statuses = [200, 403]
    listener.answer = b'{"id": "7"}'
    said = _sender(f"{listener.url}/alarm?key=secret", "tmf642")[0].send([alarm()])
    assert [one["path"] for one in listener.asked] == ["/alarm?key=secret", "/alarm/7?key=secret"]
    assert "answer 403" in said
    assert "secret" not in said


def test_a_system_that_went_away_is_not_asked_for_each_alarm_of_a_log(listener: Listener) -> None:
    """One request three times, then the other alarms of the log are lost too."""
    listener.statuses = [503] * 9
    sender, _ = _sender(f"{listener.url}/alarm", "tmf642")
    said = sender.send([alarm(replace(ENDED, label=label)) for label in "abcd"])
    assert "4 alarms were not delivered" in said
    assert len(listener.asked) == 3


def test_a_system_that_is_away_holds_nothing_up_for_long(away: str) -> None:
    """Three tries for each of three batches, then none; each alarm is counted."""
    sender, waits = _sender(away, "alertmanager")
    said = [sender.send(ALARMS) for _ in range(10)]
    assert all("refused" in one for one in said[:3])
    assert "No more are tried" in said[2]
    assert said[3:] == [""] * 7
    assert len(waits) == 3 * 2
    assert sender.n_undelivered == 20


def test_a_system_that_never_answers_is_waited_for_so_long(tmp_path: Path) -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        url = f"http://127.0.0.1:{mute.getsockname()[1]}/"
        sender, _ = _sender(url, "jsonl", timeout_s=0.05)
        assert "timed out" in sender.send(ALARMS)


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("http://am:9093/api/v2/alerts", "alertmanager"),
        ("https://ves:8443/eventListener/v7/eventBatch", "ves"),
        ("https://oss/tmf-api/alarm/v4/alarm", "tmf642"),
    ],
)
def test_urls_tell_formats(url: str, form: str) -> None:
    assert posted_format(url) == form


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://noc/hook", "does not tell the format"),
        ("file:///etc/passwd", "is no URL"),
        ("noc:9093", "is no URL"),
        ("http://", "is no URL"),
        ("http://noc:port/alarm", "port"),
    ],
)
def test_urls_that_tell_nothing_are_refused(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        posted_format(url)


def test_a_password_in_a_url_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="holds a user or a password") as err:
        posted_format("http://me:secret@noc/alarm")
    assert "secret" not in str(err.value)


def test_classify_posts_each_logs_alarms(
    invoke: Invoke, captures: Path, model: Path, listener: Listener
) -> None:
    url = f"{listener.url}/api/v2/alerts"
    result = invoke("classify", captures / "A", "-m", model, "-n", "A", "--alarm-url", url)
    (alerts,) = listener.bodies
    assert {alert["labels"]["network"] for alert in alerts} == {"A"}
    assert "refused" in result.stdout


def test_classify_goes_on_when_nobody_takes_the_alarms(
    invoke: Invoke, captures: Path, model: Path, away: str
) -> None:
    """Exit status 3, the log classified, one line on what was not delivered."""
    log = captures / "A/refused-1.pcap"
    result = invoke("classify", log, "-m", model, "-n", "A", "--alarm-url", away, code=3)
    assert "refused" in result.stdout
    assert result.stderr.count("Not delivered: ") == 1
    assert "1 alarm not delivered" in result.stderr


def test_a_file_format_is_not_posted(invoke: Invoke, tmp_path: Path) -> None:
    words = ("classify", tmp_path / "none.pcap", "-m", tmp_path / "none")
    asked = ("--alarm-url", "http://noc/hook", "--alarm-format", "syslog")
    assert "is for files" in " ".join(invoke(*words, *asked, code=2).stderr.split())
