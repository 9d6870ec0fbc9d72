"""Labels by a pool of actors, each with a teacher. The engine says what is asked and keeps the answers."""

import sys
import threading
from concurrent.futures import Future
from typing import Any

import ray
from ray.exceptions import NodeDiedError, RayActorError, RayError

from leaf.channel import Outbox
from leaf.contract.cluster import Answer, ClusterQuestion, LabelJob, Started
from leaf.errors import TrainerError
from leaf.ray.child import Conversation
from leaf.ray.cluster import cluster
from leaf.ray.pool import Pool
from leaf.reader import decode, read


class Labeller:
    def __init__(self, leaf: list[str], opening: str) -> None:
        self._child = Conversation([*leaf, "teach"])
        self._hello = self._child.ask(opening)

    def ask(self, line: str) -> str:
        return self._child.ask(line) if line else self._hello


class Actor:
    """A Labeller somewhere on the cluster; it ends with its last handle."""

    def __init__(self, job: LabelJob, opening: str) -> None:
        options: Any = ray.remote(Labeller).options(
            num_cpus=job.cpus,
            num_gpus=job.gpus,
            # One more, for the greeting.
            max_concurrency=job.ahead + 1,
        )
        self._actor: Any = options.remote(job.leaf, opening)

    def ask(self, line: str) -> "Future[str]":
        answer: Future[str] = self._actor.ask.remote(line).future()
        return answer


def label(job: LabelJob, outbox: Outbox) -> None:
    opening = ""

    def tell(number: int, line: str) -> None:
        outbox.send(Answer(v=1, id=number, line=line))

    with cluster(job, listens=False) as found:
        outbox.send(Started(v=1, workers=found.workers, nodes=found.nodes))
        pool = Pool(lambda: Actor(job, opening), _is_loss, tell, job.ahead)

        def listen() -> None:
            nonlocal opening
            for text in sys.stdin.buffer:
                question: ClusterQuestion = read(
                    decode(text, "The question"), ClusterQuestion, "The question"
                )
                if opening:
                    pool.ask(question.id, question.line)
                else:
                    opening = question.line
                    pool.start(found.workers, question.id)
            pool.end()

        threading.Thread(target=listen, daemon=True).start()
        try:
            pool.run()
        except (RayError, RuntimeError) as error:
            text = " ".join(str(error).split())[-300:]
            raise TrainerError(
                "failed", f"A worker of the cluster failed ({text}).", "Labels so far are kept: run it again."
            ) from error


def _is_loss(error: BaseException) -> bool:
    return isinstance(error, (RayActorError, NodeDiedError))
