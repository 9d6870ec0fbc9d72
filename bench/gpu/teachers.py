"""How fast a teacher labels, against asking the same model naively, and what 16 bits change."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from leaf.contract.teacher import ImagePart, Prompts, TextPart
from leaf.teacher import plain
from leaf.teacher.judge import Asked, Judge
from models import teacher
from PIL import Image
from torch.nn.attention import SDPBackend, sdpa_kernel

PROMPTS = Prompts(
    point=[
        ImagePart(image=0),
        TextPart(
            text="Rate the visual quality of this photo. Consider sharpness, noise, exposure and colour.\n"
            "Answer with exactly one of these words and nothing else: excellent, good, fair, poor, bad."
        ),
    ],
    pair=[
        TextPart(text="Image-1 (A):"),
        ImagePart(image=0),
        TextPart(text="Image-2 (B):"),
        ImagePart(image=1),
        TextPart(text="Which of these photos has the better visual quality? Answer with one letter: A or B."),
    ],
    reason=[ImagePart(image=0), TextPart(text="Why?")],
    words=["excellent", "good", "fair", "poor", "bad"],
    letters=("A", "B"),
    tie=None,
    prefill=None,
)


def photos(n: int, width: int) -> list[Image.Image]:
    generator = torch.Generator().manual_seed(2)
    noise = [torch.randint(0, 256, (24, 32, 3), generator=generator, dtype=torch.uint8) for _ in range(n)]
    return [Image.fromarray(x.numpy()).resize((width, width * 3 // 4)) for x in noise]


def timed(device: torch.device, work: Callable[[], Any]) -> tuple[Any, float]:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    began = time.perf_counter()
    result = work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return result, time.perf_counter() - began


def labelling(
    family: str,
    large: bool,
    device: torch.device,
    dtype: torch.dtype,
    images: int,
    tiles: int | None,
    peak: float,
) -> dict[str, Any]:
    """Images, pairs and tokens a second; `peak`: operations a second that the device has at most."""
    loaded, loading = timed(device, lambda: teacher(family, large, device, dtype, tiles))
    judge = Judge(loaded, PROMPTS, batch=16)
    pictures = photos(images, 1024 if large else 160)
    # A path, as pairs are drawn, in both orders.
    pairs = [(i, (i + 1) % images) for i in range(images)] + [(i, (i + 2) % images) for i in range(images)]
    sets = [order for a, b in pairs for order in ((a, b), (b, a))]
    read = 0

    def count(_: Any, __: Any, given: dict[str, Any]) -> None:
        nonlocal read
        read += int(given["input_ids"].numel())

    def naive(asked: Asked, shown: list[Image.Image]) -> Any:
        return plain.log_probabilities(loaded, asked.question, shown)

    naive(judge.point, pictures[:1])  # Warms up.
    few = max(2, images // 4)
    _, slow_points = timed(device, lambda: [naive(judge.point, [x]) for x in pictures[:few]])
    _, slow_pairs = timed(
        device, lambda: [naive(judge.pair, [pictures[a], pictures[b]]) for a, b in sets[:few]]
    )
    with ThreadPoolExecutor(4) as pool:
        seen, looking = timed(device, lambda: [judge.look(x) for x in pool.map(judge.prepare, pictures)])
    hook = loaded.model.register_forward_pre_hook(count, with_kwargs=True)
    _, points = timed(device, lambda: judge.rate(judge.point, [(x,) for x in seen]))
    _, comparing = timed(device, lambda: judge.rate(judge.pair, [(seen[a], seen[b]) for a, b in sets]))
    hook.remove()
    language = loaded.model.model.language_model
    weights = sum(p.numel() for name, p in language.named_parameters() if "embed" not in name)
    slow = slow_points / few * images + slow_pairs / few * len(sets)
    fast = looking + points + comparing
    return {
        "parameters": sum(p.numel() for p in loaded.model.parameters()),
        "features": "reused" if judge.shared else judge.why_plain,
        "tokens_an_image": len(getattr(seen[0], "tokens", ())),
        "build_s": loading,
        "images_per_s": images / (looking + points),
        "pairs_per_s": len(pairs) / comparing,
        "prefill_tokens": read,
        "tokens_per_s": read / (points + comparing),
        "mfu": 2 * weights * read / (points + comparing) / peak,
        "against_naive": slow / fast,
        "batch_room_tokens": loaded.room,
        "flash": flash_alone(judge, [(seen[a], seen[b]) for a, b in sets[:8]], device),
        "peak_memory": torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None,
    }


def flash_alone(judge: Judge, sets: list[Any], device: torch.device) -> bool | None:
    """Whether pairs are answered where PyTorch may use its flash kernel alone; None beside CUDA."""
    if device.type != "cuda":
        return None
    try:
        with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
            judge.rate(judge.pair, sets)
        return True
    except RuntimeError:
        return False


def precisions(device: torch.device) -> dict[str, Any]:
    """Labels of one small model in bf16 and in fp32: the largest difference of a probability."""
    found = []
    for dtype in (torch.float32, torch.bfloat16):
        judge = Judge(teacher("internvl", False, device, dtype, None), PROMPTS, batch=4)
        seen = [judge.look(judge.prepare(picture)) for picture in photos(6, 160)]
        found.append([judge.rate(judge.point, [(x,)])[0].masses for x in seen])
    exact, short = (torch.tensor(one) for one in found)
    return {"largest_difference": float((exact - short).abs().max())}
