"""What ``evaluate`` prints of the reasons: whether what they name is what makes the difference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from traffic_siamese.cli.figures import interval_json, percent
from traffic_siamese.cli.output import count, print_table

if TYPE_CHECKING:
    from traffic_siamese.evaluation.faithfulness import Faithfulness


def print_faithfulness(found: Faithfulness) -> None:
    """Write how much named features tell, beside others."""
    rows = [
        [
            "FEATURES, %, WITH 95 % INTERVALS",
            "BACK TO NORMAL WITHOUT THEM",
            "TO THE FAULT BY THEM ALONE",
        ]
    ]
    rows += [[name, percent(one.removed), percent(one.alone)] for name, one in found.rows.items()]
    print_table(rows)
    gained = found.gained
    points = f"{100 * gained.mean:+.1f} points"
    if gained.has_spread:
        points += f" ({100 * gained.low:+.1f} to {100 * gained.high:+.1f})"
    click.echo(
        f"Reasons: features set to normal, in {count(found.n_windows, 'window')} of faults. Named "
        f"ones do more than those farthest from normal by {points}, and more than random changed "
        f"ones in {found.ahead:.0%} of the windows."
    )


def faithfulness_json(found: Faithfulness | None) -> dict[str, Any] | None:
    """Return the same for other programs."""
    if found is None:
        return None
    rows = {
        name: {
            "removed": interval_json(one.removed),
            "alone": interval_json(one.alone),
            "features": round(one.n_features, 3),
        }
        for name, one in found.rows.items()
    }
    return {
        "windows": found.n_windows,
        "captures": found.n_captures,
        "features": rows,
        "removed_beyond_deviation": interval_json(found.gained),
        "ahead_of_random": round(found.ahead, 6),
    }
