"""What went wrong while a model was fetched and loaded: one sentence and a remedy."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

from leaf.contract.teacher import Measure, Open, OpenContrastive
from leaf.errors import TrainerError, is_out_of_memory


def unusable(model: str, why: str) -> TrainerError:
    return TrainerError(
        "environment",
        f"The model {model} cannot be a teacher: {why}.",
        "Choose a chat model for images in the format of transformers, such as OpenGVLab/InternVL3_5-8B-HF.",
    )


def explain(error: Exception, request: Open | OpenContrastive | Measure) -> TrainerError:
    """One sentence and a remedy for what went wrong while a model was fetched and loaded."""
    model = name_of(request)
    if is_out_of_memory(error):
        remedy = "Choose a smaller model, `teacher.dtype: bfloat16` or `teacher.quantize: 4bit`."
        if torch.cuda.device_count() > 1 and importlib.util.find_spec("accelerate") is None:
            remedy = f"Run `{sys.executable} -m pip install accelerate`: it then goes over all GPUs. {remedy}"
        return TrainerError("environment", f"There is not enough memory to load {model}.", remedy)
    names = {type(cause).__name__ for cause in _causes(error)}
    text = " ".join(str(error).split()).replace(request.model, model)
    if "GatedRepoError" in names or "gated repo" in text:
        return TrainerError(
            "environment",
            f"The hub lets only people who accepted its terms have the model {model}.",
            "Accept them on the model's page, then set HF_TOKEN or run `hf auth login`.",
        )
    if "RevisionNotFoundError" in names:
        return TrainerError(
            "environment",
            f"The model {model} has no revision {request.revision}.",
            "Correct `teacher.revision`.",
        )
    if names & {"RepositoryNotFoundError", "HFValidationError"} or "is not a valid model identifier" in text:
        return TrainerError(
            "environment",
            f"There is no model {model} on the hub, or it is private.",
            "Correct `teacher.model` (a hub id or a folder); for a private model set HF_TOKEN.",
        )
    if "does not recognize this architecture" in text or "Unrecognized configuration class" in text:
        return unusable(model, "transformers does not know it as a model of images and text")
    if "trust_remote_code" in text:
        return unusable(model, "it comes with code of its own, which LEAF does not run")
    if "safetensors" in text:
        return unusable(model, "it has no safetensors file that can be read")
    if names & {"OfflineModeIsEnabled", "LocalEntryNotFoundError", "ConnectionError", "ConnectError"} or (
        "connect to" in text
    ):
        return TrainerError(
            "environment",
            f"The model {model} is not in the cache of this machine, and the hub cannot be reached.",
            "Check the network, or set `teacher.model` to a folder that holds the model.",
        )
    if isinstance(error, ImportError):
        return TrainerError(
            "environment",
            f"The model {model} needs a package that this Python ({sys.executable}) lacks: {text[:300]}",
            "Install it for this Python.",
        )
    kind = "folder" if request.local else "model"
    return TrainerError(
        "environment",
        f"The {kind} {model} cannot be loaded ({type(error).__name__}): {text[:300]}",
        "Check that it is complete and in the format of transformers.",
    )


def name_of(request: Open | OpenContrastive | Measure) -> str:
    """The model's id, or the name of its folder: a message never tells where it lies."""
    return Path(request.model).name if request.local else request.model


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
