"""Vary training windows the way other networks and other days would.

Model inputs have one or two views of the same F features: the last F channels are relative to the
network's baseline; where there are 2F, the first F are log-absolute. All are in logarithmic units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from traffic_siamese.errors import ShapeError
from traffic_siamese.types import FloatArray


@dataclass(frozen=True, slots=True)
class AugmentOptions:
    """How strongly each variation is applied; 0 turns it off.

    Attributes
    ----------
    severity : float, in [0, 1]
        A faulty window is moved along the line from a normal window of its network by a factor in
        [1 - severity, 1 + severity]: a milder or a heavier case of the fault.
    load : float, >= 0
        One constant in [-load, load] is added to a window's absolute view: a network with more or
        less traffic. The relative view does not change, as it would not.
    shift_bins : int, >= 0
        A window is shifted by up to so many bins; the edge is repeated.
    noise : float, >= 0
        Standard deviation of Gaussian noise on every value.
    mix : float, >= 0
        Standard deviation of a constant per window and feature, added to the absolute view: a
        network with another mix of traffic.
    drift : float, >= 0
        The same for the relative view: a normal that was not learned perfectly, or has moved.
    n_views : {1, 2}
        Views in the inputs; with one, load and mix have nothing to change.

    Raises
    ------
    ValueError
        If a strength is outside its range.
    """

    severity: float = 0.0
    load: float = 0.0
    shift_bins: int = 0
    noise: float = 0.0
    mix: float = 0.0
    drift: float = 0.0
    n_views: int = 2

    def __post_init__(self) -> None:
        """Check the strengths once."""
        for name in ("severity", "load", "shift_bins", "noise", "mix", "drift"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 0 or more")
        if self.severity > 1:
            raise ValueError(f"severity is {self.severity}, expected 1 or less")
        if self.n_views not in (1, 2):
            raise ValueError(f"n_views is {self.n_views}, expected 1 or 2")


def augment(
    X: FloatArray,
    *,
    options: AugmentOptions,
    rng: np.random.Generator,
    normal: FloatArray | None = None,
) -> FloatArray:
    """Return varied copies of windows.

    Parameters
    ----------
    X : ndarray of shape (n_windows, n_timesteps, n_channels), float32
        Model inputs.
    options : AugmentOptions
        What to apply, and how strongly.
    rng : numpy.random.Generator
        Where chance comes from; the same state gives the same windows.
    normal : ndarray of the shape of X, float32, optional
        For each window a normal window of its network, or the window itself where there is none or
        where it is normal already. Without it severity is not varied.

    Returns
    -------
    ndarray of the shape of X, float32

    Raises
    ------
    ShapeError
        If the number of channels is odd, so that there are no two views.
    """
    if X.shape[-1] % options.n_views:
        raise ShapeError(
            f"windows have {X.shape[-1]} channels, expected an even number: "
            "the absolute and the relative view of each feature. Scale the series first."
        )
    if options.severity and normal is not None:
        X = vary_severity(X, normal, strength=options.severity, rng=rng)
    n_features = X.shape[-1] // options.n_views
    if options.load and options.n_views > 1:
        X = vary_load(X, strength=options.load, rng=rng)
    if options.mix and options.n_views > 1:
        X = vary_mix(X, slice(0, n_features), strength=options.mix, rng=rng)
    if options.drift:
        X = vary_mix(X, slice(-n_features, None), strength=options.drift, rng=rng)
    if options.shift_bins:
        X = shift_in_time(X, max_bins=options.shift_bins, rng=rng)
    if options.noise:
        X = add_noise(X, strength=options.noise, rng=rng)
    return X


def vary_severity(
    X: FloatArray, normal: FloatArray, *, strength: float, rng: np.random.Generator
) -> FloatArray:
    """Move each window along the line through its normal window, which is at factor 0."""
    factor = rng.uniform(1 - strength, 1 + strength, (len(X), 1, 1)).astype(np.float32)
    return normal + factor * (X - normal)


def vary_load(X: FloatArray, *, strength: float, rng: np.random.Generator) -> FloatArray:
    """Add one constant to each window's absolute view."""
    out = X.copy()
    constant = rng.uniform(-strength, strength, (len(X), 1, 1)).astype(np.float32)
    out[:, :, : X.shape[-1] // 2] += constant
    return out


def vary_mix(
    X: FloatArray, channels: slice, *, strength: float, rng: np.random.Generator
) -> FloatArray:
    """Add a constant to each of these channels of each window."""
    out = X.copy()
    shape = (len(X), 1, out[..., channels].shape[-1])
    out[..., channels] += strength * rng.standard_normal(shape, dtype=np.float32)
    return out


def shift_in_time(X: FloatArray, *, max_bins: int, rng: np.random.Generator) -> FloatArray:
    """Shift each window by a whole number of bins; the bin at the edge is repeated."""
    shift = rng.integers(-max_bins, max_bins, len(X), endpoint=True)
    step = np.clip(np.arange(X.shape[1]) + shift[:, None], 0, X.shape[1] - 1)
    shifted: FloatArray = X[np.arange(len(X))[:, None], step]
    return shifted


def add_noise(X: FloatArray, *, strength: float, rng: np.random.Generator) -> FloatArray:
    """Add Gaussian noise to every value."""
    return X + np.float32(strength) * rng.standard_normal(X.shape, dtype=np.float32)
