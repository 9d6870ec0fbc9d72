"""Who asks which question: to workers that are there, and again where one is lost. Knows nothing of Ray."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from typing import Protocol


class Worker(Protocol):
    def ask(self, line: str) -> "Future[str]":
        """With an empty line: its greeting, when it is ready."""


class Pool:
    """Each question goes to the ready worker that has the fewest. `run` decides, one thing after the other.

    A new worker takes the place of a lost one when there is room; until then the others have its questions.
    """

    def __init__(
        self,
        hire: Callable[[], Worker],
        is_loss: Callable[[BaseException], bool],
        tell: Callable[[int, str], None],
        most: int,
    ) -> None:
        self._hire, self._is_loss, self._tell, self._most = hire, is_loss, tell, most
        self._events: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._load: dict[Worker, int] = {}
        self._waiting: deque[tuple[int, str]] = deque()
        self._greeted = False

    def start(self, workers: int, number: int) -> None:
        """Whoever is the first to greet answers the question of this number."""
        for _ in range(workers):
            self._events.put(partial(self._begin, number))

    def ask(self, number: int, line: str) -> None:
        self._events.put(partial(self._wait, number, line))

    def end(self) -> None:
        self._events.put(None)

    def run(self) -> None:
        """Until the end, or until a worker fails; raises what went wrong there."""
        while (event := self._events.get()) is not None:
            event()
            self._hand_out()

    def _begin(self, number: int) -> None:
        worker = self._hire()
        # Only into the queue: who completes an answer may be any thread, and must not wait.
        worker.ask("").add_done_callback(
            lambda hello: self._events.put(lambda: self._open(worker, number, hello))
        )

    def _open(self, worker: Worker, number: int, hello: "Future[str]") -> None:
        error = hello.exception()
        if error is None:
            self._load[worker] = 0
            if not self._greeted:
                self._greeted = True
                self._tell(number, hello.result())
        elif not (self._is_loss(error) and self._load):
            raise error

    def _wait(self, number: int, line: str) -> None:
        self._waiting.append((number, line))

    def _hand_out(self) -> None:
        while self._waiting and self._load:
            worker = min(self._load, key=lambda one: self._load[one])
            if self._load[worker] >= self._most:
                return
            number, line = self._waiting.popleft()
            self._load[worker] += 1
            self._give(worker, number, line)

    def _give(self, worker: Worker, number: int, line: str) -> None:
        worker.ask(line).add_done_callback(
            lambda answer: self._events.put(lambda: self._answered(worker, number, line, answer))
        )

    def _answered(self, worker: Worker, number: int, line: str, answer: "Future[str]") -> None:
        error = answer.exception()
        if error is None:
            if worker in self._load:
                self._load[worker] -= 1
            self._tell(number, answer.result())
            return
        if not self._is_loss(error):
            raise error
        if self._load.pop(worker, None) is not None:
            self._begin(number)
        self._waiting.appendleft((number, line))
