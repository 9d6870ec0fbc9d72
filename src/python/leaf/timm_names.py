"""timm's ConvNeXt checkpoints in transformers' names: timm itself would need torchvision.

Sizes are read from the tensors. What transformers' ConvNeXt does not compute (another stem, another norm, a
norm before the mean) is refused rather than loaded askew.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

EPSILON = 1e-6
# Keys of timm's `model_args` that the tensors tell, or that matter in training alone.
HARMLESS = {"depths", "dims", "conv_mlp", "use_grn", "ls_init_value", "drop_path_rate", "head_init_scale"}
# Their norms have another epsilon, or their activation is not GELU.
OTHERS = re.compile(r"convnext_xxlarge|test_convnext")


class NotOurs(ValueError):
    """Why a checkpoint is not one of transformers' ConvNeXt."""


@dataclass(frozen=True)
class Translated:
    family: Literal["convnext", "convnextv2"]
    config: dict[str, Any]
    weights: dict[str, Tensor]


def translate(described: Mapping[str, Any], weights: Mapping[str, Tensor]) -> Translated:
    """`described`: timm's config.json. Raises NotOurs."""
    name = str(described.get("architecture", ""))
    arguments = set(described.get("model_args") or {}) - HARMLESS
    if not name.startswith("convnext") or OTHERS.match(name) or arguments:
        because = f" with {', '.join(sorted(arguments))}" if arguments else ""
        raise NotOurs(f"timm's {name or 'model'}{because} is no ConvNeXt that transformers has")
    found = {new: tensor for old, tensor in weights.items() if (new := _name(old)) is not None}
    family: Literal["convnext", "convnextv2"] = (
        "convnextv2" if any(".grn." in key for key in found) else "convnext"
    )
    stem = found.get("embeddings.patch_embeddings.weight")
    if stem is None or stem.ndim != 4:
        raise NotOurs(f"timm's {name} has another stem than transformers' ConvNeXt")
    stages = [_stage(found, i) for i in range(4)]
    config: dict[str, Any] = {
        "model_type": family,
        "num_channels": stem.shape[1],
        "patch_size": stem.shape[2],
        "hidden_sizes": [width for width, _ in stages],
        "depths": [depth for _, depth in stages],
        "hidden_act": "gelu",
        "layer_norm_eps": EPSILON,
    }
    if family == "convnext":
        scaled = any(key.endswith("layer_scale_parameter") for key in found)
        config["layer_scale_init_value"] = EPSILON if scaled else 0.0
    return Translated(family, config, {key: _shaped(key, tensor) for key, tensor in found.items()})


def _stage(weights: Mapping[str, Tensor], stage: int) -> tuple[int, int]:
    """Width and depth."""
    kernels = [
        tensor
        for key, tensor in weights.items()
        if re.fullmatch(rf"encoder\.stages\.{stage}\.layers\.\d+\.dwconv\.weight", key)
    ]
    return (int(kernels[0].shape[0]), len(kernels)) if kernels else (0, 0)


def _name(key: str) -> str | None:
    """None for the classifier; raises NotOurs for a part that transformers' ConvNeXt lacks."""
    if key.startswith("head.") and not key.startswith("head.norm."):
        return None
    for pattern, new in NAMES:
        if (found := re.fullmatch(pattern, key)) is not None:
            return found.expand(new)
    raise NotOurs(f"timm's checkpoint has {key}, which transformers' ConvNeXt lacks")


_BLOCK, _LAYER = r"stages\.(\d+)\.blocks\.(\d+)\.", r"encoder.stages.\1.layers.\2."
NAMES = (
    (r"stem\.0\.(weight|bias)", r"embeddings.patch_embeddings.\1"),
    (r"stem\.1\.(weight|bias)", r"embeddings.layernorm.\1"),
    (r"stages\.(\d+)\.downsample\.(\d)\.(weight|bias)", r"encoder.stages.\1.downsampling_layer.\2.\3"),
    (_BLOCK + r"conv_dw\.(weight|bias)", _LAYER + r"dwconv.\3"),
    (_BLOCK + r"norm\.(weight|bias)", _LAYER + r"layernorm.\3"),
    (_BLOCK + r"mlp\.fc1\.(weight|bias)", _LAYER + r"pwconv1.\3"),
    (_BLOCK + r"mlp\.fc2\.(weight|bias)", _LAYER + r"pwconv2.\3"),
    (_BLOCK + r"mlp\.grn\.(weight|bias)", _LAYER + r"grn.\3"),
    (_BLOCK + r"gamma", _LAYER + r"layer_scale_parameter"),
    (r"head\.norm\.(weight|bias)", r"layernorm.\1"),
)


def _shaped(key: str, tensor: Tensor) -> Tensor:
    if ".pwconv" in key and key.endswith(".weight"):
        # Small ones have 1 x 1 convolutions for the same products.
        return tensor.reshape(tensor.shape[:2])
    return tensor.reshape(1, 1, 1, -1) if ".grn." in key else tensor
