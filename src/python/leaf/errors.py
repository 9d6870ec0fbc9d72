"""The one error type that reaches the engine as an `error` message."""

from typing import Literal

ErrorCode = Literal["nan", "oom", "input", "environment", "failed"]


class TrainerError(Exception):
    """A failure the user can act on: one sentence, and what to do about it."""

    def __init__(self, code: ErrorCode, message: str, remedy: str | None = None) -> None:
        super().__init__(message)
        self.code: ErrorCode = code
        self.message = message
        self.remedy = remedy


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device or the host ran out of memory; PyTorch mostly says so in plain text alone."""
    text = str(error).lower()
    return (
        isinstance(error, MemoryError)
        or "out of memory" in text
        or "can't allocate memory" in text
        or "not enough memory" in text
    )
