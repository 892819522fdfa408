"""Labels represented by one point each, against all windows of a batch."""

from __future__ import annotations

from typing import Any

from traffic_siamese import mining
from traffic_siamese.backend import keras, ops
from traffic_siamese.losses.base import ConfiguredLoss, require_positive


@keras.saving.register_keras_serializable(package="traffic_siamese")
class ProxyAnchorLoss(ConfiguredLoss):
    """Pull the windows of a label to its proxy, push those of other labels away from it.

    A proxy is the mean of its label's windows in the batch; to one of these windows, the mean of
    the others. With ``s`` = (boundary - d) / 2, the loss is the mean over the proxies that have
    windows to pull of ``ln(1 + sum(exp(-alpha (s - delta))))``, plus the mean over those that have
    windows to push of ``ln(1 + sum(exp(alpha (s + delta))))``.

    Parameters
    ----------
    alpha : float
        How much more the worst windows weigh than others.
    delta : float
        Margin on either side of the boundary, as a similarity: pulled from a squared distance of
        boundary - 2 delta on, pushed up to boundary + 2 delta.
    boundary : float
        Squared distance at which pulling turns into pushing; 2 gives the cosine of unit vectors.
    name, **options
        What ``keras.losses.Loss`` takes.

    Notes
    -----
    In the paper a proxy is trained. Here virtual faults are labels too: hundreds, of which a batch
    shows a few and which end with the training, so that trained proxies would hardly move from
    where chance has put them. Means need no weights, and are what prototypes are later.

    References
    ----------
    Kim, Kim, Cho, Kwak 2020, Proxy anchor loss for deep metric learning, equation 4,
    arXiv:2003.13911. Snell, Swersky, Zemel 2017, Prototypical networks for few-shot learning,
    equation 1, arXiv:1703.05175: means as proxies.
    """

    layout = "labels"
    settings = ("alpha", "delta", "boundary")

    def __init__(
        self,
        alpha: float = 32.0,
        delta: float = 0.4,
        boundary: float = 1.0,
        name: str = "proxy_anchor",
        **options: Any,
    ) -> None:
        super().__init__(name=name, **options)
        self.alpha = require_positive("alpha", alpha)
        self.delta = float(delta)
        self.boundary = require_positive("boundary", boundary)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the mean over the batch's proxies."""
        same, other = mining.same_label(y_true)
        distances, own, share = mining.proxy_distances(y_pred, y_true)
        similarity = (self.boundary - distances) / 2.0
        positive = ops.logical_and(own, ops.any(same, axis=1, keepdims=True))
        pull = mining.log_one_plus_sum(self.alpha * (self.delta - similarity), positive)
        push = mining.log_one_plus_sum(self.alpha * (self.delta + similarity), other)
        return mining.mean_where(pull, ops.any(same, axis=1), weight=share) + mining.mean_where(
            push, ops.any(other, axis=1), weight=share
        )
