"""Strict reading of decoded JSON: an unknown key or a wrong value is one sentence naming the key."""

import math
from typing import cast

from leaf.errors import TrainerError


def wrong(subject: str, key: str, reason: str) -> TrainerError:
    return TrainerError("input", f"{subject}: {key or 'it'} {reason}.")


class _Missing:
    pass


_MISSING = _Missing()


class Reader:
    """Takes keys out of one JSON object and complains about those that are left."""

    def __init__(self, value: object, subject: str, prefix: str = "") -> None:
        self._subject = subject
        self._prefix = prefix
        if not isinstance(value, dict):
            raise wrong(subject, prefix.rstrip("."), "must be an object")
        self._rest: dict[str, object] = dict(value)

    def wrong(self, key: str, reason: str) -> TrainerError:
        return wrong(self._subject, self._prefix + key, reason)

    def _take(self, key: str) -> object:
        return self._rest.pop(key, _MISSING)

    def end(self) -> None:
        for key in self._rest:
            raise self.wrong(key, "is not a known key")

    def child(self, key: str) -> "Reader":
        return Reader(self._need(key), self._subject, f"{self._prefix}{key}.")

    def optional_child(self, key: str) -> "Reader | None":
        value = self._take(key)
        if value is None or value is _MISSING:
            return None
        return Reader(value, self._subject, f"{self._prefix}{key}.")

    def _need(self, key: str) -> object:
        value = self._take(key)
        if value is _MISSING:
            raise self.wrong(key, "is missing")
        return value

    def text(self, key: str, default: str | None) -> str | None:
        value = self._take(key)
        if value is _MISSING or value is None:
            return default
        if not isinstance(value, str) or not value or "\0" in value:
            raise self.wrong(key, "must be a non-empty text")
        return value

    def required_text(self, key: str) -> str:
        value = self.text(key, None)
        if value is None:
            raise self.wrong(key, "is missing")
        return value

    def array(self, key: str) -> list[object]:
        value = self._need(key)
        if not isinstance(value, list):
            raise self.wrong(key, "must be a list")
        return value

    def texts(self, key: str, *, count: int | None = None) -> list[str]:
        """A list of non-empty texts, `count` of them where given."""
        values = self.array(key)
        texts = [value for value in values if isinstance(value, str) and value and "\0" not in value]
        if len(texts) != len(values) or (count is not None and len(texts) != count):
            raise self.wrong(key, f"must be a list of {'' if count is None else f'{count} '}non-empty texts")
        return texts

    def boolean(self, key: str, default: bool) -> bool:
        value = self._take(key)
        if value is _MISSING:
            return default
        if not isinstance(value, bool):
            raise self.wrong(key, "must be true or false")
        return value

    def choice(self, key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        value = self._take(key)
        if value is _MISSING and default is not None:
            return default
        if not isinstance(value, str) or value not in allowed:
            raise self.wrong(key, f"must be one of {', '.join(allowed)}")
        return value

    def number(self, key: str, *, low: float, high: float, default: float | None = None) -> float:
        value = self._take(key)
        if value is _MISSING and default is not None:
            return default
        return self._number(key, value, low, high)

    def optional_number(self, key: str, default: float | None, *, low: float, high: float) -> float | None:
        value = self._take(key)
        if value is _MISSING:
            return default
        return None if value is None else self._number(key, value, low, high)

    def integer(self, key: str, *, low: int, high: int, default: int | None = None) -> int:
        value = self._take(key)
        if value is _MISSING and default is not None:
            return default
        return self._integer(key, value, low, high)

    def optional_integer(self, key: str, *, low: int, high: int) -> int | None:
        value = self._take(key)
        return None if value is None or value is _MISSING else self._integer(key, value, low, high)

    def _integer(self, key: str, value: object, low: int, high: int) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.wrong(key, f"must be a whole number from {low} to {high}")
        return value

    def _number(self, key: str, value: object, low: float, high: float) -> float:
        if value is _MISSING:
            raise self.wrong(key, "is missing")
        good = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not good or not math.isfinite(cast(float, value)) or not low <= cast(float, value) <= high:
            span = f"of at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
            raise self.wrong(key, f"must be a number {span}")
        return float(cast(float, value))
