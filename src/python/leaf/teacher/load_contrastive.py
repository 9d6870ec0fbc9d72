"""Loads a contrastive image-text model (CLIP, SigLIP): safetensors only, no code from the hub."""

import inspect
from dataclasses import dataclass
from typing import Any

import torch

from leaf.contract.teacher import OpenContrastive
from leaf.errors import TrainerError
from leaf.teacher.load import device_of, dtype_of, place_of
from leaf.teacher.load_errors import explain, name_of


@dataclass(frozen=True)
class LoadedContrastive:
    model: Any
    tokenizer: Any
    image_processor: Any
    device: torch.device
    dtype: torch.dtype
    commit: str | None
    """Of the model on the hub; None for a folder."""
    interpolates: bool
    """Its position embeddings can be interpolated: it takes pictures of any size and shape."""
    patch: int
    side: int
    """Pixels of the square pictures that it was trained on."""
    pads: bool
    """Texts are filled up to `length` tokens."""
    length: int


def load_contrastive(request: OpenContrastive) -> LoadedContrastive:
    """Raises TrainerError("environment") with the reason and what to do."""
    device = device_of(request.device)
    dtype = dtype_of(request.dtype, device)
    where = place_of(request)
    import transformers

    hub: Any = transformers  # Its automatic classes have no types.
    name = name_of(request)
    try:
        config = hub.AutoConfig.from_pretrained(request.model, **where)
        _check_towers(config, name)
        model, report = hub.AutoModel.from_pretrained(
            request.model, **where, use_safetensors=True, dtype=dtype, output_loading_info=True
        )
        _check_loaded(model, report["missing_keys"], name)
        tokenizer = hub.AutoTokenizer.from_pretrained(request.model, **where)
        image_processor = hub.AutoImageProcessor.from_pretrained(request.model, **where)
    except TrainerError:
        raise
    except Exception as error:
        raise explain(error, request) from error
    model = model.to(device).eval().requires_grad_(False)
    vision, text = config.vision_config, config.text_config
    takes = inspect.signature(model.get_image_features).parameters
    return LoadedContrastive(
        model=model,
        tokenizer=tokenizer,
        image_processor=image_processor,
        device=device,
        dtype=dtype,
        commit=getattr(config, "_commit_hash", None),
        interpolates="interpolate_pos_encoding" in takes,
        patch=int(vision.patch_size),
        side=int(getattr(vision, "image_size", 0)),
        pads=str(config.model_type).startswith("siglip"),
        length=int(text.max_position_embeddings),
    )


def _check_towers(config: Any, name: str) -> None:
    kind = str(getattr(config, "model_type", ""))
    if kind.endswith("_vision_model"):
        raise _not_contrastive(name, "it has no text tower")
    if kind.endswith("_text_model"):
        raise _not_contrastive(name, "it has no vision tower")
    if not hasattr(config, "text_config") or not hasattr(config, "vision_config"):
        raise _not_contrastive(name, "it is no contrastive image-text model")


def _check_loaded(model: Any, missing: set[str], name: str) -> None:
    parts = ("get_image_features", "get_text_features", "logit_scale")
    if any(not hasattr(model, part) for part in parts):
        raise _not_contrastive(name, "it is no contrastive image-text model")
    # transformers would draw at random what a file lacks.
    for tower in ("text", "vision"):
        if any(key.startswith(f"{tower}_model.") for key in missing):
            raise _not_contrastive(name, f"it has no {tower} tower")
    if missing:
        raise _not_contrastive(name, f"its weights lack {min(missing)}")


def _not_contrastive(model: str, why: str) -> TrainerError:
    return TrainerError(
        "environment",
        f"The model {model} cannot be a teacher by antonyms: {why}.",
        "Choose a CLIP or SigLIP model of transformers, such as google/siglip-base-patch16-224.",
    )
