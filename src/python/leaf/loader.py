"""Cuts the pixels of coming batches in background threads while the current batch trains."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from leaf.cache import Pixels

T = TypeVar("T")


def prefetch(
    items: Sequence[T], make: Callable[[T], Tensor], workers: int | None
) -> Iterator[tuple[T, Tensor]]:
    """Yields (item, make(item)) in order; at most 2 x workers (None: one) results wait in memory."""
    workers = workers or 1
    with ThreadPoolExecutor(workers, thread_name_prefix="pixels") as pool:
        waiting: deque[tuple[T, Future[Tensor]]] = deque()
        try:
            for item in items:
                waiting.append((item, pool.submit(make, item)))
                if len(waiting) > 2 * workers:
                    done, future = waiting.popleft()
                    yield done, future.result()
            while waiting:
                done, future = waiting.popleft()
                yield done, future.result()
        finally:
            for _, future in waiting:
                future.cancel()


def stack(windows: Sequence[Pixels], device: torch.device) -> Tensor:
    """uint8 [N, H, W, 3]; pinned where a GPU will fetch it."""
    pixels = torch.from_numpy(np.stack(windows))
    return pixels.pin_memory() if device.type == "cuda" else pixels
