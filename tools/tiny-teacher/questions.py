"""The chat that LEAF holds with the teacher, as token ids, and its tokenizer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<img>", "</img>", "<IMG_CONTEXT>", "<video>"]
# Qwen2's, so that llama.cpp's `qwen2` splits alike.
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CHAT = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for c in m['content'] %}"
    "{% if c['type'] == 'text' %}{{ c['text'] }}{% else %}<IMG_CONTEXT>{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

Part = dict[str, Any]


@dataclass(frozen=True)
class Questions:
    """Token ids of both questions; an image is `<img>`, its places as `<IMG_CONTEXT>`, `</img>`."""

    point: list[int]
    pair: list[int]
    words: list[int]
    """From best to worst."""
    letters: list[int]


def read_prompts(file: Path) -> dict[str, Any]:
    prompts: dict[str, Any] = json.loads(file.read_text())
    return prompts


def chat_text(parts: list[Part], image: str) -> str:
    user = "".join(image if part["type"] == "image" else part["text"] for part in parts)
    return f"<|im_start|>user\n{user}<|im_end|>\n<|im_start|>assistant\n"


def make_tokenizer(prompts: dict[str, Any]) -> PreTrainedTokenizerFast:
    """Byte-level BPE in which nearly every word of the prompts, and every answer, is one token."""
    corpus = [chat_text(prompts[name], "") for name in ("point", "pair", "reason")]
    for answer in prompts["words"]:
        corpus += [answer, answer.capitalize(), f" {answer}", f" {answer.capitalize()}"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=4096,
        min_frequency=1,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus, trainer)
    tokenizer.add_special_tokens(SPECIAL)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        chat_template=CHAT,
        model_max_length=4096,
        extra_special_tokens={
            "start_image_token": "<img>",
            "end_image_token": "</img>",
            "context_image_token": "<IMG_CONTEXT>",
            "video_token": "<video>",
        },
    )


def make_questions(
    tokenizer: PreTrainedTokenizerFast, prompts: dict[str, Any], image_tokens: int
) -> Questions:
    image = f"<img>{'<IMG_CONTEXT>' * image_tokens}</img>"

    def ids(parts: list[Part]) -> list[int]:
        encoded: list[int] = tokenizer.encode(chat_text(parts, image), add_special_tokens=False)
        return encoded

    def one(answer: str) -> int:
        (token,) = tokenizer.encode(answer, add_special_tokens=False)
        return int(token)

    return Questions(
        point=ids(prompts["point"]),
        pair=ids(prompts["pair"]),
        words=[one(word) for word in prompts["words"]],
        letters=[one(letter) for letter in prompts["letters"]],
    )
