"""The private line channel to the engine: one JSON object a line, each written at once."""

import json
import os
import threading
import time

import msgspec

from leaf.contract.cluster import ClusterMessage
from leaf.contract.head import HeadMessage
from leaf.contract.teacher import TeacherMessage
from leaf.contract.trainer import Failure, Phase, Progress, TrainerMessage

PROGRESS_EVERY_S = 0.2


class Channel:
    """Writes messages to a file descriptor; a silent channel (all processes but one) writes failures only."""

    def __init__(self, fd: int, silent: bool = False) -> None:
        self._fd = fd
        self._silent = silent
        self._last_progress = float("-inf")
        self._last_phase = ""

    def send(self, message: TrainerMessage | HeadMessage) -> None:
        if not self._silent or isinstance(message, Failure):
            _write(self._fd, message)

    def progress(
        self, phase: Phase, epoch: int, epochs: int, step: int, steps: int, rate: float | None = None
    ) -> None:
        """Sends progress at most five times a second; a new phase is always told."""
        now = time.monotonic()
        if phase == self._last_phase and now - self._last_progress < PROGRESS_EVERY_S:
            return
        self._last_phase, self._last_progress = phase, now
        self.send(
            Progress(
                v=1,
                phase=phase,
                epoch=epoch,
                epochs=epochs,
                step=step,
                steps=steps,
                images_per_s=None if rate is None else round(rate, 2),
            )
        )


class Outbox:
    """Lines of a teacher or of a cluster: whole ones from several threads."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lock = threading.Lock()

    def send(self, message: TeacherMessage | ClusterMessage) -> None:
        with self._lock:
            _write(self._fd, message)


def line_of(message: msgspec.Struct) -> str:
    """In ASCII, as a path may hold what is no Unicode; a number that is none is an error."""
    return json.dumps(msgspec.to_builtins(message), ensure_ascii=True, allow_nan=False) + "\n"


def _write(fd: int, message: msgspec.Struct) -> None:
    data = line_of(message).encode()
    while data:
        data = data[os.write(fd, data) :]
