"""Requests that wait for the model, and the images that were asked of the engine for them.

The reading thread puts in; the judging thread takes out. Images are asked for as soon as a request comes, so
that they are decoded and sent while the model is busy with the one before.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from PIL import Image

from leaf.contract.teacher import Unreadable
from leaf.teacher.request import Ask, Picture

P = TypeVar("P")


class BadImage(Exception):
    """One image that cannot be judged; the reason as message."""


class Desk(Generic[P]):
    """`prepare` is what a processor does with an image, on a few threads; `need` asks for images."""

    def __init__(
        self,
        prepare: Callable[[Image.Image], P],
        remembered: Callable[[str], bool],
        need: Callable[[int, list[str]], None],
        threads: int,
    ) -> None:
        self._prepare = prepare
        self._remembered = remembered
        self._need = need
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="prepare")
        self._requests: queue.Queue[Ask | None] = queue.Queue()
        self._changed = threading.Condition()
        self._expected: set[str] = set()
        self._arrived: dict[str, Future[P] | str] = {}

    def put(self, ask: Ask) -> None:
        with self._changed:
            images = dict.fromkeys(image for some in ask.sets for image in some)
            wanted = [i for i in images if i not in self._expected and not self._remembered(i)]
            self._expected.update(wanted)
        if wanted:
            self._need(ask.id, wanted)
        self._requests.put(ask)

    def arrive(self, message: Picture | Unreadable) -> None:
        with self._changed:
            if message.image not in self._expected or message.image in self._arrived:
                return
            if isinstance(message, Unreadable):
                self._arrived[message.image] = message.reason
            else:
                self._arrived[message.image] = self._pool.submit(self._open, message)
            self._changed.notify_all()

    def end(self) -> None:
        self._requests.put(None)

    def take(self) -> Ask | None:
        """The next request; None at the end."""
        return self._requests.get()

    def image(self, ask: Ask, image: str) -> P:
        """Waits for an image of a request. Raises BadImage where engine or processor cannot read it."""
        with self._changed:
            asked = image in self._expected
            self._expected.add(image)
        if not asked:
            # It was expected to be remembered, and no longer is.
            self._need(ask.id, [image])
        with self._changed:
            self._changed.wait_for(lambda: image in self._arrived)
            found = self._arrived.pop(image)
            self._expected.discard(image)
        if isinstance(found, str):
            raise BadImage(found)
        return found.result()

    def forget(self, ask: Ask) -> None:
        """Drops what came for a request and was not taken."""
        with self._changed:
            for image in (image for some in ask.sets for image in some):
                found = self._arrived.pop(image, None)
                if found is not None:
                    self._expected.discard(image)

    def _open(self, picture: Picture) -> P:
        image = Image.frombytes("RGB", picture.size, picture.pixels)
        try:
            return self._prepare(image)
        except (ValueError, ZeroDivisionError) as error:
            # A picture of extreme shape, for one.
            text = " ".join(str(error).split())
            raise BadImage(f"the model's processor refuses it ({text[:200]})") from error
