"""An image as the language model gets it: the vision encoder's features and the tokens that stand for it."""

from dataclasses import dataclass
from typing import Any

import torch
from PIL.Image import Image

from leaf.errors import is_out_of_memory
from leaf.teacher.load import Loaded
from leaf.teacher.question import image_token

NOT_PIXELS = ("input_ids", "attention_mask", "mm_token_type_ids")


@dataclass(frozen=True)
class Prepared:
    """What the processor makes of one image. CPU tensors."""

    tokens: tuple[int, ...]
    """What stands for the image in a prompt."""
    types: tuple[int, ...]
    """Of each token: 0 text, 1 image. Some models place image tokens in two dimensions."""
    inputs: dict[str, torch.Tensor]
    """Pixels, and what belongs to them (sizes, grids)."""


@dataclass(frozen=True)
class Features:
    tokens: tuple[int, ...]
    types: tuple[int, ...]
    grid: torch.Tensor | None
    """(1, 3): frames, rows and columns of patches, for models that place image tokens in two dimensions."""
    embeddings: torch.Tensor
    """(image tokens, hidden), in host memory."""
    deep: tuple[torch.Tensor, ...]
    """The same for features that enter at deeper layers (DeepStack, arXiv 2406.04334; Qwen3-VL)."""
    listed: bool
    """The model gives and takes a list of tensors rather than one."""

    @property
    def nbytes(self) -> int:
        return sum(tensor.nbytes for tensor in (self.embeddings, *self.deep))


class CannotReuse(Exception):
    """The model does not show its image features in a way that can be used; the reason as message."""


def prepare(processor: Any, image: Image, device: torch.device | None = None) -> Prepared:
    """The processor on one image by itself, on a GPU where it can. Any thread may do it."""
    options: dict[str, Any] = {"return_tensors": "pt", "add_special_tokens": False}
    there = None if device is None else processor_device(processor.image_processor, device)
    try:
        made = processor(
            text=[processor.image_token],
            images=[image],
            **options,
            **({} if there is None else {"device": there}),
        )
    except Exception as error:
        if there is None or not is_out_of_memory(error):
            raise
        # The model's own batch fills the GPU just now.
        made = processor(text=[processor.image_token], images=[image], **options)
    tokens = tuple(made["input_ids"][0].tolist())
    inputs = {name: value for name, value in made.items() if name not in NOT_PIXELS}
    if not all(isinstance(value, torch.Tensor) for value in inputs.values()):
        raise CannotReuse("its processor gives no tensors")
    if "mm_token_type_ids" in made:
        types = tuple(made["mm_token_type_ids"][0].tolist())
    else:
        mark = image_token(processor)
        types = tuple(int(token == mark) for token in tokens)
    return Prepared(tokens, types, inputs)


def processor_device(image_processor: Any, device: torch.device) -> str | None:
    """Where pixels are resized and normalised; None: where the processor does it by itself.

    transformers' processors of torchvision take a device, those of Pillow and of a model's own do not.
    """
    able = getattr(image_processor, "backend", None) == "torchvision"
    return str(device) if able and device.type == "cuda" else None


def encode(loaded: Loaded, prepared: Prepared) -> Features:
    """The vision encoder and the projector, once."""
    inputs = {name: value.to(loaded.device) for name, value in prepared.inputs.items()}
    with torch.inference_mode():
        out = loaded.model.get_image_features(**inputs)
    embeddings = _flat(out.pooler_output)
    deep = tuple(_flat(layer) for layer in getattr(out, "deepstack_features", None) or ())
    expected = prepared.tokens.count(image_token(loaded.processor))
    if any(tensor.shape[0] != expected for tensor in (embeddings, *deep)):
        raise CannotReuse(f"{embeddings.shape[0]} features for {expected} image tokens")
    grid = prepared.inputs.get("image_grid_thw")
    return Features(
        tokens=prepared.tokens,
        types=prepared.types,
        grid=None if grid is None else grid.cpu(),
        embeddings=_to_host(embeddings),
        deep=tuple(_to_host(layer) for layer in deep),
        listed=not isinstance(out.pooler_output, torch.Tensor),
    )


def _flat(features: Any) -> torch.Tensor:
    """(tokens, hidden) of one image, whether the model gives one tensor or one for each tile."""
    tensor = features if isinstance(features, torch.Tensor) else torch.cat(tuple(features), dim=0)
    return tensor.reshape(-1, tensor.shape[-1])


def _to_host(tensor: torch.Tensor) -> torch.Tensor:
    """Pinned beside a GPU, so that it comes back at full speed."""
    if tensor.device.type != "cuda":
        return tensor.to("cpu", copy=True)
    host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
    return host.copy_(tensor)
