"""JSON of the contract, read strictly: an unknown key or a wrong value is one sentence naming the key."""

import json
import math
import re
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from leaf.errors import TrainerError


def wrong(subject: str, key: str, reason: str) -> TrainerError:
    return TrainerError("input", f"{subject}: {key or 'it'} {reason}.")


def decode(text: str | bytes, subject: str) -> object:
    """Raises TrainerError("input") where it is no JSON."""
    try:
        return json.loads(text, parse_float=_finite, parse_constant=_finite)
    except ValueError as error:
        raise TrainerError("input", f"{subject}: not valid JSON ({error}).") from error
    except RecursionError as error:
        raise TrainerError("input", f"{subject}: nested too deeply.") from error


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no number")
    return value


def read(value: object, kind: Any, subject: str) -> Any:
    """Decoded JSON as a type of the contract. Raises TrainerError("input")."""
    try:
        return msgspec.convert(value, kind)
    except UnicodeError as error:
        raise wrong(subject, "", "holds half a character") from error
    except msgspec.ValidationError as error:
        # msgspec tells the place in words alone.
        named = _NAMED.fullmatch(str(error))
        if named:
            verb, key, at = named.groups()
            reason = "is not a known key" if verb == "contains unknown" else "is missing"
            raise wrong(subject, ".".join([*_steps(at or ""), key]), reason) from error
        steps = _steps(str(error).rpartition(" - at `$")[2]) if " - at `$" in str(error) else []
        raise wrong(subject, ".".join(steps), _reason(_type_info(kind), value, steps)) from error


_NAMED = re.compile(r"Object (contains unknown|missing required) field `(.*?)`(?: - at `\$(.*)`)?", re.DOTALL)


def _steps(place: str) -> list[str]:
    """The keys and numbers of `.prompts.point[0].image`."""
    return re.findall(r"\w+", place)


_type_info = cache(inspect.type_info)


def _reason(info: inspect.Type, value: Any, steps: list[str]) -> str:
    """What the part of a type must be at which a value is wrong."""
    for step in steps:
        while isinstance(info, inspect.Metadata):
            info = info.type
        if isinstance(info, inspect.UnionType):
            members = [one for one in info.types if not isinstance(one, inspect.NoneType)]
            structs = [one for one in members if isinstance(one, inspect.StructType) and one.tag_field]
            if any(one.tag_field == step for one in structs):
                return f"must be one of {', '.join(str(one.tag) for one in structs)}"
            info = next((one for one in structs if one.tag == value[one.tag_field]), members[0])
        if isinstance(info, inspect.StructType):
            info = next(field.type for field in info.fields if field.encode_name == step)
            value = value[step]
        elif isinstance(info, inspect.TupleType):
            info, value = info.item_types[int(step)], value[int(step)]
        elif isinstance(info, inspect.ListType):
            info, value = info.item_type, value[int(step)]
    if isinstance(info, inspect.Metadata) and info.extra and "must" in info.extra:
        return str(info.extra["must"])
    return f"must be {_words(info)}"


def _words(info: inspect.Type) -> str:
    match info:
        case inspect.Metadata(type=inner):
            return _words(inner)
        case inspect.UnionType(types=members):
            return " or ".join(dict.fromkeys(map(_words, members)))
        case inspect.LiteralType(values=values):
            words = [str(value) for value in values]
            return (
                " or ".join(words)
                if all(isinstance(x, int) for x in values)
                else f"one of {', '.join(words)}"
            )
        case inspect.IntType(ge=low, le=high):
            return f"a whole number from {low} to {high}"
        case inspect.FloatType(ge=low, le=high):
            if low is None or high is None:
                return "a number" if low is None else f"a number of at least {low:g}"
            return f"a number from {low:g} to {high:g}"
        case inspect.BoolType():
            return "true or false"
        case inspect.StrType(pattern=pattern):
            return "a text" if pattern is None else "a non-empty text"
        case inspect.NoneType():
            return "null"
        case inspect.TupleType(item_types=items):
            return f"a list of {len(items)}"
        case inspect.ListType(min_length=low, max_length=high):
            return "a list" if low is None else f"a list of {low}{'' if low == high else ' or more'}"
        case _:
            return "an object"
