"""How the encoder is trained."""

from __future__ import annotations

from dataclasses import dataclass, field

from traffic_siamese.augment import AugmentOptions
from traffic_siamese.encoder import EncoderOptions
from traffic_siamese.losses import LOSSES

FREEZABLE = ("none", "lstm")


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """How the encoder is trained.

    Attributes
    ----------
    loss : str
        One of the names that ``losses.get_loss`` knows.
    margin : float
        For the losses that have one, and for counting active triplets: a squared distance.
    epochs, batches_per_epoch : int
        Epochs at most, and batches in each.
    n_labels, n_per_label : int
        Labels in a mined batch, and windows of each.
    n_virtual : int
        Virtual faults in a mined batch, beside the labels.
    same_network_share : float, in [0, 1]
        Share of mined batches whose labels all come from one network, where it shows them.
    batch_size : int
        Triplets or pairs in a batch, for the losses that are given them.
    learning_rate, clipnorm : float
        Of Adam; the rate falls to 0 along a cosine, and the gradient's norm is clipped, since the
        lossless loss can reach thousands.
    patience : int
        Epochs with a clearly worse held-out loss before training stops.
    max_points : int
        Windows that the recorder follows at most.
    seed : int
        Everything random depends on it.
    freeze : {"none", "lstm"}
        Layers that keep the weights they start with: all up to the last LSTM layer, when an
        encoder is trained further.
    encoder : EncoderOptions
        Shape of the network.
    augment : AugmentOptions
        Variations of the training windows.

    Raises
    ------
    ValueError
        If a value is outside its range.
    """

    loss: str = "supervised_contrastive"
    margin: float = 0.4
    epochs: int = 40
    batches_per_epoch: int = 15
    n_labels: int = 8
    n_per_label: int = 6
    n_virtual: int = 12
    same_network_share: float = 0.0
    batch_size: int = 48
    learning_rate: float = 2e-3
    clipnorm: float = 1.0
    patience: int = 15
    max_points: int = 1500
    seed: int = 0
    freeze: str = "none"
    encoder: EncoderOptions = field(default_factory=EncoderOptions)
    augment: AugmentOptions = field(
        default_factory=lambda: AugmentOptions(
            severity=0.3, load=0.5, mix=0.4, drift=0.08, noise=0.05, n_views=1
        )
    )

    def __post_init__(self) -> None:
        """Check the values once."""
        if self.loss not in LOSSES:
            raise ValueError(f"loss is {self.loss!r}, expected one of {', '.join(LOSSES)}")
        if self.freeze not in FREEZABLE:
            raise ValueError(f"freeze is {self.freeze!r}, expected one of {', '.join(FREEZABLE)}")
        for name in ("epochs", "batches_per_epoch", "batch_size", "patience", "max_points"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 1 or more")
        for name in ("n_labels", "n_per_label"):
            if getattr(self, name) < 2:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 2 or more")
        if not 0 <= self.same_network_share <= 1:
            found = self.same_network_share
            raise ValueError(f"same_network_share is {found}, expected at least 0 and at most 1")
        for name in ("margin", "learning_rate", "clipnorm"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected more than 0")
