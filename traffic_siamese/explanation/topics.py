"""Features that tell one story, taken together: they are removed, and named, as one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from traffic_siamese.feature_schema import FeatureSchema
from traffic_siamese.features.slots import DIRECTIONS

_STORIES = {
    "volume": ("packets", "bytes", "mean_size_bytes", "idle_share"),
    "sessions": (
        "request_session_start",
        "request_session_end",
        "request_cancel",
        "request_acknowledgement",
    ),
    "success": ("started_sessions", "done_registrations", "answer_success", "answer_provisional"),
    "delay": (
        "first_answer_delay_median_s",
        "final_answer_delay_median_s",
        "first_answer_delay_p95_s",
        "final_answer_delay_p95_s",
        "first_answer_delay_std_s",
    ),
    "unanswered": ("unanswered_t1", "unanswered_4s"),
    "repeats": (
        "repeats",
        "retransmitted_requests",
        "retransmitted_answers",
        "tcp_retransmissions",
        "duplicates",
    ),
    "refusals": ("icmp_unreachable", "tcp_rst", "refusals"),
    "sources": ("active_endpoints", "busiest_source_share", "source_entropy_bits"),
}
"""The member that says most stands first; a feature that is in none is a story of its own."""

_STORY_OF = {member: story for story, members in _STORIES.items() for member in members}


@dataclass(frozen=True, slots=True)
class Topic:
    """Some features of a schema that are one thing to people.

    Attributes
    ----------
    direction : str
        ``to_service``, ``from_service``, or empty where there is none.
    name : str
        Such as ``delay``; of a table, the column.
    columns : tuple of int
        Its features' places in the schema, the one to speak of first.
    """

    direction: str
    name: str
    columns: tuple[int, ...]


@lru_cache(maxsize=8)
def topics_of(schema: FeatureSchema) -> tuple[Topic, ...]:
    """Return the topics of a schema; each feature is in exactly one.

    Of what is measured in captures, features of one direction that rise and fall together are one
    topic. Nobody knows what belongs together in a table: there, each column is one.
    """
    members: dict[tuple[str, str], list[int]] = {}
    for column, full_name in enumerate(schema.names):
        direction, name = ("", full_name) if schema.is_table else split_direction(full_name)
        story = name if schema.is_table else _STORY_OF.get(name, name)
        members.setdefault((direction, story), []).append(column)
    return tuple(
        Topic(direction, story, tuple(sorted(columns, key=lambda c: _rank(schema.names[c], story))))
        for (direction, story), columns in members.items()
    )


def split_direction(name: str) -> tuple[str, str]:
    """Take the direction off a feature's name: ``("to_service", "packets")``, or ``("", name)``."""
    for direction in DIRECTIONS:
        if name.startswith(f"{direction}_"):
            return direction, name.removeprefix(f"{direction}_")
    return "", name


def _rank(full_name: str, story: str) -> int:
    name = split_direction(full_name)[1]
    members = _STORIES.get(story, ())
    return members.index(name) if name in members else 0
