"""Lines to the engine, without the common `v`."""

import threading
from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from leaf.channel import write_line


class Hello(TypedDict):
    type: Literal["hello"]
    model: str
    commit: str | None
    device: str
    deviceName: str
    dtype: str
    quantize: str
    attention: str
    features: Literal["reused", "plain"]
    """Whether an image is encoded once or for each prompt."""
    whyPlain: str | None
    torch: str
    transformers: str


class Need(TypedDict):
    """Images that the teacher has not seen, or no longer remembers."""

    type: Literal["need"]
    id: int
    images: list[str]


class Answer(TypedDict):
    """The answers to one request, in its order; see src/protocol/teacher.ts for each kind."""

    type: Literal["answer"]
    id: int
    answers: list[dict[str, Any]]


class Failure(TypedDict):
    """With `id`: of that request alone. Without: of the teacher, which ends."""

    type: Literal["error"]
    id: int | None
    code: str
    message: str
    remedy: str | None


Message = Hello | Need | Answer | Failure


class Outbox:
    """Whole lines from several threads."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        line: Mapping[str, object] = {"v": 1, **message}
        with self._lock:
            write_line(self._fd, line)
