"""What puts a window where it is: some of its features are set to normal, and it is embedded again.

A feature matters if without it the window comes nearer to normal, and if it alone, in otherwise
normal traffic, comes near to where the window is. Features that matter only together are found by
choosing one after the other, each with those before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.types import FloatArray

Channels = NDArray[np.intp]
"""Which channels of the model input belong together."""

_SHORTLIST = 6
_REMOVED = 0.75  # what `removed` counts beside `alone`; see `evaluation.faithfulness`


class Occlusion:
    """Windows of one kind, of which features are set to those of a reference.

    Parameters
    ----------
    embed : callable
        Maps (n, n_timesteps, n_channels), float32, to points (n, embedding_dim).
    windows : ndarray of shape (n_windows, n_timesteps, n_channels), float32
        Model inputs.
    reference : ndarray of shape (1 or n_timesteps, n_channels), float32
        Model inputs of what they are compared with: normal, or an example of another label.
    points : ndarray of shape (n_points, embedding_dim), float32
        Where that lies; the nearest counts.
    """

    def __init__(
        self,
        embed: Callable[[FloatArray], FloatArray],
        windows: FloatArray,
        *,
        reference: FloatArray,
        points: FloatArray,
    ) -> None:
        self._embed, self._windows = embed, windows
        self._reference = np.broadcast_to(reference, windows.shape[1:])
        self._points = points
        self._places = embed(windows)
        self._away = self._from_reference(self._places)
        place = embed(np.ascontiguousarray(self._reference[None]))
        self._apart = np.linalg.norm(self._places - place, axis=1)

    def removed(self, sets: Sequence[Channels]) -> NDArray[np.float64]:
        """How much of the way to the reference each window goes without each set of channels.

        Returns
        -------
        ndarray of shape (n_sets, n_windows), float64
            1 - distance / distance before; 1 is all the way, negative is away from it.
        """
        changed = self._exchanged(self._windows, self._reference, sets)
        left = self._from_reference(self._embed(changed)).reshape(len(sets), -1)
        return 1 - left / _positive(self._away)

    def alone(self, sets: Sequence[Channels]) -> NDArray[np.float64]:
        """How much of the way from the reference to each window each set of channels goes alone.

        Returns
        -------
        ndarray of shape (n_sets, n_windows), float64
            As from `removed`.
        """
        changed = self._exchanged(self._reference, self._windows, sets)
        places = self._embed(changed).reshape(len(sets), len(self._windows), -1)
        left = np.linalg.norm(places - self._places, axis=2)
        return np.asarray(1 - left / _positive(self._apart), np.float64)

    def choose(self, sets: Sequence[Channels], *, n: int) -> list[int]:
        """Choose the sets that matter, one after the other, each together with those before it.

        Returns
        -------
        list of int
            At most n, the one that matters most first; fewer where one more would go no farther:
            mean over all windows of three quarters of `removed` and a quarter of `alone`.
        """
        rest, chosen, reached = list(range(len(sets))), list[int](), -np.inf
        while rest and len(chosen) < n:
            before = [sets[i] for i in chosen]
            scores = self._scores([np.concatenate([*before, sets[i]]) for i in rest])
            best = int(np.argmax(scores))
            if scores[best] <= reached:
                break
            if not chosen:  # what does little alone seldom does much with another
                rest = [rest[i] for i in np.argsort(-scores, kind="stable")[: _SHORTLIST + 1]]
                best = 0
            reached = float(scores.max())
            chosen.append(rest.pop(best))
        return chosen

    def by_stretch(self, channels: Channels, *, n_stretches: int) -> NDArray[np.float64]:
        """How much of the way to the reference the windows go without channels in a stretch.

        Returns
        -------
        ndarray of shape (n_stretches,), float64
            For equal parts of the windows' time, mean over windows.
        """
        changed = []
        for stretch in np.array_split(np.arange(self._windows.shape[1]), n_stretches):
            window = self._windows.copy()
            for step in stretch.tolist():
                window[:, step, channels] = self._reference[step, channels]
            changed.append(window)
        left = self._from_reference(self._embed(np.concatenate(changed)))
        shares = 1 - left.reshape(n_stretches, -1) / _positive(self._away)
        return np.asarray(shares.mean(axis=1), np.float64)

    def _scores(self, sets: Sequence[Channels]) -> NDArray[np.float64]:
        removed, alone = self.removed(sets).mean(axis=1), self.alone(sets).mean(axis=1)
        return np.asarray(_REMOVED * removed + (1 - _REMOVED) * alone, np.float64)

    def _from_reference(self, places: FloatArray) -> NDArray[np.float64]:
        away = np.linalg.norm(places[:, None] - self._points[None], axis=2)
        return np.asarray(away.min(axis=1), np.float64)

    def _exchanged(
        self, base: FloatArray, source: FloatArray, sets: Sequence[Channels]
    ) -> FloatArray:
        """Return all windows for all sets, with the set's channels taken from the source."""
        shape = self._windows.shape
        out = np.empty((len(sets), *shape), np.float32)
        out[:] = base
        full = np.broadcast_to(source, shape)
        for window, channels in zip(out, sets, strict=True):
            window[..., channels] = full[..., channels]
        return out.reshape(-1, *shape[1:])


def _positive(distance: NDArray[np.floating]) -> NDArray[np.float64]:
    """Keep what lies on the reference from dividing by zero."""
    return np.asarray(np.maximum(distance, 1e-6), np.float64)
