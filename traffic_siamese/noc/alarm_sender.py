"""Post alarms to another system, which may be away: tries again, gives up, never stops the work."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from traffic_siamese.noc.alarm import Alarm
from traffic_siamese.noc.alarm_requests import AlarmRequest, alarm_requests, below

_WAITS_S = (0.5, 2.0)
TRIES = len(_WAITS_S) + 1
_GIVE_UP_AFTER = 3
_WORTH_ANOTHER_TRY = {408, 425, 429, 500, 502, 503, 504}
_ANSWER_BYTES = 1 << 16


@dataclass(slots=True)
class AlarmSender:
    """Posts alarms; what it could not deliver it counts.

    After three batches in a row that were not delivered nothing more is tried: a system that is
    away must not hold up the reading of a thousand logs.

    Parameters
    ----------
    url : str
    form : str
        One of ``POSTED_FORMATS``.
    reporter : str
        Name of the machine that tells it.
    authorization : str
        Value of the Authorization header; none where it is empty.
    timeout_s : float, > 0
        Longest wait for an answer.
    sleep : callable
        Waits between two tries; takes seconds.
    """

    url: str
    form: str
    reporter: str
    authorization: str = ""
    timeout_s: float = 10.0
    sleep: Callable[[float], None] = time.sleep
    n_undelivered: int = field(default=0, init=False)
    _n_failures: int = field(default=0, init=False)
    _theirs: dict[str, str] = field(default_factory=dict, init=False)

    def send(self, alarms: Sequence[Alarm]) -> str:
        """Post what is to be told of alarms; return what went wrong, in one line, or nothing."""
        if self._n_failures >= _GIVE_UP_AFTER:
            self.n_undelivered += len(alarms)
            return ""
        requests = alarm_requests(alarms, self.url, form=self.form, reporter=self.reporter)
        lost: set[str] = set()
        why, is_away = "", False
        for request in requests:
            if not is_away and lost.isdisjoint(request.alarm_ids):
                error, is_away = self._deliver(request)
                why = error or why
                lost.update(request.alarm_ids if error else ())
            elif is_away:
                lost.update(request.alarm_ids)
        self.n_undelivered += len(lost)
        if requests:
            self._n_failures = self._n_failures + 1 if lost else 0
        return self._words(len(lost), why) if lost else ""

    def _words(self, n_lost: int, why: str) -> str:
        alarms = "an alarm was" if n_lost == 1 else f"{n_lost} alarms were"
        hint = "Check the address, or write them to a file."
        if self._n_failures >= _GIVE_UP_AFTER:
            hint = "No more are tried in this run; write them to a file."
        return f"{self.url.partition('?')[0]}: {alarms} not delivered ({why}). {hint}"

    def _deliver(self, request: AlarmRequest) -> tuple[str, bool]:
        """Send one request, several times if it may help.

        Returns the last error, if any, and whether the other system does not take anything now.
        """
        if request.method == "PATCH" and request.alarm_ids[0] in self._theirs:
            theirs = self._theirs.pop(request.alarm_ids[0])
            request = replace(request, url=below(self.url, theirs))
        error = ""
        for wait_s in (*_WAITS_S, None):
            error, again = self._try(request)
            if not error or not again:
                return error, False
            if wait_s is not None:
                self.sleep(wait_s)
        return f"{error}, {TRIES} times", True

    def _try(self, request: AlarmRequest) -> tuple[str, bool]:
        headers = {"Content-Type": request.content_type, "User-Agent": "traffic-siamese"}
        if self.authorization:
            headers["Authorization"] = self.authorization
        asked = urllib.request.Request(
            request.url, data=request.body, headers=headers, method=request.method
        )
        try:
            with _opener().open(asked, timeout=self.timeout_s) as answer:
                self._remember(request, answer.read(_ANSWER_BYTES))
        except urllib.error.HTTPError as err:
            err.close()
            return f"answer {err.code} {err.reason}".rstrip(), err.code in _WORTH_ANOTHER_TRY
        except urllib.error.URLError as err:
            return _one_line(err.reason), True
        except (OSError, http.client.HTTPException, ValueError) as err:
            return _one_line(err) or type(err).__name__, True
        return "", False

    def _remember(self, request: AlarmRequest, answer: bytes) -> None:
        """Keep what the other system calls an alarm that it was told of."""
        if not request.creates:
            return
        try:
            document = json.loads(answer)
        except ValueError:
            return
        theirs = document.get("id") if isinstance(document, dict) else None
        if isinstance(theirs, int | str) and theirs != "":
            self._theirs[request.alarm_ids[0]] = str(theirs)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Takes a redirection for a refusal: followed, a POST would become a GET that tells nothing."""

    def redirect_request(self, *_: object) -> None:
        return None


@cache
def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_NoRedirect)


def _one_line(reason: object) -> str:
    text = getattr(reason, "strerror", None) or str(reason)
    return " ".join(str(text).split())
