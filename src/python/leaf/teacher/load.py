"""Loads a multimodal LLM and its processor: safetensors only, and no code from the hub."""

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from leaf.contract.teacher import Measure, Open, OpenContrastive
from leaf.errors import TrainerError
from leaf.precision import DeviceFacts, Wanted, device_facts, precision_of
from leaf.teacher.attention import attend_without_masks
from leaf.teacher.load_errors import explain, name_of, unusable
from leaf.teacher.memory import room_on, spread
from leaf.teacher.tiles import set_tile_budget

DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}
KERNELS = {"flash": "flash_attention_2", "sdpa": "sdpa", "eager": "eager"}


@dataclass(frozen=True)
class Loaded:
    model: Any
    processor: Any
    device: torch.device
    dtype: torch.dtype
    attention: str
    commit: str | None
    """Of the model on the hub; None for a folder."""
    room: int | None = None
    """Tokens that fit a batch; None: not known."""


def load(request: Open) -> Loaded:
    """Raises TrainerError("environment") with the reason and what to do."""
    device = device_of(request.device)
    dtype = dtype_of(request.dtype, device, request.precision)
    if request.quantize == "4bit":
        _need_for_4bit(device)
    kernel = _kernel(request.attention, device, dtype)
    where = place_of(request)
    import transformers

    hub: Any = transformers  # Its automatic classes have no types.
    try:
        config = hub.AutoConfig.from_pretrained(request.model, **where)
        processor = _processor(request, where)
        options: dict[str, Any] = {"use_safetensors": True, "dtype": dtype, "attn_implementation": kernel}
        if importlib.util.find_spec("accelerate") is not None and device.type != "cpu":
            # Straight to the device, without a copy in host memory.
            options["device_map"] = _device_map(request, config, device, dtype)
        if request.quantize == "4bit":
            options["quantization_config"] = _four_bits(dtype)
        model = hub.AutoModelForImageTextToText.from_pretrained(request.model, **where, **options)
        model = (model if "device_map" in options else model.to(device)).eval()
    except TrainerError:
        raise
    except Exception as error:
        raise explain(error, request) from error
    model.requires_grad_(False)
    read_answers_in_float32(model)
    attend_without_masks(model)
    return Loaded(
        model=model,
        processor=processor,
        device=device,
        dtype=dtype,
        attention=str(getattr(model.config, "_attn_implementation", kernel)),
        commit=getattr(config, "_commit_hash", None),
        room=room_on(device, model.config.get_text_config(), dtype.itemsize),
    )


def _device_map(request: Open, config: Any, device: torch.device, dtype: torch.dtype) -> Any:
    if request.device != "auto" or device.type != "cuda" or torch.cuda.device_count() < 2:
        return {"": device}
    import transformers

    hub: Any = transformers
    with torch.device("meta"):
        empty = hub.AutoModelForImageTextToText.from_config(config)
    each = 0.5 if request.quantize == "4bit" else dtype.itemsize
    weights = int(sum(p.numel() for p in empty.parameters()) * each)
    free = [torch.cuda.mem_get_info(i)[0] for i in range(torch.cuda.device_count())]
    return "auto" if spread(weights, free) == "auto" else {"": device}


def load_processor(request: Measure) -> Any:
    """The processor alone. Raises TrainerError("environment") with the reason and what to do."""
    try:
        return _processor(request, place_of(request))
    except TrainerError:
        raise
    except Exception as error:
        raise explain(error, request) from error


def _processor(request: Open | Measure, where: dict[str, Any]) -> Any:
    import transformers

    hub: Any = transformers
    with without_videos():
        processor = hub.AutoProcessor.from_pretrained(request.model, **where)
    _check(processor, name_of(request))
    set_tile_budget(processor, request.max_tiles)
    return processor


def place_of(request: Open | OpenContrastive | Measure) -> dict[str, Any]:
    """Where a model comes from, as transformers wants it told."""
    where: dict[str, Any] = {"local_files_only": request.local, "trust_remote_code": False}
    if request.revision is not None and not request.local:
        where["revision"] = request.revision
    return where


def device_of(wanted: str) -> torch.device:
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wanted == "auto":
        wanted = next(name for name, there in available.items() if there)
    if not available[wanted]:
        name = {"cuda": "CUDA GPU", "mps": "Apple GPU (MPS)"}[wanted]
        raise TrainerError(
            "environment",
            f"PyTorch sees no {name} here.",
            "Set `teacher.device: auto`, or install a PyTorch build for this GPU and its driver.",
        )
    return torch.device(wanted, 0) if wanted == "cuda" else torch.device(wanted)


