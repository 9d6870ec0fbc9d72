"""Batches drawn by walking the pair graph, so that many labelled pairs fall inside each of them."""

import heapq

import numpy as np
from numpy.typing import NDArray

from leaf.labels import Pairs

Batch = NDArray[np.int64]
# Apart from the keys of draw_batches.
TURNS = 0x7EAC


class PairGraph:
    """Labelled pairs as adjacency lists over images 0..n-1."""

    def __init__(self, n: int, pairs: Pairs) -> None:
        self.n = n
        self.pairs = pairs
        ends = np.concatenate([pairs.a, pairs.b])
        others = np.concatenate([pairs.b, pairs.a])
        order = np.argsort(ends, kind="stable")
        self._starts: NDArray[np.int64] = np.searchsorted(ends[order], np.arange(n + 1)).astype(np.int64)
        self._others: NDArray[np.int64] = others[order]
        self._edges: NDArray[np.int64] = (order % max(1, len(pairs))).astype(np.int64)

    def neighbours(self, image: int) -> NDArray[np.int64]:
        return self._others[self._starts[image] : self._starts[image + 1]]

    def inside(self, batch: Batch) -> tuple[Batch, Batch, Batch]:
        """The pairs with both ends in the batch: (positions of a, positions of b, indexes of the pairs)."""
        if not len(self.pairs):
            empty = np.zeros(0, np.int64)
            return empty, empty, empty
        place = {int(image): i for i, image in enumerate(batch)}
        touched = np.concatenate([self._edges[self._starts[i] : self._starts[i + 1]] for i in batch])
        edges, times = np.unique(touched, return_counts=True)
        edges = edges[times == 2]
        a = np.array([place[int(i)] for i in self.pairs.a[edges]], dtype=np.int64)
        b = np.array([place[int(i)] for i in self.pairs.b[edges]], dtype=np.int64)
        return a, b, edges


def take_turns(n: int, batches: int, size: int, before: int, seed: int) -> list[Batch]:
    """`size` of n images for each batch, all of them in turn, each round in an order of its own.

    `before`: so many batches had their turns already.
    """
    if n == 0:
        return [np.zeros(0, np.int64)] * batches
    size = min(size, n)
    turns = np.arange(before * size, (before + batches) * size)
    orders = {
        int(r): np.random.default_rng((seed, TURNS, int(r))).permutation(n) for r in np.unique(turns // n)
    }
    chosen = np.array([orders[int(turn // n)][turn % n] for turn in turns], np.int64)
    return [chosen[i * size : (i + 1) * size] for i in range(batches)]


def mean_weight(graph: PairGraph, batches: list[Batch]) -> float:
    """The weight of the pairs that lie inside a batch, as a mean over batches."""
    batch_of = np.zeros(graph.n, np.int64)
    for index, batch in enumerate(batches):
        batch_of[batch] = index
    inside = batch_of[graph.pairs.a] == batch_of[graph.pairs.b]
    return float(graph.pairs.weight[inside].sum(dtype=np.float64)) / len(batches)


def batch_count(n: int, batch: int) -> int:
    return -(-n // batch)


def draw_batches(graph: PairGraph, batch: int, key: tuple[int, ...]) -> list[Batch]:
    """Splits all images into ceil(n/batch) batches whose sizes differ by one at most; `key` decides which.

    A batch grows by the image with the most pairs into it (ties at random) and jumps to a random one when no
    neighbour is left. Each image appears exactly once.
    """
    rng = np.random.default_rng(key)
    count = batch_count(graph.n, batch)
    order = rng.permutation(graph.n)
    tie = rng.random(graph.n)
    used = np.zeros(graph.n, dtype=bool)
    batches: list[Batch] = []
    jump = 0
    for index in range(count):
        size = graph.n // count + (1 if index < graph.n % count else 0)
        chosen: list[int] = []
        links: dict[int, int] = {}
        heap: list[tuple[int, float, int]] = []
        while len(chosen) < size:
            image = _best(heap, links, used)
            if image is None:
                while used[order[jump]]:
                    jump += 1
                image = int(order[jump])
            used[image] = True
            chosen.append(image)
            for other in graph.neighbours(image).tolist():
                if not used[other]:
                    links[other] = links.get(other, 0) + 1
                    heapq.heappush(heap, (-links[other], float(tie[other]), other))
        batches.append(np.array(chosen, dtype=np.int64))
    # Late batches hold what the walks left over, with fewer pairs: spread them over the epoch.
    return [batches[i] for i in rng.permutation(count)]


def _best(heap: list[tuple[int, float, int]], links: dict[int, int], used: NDArray[np.bool_]) -> int | None:
    while heap:
        negative, _, image = heapq.heappop(heap)
        if not used[image] and links[image] == -negative:
            return image
    return None
