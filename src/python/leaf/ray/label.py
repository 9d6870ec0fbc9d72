"""Labels by a pool of actors, each with a teacher. The engine says what is asked and keeps the answers."""

import sys
import threading
from collections import Counter
from concurrent.futures import Future
from functools import partial
from typing import Any

import ray

from leaf.channel import Outbox
from leaf.contract.cluster import Answer, ClusterQuestion, LabelJob, Started
from leaf.errors import TrainerError
from leaf.ray.child import Conversation
from leaf.ray.cluster import cluster
from leaf.reader import decode, read


class Labeller:
    """Where its node is lost Ray makes it anew, and asks it again what it had not answered."""

    def __init__(self, leaf: list[str], opening: str) -> None:
        self._child = Conversation([*leaf, "teach"])
        self._hello = self._child.ask(opening)

    def ask(self, line: str) -> str:
        return self._child.ask(line) if line else self._hello


class Pool:
    """Each question goes to whoever has the fewest; that of the first answers is what opens the teachers."""

    def __init__(self, job: LabelJob, workers: int, opening: str) -> None:
        options: Any = ray.remote(Labeller).options(
            num_cpus=job.cpus,
            num_gpus=job.gpus,
            max_restarts=-1,
            max_task_retries=-1,
            # One more, for the greeting.
            max_concurrency=job.ahead + 1,
        )
        self._actors: list[Any] = [options.remote(job.leaf, opening) for _ in range(workers)]
        self._load: Counter[int] = Counter(dict.fromkeys(range(workers), 0))
        self._lock = threading.Lock()

    def ask(self, line: str) -> Future[str]:
        with self._lock:
            at = min(self._load, key=lambda one: self._load[one])
            self._load[at] += 1
        answer: Future[str] = self._actors[at].ask.remote(line).future()
        answer.add_done_callback(lambda _: self._done(at))
        return answer

    def _done(self, at: int) -> None:
        with self._lock:
            self._load[at] -= 1


def label(job: LabelJob, outbox: Outbox) -> None:
    failed: list[BaseException] = []

    def tell(number: int, answer: "Future[str]") -> None:
        error = answer.exception()
        if error is None:
            outbox.send(Answer(v=1, id=number, line=answer.result()))
        else:
            failed.append(error)
            # Ends the loop below, wherever it waits.
            ended.set()

    ended = threading.Event()
    with cluster(job, listens=False) as found:
        outbox.send(Started(v=1, workers=found.workers, nodes=found.nodes))
        pool: list[Pool] = []

        def listen() -> None:
            for text in sys.stdin.buffer:
                question: ClusterQuestion = read(
                    decode(text, "The question"), ClusterQuestion, "The question"
                )
                if not pool:
                    pool.append(Pool(job, found.workers, question.line))
                line = question.line if question.id > 0 else ""
                number = question.id
                pool[0].ask(line).add_done_callback(partial(tell, number))
            ended.set()

        threading.Thread(target=listen, daemon=True).start()
        ended.wait()
        if failed:
            text = " ".join(str(failed[0]).split())[-300:]
            raise TrainerError(
                "failed", f"A worker of the cluster failed ({text}).", "Labels so far are kept: run it again."
            )
