"""Trains a job of make_training.py without its export, and then bare passes: `train_leaf.py FOLDER OUT`.

Prints seconds of the last epoch, and what as many images take as random numbers in the same network, batch
and optimiser, both for 1,000 labelled pairs, as the batches of that epoch have them inside. `processor`:
seconds of the processor of all epochs, with what comes before them.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

import leaf.train as training
import torch
from leaf.channel import Channel
from leaf.job import parse_job
from leaf.step import draw_epoch


def main(folder: Path, out: Path) -> None:
    written = json.loads((folder / "job.json").read_text())
    job = parse_job(written | {"out": str(out), "resume": False})
    kept: list[Any] = []
    out.mkdir(parents=True, exist_ok=True)
    finish = patch.object(training, "_finish", lambda session, _: kept.append(session))
    used = time.process_time()
    with finish, (out / "told").open("wb") as told:
        training.run(job, Channel(told.fileno()))
    processor = time.process_time() - used
    (session,) = kept
    images = len(session.data.train)
    pairs = sum(len(session.data.graph.inside(batch)[0]) for batch in draw_epoch(session, job.epochs).batches)
    last = json.loads((out / "metrics.jsonl").read_text().splitlines()[-1])
    trained = images / last["imagesPerS"]
    network, crop = session.student, job.student.crop
    pixels = torch.randint(0, 256, (job.batch, crop, crop, 3), dtype=torch.uint8)
    target = torch.linspace(1, 5, job.batch)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-6)
    began = time.perf_counter()
    steps = max(1, images // job.batch)
    for _ in range(steps):
        optimizer.zero_grad(set_to_none=True)
        (network(pixels)[0] - target).square().mean().backward()
        optimizer.step()
    bare = (time.perf_counter() - began) * images / (steps * job.batch)
    told = {"trained": 1000 * trained / pairs, "bare": 1000 * bare / pairs, "processor": processor}
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
