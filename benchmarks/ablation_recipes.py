"""Rows of the ablation: the recipe of the package, each time with one ingredient out or swapped.

All rows but those of more networks train one of 16 axes, a sixth of what the package trains: what
an ingredient does can be seen with one, in a fraction of the time.

Where an ingredient has an option, the row sets it. Where it has none, the row replaces a function
or a constant of the package while it trains (`patches`), leaves synthetic windows out
(`synthetic`), or starts from an encoder of another shape (`encoder`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from traffic_siamese.augment import AugmentOptions

if TYPE_CHECKING:  # needs TensorFlow, which the process that only plans does without
    from traffic_siamese.fit_options import FitOptions

DEFAULT = "six networks: the package's default"
FULL = "one network of 16 axes"

Change = Callable[["FitOptions"], "FitOptions"]


@dataclass(frozen=True)
class Recipe:
    """One row.

    Attributes
    ----------
    name : str
    change : callable
        From the options of one network to those of the row.
    patches : tuple of (str, object)
        Dotted names in the package, and what stands there while the encoder is trained.
    synthetic : {"all", "virtual", "moved", "none"}
        Which synthetic windows are trained on: virtual faults and labelled windows moved to other
        networks, either of them, or none.
    absolute_only : bool
        Show the encoder the absolute view alone; for rows with both views.
    encoder : str
        Shape that the package does not build, by its name in `ablation_encoders.SHAPES`; empty for
        the package's own.
    apart : bool
        Whether networks side by side have captures and batches of their own.
    """

    name: str
    change: Change = lambda options: options
    patches: tuple[tuple[str, Any], ...] = ()
    synthetic: str = "all"
    absolute_only: bool = False
    encoder: str = ""
    apart: bool = True


def _training(**changes: Any) -> Change:
    return lambda options: replace(options, training=replace(options.training, **changes))


def _shape(**changes: Any) -> Change:
    def change(options: FitOptions) -> FitOptions:
        return _training(encoder=replace(options.training.encoder, **changes))(options)

    return change


def _steps(factor: float) -> Change:
    def change(options: FitOptions) -> FitOptions:
        return _training(epochs=max(1, round(options.training.epochs * factor)))(options)

    return change


def _half_the_virtual_faults(options: FitOptions) -> FitOptions:
    return replace(options, n_virtual_faults=options.n_virtual_faults // 2)


def _permuted(options: FitOptions) -> FitOptions:
    return replace(options, permuted_share=0.25)


def _both_views(options: FitOptions) -> FitOptions:
    return replace(options, views="both")


def _as_it_was(values: Any, baseline: Any, *_: Any) -> tuple[Any, Any]:
    """Stand in for what moves a window to another network."""
    return values, baseline


def _not_nested(loss: Any, *_: Any, **__: Any) -> Any:
    """Stand in for the nested loss: the loss on all axes alone."""
    return loss


_SAME_TRANSPORT = ("traffic_siamese.simulate.networks.carry_over_tcp", _as_it_was)
_SAME_SIZE = ("traffic_siamese.simulate.networks.thin_network", _as_it_was)
_COMPARED = "traffic_siamese.generators._COMPARED_SHARE"
_EXPLICIT = ("triplet", "lossless", "pairwise")  # given triplets or pairs, of labelled windows only
_MINED = ("semi_hard", "hard", "multi_similarity", "proxy_anchor")

RECIPES: tuple[Recipe, ...] = (
    Recipe(FULL),
    Recipe("no virtual faults", synthetic="moved"),
    Recipe("labelled windows not moved to other networks", synthetic="virtual"),
    Recipe("nothing synthetic", synthetic="none"),
    Recipe("nothing moved to TCP", patches=(_SAME_TRANSPORT,)),
    Recipe(
        "nothing moved to other networks",
        patches=(_SAME_TRANSPORT, _SAME_SIZE),
        synthetic="virtual",
    ),
    Recipe("virtual faults never set against labels", patches=((_COMPARED, 0.0),)),
    Recipe("virtual faults always set against labels", patches=((_COMPARED, 1.0),)),
    Recipe("both views", _both_views),
    Recipe("absolute view only", _both_views, absolute_only=True),
    Recipe("no augmentation", _training(augment=AugmentOptions(n_views=1))),
    *(Recipe(f"loss {name}", _training(loss=name)) for name in _MINED),
    *(Recipe(f"loss {name}", _training(loss=name), synthetic="none") for name in _EXPLICIT),
    Recipe("no nested loss", patches=(("traffic_siamese.training.NestedLoss", _not_nested),)),
    Recipe("3 axes", _shape(embedding_dim=3)),
    Recipe("last state and mean", _shape(pooling="mean")),
    Recipe("last state only", _shape(pooling="last")),
    Recipe("mean only", encoder="mean"),
    Recipe("maximum only", encoder="max"),
    Recipe("multi-scale: whole window, last 16 s, last 8 s", encoder="multi_scale"),
    Recipe(DEFAULT, _shape(embedding_dim=96)),
    Recipe("six networks shown the same", _shape(embedding_dim=96), apart=False),
    Recipe("six networks, each over the whole window", _shape(embedding_dim=96, spans=(1.0,))),
    Recipe("six networks, spans down to a half", _shape(embedding_dim=96, spans=(1.0, 0.5))),
    Recipe("six networks of 8 axes", _shape(embedding_dim=48, n_members=6)),
    Recipe("three networks", _shape(embedding_dim=48)),
    Recipe("one network of 96 axes", _shape(embedding_dim=96, n_members=1)),
    Recipe("a quarter of them real faults through permuted slots", _permuted),
    Recipe("half of the batches of one network", _training(same_network_share=0.5)),
    Recipe("half the virtual faults", _half_the_virtual_faults),
    Recipe("half the steps", _steps(0.5)),
    Recipe("twice the steps", _steps(2.0)),
)
"""Explicit triplets and pairs are drawn from labelled windows only, as the package draws them:
compare them with the row "nothing synthetic"."""


def recipe(name: str) -> Recipe:
    """Return a row by its name.

    Raises
    ------
    ValueError
        If there is no such row.
    """
    for one in RECIPES:
        if one.name == name:
            return one
    names = "; ".join(one.name for one in RECIPES)
    raise ValueError(f"no row is called {name!r}, expected one of: {names}")
