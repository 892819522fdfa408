"""Find pairs and triplets inside a batch of embeddings: fixed shapes, ``keras.ops`` only."""

from __future__ import annotations

from typing import Any

from traffic_siamese.backend import ops

NEVER = 1e9  # beyond any squared distance, and still exact enough to subtract in float32


def squared_distance(first: Any, second: Any) -> Any:
    """Return the squared Euclidean distance over the last axis; its gradient at 0 is 0."""
    return ops.sum(ops.square(first - second), axis=-1)


def all_distances(embeddings: Any) -> Any:
    """Return the (batch, batch) squared distances of (batch, embedding_dim) embeddings."""
    return squared_distance(embeddings[:, None, :], embeddings[None, :, :])


def same_label(y_true: Any) -> tuple[Any, Any]:
    """Compare the labels of all pairs of a batch.

    Parameters
    ----------
    y_true : tensor of shape (batch,) or (batch, 1)
        Labels as whole numbers. Those of opposite sign are neither the same nor different: a
        virtual fault (negative) may well be what a label (positive) is.

    Returns
    -------
    same, other : tensors of shape (batch, batch), bool
        Pairs of one label that are not one and the same window; pairs that differ in label.
    """
    label = ops.reshape(y_true, (-1,))
    same = ops.equal(label[:, None], label[None, :])
    number = ops.cumsum(ops.ones_like(label))
    distinct = ops.not_equal(number[:, None], number[None, :])
    sign = ops.sign(label)
    opposed = ops.less(sign[:, None] * sign[None, :], 0)
    return ops.logical_and(same, distinct), ops.logical_not(ops.logical_or(same, opposed))


def similarity(distances: Any) -> Any:
    """Return the similarity of points at these squared distances: the cosine of unit vectors."""
    return 1.0 - distances / 2.0


def mean_where(values: Any, valid: Any, *, weight: Any = 1.0) -> Any:
    """Return the (weighted) mean of the valid values, 0 where none is valid."""
    weight = ops.cast(valid, values.dtype) * weight
    total = ops.sum(weight)
    return ops.sum(values * weight) / ops.where(total > 0.0, total, 1.0)


def log_one_plus_sum(exponents: Any, valid: Any) -> Any:
    """Return ``ln(1 + sum(exp(exponents)))`` over the valid ones of each row, 0 where none is."""
    kept = ops.where(valid, exponents, -NEVER)
    one = ops.zeros_like(kept[:, :1])  # exp(0)
    return ops.logsumexp(ops.concatenate([one, kept], axis=1), axis=1)


def informative_pairs(similarity: Any, same: Any, other: Any, *, epsilon: float) -> tuple[Any, Any]:
    """Choose the pairs of each anchor that are not yet clear of the pairs of the other kind.

    A positive counts that is less similar than the most similar negative plus epsilon, a negative
    that is more similar than the least similar positive minus epsilon. The choice has no gradient.

    Parameters
    ----------
    similarity, same, other : tensors of shape (batch, batch)
        From ``similarity`` and ``same_label``.
    epsilon : float
        As a similarity.

    Returns
    -------
    positive, negative : tensors of shape (batch, batch), bool
        Nothing for an anchor that lacks either kind.
    """
    least_near = ops.min(ops.where(same, similarity, NEVER), axis=1, keepdims=True)
    most_far = ops.max(ops.where(other, similarity, -NEVER), axis=1, keepdims=True)
    positive = ops.logical_and(same, similarity - epsilon < most_far)
    negative = ops.logical_and(other, similarity + epsilon > least_near)
    return positive, negative


def proxy_distances(embeddings: Any, y_true: Any) -> tuple[Any, Any, Any]:
    """Measure how far all windows lie from the mean of each window's label.

    A window's distance to its own label's mean is that to the mean of the others: it would
    otherwise come nearer by itself. Where there are no others it is 0.

    Parameters
    ----------
    embeddings : tensor of shape (batch, embedding_dim)
    y_true : tensor of shape (batch,) or (batch, 1)
        Labels as whole numbers.

    Returns
    -------
    distances, own : tensors of shape (batch, batch)
        Squared distance of the window of a column from the mean of the label of a row, and
        whether it is of that label.
    share : tensor of shape (batch,)
        One divided by the number of rows that are of this row's label, and so equal to it.
    """
    label = ops.reshape(y_true, (-1,))
    own = ops.equal(label[:, None], label[None, :])
    weight = ops.cast(own, embeddings.dtype)
    n_windows = ops.sum(weight, axis=1, keepdims=True)
    distances = squared_distance(
        (ops.matmul(weight, embeddings) / n_windows)[:, None, :], embeddings[None, :, :]
    )
    # x - mean of the others = (x - mean of all) * n / (n - 1)
    without_itself = ops.square(n_windows / ops.maximum(n_windows - 1.0, 1.0))
    share = 1.0 / n_windows[:, 0]
    return ops.where(own, distances * without_itself, distances), own, share


def positives(distances: Any, same: Any, *, n_per_label: int | None) -> tuple[Any, Any]:
    """Gather each anchor's distances to its positives into as few columns as will do.

    Parameters
    ----------
    distances, same : tensors of shape (batch, batch)
        From ``all_distances`` and ``same_label``.
    n_per_label : int, optional
        No label has more windows in the batch than this; without it all columns are kept.

    Returns
    -------
    near, paired : tensors of shape (batch, n_per_label - 1)
        Distances, and where they belong to a positive.
    """
    if n_per_label is None:
        return distances, same
    missing = ops.cast(ops.logical_not(same), "int32")
    column = ops.argsort(missing, axis=1)[:, : max(n_per_label - 1, 1)]
    near = ops.take_along_axis(distances, column, axis=1)
    return near, ops.take_along_axis(same, column, axis=1)


def semi_hard_negatives(distances: Any, near: Any, other: Any, *, margin: float) -> tuple[Any, Any]:
    """Choose a negative for each positive pair.

    The nearest negative that is farther than the positive and inside the margin; failing that, the
    farthest of those that are not farther than the positive. The choice has no gradient.

    Parameters
    ----------
    distances, other : tensors of shape (batch, batch)
        From ``all_distances`` and ``same_label``.
    near : tensor of shape (batch, n_positives)
        Distance of each pair.
    margin : float
        As a squared distance.

    Returns
    -------
    negative, found : tensors of shape (batch, n_positives)
        Number of the negative in the batch, and whether there is one.
    """
    candidate = ops.stop_gradient(distances)[:, None, :]
    gap = candidate - ops.stop_gradient(near)[:, :, None]  # (batch, n_positives, batch)
    inside = ops.logical_and(gap > 0.0, gap < margin)
    usable = ops.logical_and(other[:, None, :], gap < margin)
    # The largest key wins: inside the margin it lies in (-margin, 0), the nearer the larger; for
    # those nearer than the positive it lies at or below -margin, the farther the larger.
    key = ops.where(inside, -gap, gap - margin)
    key = ops.where(usable, key, -NEVER)
    return ops.argmax(key, axis=-1), ops.any(usable, axis=-1)
