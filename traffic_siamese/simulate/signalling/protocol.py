"""What a signalling protocol is to the model of subscribers and core.

The model says what happens: a session begins, a registration is refused. A protocol says how that
is written, and by what rules it is repeated. Statuses are SIP's numbers everywhere in the model;
each protocol writes its own for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from traffic_siamese.simulate.signalling.world import UP

if TYPE_CHECKING:
    from traffic_siamese.simulate.signalling.subscribers import Site, Subscriber
    from traffic_siamese.simulate.signalling.transactions import Transaction

BEGINNINGS = ("session", "registration", "keep_alive", "message", "flood", "scan", "malformed")
"""What a dialogue is begun for."""
REQUESTS = (
    "session_start",
    "session_update",
    "session_end",
    "registration",
    "keep_alive",
    "message",
    "flood",
    "scan",
    "malformed",
)
"""What is asked in one."""


class Dialogue(Protocol):
    """What the messages of one errand have in common, and how they are written."""

    def request(self, what: str, *, way: int = UP) -> bytes:
        """Write a request, one of REQUESTS."""

    def answer(self, asked: bytes, status: int) -> bytes:
        """Write the answer to a request; ``status`` is SIP's number for it."""

    def prove(self) -> None:
        """Let the next registration bring what the core asked for."""


class SessionErrand(Protocol):
    """A call or a session, whatever a protocol's are."""

    def start(self) -> None:
        """Begin."""

    def resume(self, left_s: float) -> None:
        """Have begun long ago, and last for some more seconds."""

    def is_there(self) -> bool:
        """Whether the subscriber's device works."""


class SessionMaker(Protocol):
    """What makes sessions."""

    def __call__(
        self, site: Site, subscriber: Subscriber, n_tries: int = 0, *, way: int = UP
    ) -> SessionErrand:
        """Return a session of a subscriber, or to it where ``way`` is DOWN."""


DialogueMaker = Callable[["Site", "Subscriber", str, "int | None", int], Dialogue]
"""From the site, who begins it, for what (one of BEGINNINGS), the number asked for, and the way."""


@dataclass(frozen=True, slots=True)
class SignallingProtocol:
    """A protocol.

    Attributes
    ----------
    name : str
    port : int
        Where the core listens.
    transports : tuple of str
        Those of the network model that it can use.
    dialogue : DialogueMaker
    transaction : type of Transaction
        By what rules a request is repeated.
    session : SessionMaker
        How calls or sessions go.
    site : type of Site
        How subscribers reach the core.
    sessions_come_in : bool
        Whether the core begins some.
    meaningless : dict of str to str
        Families of faults that it cannot show, and why.
    answers : dict of str to str
        What the statuses of the families are in this protocol, where these are not its own.
    """

    name: str
    port: int
    transports: tuple[str, ...]
    dialogue: DialogueMaker
    transaction: type[Transaction]
    session: SessionMaker
    site: Callable[..., Any]
    sessions_come_in: bool = False
    meaningless: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)
