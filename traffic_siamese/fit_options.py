"""How a model is made from labelled logs."""

from __future__ import annotations

from dataclasses import dataclass, field

from traffic_siamese.logs.options import ReadOptions
from traffic_siamese.training_options import TrainingOptions
from traffic_siamese.types import WindowSpec


@dataclass(frozen=True, slots=True)
class FitOptions:
    """How a model is made.

    Attributes
    ----------
    window : WindowSpec
        How series are cut.
    views : {"relative", "both"}
        What the encoder sees of each feature; see ``scaling``.
    training : TrainingOptions
        How the encoder is trained.
    held_out_share : float, in [0, 1)
        Share of each label's captures that a network is not shown, others for each network: they
        decide when to stop and how far labels reach.
    n_prototypes : int
        Examples kept per label.
    n_virtual_faults, n_virtual_cases : int
        Virtual faults that each network trains on beside the labelled ones, and windows of each;
        see ``simulate.pool``.
    permuted_share : float, in [0, 1]
        Of the virtual faults: labelled ones as they would look in other slots; see
        ``simulate.permuted``.
    start_from : str
        Model to train further: a bundle's directory, ``pretrained`` for the shipped one, or empty
        to start anew. Its window, views and scaling are taken over, and what its library knows is
        learned again beside the new labels and stays in the library.
    false_unknown_share : float
        Share of a known label's windows that may be called unknown.
    reading : ReadOptions
        How tables are read.

    Raises
    ------
    ValueError
        If ``permuted_share`` is outside its range.
    """

    window: WindowSpec = field(default_factory=WindowSpec)
    views: str = "relative"
    training: TrainingOptions = field(default_factory=TrainingOptions)
    held_out_share: float = 0.25
    n_prototypes: int = 5
    n_virtual_faults: int = 1200
    n_virtual_cases: int = 10
    permuted_share: float = 0.0
    start_from: str = ""
    false_unknown_share: float = 0.01
    reading: ReadOptions = field(default_factory=ReadOptions)

    def __post_init__(self) -> None:
        """Check the share once: what it is a share of is known later."""
        if not 0 <= self.permuted_share <= 1:
            found = self.permuted_share
            raise ValueError(f"permuted_share is {found}, expected at least 0 and at most 1")
