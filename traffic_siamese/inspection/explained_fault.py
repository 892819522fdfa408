"""What a fault's examples show, in the words in which incidents are told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from traffic_siamese.detailing import log_detail
from traffic_siamese.explanation.comparison import compare
from traffic_siamese.explanation.explain import Explainer, reason_of
from traffic_siamese.explanation.topics import Topic
from traffic_siamese.features.slots import PROTOCOLS
from traffic_siamese.inspection.faults import describe_fault
from traffic_siamese.model import Model
from traffic_siamese.preparation import PreparedLog
from traffic_siamese.types import (
    NORMAL,
    FloatArray,
    Incident,
    Prototype,
    TrafficLog,
    TrafficSeries,
)
from traffic_siamese.views.prototype_page import DrawnExample, DrawnFault

N_STRETCHES = 8


def explain_fault(model: Model, label: str) -> DrawnFault:
    """Explain the examples of a fault: what put each where it lies.

    Parameters
    ----------
    model : Model
    label : str
        A fault of the model, or ``normal``.

    Raises
    ------
    LibraryError
        If the model does not know it.
    """
    fault = describe_fault(model, label)
    prototypes = model.library.prototypes(model.bundle.encoder_id)
    explainer = Explainer(model)
    return DrawnFault(
        label,
        model.bundle.path.name,
        fault.reach,
        [_explained(one, explainer) for one in prototypes if one.label == label],
        fault.distances,
        prototypes,
    )


def _explained(prototype: Prototype, explainer: Explainer) -> DrawnExample:
    bin_s = explainer.model.bundle.info.window.bin_s
    protocol = prototype.source.get("protocol", "")
    seen = compare(
        prototype.raw, prototype.baseline, explainer.schema, bin_s=bin_s, protocol=protocol
    )
    window = explainer.model.scaler.inputs(prototype.raw, prototype.baseline)[None]
    topics = [] if prototype.label == NORMAL else explainer.topics(window, prototype.baseline, seen)
    why = replace(reason_of(seen, topics), unchanged=tuple(explainer.unchanged(seen)))
    prepared = _as_log(prototype, explainer, protocol=protocol)
    mark = Incident("", 0, 0, prototype.label, 0.0, 0, "", features=why.features)
    return DrawnExample(
        prototype.source,
        "normal traffic" if prototype.label == NORMAL else why.long(),
        why.changes,
        why.features,
        log_detail(prepared, [mark]).tracks,
        _matters(window, prototype, topics, explainer),
        bin_s,
    )


def _matters(
    window: FloatArray,
    prototype: Prototype,
    topics: list[Topic],
    explainer: Explainer,
) -> FloatArray:
    """Say when each topic matters; shape (n_topics, n_stretches)."""
    occlusion = explainer.occlusion(window, prototype.baseline)
    n = min(N_STRETCHES, window.shape[1])
    rows = [occlusion.by_stretch(explainer.channels(topic), n_stretches=n) for topic in topics]
    return np.array(rows, np.float32).reshape(len(topics), n)


def _as_log(prototype: Prototype, explainer: Explainer, *, protocol: str) -> PreparedLog:
    """Return an example as a log of its one window, to be drawn as logs are."""
    schema = explainer.schema
    bin_s = explainer.model.bundle.info.window.bin_s
    series = TrafficSeries(prototype.raw, 0, bin_s, schema.names)
    log = TrafficLog(
        prototype.source.get("capture", ""),
        (series,),
        0,
        schema=schema if schema.is_table else None,
        protocols={protocol: 1} if protocol in PROTOCOLS else {},
    )
    return PreparedLog(log, prototype.baseline, (), prototype.source.get("network", ""))
