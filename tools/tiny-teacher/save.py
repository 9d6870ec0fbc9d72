"""Writes the teacher as a Hugging Face folder: config, weights, tokenizer, image processor."""

from __future__ import annotations

from pathlib import Path

from transformers import GotOcr2ImageProcessorPil, InternVLForConditionalGeneration, PreTrainedTokenizerFast

from model import MEAN, SIDE, STD


def save_hf(
    model: InternVLForConditionalGeneration, tokenizer: PreTrainedTokenizerFast, folder: Path
) -> None:
    # InternVLProcessor needs a video processor, and that torchvision: so each part by itself.
    images = GotOcr2ImageProcessorPil(
        size={"height": SIDE, "width": SIDE},
        crop_to_patches=False,
        image_mean=list(MEAN),
        image_std=list(STD),
    )
    model.save_pretrained(folder)
    images.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
