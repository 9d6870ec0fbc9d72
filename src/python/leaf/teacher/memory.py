"""How many tokens fit a GPU's free memory, and over how many GPUs a model goes. By numbers alone."""

from collections.abc import Sequence
from typing import Any, Literal

import torch

USED = 0.7
"""Of the free memory: the rest is for what the allocator cannot use, and the vision encoder."""
SPARE = 1.25
"""A model that fills a GPU leaves nothing to compute in."""


def kv_bytes_per_token(text: Any, bytes_each: int) -> int:
    """Of a language model's configuration: keys and values of all layers."""
    heads = int(getattr(text, "num_key_value_heads", None) or text.num_attention_heads)
    width = getattr(text, "head_dim", None) or int(text.hidden_size) // int(text.num_attention_heads)
    return 2 * int(text.num_hidden_layers) * heads * int(width) * bytes_each


def pass_bytes_per_token(text: Any, bytes_each: int) -> int:
    """What one layer holds of a token besides: the residual stream, queries, keys and values, the MLP."""
    return (4 * int(text.hidden_size) + 3 * int(text.intermediate_size)) * bytes_each


def tokens_that_fit(free: int, text: Any, bytes_each: int) -> int:
    """In `free` bytes; one at least."""
    each = kv_bytes_per_token(text, bytes_each) + pass_bytes_per_token(text, bytes_each)
    return max(1, int(free * USED) // each)


def room_on(device: torch.device, text: Any, bytes_each: int) -> int | None:
    """Tokens of a batch there; None on a CPU, which tells no such limit, and for a model of another kind."""
    if device.type != "cuda":
        return None
    free, _ = torch.cuda.mem_get_info(device)
    try:
        return tokens_that_fit(free, text, bytes_each)
    except (AttributeError, TypeError):  # Its configuration has other names.
        return None


def spread(weights: int, free: Sequence[int]) -> Literal["one", "auto"]:
    """Where `weights` bytes go: to one GPU where they fit, else over all, as device_map: auto does."""
    return "auto" if len(free) > 1 and weights * SPARE > free[0] else "one"
