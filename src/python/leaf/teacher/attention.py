"""Causal attention on kept keys and values without a mask tensor.

PyTorch's flash kernel takes no mask, and its `is_causal` means the upper left corner. Queries that continue
kept keys need the lower right: transformers then builds a mask of rows x queries x keys, and flash is out.
Here the corner is told as a bias that the flash and the memory-efficient kernel know themselves; a CPU makes
the mask of it.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch.nn.attention.bias import causal_lower_right

NAME = "leaf_sdpa"


def mask(**asked: Any) -> torch.Tensor | None:
    """None where the corner alone tells what is seen; else as transformers makes it for SDPA."""
    from transformers.masking_utils import sdpa_mask

    if corner_tells(
        asked["q_length"],
        asked["kv_length"],
        int(asked.get("q_offset", 0)) - int(asked.get("kv_offset", 0)),
        plain=bool(asked.get("allow_is_causal_skip", True)) and asked.get("attention_mask") is None,
        window=asked.get("local_size"),
    ):
        return None
    made: torch.Tensor | None = sdpa_mask(**asked)
    return made


def corner_tells(queries: int, keys: int, before: int, plain: bool, window: int | None) -> bool:
    """`before`: keys in front of the first query. `plain`: nothing but causality decides; no padding."""
    return plain and before + queries == keys and (window is None or keys < window)


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    is_causal: bool | None = None,
    **more: Any,
) -> tuple[torch.Tensor, None]:
    from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward

    causal = getattr(module, "is_causal", True) if is_causal is None else is_causal
    queries, keys = query.shape[2], key.shape[2]
    if attention_mask is not None or not causal or not 1 < queries < keys or more.get("position_bias"):
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout, scaling, is_causal, **more
        )
    groups = getattr(module, "num_key_value_groups", 1)
    out = F.scaled_dot_product_attention(
        query,
        repeat_kv(key, groups),
        repeat_kv(value, groups),
        attn_mask=causal_lower_right(queries, keys),
        dropout_p=dropout,
        scale=scaling,
    )
    return out.transpose(1, 2).contiguous(), None


def attend_without_masks(model: Any) -> None:
    """Has the language model of a vision model take this for PyTorch's SDPA; other kernels stay."""
    from transformers import AttentionInterface, AttentionMaskInterface

    text = model.config.get_text_config()
    if getattr(text, "_attn_implementation", None) != "sdpa":
        return
    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, mask)
    text._attn_implementation = NAME
