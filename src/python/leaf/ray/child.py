"""LEAF's own command line as a child that is asked by lines: its scores are LEAF's own, to the last bit."""

import subprocess
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress


class ChildEnded(Exception):
    """It ended before it had answered; how many answers there were is known."""

    def __init__(self, answers: list[str], said: str) -> None:
        super().__init__(said)
        self.answers = answers


class LineChild:
    """A line in, a line out, in order. It ends when its standard input closes, and so with this process."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = list(command)
        self._process: subprocess.Popen[bytes] | None = None
        self._said: list[str] = []

    def ask(self, lines: Sequence[str]) -> list[str]:
        """The answers to these lines. Raises ChildEnded with those that came before it ended."""
        process = self._started()
        assert process.stdin and process.stdout
        stdin, stdout = process.stdin, process.stdout

        def write() -> None:
            try:
                stdin.write("".join(f"{line}\n" for line in lines).encode())
                stdin.flush()
            except (BrokenPipeError, ValueError):
                pass  # Told by its answers, which end.

        # A pipe that is full would stop both.
        writer = threading.Thread(target=write, daemon=True)
        writer.start()
        answers: list[str] = []
        while len(answers) < len(lines):
            line = stdout.readline()
            if not line.endswith(b"\n"):
                self.close()
                raise ChildEnded(answers, self._said[-1] if self._said else "it said nothing")
            answers.append(line.decode())
        writer.join()
        return answers

    def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin:
            with suppress(BrokenPipeError):
                process.stdin.close()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._said = []
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            threading.Thread(target=self._listen, args=[self._process], daemon=True).start()
        return self._process

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr
        for line in process.stderr:
            text = line.decode(errors="replace").strip()
            if text:
                self._said = [*self._said[-9:], text]


class Conversation:
    """A child whose answers come in any order, each with the number of its question."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._lock = threading.Lock()
        self._waiting: dict[int, Future[str]] = {}
        self._next = 0
        self._ended = False
        threading.Thread(target=self._listen, daemon=True).start()

    def ask(self, question: str) -> str:
        """Waits for the answer; any number of threads may ask. Raises RuntimeError where the child ends."""
        assert self._process.stdin
        answer: Future[str] = Future()
        with self._lock:
            if self._ended:
                raise RuntimeError("The process that asks the teacher has ended.")
            number = self._next
            self._next += 1
            self._waiting[number] = answer
            with suppress(BrokenPipeError):
                self._process.stdin.write(f"{number} {question}\n".encode())
                self._process.stdin.flush()
        return answer.result()

    def close(self) -> None:
        if self._process.stdin:
            with suppress(BrokenPipeError):
                self._process.stdin.close()

    def _listen(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            number, _, answer = line.decode().rstrip("\n").partition(" ")
            found = self._waiting.pop(int(number), None)
            if found:
                found.set_result(answer)
        with self._lock:
            self._ended = True
            for left in self._waiting.values():
                left.set_exception(RuntimeError("The process that asks the teacher has ended."))
            self._waiting.clear()
