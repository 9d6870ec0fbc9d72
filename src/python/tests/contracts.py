"""Lines that Python wrote against the JSON Schema. As a program: {contract, name, value} in, verdicts out."""

import json
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from leaf.errors import TrainerError
from leaf.reader import decode, read

FOLDER = Path(__file__).parent.parent / "leaf" / "contract"


@cache
def validator(contract: str, name: str) -> Draft202012Validator:
    schema = json.loads((FOLDER / f"{contract}.json").read_text())
    return Draft202012Validator({**schema, "$ref": f"#/$defs/{name}"})


def checked(line: str, contract: str = "trainer", name: str = "TrainerMessage") -> dict[str, Any]:
    """A line that Python wrote, as the contract has it."""
    message: dict[str, Any] = json.loads(line)
    validator(contract, name).validate(message)
    return message


def verdict(contract: str, name: str, value: object) -> dict[str, Any]:
    """Whether Python's type takes a value, whether the JSON Schema does, and Python's words."""
    words = None
    try:
        kind = getattr(import_module(f"leaf.contract.{contract}"), name)
        read(decode(json.dumps(value), "It"), kind, "It")
    except TrainerError as error:
        words = error.message
    fits = validator(contract, name).is_valid(value)
    return {"python": words is None, "schema": fits, "words": words}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(verdict(**json.loads(line))), flush=True)
