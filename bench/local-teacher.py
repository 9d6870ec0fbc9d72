"""Images and pairs a second of the local teacher, against the same model asked naively, in one run.

Naively: one prompt at a time through the processor and `generate(max_new_tokens=1, output_scores=True)`. The
model is an InternVL with random weights, built here without any download: its answers mean nothing, its work
is real.

usage: python bench/local-teacher.py [--config tiny|mid|8b] [--images 16] [--pairs-per-image 8] [--batch 16]

`8b` has the shape of InternVL3.5-8B and wants a GPU with about 24 GB.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parent.parent / "src" / "python"
sys.path[:0] = [str(SOURCE), str(SOURCE / "tests")]

import leaf  # noqa: E402, F401  # before a library can report home
import torch  # noqa: E402
from PIL import Image  # noqa: E402
from tiny_vlm import ANSWERS, OTHER_WORDS, tokenizer  # noqa: E402

from leaf.environment import device_name  # noqa: E402
from leaf.teacher.judge import Asked, Judge  # noqa: E402
from leaf.teacher.load import Loaded, read_answers_in_float32, without_videos  # noqa: E402
from leaf.teacher.request import ImagePart, Prompts  # noqa: E402
from leaf.teacher.shared import Row  # noqa: E402

VISION: dict[str, dict[str, int]] = {
    "tiny": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64},
    "mid": {"hidden_size": 256, "num_hidden_layers": 6, "num_attention_heads": 8, "intermediate_size": 1024},
    "8b": {
        "hidden_size": 1024,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "intermediate_size": 4096,
    },
}
TEXT: dict[str, dict[str, int]] = {
    "tiny": {
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 32,
    },
    "mid": {
        "hidden_size": 512,
        "intermediate_size": 1536,
        "num_hidden_layers": 8,
        "num_attention_heads": 8,
        "num_key_value_heads": 2,
        "head_dim": 64,
    },
    "8b": {
        "hidden_size": 4096,
        "intermediate_size": 12288,
        "num_hidden_layers": 36,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "vocab_size": 151936,
    },
}
SIDE = {"tiny": 56, "mid": 224, "8b": 448}
TILES = {"tiny": 4, "mid": 4, "8b": 12}
PROMPTS = Prompts(
    point=(
        ImagePart(0),
        "Rate the visual quality of this photo. Consider sharpness, noise, exposure, colour and artefacts.\n"
        "Answer with exactly one of these words and nothing else: excellent, good, fair, poor, bad.",
    ),
    pair=(
        "Image-1 (A):",
        ImagePart(0),
        "Image-2 (B):",
        ImagePart(1),
        "Which of these two photos has the better visual quality? Answer with exactly one letter: A or B.",
    ),
    reason=(ImagePart(0), "Why?"),
    words=("excellent", "good", "fair", "poor", "bad"),
    letters=("A", "B"),
    tie=None,
    prefill=None,
)


def build(name: str, device: torch.device, dtype: torch.dtype) -> Loaded:
    import transformers

    hub: Any = transformers
    tokens = tokenizer("internvl", (*ANSWERS, *OTHER_WORDS))
    side, sequence = SIDE[name], (SIDE[name] // 28) ** 2
    text = {"model_type": "qwen3", "vocab_size": len(tokens), "max_position_embeddings": 32768, **TEXT[name]}
    config = hub.InternVLConfig(
        vision_config={**VISION[name], "image_size": [side, side], "patch_size": [14, 14]},
        text_config={**text, "pad_token_id": tokens.pad_token_id, "tie_word_embeddings": False},
        image_token_id=tokens.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=sequence,
        downsample_ratio=0.5,
        tie_word_embeddings=False,
    )
    torch.manual_seed(0)
    torch.set_default_dtype(dtype)
    with torch.device(device):
        model = hub.AutoModelForImageTextToText.from_config(config, attn_implementation="sdpa")
    torch.set_default_dtype(torch.float32)
    model = model.to(device).eval()
    read_answers_in_float32(model)
    with tempfile.TemporaryDirectory() as folder, without_videos():
        tokens.save_pretrained(folder)
        size = {"height": side, "width": side}
        hub.GotOcr2ImageProcessorPil(size=size, max_patches=TILES[name]).save_pretrained(folder)
        settings = {"processor_class": "InternVLProcessor", "image_seq_length": sequence}
        (Path(folder) / "processor_config.json").write_text(json.dumps(settings))
        processor = hub.AutoProcessor.from_pretrained(folder, local_files_only=True)
    return Loaded(model, processor, device, dtype, "sdpa", None)


def photos(n: int, width: int) -> list[Image.Image]:
    generator = torch.Generator().manual_seed(2)
    noise = [torch.randint(0, 256, (24, 32, 3), generator=generator, dtype=torch.uint8) for _ in range(n)]
    shapes = [(width, width * 3 // 4), (width * 3 // 4, width), (width, width * 9 // 16)]
    return [Image.fromarray(x.numpy()).resize(shapes[i % 3]) for i, x in enumerate(noise)]


def timed(work: Callable[[], Any], device: torch.device) -> tuple[Any, float]:
    began = time.perf_counter()
    result = work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return result, time.perf_counter() - began


def naive(judge: Judge, asked: Asked, images: list[Image.Image]) -> torch.Tensor:
    loaded = judge.loaded
    inputs = loaded.processor(text=[asked.question.rendered], images=images, return_tensors="pt").to(
        loaded.device
    )
    out = loaded.model.generate(
        **inputs, max_new_tokens=1, do_sample=False, output_scores=True, return_dict_in_generate=True
    )
    return torch.as_tensor(out.scores[0][0]).float().softmax(-1)


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--config", choices=("tiny", "mid", "8b"), default="tiny")
    arguments.add_argument("--images", type=int, default=16)
    arguments.add_argument("--pairs-per-image", type=int, default=8)
    arguments.add_argument("--batch", type=int, default=16)
    arguments.add_argument("--threads", type=int, default=None, help="of PyTorch on a CPU")
    given = arguments.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    loaded = build(given.config, device, dtype)
    judge = Judge(loaded, PROMPTS, given.batch)
    assert judge.why_plain is None, judge.why_plain
    images = photos(given.images, {"tiny": 160, "mid": 448, "8b": 1024}[given.config])
    n = len(images)
    pairs = [(i, (i + step) % n) for step in range(1, given.pairs_per_image // 2 + 1) for i in range(n)]

    naive(judge, judge.point, images[:1])  # Warms both ways up.
    expected, slow_points = timed(lambda: [naive(judge, judge.point, [x]) for x in images], device)
    some = pairs[: max(4, len(pairs) // 4)]  # A rate needs no more.
    both = [order for a, b in some for order in ((a, b), (b, a))]
    _, slow_pairs = timed(lambda: [naive(judge, judge.pair, [images[a], images[b]]) for a, b in both], device)

    with ThreadPoolExecutor(4) as pool:
        seen, looking = timed(lambda: [judge.look(x) for x in pool.map(judge.prepare, images)], device)
    _, points = timed(lambda: judge.rate(judge.point, [(x,) for x in seen]), device)
    orders = [order for a, b in pairs for order in ((a, b), (b, a))]
    _, comparing = timed(lambda: judge.rate(judge.pair, [(seen[a], seen[b]) for a, b in orders]), device)

    assert judge.shared is not None
    alone = [judge.shared.log_probabilities(judge.point.question, [Row((x,))])[0].exp() for x in seen]
    difference = max(float((p - q).abs().max()) for p, q in zip(expected, alone, strict=True))
    rates = {
        "images": (n / slow_points, n / (looking + points)),
        "pairs": (len(some) / slow_pairs, len(pairs) / comparing),
    }
    labelling = (
        slow_points + slow_pairs * len(pairs) / len(some),
        looking + points + comparing,
    )
    parameters = sum(p.numel() for p in loaded.model.parameters())
    print(
        f"{given.config}: {parameters / 1e6:.1f} M parameters, {device_name(str(device))}, {dtype}, "
        f"batch {given.batch}"
    )
    print(
        f"{n} images, {len(pairs)} pairs in both orders; {min(len(x.tokens) for x in seen)} to "
        f"{max(len(x.tokens) for x in seen)} tokens an image; largest difference {difference:.1e}"
    )
    for name, (slow, fast) in rates.items():
        print(f"{name + ' a second':16} naive {slow:8.2f}   this teacher {fast:8.2f}   {fast / slow:5.2f} x")
    print(
        f"{'all of it':16} naive {labelling[0]:7.1f}s   this teacher {labelling[1]:7.1f}s   "
        f"{labelling[0] / labelling[1]:5.2f} x"
    )


if __name__ == "__main__":
    main()
