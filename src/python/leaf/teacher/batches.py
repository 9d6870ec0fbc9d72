"""Batches of like length that fit the memory, halved when it runs out."""

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

import torch

from leaf.errors import TrainerError, is_out_of_memory

T = TypeVar("T")
R = TypeVar("R")


class Batches:
    """`limit` is the most items of a batch; once memory ran out it stays lower.

    `room` is the most that the lengths of a batch may add up to, each padded to the longest; None: any.
    """

    def __init__(self, limit: int, room: int | None = None) -> None:
        self.limit = limit
        self.room = room

    def run(
        self,
        items: Sequence[T],
        length: Callable[[T], int],
        work: Callable[[list[T]], Sequence[R]],
        group: Callable[[T], Hashable] | None = None,
    ) -> list[R]:
        """`work` on all items, those of like length together; results in the order of the items.

        Items of one `group` come one after the other. Raises TrainerError("oom") when not even one item fits.
        """
        results: dict[int, R] = {}
        lengths = [length(item) for item in items]
        groups = list(range(len(items))) if group is None else [group(item) for item in items]
        longest: dict[Hashable, tuple[int, int]] = {}
        for i, name in enumerate(groups):
            longest[name] = max(longest.get(name, (0, 0)), (lengths[i], i))
        # The longest first: if memory runs out, then early.
        order = sorted(range(len(items)), key=lambda i: (longest[groups[i]], lengths[i], i), reverse=True)
        while order:
            fits = self._fitting([lengths[i] for i in order[: self.limit]])
            batch, order = order[:fits], order[fits:]
            try:
                done = work([items[i] for i in batch])
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                if len(batch) == 1:
                    raise TrainerError(
                        "oom",
                        "The teacher ran out of memory on a single prompt.",
                        "Lower `teacher.maxTiles`, set `quantize: 4bit`, or choose a smaller model.",
                    ) from error
                done = None
            if done is None:  # Out of the handler, which holds on to the tensors of the failed pass.
                self.limit = len(batch) // 2
                order = batch + order
                if torch.cuda.is_available():
                    torch.cuda.empty_cache()
                continue
            results.update(zip(batch, done, strict=True))
        return [results[i] for i in range(len(items))]

    def _fitting(self, lengths: list[int]) -> int:
        """How many of the first items go together; one at least."""
        if self.room is None:
            return len(lengths)
        longest = 0
        for count, one in enumerate(lengths):
            longest = max(longest, one)
            if count > 0 and (count + 1) * longest > self.room:
                return count
        return len(lengths)
