"""
Asks llama.cpp's server and PyTorch the same questions about the same images, and prints the largest
differences of their probabilities: compare.py HF PROMPTS.json ENDPOINT IMAGE…
"""

from __future__ import annotations

import argparse
import base64
import json
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import InternVLForConditionalGeneration, PreTrainedTokenizerFast

from model import IMAGE_TOKENS, answer_logits, image_tokens
from questions import Part, make_questions, read_prompts


def ask(endpoint: str, parts: list[Part], images: list[Path], vocabulary: int) -> dict[str, float]:
    """Probabilities of all tokens at the answer position, by llama.cpp."""
    content: list[dict[str, Any]] = []
    for part in parts:
        if part["type"] == "text":
            content.append({"type": "text", "text": part["text"]})
        else:
            data = base64.b64encode(images[part["image"]].read_bytes()).decode()
            content.append({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}})
    body = {
        "messages": [{"role": "user", "content": content}],
        "max_tokens": 1,
        "temperature": 0,
        "logprobs": True,
        "top_logprobs": vocabulary,
    }
    request = urllib.request.Request(
        f"{endpoint}/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        reply = json.load(response)
    top = reply["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
    return {str(one["token"]): float(np.exp(one["logprob"])) for one in top}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("hf", type=Path)
    parser.add_argument("prompts", type=Path)
    parser.add_argument("endpoint")
    parser.add_argument("images", type=Path, nargs="+")
    options = parser.parse_args()
    torch.set_num_threads(1)
    prompts = read_prompts(options.prompts)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(options.hf)
    model = InternVLForConditionalGeneration.from_pretrained(options.hf).float().eval()
    questions = make_questions(tokenizer, prompts, IMAGE_TOKENS)

    with torch.no_grad():
        pictures = [np.asarray(Image.open(file).convert("RGB")) for file in options.images]
        tokens = [image_tokens(model, torch.from_numpy(p.copy()).permute(2, 0, 1)[None]) for p in pictures]
        largest = {"point": 0.0, "pair": 0.0}
        for i, file in enumerate(options.images):
            other = (i + 1) % len(options.images)
            both = ([tokens[i], tokens[other]], [file, options.images[other]])
            for name, question, answers, (seen, files) in (
                ("point", questions.point, questions.words, ([tokens[i]], [file])),
                ("pair", questions.pair, questions.letters, both),
            ):
                ours = torch.softmax(answer_logits(model, question, seen)[0], 0)
                served = ask(options.endpoint, prompts[name], files, len(tokenizer))
                for token in answers:
                    difference = abs(ours[token].item() - served.get(str(tokenizer.decode([token])), 0.0))
                    largest[name] = max(largest[name], difference)
    print(json.dumps({"images": len(options.images), "largestDifference": largest}))


if __name__ == "__main__":
    main()
