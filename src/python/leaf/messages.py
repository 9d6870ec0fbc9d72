"""The lines the trainer writes to the engine, without the common `v`."""

from typing import Literal, NotRequired, TypedDict

Phase = Literal["load", "train", "validate", "export"]


class Agreement(TypedDict):
    """Agreement of the student with the targets of the validation rows; null where undefined."""

    n: int
    srcc: float | None
    plcc: float | None
    rmse: NotRequired[float | None]


class Hello(TypedDict):
    type: Literal["hello"]
    python: str
    torch: str
    device: str
    deviceName: str
    worldSize: int
    amp: str


class Progress(TypedDict):
    type: Literal["progress"]
    phase: Phase
    epoch: int
    epochs: int
    step: int
    steps: int
    imagesPerS: float | None


class Metrics(TypedDict):
    """One line per epoch (`val` set where there are validation rows) and one each 100 steps within."""

    type: Literal["metrics"]
    epoch: int
    step: int
    loss: float
    parts: dict[str, float | None]
    lr: float
    val: Agreement | None
    imagesPerS: float


class Checkpoint(TypedDict):
    type: Literal["checkpoint"]
    epoch: int
    path: str


class DomainFacts(TypedDict):
    """The distance of features from the training images: above `threshold` an image is unlike them."""

    threshold: float
    quantile: float
    fitted: int
    heldOut: int
    shrinkage: float


class Done(TypedDict):
    type: Literal["done"]
    epochs: int
    bestEpoch: int
    durationS: float
    onnx: str
    exportMaxDifference: float
    val: Agreement | None
    parameters: int
    # None with too few images to tell which are unlike them.
    domain: DomainFacts | None


class Failure(TypedDict):
    type: Literal["error"]
    code: str
    message: str
    remedy: str | None


Message = Hello | Progress | Metrics | Checkpoint | Done | Failure
