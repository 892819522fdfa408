"""Metrics in the text format of Prometheus: in a file, or over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from traffic_siamese.errors import MissingExtraError, TrafficSiameseError
from traffic_siamese.noc.run_metrics import COUNTERS, GAUGES, PREFIX, Metric, RunMetrics, Samples
from traffic_siamese.tables import telling

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric as Family
    from prometheus_client.samples import Sample

NETWORK = "network"


def client() -> ModuleType:
    """Import Prometheus' client. Raises MissingExtraError if it is not installed."""
    try:
        import prometheus_client
    except ImportError as err:
        raise MissingExtraError(
            f"metrics need {err.name}, which is not installed. "
            'Install it with: pip install "traffic-siamese[metrics]"'
        ) from err
    return prometheus_client


class _Collector:
    """Hands the values over, as they are when asked for."""

    def __init__(self, metrics: RunMetrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Family]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        for metric in COUNTERS:
            yield self._filled(CounterMetricFamily, metric)
        for metric in GAUGES:
            yield self._filled(GaugeMetricFamily, metric)

    def _filled(self, make: Any, metric: Metric) -> Family:
        names = (*metric.labels, NETWORK)
        family: Family = make(PREFIX + metric.name, metric.meaning, labels=names)
        for values, number in self._metrics.samples(metric).items():
            family.add_metric((*values, self._metrics.network), number)  # type: ignore[attr-defined]
        return family


def registry_of(metrics: RunMetrics) -> CollectorRegistry:
    """Return a registry of Prometheus' client that holds these metrics alone.

    Raises
    ------
    MissingExtraError
        If the client is not installed.
    """
    registry: CollectorRegistry = client().CollectorRegistry(auto_describe=False)
    registry.register(_Collector(metrics))
    return registry


def write_metrics(path: str | Path, metrics: RunMetrics) -> None:
    """Write a file for the textfile collector of node_exporter, replaced in one step.

    Raises
    ------
    TrafficSiameseError
        If it cannot be written.
    """
    registry = registry_of(metrics)
    with telling(str(path)):
        client().write_to_textfile(str(path), registry)


def read_counters(path: str | Path, *, network: str) -> dict[str, Samples]:
    """Read the counters of a file that an earlier run wrote; none where there is no file.

    Raises
    ------
    TrafficSiameseError
        If the file cannot be read, was not written by this package, or tells of another network.
    """
    client()
    from prometheus_client.parser import text_string_to_metric_families

    try:
        text = Path(path).read_text(encoding="utf-8")
        families = list(text_string_to_metric_families(text))
    except FileNotFoundError:
        return {}
    except OSError as err:
        raise TrafficSiameseError(
            f"{path}: cannot be read ({err.strerror}). Check who may read it."
        ) from err
    except (ValueError, KeyError, IndexError) as err:
        raise TrafficSiameseError(f"{path}: holds no metrics ({err}). {_OTHER_NAME}") from err
    samples = [sample for family in families for sample in family.samples]
    _check_samples(samples, str(path), network)
    return {metric.name: _samples(samples, metric) for metric in COUNTERS}


_OTHER_NAME = "Name another file; it is left as it is."


def _check_samples(samples: Iterable[Sample], path: str, network: str) -> None:
    for sample in samples:
        if not sample.name.startswith(PREFIX):
            raise TrafficSiameseError(
                f"{path}: holds the metric {sample.name!r}, expected those of this command alone. "
                f"{_OTHER_NAME}"
            )
        theirs = sample.labels.get(NETWORK, "")
        if theirs != network:
            raise TrafficSiameseError(
                f"{path}: holds metrics of {_named(theirs)}, expected {_named(network)}. "
                "Name a file of its own for each network."
            )


def _samples(samples: Iterable[Sample], metric: Metric) -> Samples:
    return {
        tuple(sample.labels.get(name, "") for name in metric.labels): sample.value
        for sample in samples
        if sample.name == f"{PREFIX}{metric.name}_total"
    }


def _named(network: str) -> str:
    return f"network {network!r}" if network else "no network"


class MetricsServer:
    """Serves metrics over HTTP until it is closed; every path is ``/metrics``.

    Raises
    ------
    TrafficSiameseError
        If it cannot listen there.
    MissingExtraError
        If Prometheus' client is not installed.
    """

    def __init__(self, host: str, port: int, metrics: RunMetrics) -> None:
        registry = registry_of(metrics)
        self._server: Any
        self._thread: threading.Thread
        try:
            self._server, self._thread = client().start_http_server(
                port, addr=host, registry=registry
            )
        except (OSError, OverflowError) as err:
            raise TrafficSiameseError(
                f"{host}:{port}: metrics cannot be served there ({err}). "
                "Choose another port, or an address of this machine."
            ) from err
        self.port = int(self._server.server_port)

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
