"""Where the nodes of layers stand: near their neighbours, never nearer to the next one than they may."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

Link = tuple[int, int]

_ROUNDS = 5


def placed(
    ranks: Sequence[Sequence[int]], links: Iterable[Link], room: Mapping[int, float]
) -> dict[int, float]:
    """Return the place of each node across the layers, the first at half of its room from 0.

    Parameters
    ----------
    ranks
        Nodes of each layer, in order.
    links
        Pairs of nodes in successive layers.
    room
        What each node takes, margins included.

    Examples
    --------
    >>> placed([[0], [1, 2]], [(0, 1), (0, 2)], {0: 10, 1: 10, 2: 10})
    {0: 10.0, 1: 5.0, 2: 15.0}
    """
    before: dict[int, list[int]] = {}
    after: dict[int, list[int]] = {}
    for u, v in links:
        before.setdefault(v, []).append(u)
        after.setdefault(u, []).append(v)
    place: dict[int, float] = {}
    for rank in ranks:
        whole = sum(room[node] for node in rank)
        _set(place, rank, [-whole / 2] * len(rank), room)
    both = {node: before.get(node, []) + after.get(node, []) for rank in ranks for node in rank}
    for _ in range(_ROUNDS):
        for order, near in ((ranks, before), (ranks[::-1], after), (ranks, both)):
            for rank in order:
                wished = [_mean(node, near.get(node, ()), place) for node in rank]
                _set(place, rank, wished, room)
    start = min((place[node] - room[node] / 2 for node in place), default=0.0)
    return {node: place[node] - start for node in sorted(place)}


def _mean(node: int, near: Sequence[int], place: Mapping[int, float]) -> float:
    return sum(place[each] for each in near) / len(near) if near else place[node]


def _set(
    place: dict[int, float], rank: Sequence[int], wished: Sequence[float], room: Mapping[int, float]
) -> None:
    """Place a layer as near as can be to where its nodes wish to be.

    Least squares with least distances is isotonic regression, by pooling adjacent violators.
    """
    offsets, offset = [], 0.0
    for node in rank:
        offsets.append(offset + room[node] / 2)
        offset += room[node]
    pools: list[tuple[float, int]] = []  # mean, size
    for wish, start in zip(wished, offsets, strict=True):
        mean, size = wish - start, 1
        while pools and pools[-1][0] >= mean:
            other, more = pools.pop()
            mean, size = (mean * size + other * more) / (size + more), size + more
        pools.append((mean, size))
    means = [mean for mean, size in pools for _ in range(size)]
    for node, mean, start in zip(rank, means, offsets, strict=True):
        place[node] = mean + start
