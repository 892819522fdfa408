"""Losses that pull windows of one label together and push labels apart in the cube.

A loss never chooses windows. What a batch must look like is its ``layout``:

``labels``
    (batch, embedding_dim) with integer labels (batch,) or (batch, 1), to find pairs and triplets
    in. Labels of opposite sign are not compared; see ``mining.same_label``.
``triplets``
    (batch, 3, embedding_dim): anchor, positive, negative on an axis of their own.
``pairs``
    (batch, 1): the probability that ``PairwiseHead`` gives two windows of being of one label.

All distances are squared Euclidean, so no gradient is ever divided by a distance of zero. Where a
published loss wants a similarity s of unit vectors, it gets ``1 - d / 2`` of the squared distance
d, which is the cosine where there is one: points of a cube have no angle to compare.
"""

from __future__ import annotations

from typing import Any

from traffic_siamese.backend import keras
from traffic_siamese.losses.mined_triplets import HardTripletLoss, SemiHardTripletLoss
from traffic_siamese.losses.multi_similarity import MultiSimilarityLoss
from traffic_siamese.losses.pairwise import PairwiseHead, PairwiseLoss
from traffic_siamese.losses.proxy_anchor import ProxyAnchorLoss
from traffic_siamese.losses.supervised_contrastive import SupervisedContrastiveLoss
from traffic_siamese.losses.triplets import LosslessTripletLoss, TripletLoss

__all__ = [
    "LOSSES",
    "HardTripletLoss",
    "LosslessTripletLoss",
    "MultiSimilarityLoss",
    "PairwiseHead",
    "PairwiseLoss",
    "ProxyAnchorLoss",
    "SemiHardTripletLoss",
    "SupervisedContrastiveLoss",
    "TripletLoss",
    "get_loss",
]

LOSSES: dict[str, type[keras.losses.Loss]] = {
    "triplet": TripletLoss,
    "semi_hard": SemiHardTripletLoss,
    "hard": HardTripletLoss,
    "lossless": LosslessTripletLoss,
    "pairwise": PairwiseLoss,
    "supervised_contrastive": SupervisedContrastiveLoss,
    "multi_similarity": MultiSimilarityLoss,
    "proxy_anchor": ProxyAnchorLoss,
}


def get_loss(name: str, **options: Any) -> keras.losses.Loss:
    """Return a loss by its name.

    Parameters
    ----------
    name : str
        One of the names in ``LOSSES``.
    **options
        What that loss takes, such as ``margin``.

    Raises
    ------
    ValueError
        If there is no such loss.
    """
    if name not in LOSSES:
        raise ValueError(f"loss is {name!r}, expected one of {', '.join(LOSSES)}")
    return LOSSES[name](**options)
