"""Tiny multimodal LLMs with random weights: config, safetensors, tokenizer and processor in a folder.

usage: python tiny_vlm.py {internvl|qwen2_5_vl|qwen3_vl|llava} FOLDER [seed]
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedModel, PreTrainedTokenizerFast

FAMILIES = ("internvl", "qwen2_5_vl", "qwen3_vl", "llava")
ANSWERS = ("Excellent", "Good", "Fair", "Poor", "Bad", "excellent", "good", "fair", "poor", "bad", "A", "B")
OTHER_WORDS = ("image", "quality", "rate", "the", "Image", "Picture", "First", "Second")
END, START = "<|im_end|>", "<|im_start|>"
MARKS: dict[str, dict[str, str]] = {
    "internvl": {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    },
    "llava": {"image_token": "<image>"},
}
QWEN_MARKS = ("<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>")
IMAGE_IN_CHAT = {"internvl": "<IMG_CONTEXT>", "llava": "<image>"}


def chat_template(image: str) -> str:
    return (
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
        "{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for c in m['content'] %}"
        "{% if c['type'] == 'text' %}{{ c['text'] }}{% else %}" + image + "{% endif %}{% endfor %}{% endif %}"
        "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )


def tokenizer(family: str, words: Iterable[str]) -> PreTrainedTokenizerFast:
    """Byte-level BPE that knows `words` as one token each, with and without a leading space."""
    vocabulary = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges: list[tuple[str, str]] = []

    def merge(left: str, right: str) -> None:
        if left + right not in vocabulary:
            vocabulary.append(left + right)
        if (left, right) not in merges:
            merges.append((left, right))

    for word in words:
        for i in range(1, len(word)):
            merge(word[:i], word[i])
    for word in words:
        merge("Ġ", word)
    bpe = Tokenizer(models.BPE({token: i for i, token in enumerate(vocabulary)}, merges))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    bpe.decoder = decoders.ByteLevel()
    marks = MARKS.get(family, {})
    bpe.add_special_tokens(["<|endoftext|>", START, END, *(marks.values() or QWEN_MARKS)])
    template = chat_template(IMAGE_IN_CHAT.get(family, "<|vision_start|><|image_pad|><|vision_end|>"))
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        eos_token=END,
        pad_token="<|endoftext|>",
        chat_template=template,
        extra_special_tokens=marks,
        model_max_length=4096,
    )


def network(family: str, tokens: PreTrainedTokenizerFast) -> PreTrainedModel:
    import transformers as hf

    def token(name: str) -> int:
        return int(tokens.convert_tokens_to_ids(name))

    text: dict[str, Any] = {
        "vocab_size": len(tokens),
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 32,
        "max_position_embeddings": 4096,
        "bos_token_id": token("<|endoftext|>"),
        "eos_token_id": token(END),
        "pad_token_id": token("<|endoftext|>"),
        "tie_word_embeddings": False,
    }
    tiny = {"hidden_size": 32, "intermediate_size": 64}
    if family == "internvl":
        layers = {"num_hidden_layers": 2, "num_attention_heads": 2, "attention_bias": True}
        vision = {**tiny, **layers, "image_size": [56, 56], "patch_size": [14, 14]}
        return hf.InternVLForConditionalGeneration(
            hf.InternVLConfig(
                vision_config=vision,
                text_config={"model_type": "qwen2", **text},
                image_token_id=token("<IMG_CONTEXT>"),
                image_seq_length=4,
                downsample_ratio=0.5,
                tie_word_embeddings=False,
            )
        )
    if family == "llava":
        layers = {"num_hidden_layers": 2, "num_attention_heads": 2}
        return hf.LlavaForConditionalGeneration(
            hf.LlavaConfig(
                vision_config={
                    "model_type": "clip_vision_model",
                    **tiny,
                    **layers,
                    "image_size": 56,
                    "patch_size": 14,
                },
                text_config={"model_type": "llama", **text},
                image_token_index=token("<image>"),
                image_seq_length=16,
                vision_feature_layer=-2,
            )
        )
    ids = {
        "image_token_id": token("<|image_pad|>"),
        "video_token_id": token("<|video_pad|>"),
        "vision_start_token_id": token("<|vision_start|>"),
        "vision_end_token_id": token("<|vision_end|>"),
        "tie_word_embeddings": False,
    }
    rope: dict[str, Any] = {"rope_type": "default", "mrope_section": [4, 6, 6], "rope_theta": 1e6}
    vision = {**tiny, "depth": 2, "num_heads": 2, "out_hidden_size": 64, "spatial_merge_size": 2}
    if family == "qwen2_5_vl":
        windows = {"patch_size": 14, "window_size": 56, "fullatt_block_indexes": [1]}
        return hf.Qwen2_5_VLForConditionalGeneration(
            hf.Qwen2_5_VLConfig(
                text_config={**text, "rope_parameters": {**rope, "type": "mrope"}},
                vision_config={**vision, **windows},
                **ids,
            )
        )
    deep = {"patch_size": 16, "num_position_embeddings": 16, "deepstack_visual_indexes": [0, 1]}
    return hf.Qwen3VLForConditionalGeneration(
        hf.Qwen3VLConfig(
            text_config={**text, "rope_parameters": {**rope, "mrope_interleaved": True}},
            vision_config={**vision, **deep},
            **ids,
        )
    )


def randomise(model: PreTrainedModel, tokens: PreTrainedTokenizerFast, lifted: Iterable[str]) -> None:
    """Random weights under which the answers carry nearly all the mass and still depend on the images."""
    embeddings = model.get_input_embeddings().weight
    head = model.get_output_embeddings().weight
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, parameter.shape[-1] ** -0.5 if parameter.ndim == 2 else 0.05)
        embeddings.normal_(0, 1)
        embeddings[:, 0] = 3
        head.normal_(0, 0.25)
        head[:, 0] = 0
        for name in lifted:
            for token in tokens(name).input_ids[:1]:
                head[token, 0] = 4
        # Nothing else writes to dimension 0 of the residual stream.
        for name, parameter in model.named_parameters():
            if "language_model" in name and name.endswith(("o_proj.weight", "down_proj.weight")):
                parameter[0] = 0


def processor_parts(family: str) -> tuple[Any, dict[str, Any]]:
    """The image processor and what `processor_config.json` says."""
    import transformers as hf

    square = {"height": 56, "width": 56}
    if family == "internvl":
        images = hf.GotOcr2ImageProcessorPil(
            size=square, crop_to_patches=True, min_patches=1, max_patches=4, use_thumbnail=True
        )
        return images, {"processor_class": "InternVLProcessor", "image_seq_length": 4}
    if family == "llava":
        images = hf.CLIPImageProcessorPil(size={"shortest_edge": 56}, crop_size=square)
        settings = {"patch_size": 14, "vision_feature_select_strategy": "default"}
        settings["num_additional_image_tokens"] = 1
        return images, {"processor_class": "LlavaProcessor", **settings}
    patch = 14 if family == "qwen2_5_vl" else 16
    pixels = {"shortest_edge": (4 * patch) ** 2, "longest_edge": (8 * patch) ** 2}
    images = hf.Qwen2VLImageProcessorPil(size=pixels, patch_size=patch, merge_size=2)
    name = "Qwen2_5_VLProcessor" if family == "qwen2_5_vl" else "Qwen3VLProcessor"
    return images, {"processor_class": name}


def make(
    family: str,
    folder: Path,
    seed: int = 0,
    words: Iterable[str] = (*ANSWERS, *OTHER_WORDS),
    lifted: Iterable[str] = ANSWERS,
) -> None:
    torch.manual_seed(seed)
    tokens = tokenizer(family, words)
    model = network(family, tokens).float().eval()
    randomise(model, tokens, lifted)
    model.save_pretrained(folder)
    tokens.save_pretrained(folder)
    images, settings = processor_parts(family)
    images.save_pretrained(folder)
    (folder / "processor_config.json").write_text(json.dumps(settings))


if __name__ == "__main__":
    make(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0)
