"""Invented results of classifying, and what a written page holds of them."""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from traffic_siamese.classification import LogResult
from traffic_siamese.log_detail import FeatureTrack, LogDetail
from traffic_siamese.types import Incident, Prototype, Verdict, WindowSpec
from traffic_siamese.views.report import ReportAbout

SECOND = 10**9
START_NS = 1_700_000_000 * SECOND  # 2023-11-14T22:13:20Z
N_WINDOWS = 12
SCRIPT = re.compile(r'<script type="application/octet-stream" id="([\w-]+)">([^<]*)</script>')


def make_verdict(number: int, *, log: str = "a.pcap", **replaced: Any) -> Verdict:
    """Return a window of 32 s that begins 8 s after the one before it."""
    start_ns = START_NS + 8 * number * SECOND
    share = number / N_WINDOWS
    fields: dict[str, Any] = {
        "capture": log,
        "start_ns": start_ns,
        "end_ns": start_ns + 32 * SECOND,
        "label": "normal",
        "distance": 0.1 + share,
        "confidence": 0.9,
        "second_label": "capacity",
        "second_distance": 0.4 + 2 * share,
        "x": share,
        "y": 1 - share,
        "z": 0.5,
        "reason": "",
    }
    return Verdict(**(fields | replaced))


def make_result(log: str = "a.pcap", *, label: str = "blocked", **replaced: Any) -> LogResult:
    """Return a log of twelve windows, the fourth to the eighth of which show a fault."""
    faulty = {"label": label, "reason": "packets fell to a tenth", "confidence": 0.8}
    verdicts = tuple(
        make_verdict(i, log=log, **(faulty if 3 <= i < 8 and label != "normal" else {}))
        for i in range(N_WINDOWS)
    )
    incident = Incident(
        log,
        START_NS + 40 * SECOND,
        START_NS + 80 * SECOND,
        label,
        0.8,
        5,
        "packets fell to a tenth",
        features=("packets",),
    )
    incidents = () if label == "normal" else (incident,)
    fields = {"verdicts": verdicts, "incidents": incidents, "detail": make_detail()}
    return LogResult(log, **(fields | replaced))


def make_detail() -> LogDetail:
    """Return two features of 120 s with a gap after 100 s."""
    values = np.arange(120, dtype=np.float32)
    tracks = (
        FeatureTrack("answers", "answers, from the service", "answers/s", "", (1, 2, 3), values),
        FeatureTrack("packets", "packets", "packets/s", "", (10, 20, 30), 1 / (1 + values)),
    )
    start_ns = START_NS + SECOND * (np.arange(120) + 50 * (np.arange(120) >= 100))
    return LogDetail(tracks, start_ns, (np.arange(120) >= 100).astype(np.int64), 1.0, "A")


def make_about(*labels: str, **replaced: Any) -> ReportAbout:
    """Return a model with two examples of each label."""
    rng = np.random.default_rng(3)
    empty = np.zeros((1, 1), np.float32)
    prototypes = [
        Prototype(label, empty, empty, rng.random(3, np.float32), {"capture": "p.pcap"})
        for label in (*labels, "normal", "blocked", "capacity")
        for _ in range(2)
    ]
    fields = {"network": "A", "n_logs": 3}
    return ReportAbout("mine", WindowSpec(), 3, prototypes, **(fields | replaced))


def packed(page: Path) -> dict[str, Any]:
    """Return what lies in the page, by id: JSON of all but plotly.js."""
    parts = dict(SCRIPT.findall(page.read_text("utf-8")))
    parts.pop("plotly-data")
    return {name: json.loads(gzip.decompress(base64.b64decode(t))) for name, t in parts.items()}
