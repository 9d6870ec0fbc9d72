"""A tiny InternVL: ViT on patches of 8 pixels, pixel shuffle by 4, MLP, two layers of Qwen2."""

from __future__ import annotations

import math

import torch
from torch import nn
from transformers import InternVLConfig, InternVLForConditionalGeneration, PreTrainedTokenizerFast

SIDE = 192
PATCH = 8
MERGE = 4
IMAGE_TOKENS = (SIDE // PATCH // MERGE) ** 2
WIDTH = 64
TEXT_WIDTH = 64
MEAN = (0.5, 0.5, 0.5)
STD = (0.25, 0.25, 0.25)


def make_model(tokenizer: PreTrainedTokenizerFast) -> InternVLForConditionalGeneration:
    def ids(token: str) -> int:
        return int(tokenizer.convert_tokens_to_ids(token))  # type: ignore[arg-type]

    # llama.cpp knows GELU by its tanh approximation.
    vision = {
        "hidden_size": WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 2 * WIDTH,
        "image_size": [SIDE, SIDE],
        "patch_size": [PATCH, PATCH],
        "attention_bias": True,
        "layer_scale_init_value": 1.0,
        "hidden_act": "gelu_pytorch_tanh",
    }
    text = {
        "model_type": "qwen2",
        "vocab_size": len(tokenizer),
        "hidden_size": TEXT_WIDTH,
        "intermediate_size": 2 * TEXT_WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 4096,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e4},
        "bos_token_id": ids("<|endoftext|>"),
        "eos_token_id": ids("<|im_end|>"),
        "pad_token_id": ids("<|endoftext|>"),
        "tie_word_embeddings": False,
    }
    config = InternVLConfig(
        vision_config=vision,
        text_config=text,
        image_token_id=ids("<IMG_CONTEXT>"),
        image_seq_length=IMAGE_TOKENS,
        downsample_ratio=1 / MERGE,
        projector_hidden_act="gelu_pytorch_tanh",
        tie_word_embeddings=False,
    )
    model: InternVLForConditionalGeneration = InternVLForConditionalGeneration(config).float()
    start_wide(model)
    start_from_cosines(model)
    return model


@torch.no_grad()
def start_wide(model: InternVLForConditionalGeneration) -> None:
    """The library's deviation of .02 suits widths of a thousand: at 64 GELU would stay in its linear part."""
    for module in model.modules():
        if isinstance(module, nn.Linear):
            module.weight.normal_(0, module.in_features**-0.5)
    nn.init.normal_(model.model.language_model.embed_tokens.weight, 0, 0.5)
    model.lm_head.weight.mul_(0.1)


@torch.no_grad()
def start_from_cosines(model: InternVLForConditionalGeneration) -> None:
    """
    Patch embedding: the 64 cosines of an 8 x 8 luma block, high frequencies lifted: photos have little there.
    A constant offset keeps absolute magnitudes visible behind the LayerNorm.
    """
    embeddings = model.model.vision_tower.embeddings
    projection = embeddings.patch_embeddings.projection
    axis = torch.arange(PATCH, dtype=torch.float32)
    cosines = torch.cos(math.pi * (axis[None] + 0.5) * axis[:, None] / PATCH) * math.sqrt(2 / PATCH)
    cosines[0] /= math.sqrt(2)
    luma = torch.tensor([0.299, 0.587, 0.114])
    for v in range(PATCH):
        for u in range(PATCH):
            gain = 0.1 if u == v == 0 else 0.5 * math.hypot(u, v)
            plane = gain * cosines[v][:, None] * cosines[u][None]
            projection.weight[v * PATCH + u] = luma[:, None, None] * plane
    projection.bias.zero_()
    embeddings.position_embeddings.copy_(torch.randn(1, 1, WIDTH).expand_as(embeddings.position_embeddings))


def image_tokens(model: InternVLForConditionalGeneration, pixels: torch.Tensor) -> torch.Tensor:
    """(n, 3, 192, 192) uint8 → (n, 36, 64) embeddings for the text model."""
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, STD))
    x = (pixels.float() / 255 - mean) / std
    features = model.model.get_image_features(
        pixel_values=x, vision_feature_layer=-1, vision_feature_select_strategy="default"
    )
    tokens: torch.Tensor = features.pooler_output
    return tokens


def answer_logits(
    model: InternVLForConditionalGeneration, question: list[int], images: list[torch.Tensor]
) -> torch.Tensor:
    """
    Logits over the vocabulary at the answer position, (n, V).
    `images`: for each image of the question its (n, 36, 64) tokens.
    """
    context = model.config.image_token_id
    ids = torch.tensor(question)
    n = images[0].shape[0]
    embedded = model.get_input_embeddings()(ids).expand(n, -1, -1).clone()
    places = (ids == context).nonzero().flatten().view(len(images), IMAGE_TOKENS)
    for place, tokens in zip(places, images, strict=True):
        embedded[:, place] = tokens
    hidden = model.model.language_model(inputs_embeds=embedded, use_cache=False).last_hidden_state[:, -1]
    logits: torch.Tensor = model.lm_head(hidden)
    return logits
