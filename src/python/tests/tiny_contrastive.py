"""Tiny contrastive image-text models with random weights, with tokenizer and processor, in a folder.

usage: python tiny_contrastive.py {clip|siglip|siglip2} FOLDER [seed]
"""

import sys
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedModel, PreTrainedTokenizerFast

FAMILIES = ("clip", "siglip", "siglip2")
END, START, PAD = "<|endoftext|>", "<|startoftext|>", "<pad>"
LENGTH = 24
SIDE, PATCH = 32, 8


def tokenizer(family: str) -> PreTrainedTokenizerFast:
    """Of single characters, with marks at both ends as CLIP has them (SigLIP: at the end alone)."""
    # Not the end as number 2, which CLIP takes for a sign of an old config.
    names = [PAD, START, *map(chr, range(32, 127)), END]
    made = Tokenizer(models.WordLevel({name: i for i, name in enumerate(names)}, unk_token=PAD))
    made.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    made.add_special_tokens([PAD, START, END])
    marked = f"$A {END}" if family.startswith("siglip") else f"{START} $A {END}"
    made.post_processor = processors.TemplateProcessing(
        single=marked, special_tokens=[(START, names.index(START)), (END, names.index(END))]
    )
    inputs = ["input_ids"] if family.startswith("siglip") else ["input_ids", "attention_mask"]
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        bos_token=START,
        eos_token=END,
        pad_token=PAD,
        model_max_length=LENGTH,
        model_input_names=inputs,
    )


def network(family: str, tokens: PreTrainedTokenizerFast) -> PreTrainedModel:
    import transformers as hf

    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    special = {
        "bos_token_id": tokens.bos_token_id,
        "eos_token_id": tokens.eos_token_id,
        "pad_token_id": tokens.pad_token_id,
    }
    text: dict[str, Any] = {**size, **special, "vocab_size": len(tokens), "max_position_embeddings": LENGTH}
    vision: dict[str, Any] = {**size, "patch_size": PATCH}
    if family == "clip":
        vision["image_size"] = SIDE
        return hf.CLIPModel(hf.CLIPConfig(text_config=text, vision_config=vision, projection_dim=16))
    if family == "siglip":
        vision["image_size"] = SIDE
        text["projection_size"] = 32
        return hf.SiglipModel(hf.SiglipConfig(text_config=text, vision_config=vision))
    vision["num_patches"] = (SIDE // PATCH) ** 2
    text["projection_size"] = 32
    return hf.Siglip2Model(hf.Siglip2Config(text_config=text, vision_config=vision))


def image_processor(family: str) -> Any:
    import transformers as hf

    if family == "clip":
        return hf.CLIPImageProcessorPil(
            size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}
        )
    if family == "siglip":
        return hf.SiglipImageProcessorPil(size={"height": SIDE, "width": SIDE})
    return hf.Siglip2ImageProcessorPil(patch_size=PATCH, max_num_patches=(SIDE // PATCH) ** 2)


def make(family: str, folder: Path, seed: int = 0) -> None:
    torch.manual_seed(seed)
    tokens = tokenizer(family)
    model = network(family, tokens).float().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, 0.3)
        model.get_parameter("logit_scale").fill_(3)
    model.save_pretrained(folder)
    tokens.save_pretrained(folder)
    image_processor(family).save_pretrained(folder)


if __name__ == "__main__":
    make(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0)
