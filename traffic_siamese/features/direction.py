"""Which hosts serve: the two directions of traffic, found from the traffic itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.features.batches import PacketBatch

MAX_SERVICE_HOSTS = 64
_ODD = np.uint64(0x9E3779B97F4A7C15)


def find_service(batch: PacketBatch) -> NDArray[np.uint64]:
    """Find the hosts that serve, by the signalling among the first packets of a log.

    They are the smallest set of hosts that nearly all the traffic touches: phones talk to a few
    servers, and hardly to each other. The set grows greedily (a vertex cover of the graph of who
    talks to whom) by the host with the most peers not yet covered, and stops when 98 % of the
    packets are. Two hosts with as many peers: the one that the lower ports belong to. Media, which
    phones may send to each other, does not count.

    Parameters
    ----------
    batch : PacketBatch
        The first packets of a log.

    Returns
    -------
    ndarray of shape (n_hosts,), uint64
        Address keys, sorted.
    """
    seen = batch.packets[_signalling(batch)]
    src, dst = seen["src_key"], seen["dst_key"]
    toward_lower = seen["dst_port"] < seen["src_port"]
    ends = np.stack([np.minimum(src, dst), np.maximum(src, dst)], axis=1)
    edge = ends[:, 0] * _ODD + ends[:, 1]  # one word for both: their keys are hashes
    _, example, n_packets = np.unique(edge, return_index=True, return_counts=True)
    edges = ends[example]
    hosts, ends_at = np.unique(edges, return_inverse=True)
    ends_at = ends_at.reshape(edges.shape)
    lower_port = np.bincount(
        np.searchsorted(hosts, np.where(toward_lower, dst, src)), minlength=len(hosts)
    )
    service: list[int] = []
    open_edges = np.ones(len(edges), bool)
    while n_packets[open_edges].sum() > 0.02 * len(seen) and len(service) < MAX_SERVICE_HOSTS:
        n_peers = np.bincount(ends_at[open_edges].ravel(), minlength=len(hosts))
        best = int(np.argmax(n_peers + lower_port / (len(src) + 1.0)))
        service.append(best)
        open_edges &= ~(ends_at == best).any(axis=1)
    return np.sort(hosts[service])


def _signalling(batch: PacketBatch) -> NDArray[np.bool_]:
    mask = batch.on_signalling_ports()
    mask[batch.messages["packet"]] = True
    return mask if mask.any() else np.ones(len(mask), bool)
