"""A question as the model gets it: the text of its chat template and the tokens around its images."""

import re
from dataclasses import dataclass
from typing import Any

from leaf.contract.teacher import ImagePart, PromptPart
from leaf.errors import TrainerError

Tokens = tuple[int, ...]

NO_THOUGHT: dict[str, Any] = {"enable_thinking": False, "thinking": False}
"""What chat templates that know thinking call it: Qwen3, InternVL 3.5, GLM; DeepSeek, Granite, Kimi."""
EMPTY_THOUGHT = "<think>\n\n</think>\n\n"
OPENED = re.compile(r"<(think|thinking|thought)>\s*$")


@dataclass(frozen=True)
class Question:
    rendered: str
    """All that the model reads, with one mark for each image; ends where the answer begins."""
    pieces: tuple[Tokens, ...]
    """Tokens before the first image, between the images and after the last."""
    adds_special: bool
    """Whether the tokenizer puts its own first token before the text."""
    quieted: str | None
    """How the model is kept from thinking first; None where the template says nothing of it."""


def ask(
    processor: Any, parts: list[PromptPart], prefill: str | None = None, closed: bool = False
) -> Question:
    """Renders a question by the model's chat template; `prefill` begins the answer.

    A template that knows thinking is told to leave it out, and a thought that it opens all the same is
    closed. `closed` puts an empty thought before the answer in any case.
    """
    content = [
        {"type": "image"} if isinstance(part, ImagePart) else {"type": "text", "text": part.text}
        for part in parts
    ]
    rendered, quieted = _rendered(processor, content, closed)
    if prefill is not None:
        rendered += begun(rendered, prefill)
    tokenizer = processor.tokenizer
    first = getattr(tokenizer, "bos_token", None)
    adds_special = not (first and rendered.startswith(first))
    tokens = tokens_of(tokenizer, rendered, adds_special)
    image = image_token(processor)
    pieces: list[list[int]] = [[]]
    for token in tokens:
        if token == image:
            pieces.append([])
        else:
            pieces[-1].append(token)
    images = sum(isinstance(part, ImagePart) for part in parts)
    if len(pieces) != images + 1 or not pieces[-1]:
        raise TrainerError(
            "environment",
            f"The model's chat template shows {len(pieces) - 1} images where {images} were asked about.",
            "Choose another model, or ask in other words under `teacher.prompts`.",
        )
    return Question(rendered, tuple(tuple(piece) for piece in pieces), adds_special, quieted)


def _rendered(processor: Any, content: list[dict[str, str]], closed: bool) -> tuple[str, str | None]:
    def render(**options: Any) -> str:
        messages = [{"role": "user", "content": content}]
        return str(
            processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False, **options)
        )

    template = processor.chat_template or processor.tokenizer.chat_template
    knows = "thinking" in str(template)
    rendered = render(**NO_THOUGHT) if knows else render()
    if opened := OPENED.search(rendered):
        return f"{rendered.rstrip()}\n\n</{opened[1]}>\n\n", "an empty thought"
    if closed:
        return rendered + EMPTY_THOUGHT, "an empty thought"
    return rendered, "enable_thinking=False" if knows and rendered != render() else None


def begun(rendered: str, prefill: str) -> str:
    """The start of an answer, set off by a space where the template ends in a word or a colon."""
    last = rendered[-1:]
    return f" {prefill}" if last.isalnum() or last == ":" else prefill


def tokens_of(tokenizer: Any, text: str, adds_special: bool) -> list[int]:
    return list(tokenizer(text, add_special_tokens=adds_special).input_ids)


def image_token(processor: Any) -> int:
    """The token that stands for (a patch of) an image."""
    return int(processor.tokenizer.convert_tokens_to_ids(processor.image_token))
