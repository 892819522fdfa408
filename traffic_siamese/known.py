"""A trained model as the start of another: its encoder, its scaling, and what it knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from traffic_siamese.bundle import load_bundle
from traffic_siamese.encoder import load_keras, n_members_of
from traffic_siamese.errors import BundleError
from traffic_siamese.features.schema import FEATURE_NAMES
from traffic_siamese.scaling import Scaler
from traffic_siamese.starting import shipped_model
from traffic_siamese.types import Prototype, WindowSpec
from traffic_siamese.windows import WindowSet, stack_windows

PRETRAINED = "pretrained"


@dataclass(frozen=True, slots=True, eq=False)
class KnownModel:
    """What training further starts from.

    Attributes
    ----------
    keras : bytes
        The encoder.
    scaler : Scaler
    window : WindowSpec
    prototypes : sequence of Prototype
        Everything in its library, faults added by hand too.
    """

    keras: bytes
    scaler: Scaler
    window: WindowSpec
    prototypes: Sequence[Prototype]

    @property
    def n_members(self) -> int:
        """Networks side by side in its encoder."""
        return n_members_of(load_keras(self.keras))

    @property
    def windows(self) -> WindowSet:
        """Its prototypes as windows to train on, so that what it knew is not forgotten."""
        names = [prototype.label for prototype in self.prototypes]
        where = [f"known from {p.source.get('network', '')}" for p in self.prototypes]
        inputs = [self.scaler.inputs(p.raw, p.baseline) for p in self.prototypes]
        return stack_windows(
            np.stack(inputs),
            label=np.array(names, np.str_),
            capture=np.array(where, np.str_),
            network=np.array(where, np.str_),
        )


def load_known(source: str) -> KnownModel:
    """Load a model to train further; ``pretrained`` is the shipped one.

    Raises
    ------
    BundleError
        If it is missing or damaged, or was trained on other features.
    """
    with shipped_model() as shipped:
        bundle = load_bundle(shipped if source == PRETRAINED else source)
        scaler = Scaler.from_arrays(bundle.scaling)
        if not scaler.schema.is_table and bundle.info.feature_names != FEATURE_NAMES:
            raise BundleError(
                f"{source}: trained on {len(bundle.info.feature_names)} features, this version "
                f"reads {len(FEATURE_NAMES)}, not the same ones. Train without --from."
            )
        return KnownModel(
            bundle.keras_path.read_bytes(),
            scaler,
            bundle.info.window,
            bundle.library().prototypes(bundle.encoder_id),
        )
