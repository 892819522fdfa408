"""A reason: what changed, what did not, and why it is not the runner-up; short and at length."""

from __future__ import annotations

from dataclasses import dataclass

SHORT_CHARACTERS = 140
NOTHING = "no feature alone differs from normal by half"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why traffic is not normal.

    Attributes
    ----------
    changes : tuple of str
        What changed, most important first, each with the time from which on where one is known.
    features : tuple of str
        The features that these speak of, in the same order.
    unchanged : tuple of str
        What did not, that one would ask about; the most telling first.
    against : str
        What the runner-up's nearest example shows that this does not, or the other way round;
        empty where no other label is near.
    """

    changes: tuple[str, ...]
    features: tuple[str, ...]
    unchanged: tuple[str, ...] = ()
    against: str = ""

    def short(self, limit: int = SHORT_CHARACTERS) -> str:
        """Return one line: as much as fits of two changes, the runner-up, no change, a change."""
        if not self.changes:
            return NOTHING
        first, second, *more = (*self.changes, "")
        chosen: list[str] = [first]
        for clause in (second, self.against, *self.unchanged[:1], *more[:1]):
            if clause and len("; ".join([*chosen, clause])) <= limit:
                chosen.append(clause)
        return "; ".join(clause for clause in self._in_order() if clause in chosen)

    def long(self) -> str:
        """Return all that is known, as one line."""
        return "; ".join(self._in_order()) if self.changes else NOTHING

    def _in_order(self) -> list[str]:
        return [*self.changes, *self.unchanged, *filter(None, [self.against])]
