"""The private line channel to the engine: one JSON object a line, each written at once."""

import json
import os
import time
from collections.abc import Mapping

from leaf.messages import Message, Phase

PROGRESS_EVERY_S = 0.2


class Channel:
    """Writes messages to a file descriptor; a silent channel (ranks above 0) writes failures only."""

    def __init__(self, fd: int, silent: bool = False) -> None:
        self._fd = fd
        self._silent = silent
        self._last_progress = float("-inf")
        self._last_phase = ""

    def send(self, message: Message) -> None:
        if not self._silent or message["type"] == "error":
            self._write({"v": 1, **message})

    def progress(
        self, phase: Phase, epoch: int, epochs: int, step: int, steps: int, rate: float | None = None
    ) -> None:
        """Sends progress at most five times a second; a new phase is always told."""
        now = time.monotonic()
        if phase == self._last_phase and now - self._last_progress < PROGRESS_EVERY_S:
            return
        self._last_phase, self._last_progress = phase, now
        self.send(
            {
                "type": "progress",
                "phase": phase,
                "epoch": epoch,
                "epochs": epochs,
                "step": step,
                "steps": steps,
                "imagesPerS": None if rate is None else round(rate, 2),
            }
        )

    def _write(self, line: Mapping[str, object]) -> None:
        write_line(self._fd, line)


def write_line(fd: int, line: Mapping[str, object]) -> None:
    data = (json.dumps(line, ensure_ascii=True, allow_nan=False) + "\n").encode()
    while data:
        data = data[os.write(fd, data) :]