def dtype_of(wanted: str, device: torch.device, precision: Wanted = "auto") -> torch.dtype:
    return DTYPES[wanted] if wanted != "auto" else dtype_for(precision, device_facts(str(device)))


def dtype_for(precision: Wanted, facts: DeviceFacts) -> torch.dtype:
    """As a training computes there, but 16 bits on every GPU: in 32 a large model does not fit."""
    if facts.kind == "mps":
        return torch.bfloat16
    chosen = precision_of(precision, facts)
    if precision == "auto" and facts.kind == "cuda" and chosen == "fp32":
        chosen = "fp16"
    return {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}[chosen]


def _kernel(wanted: str, device: torch.device, dtype: torch.dtype) -> str:
    fits = device.type == "cuda" and dtype != torch.float32
    installed = importlib.util.find_spec("flash_attn") is not None
    if wanted == "auto":
        return KERNELS["flash" if fits and installed else "sdpa"]
    if wanted == "flash" and not (fits and installed):
        why = "the package flash-attn is not installed" if fits else "it needs CUDA and a 16-bit dtype"
        raise TrainerError(
            "environment",
            f"Flash attention cannot be used: {why}.",
            "Set `teacher.attention: auto`, or install flash-attn for this PyTorch.",
        )
    return KERNELS[wanted]


def _need_for_4bit(device: torch.device) -> None:
    lacking = [name for name in ("bitsandbytes", "accelerate") if importlib.util.find_spec(name) is None]
    if lacking:
        raise TrainerError(
            "environment",
            f"`quantize: 4bit` needs {' and '.join(lacking)}, which this Python ({sys.executable}) lacks.",
            f"Run `{sys.executable} -m pip install {' '.join(lacking)}`, or set `teacher.quantize: none`.",
        )
    if device.type != "cuda":
        raise TrainerError(
            "environment",
            f"`quantize: 4bit` needs a CUDA GPU, and the device is {device.type}.",
            "Set `teacher.quantize: none`.",
        )


def _four_bits(dtype: torch.dtype) -> Any:
    import transformers

    config: Any = transformers.BitsAndBytesConfig
    return config(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype)


def read_answers_in_float32(model: Any) -> None:
    """Has the last layer work in float32.

    A 16-bit logit near 20 is a multiple of 0.06 to 0.125, which would show in every probability.
    """
    head = model.get_output_embeddings()
    if type(head) is not nn.Linear or head.weight.dtype == torch.float32:
        return
    # New parameters: the old ones may be shared with the input embeddings.
    head.weight = nn.Parameter(head.weight.float(), requires_grad=False)
    if head.bias is not None:
        head.bias = nn.Parameter(head.bias.float(), requires_grad=False)
    head.register_forward_pre_hook(lambda _module, inputs: (inputs[0].float(), *inputs[1:]))


@contextmanager
def without_videos() -> Iterator[None]:
    """Processors also want a video processor, which wants torchvision: without it they get a stand-in."""
    if importlib.util.find_spec("torchvision") is not None:
        yield
        return
    # By name: without torchvision the packages above these modules would hand out placeholders.
    processing_utils: Any = importlib.import_module("transformers.processing_utils")
    video_processing_auto: Any = importlib.import_module("transformers.models.auto.video_processing_auto")
    base: Any = processing_utils.transformers_module.BaseVideoProcessor

    class NoVideos(base, dict[str, object]):  # type: ignore[misc]
        """A dict, since a processor writes all its parts as JSON."""

        def __init__(self) -> None:
            dict.__init__(self)

    class AutoNoVideos:
        @staticmethod
        def from_pretrained(*_arguments: object, **_options: object) -> NoVideos:
            return NoVideos()

    original = video_processing_auto.AutoVideoProcessor
    video_processing_auto.AutoVideoProcessor = AutoNoVideos
    try:
        yield
    finally:
        video_processing_auto.AutoVideoProcessor = original


def _check(processor: Any, model: str) -> None:
    parts = ("tokenizer", "image_processor", "image_token", "apply_chat_template")
    if any(getattr(processor, part, None) is None for part in parts):
        raise unusable(model, "its processor takes no chat with images")
    if not (processor.chat_template or getattr(processor.tokenizer, "chat_template", None)):
        raise unusable(model, "it has no chat template")
