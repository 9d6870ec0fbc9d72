"""Batches of like length, halved when memory runs out."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

from leaf.errors import TrainerError, is_out_of_memory

T = TypeVar("T")
R = TypeVar("R")


class Batches:
    """`limit` is the most items of a batch; once memory ran out it stays lower."""

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def run(
        self, items: Sequence[T], length: Callable[[T], int], work: Callable[[list[T]], Sequence[R]]
    ) -> list[R]:
        """`work` on all items, those of like length together; results in the order of the items.

        Raises TrainerError("oom") when not even one item fits.
        """
        results: dict[int, R] = {}
        # The longest first: if memory runs out, then early.
        order = sorted(range(len(items)), key=lambda i: (length(items[i]), i), reverse=True)
        while order:
            batch, order = order[: self.limit], order[self.limit :]
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
