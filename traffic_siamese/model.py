"""A model ready for use: bundle, encoder, scaler and fault library, loaded once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from traffic_siamese.bundle import Bundle, load_bundle
from traffic_siamese.conforming import conformed, reading_options
from traffic_siamese.embedding import OnnxEncoder
from traffic_siamese.errors import BundleError, LibraryError
from traffic_siamese.feature_schema import FeatureSchema
from traffic_siamese.features.schema import FEATURE_NAMES
from traffic_siamese.logs.reading import read_log, read_logs
from traffic_siamese.oneshot.library import FaultLibrary
from traffic_siamese.oneshot.rows import StoredBaseline
from traffic_siamese.scaling import Scaler
from traffic_siamese.spelling import did_you_mean
from traffic_siamese.types import FloatArray, Prototype, StringArray, TrafficLog
from traffic_siamese.windows import WindowSet

_BLOCK = 4096  # windows that are copied out at once


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A loaded model.

    Attributes
    ----------
    bundle : Bundle
    encoder : OnnxEncoder
    scaler : Scaler
    library : FaultLibrary
    prototypes : ndarray of shape (n_prototypes, embedding_dim), float32
    prototype_labels : ndarray of shape (n_prototypes,), str
    """

    bundle: Bundle
    encoder: OnnxEncoder
    scaler: Scaler
    library: FaultLibrary
    prototypes: FloatArray
    prototype_labels: StringArray

    @property
    def schema(self) -> FeatureSchema:
        """What it was trained on."""
        return self.scaler.schema

    def read_all(self, source: str | Path) -> tuple[TrafficLog, ...]:
        """Read a log as those that it was trained on, one for each network element.

        Raises
        ------
        CaptureError
            If it cannot be read, or lacks what the model looks at.
        """
        bin_s, options = self.bundle.info.window.bin_s, reading_options(self.schema)
        logs = read_logs(source, bin_s=bin_s, options=options)
        return tuple(conformed(log, self.schema) for log in logs)

    def read(self, source: str | Path) -> TrafficLog:
        """Read a log that holds one network element; see `read_all`."""
        bin_s, options = self.bundle.info.window.bin_s, reading_options(self.schema)
        return conformed(read_log(source, bin_s=bin_s, options=options), self.schema)

    def embed(self, raw: FloatArray, baseline: FloatArray) -> FloatArray:
        """Embed raw windows of shape (n, n_timesteps, n_features) seen against a baseline."""
        return self.encoder.embed(self.scaler.inputs(raw, baseline))

    def embed_all(self, windows: WindowSet) -> FloatArray:
        """Embed all windows of a set, whose series are model inputs; a block at a time.

        A day's windows, copied out at once, would not fit into memory.
        """
        blocks = range(0, len(windows), _BLOCK)
        rows = [np.arange(first, min(first + _BLOCK, len(windows))) for first in blocks]
        return np.concatenate([self.encoder.embed(windows.gather(some)) for some in rows])

    def baseline_of(self, network: str) -> FloatArray:
        """Return a network's stored baseline, (2, n_features).

        Raises
        ------
        LibraryError
            If there is none for this network.
        """
        stored = self.stored_baseline(network)
        return np.stack([stored.center, stored.spread]).astype(np.float32)

    def stored_baseline(self, network: str) -> StoredBaseline:
        """Return what is known of a network's normal.

        Raises
        ------
        LibraryError
            If there is nothing.
        """
        stored = self.library.get_baseline(network, self.schema.digest)
        if stored is None:
            known = self.library.networks()
            raise LibraryError(
                f"{self.bundle.path}: no baseline for network {network!r}; known: "
                f"{', '.join(known) or 'none'}.{did_you_mean(network, known)} "
                f"Learn it with: traffic-siamese baseline LOG --network {network} "
                f"--model {self.bundle.path}"
            )
        return stored


def load_model(path: str | Path, *, threads: int = 1) -> Model:
    """Load a model bundle for classifying; embeds again what another encoder embedded.

    Raises
    ------
    BundleError
        If the bundle is missing, damaged, or was trained on other features.
    """
    bundle = load_bundle(path)
    scaler = Scaler.from_arrays(bundle.scaling)
    if not scaler.schema.is_table and bundle.info.feature_names != FEATURE_NAMES:
        mine, theirs = set(FEATURE_NAMES), set(bundle.info.feature_names)
        difference = ", ".join(sorted(mine ^ theirs)[:5]) or "their order"
        raise BundleError(
            f"{path}: trained on {len(bundle.info.feature_names)} features, this version reads "
            f"{len(FEATURE_NAMES)}; they differ in {difference}. Train the model again."
        )
    encoder = bundle.encoder(threads=threads)
    library = bundle.library()
    _embed_stale(library, bundle.encoder_id, encoder, scaler)
    prototypes = library.prototypes(bundle.encoder_id)
    dim = bundle.info.embedding_dim
    embeddings = np.array([p.embedding for p in prototypes], np.float32).reshape(-1, dim)
    labels = np.array([p.label for p in prototypes], np.str_)
    return Model(bundle, encoder, scaler, library, embeddings, labels)


def _embed_stale(
    library: FaultLibrary, encoder_id: str, encoder: OnnxEncoder, scaler: Scaler
) -> None:
    stale = library.stale(encoder_id)
    if not stale:
        return

    def embed(prototype: Prototype) -> FloatArray:
        one = encoder.embed(scaler.inputs(prototype.raw[None], prototype.baseline))
        return np.asarray(one[0], np.float32)

    library.update_embeddings(
        encoder_id, {number: embed(prototype) for number, prototype in stale.items()}
    )
