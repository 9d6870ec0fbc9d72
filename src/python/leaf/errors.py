"""The one error type that reaches the engine as an `error` message."""

import errno
from pathlib import Path

from leaf.contract.trainer import ErrorCode


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


_disk_reasons = {
    errno.ENOSPC: "no space is left on the disk",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission is denied",
}


def disk_error(error: BaseException, path: Path | None = None) -> TrainerError | None:
    """A full or read-only disk as one sentence; PyTorch's writer hides the system's error behind its own."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in _disk_reasons:
            name = path or seen.filename or "a file"
            message = f"Cannot write {name}: {_disk_reasons[seen.errno]}."
            return TrainerError(
                "failed", message, "Free some space, or make the folder writable, and run it again."
            )
        seen = seen.__cause__ or seen.__context__
    return None
