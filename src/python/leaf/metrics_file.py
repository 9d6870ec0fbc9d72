"""metrics.jsonl: every metrics message of a stage, in order, with no line twice after a resume."""

import json
import os
from pathlib import Path

from leaf.channel import line_of
from leaf.contract.trainer import Metrics


def append_metrics(path: Path, metrics: Metrics) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(line_of(metrics))


def cut_metrics(path: Path, epoch: int) -> None:
    """Keeps the lines up to an epoch: later ones are of work that was lost and will be done again."""
    kept = []
    if path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                if json.loads(line)["epoch"] <= epoch:
                    kept.append(line + "\n")
            except (ValueError, KeyError, TypeError):
                continue  # the half line of a killed process
    temporary = path.with_name(f"{path.name}.tmp-{os.getpid()}")
    temporary.write_text("".join(kept), encoding="utf-8")
    temporary.replace(path)
