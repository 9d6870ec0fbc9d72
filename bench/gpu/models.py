"""Teachers with random weights and the shapes of published ones, built without any download."""

import json
import tempfile
from pathlib import Path
from typing import Any

import torch
import transformers as hf
from leaf.teacher.attention import attend_without_masks
from leaf.teacher.load import Loaded, read_answers_in_float32, without_videos
from leaf.teacher.memory import room_on
from leaf.teacher.tiles import set_tile_budget
from tiny_vlm import ANSWERS, OTHER_WORDS, network, randomise, tokenizer

TEXT = {
    "hidden_size": 4096,
    "intermediate_size": 12288,
    "num_hidden_layers": 36,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "vocab_size": 151936,
    "max_position_embeddings": 40960,
    "tie_word_embeddings": False,
}
"""Qwen3-8B: the language model of InternVL3.5-8B and of Qwen3-VL-8B."""


def large_internvl(ids: dict[str, int]) -> Any:
    """InternVL3.5-8B: InternViT-300M on tiles of 448 pixels."""
    vision = {
        "hidden_size": 1024,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "intermediate_size": 4096,
        "image_size": [448, 448],
        "patch_size": [14, 14],
    }
    return hf.InternVLConfig(
        vision_config=vision,
        text_config={"model_type": "qwen3", **TEXT, "pad_token_id": ids["<|endoftext|>"]},
        image_token_id=ids["<IMG_CONTEXT>"],
        image_seq_length=256,
        downsample_ratio=0.5,
        tie_word_embeddings=False,
    )


def large_qwen3_vl(ids: dict[str, int]) -> Any:
    """Qwen3-VL-8B: 27 layers on patches of 16 pixels, three of which enter the language model too."""
    vision = {
        "hidden_size": 1152,
        "depth": 27,
        "num_heads": 16,
        "intermediate_size": 4304,
        "out_hidden_size": 4096,
        "patch_size": 16,
        "spatial_merge_size": 2,
        "num_position_embeddings": 2304,
        "deepstack_visual_indexes": [8, 16, 24],
    }
    rope = {
        "rope_type": "default",
        "mrope_section": [24, 20, 20],
        "rope_theta": 5e6,
        "mrope_interleaved": True,
    }
    return hf.Qwen3VLConfig(
        vision_config=vision,
        text_config={**TEXT, "rope_parameters": rope, "pad_token_id": ids["<|endoftext|>"]},
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=False,
    )


LARGE = {"internvl": large_internvl, "qwen3_vl": large_qwen3_vl}


def processor_of(family: str, large: bool, tokens: Any) -> Any:
    side = 448 if large else 56
    if family == "internvl":
        size = {"height": side, "width": side}
        images: Any = hf.GotOcr2ImageProcessorPil(
            size=size, crop_to_patches=True, max_patches=12 if large else 4
        )
        settings = {"processor_class": "InternVLProcessor", "image_seq_length": (side // 28) ** 2}
    else:
        pixels = {"shortest_edge": 65_536 if large else 4096, "longest_edge": 16_777_216 if large else 16_384}
        images = hf.Qwen2VLImageProcessorPil(size=pixels, patch_size=16, merge_size=2)
        settings = {"processor_class": "Qwen3VLProcessor"}
    with tempfile.TemporaryDirectory() as folder, without_videos():
        tokens.save_pretrained(folder)
        images.save_pretrained(folder)
        (Path(folder) / "processor_config.json").write_text(json.dumps(settings))
        return hf.AutoProcessor.from_pretrained(folder, local_files_only=True)


def teacher(family: str, large: bool, device: torch.device, dtype: torch.dtype, tiles: int | None) -> Loaded:
    tokens = tokenizer(family, (*ANSWERS, *OTHER_WORDS))
    torch.manual_seed(0)
    if large:
        ids = tokens.get_vocab()
        torch.set_default_dtype(dtype)
        try:
            with torch.device(device):
                model: Any = hf.AutoModelForImageTextToText.from_config(
                    LARGE[family](ids), attn_implementation="sdpa"
                )
        finally:
            torch.set_default_dtype(torch.float32)
    else:
        model = network(family, tokens)
        # Answers that depend on the images, for comparing precisions.
        randomise(model, tokens, ANSWERS)
    model = model.to(device, dtype).eval()
    model.requires_grad_(False)
    read_answers_in_float32(model)
    attend_without_masks(model)
    processor = processor_of(family, large, tokens)
    set_tile_budget(processor, tiles)
    room = room_on(device, model.config.get_text_config(), dtype.itemsize)
    return Loaded(model, processor, device, dtype, "sdpa", None, room)
