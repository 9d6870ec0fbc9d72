"""Which tokens count for which answer, and its probability.

An answer may begin in several ways: in small letters, with a capital, in capitals, each with or without a
leading space. The first token of each counts. Where two answers share a first token ("P" of "Poor" and
"Perfect") it is fed to the model, and the next token decides.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from leaf.errors import TrainerError
from leaf.teacher.question import Question, Tokens, tokens_of


@dataclass(frozen=True)
class Answers:
    names: tuple[str, ...]
    endings: tuple[tuple[Tokens, ...], ...]
    """For each answer the shortest beginnings that no other answer shares."""
    whole: tuple[tuple[Tokens, ...], ...]
    """For each answer the beginnings from which another goes on: they keep what the other does not take."""


def find_answers(tokenizer: Any, question: Question, names: Sequence[str]) -> Answers:
    """Raises TrainerError("input") where two answers are the same tokens."""
    before = tokens_of(tokenizer, question.rendered, question.adds_special)
    paths: list[set[Tokens]] = []
    for name in names:
        found: set[Tokens] = set()
        for form in variants(name):
            tokens = tokens_of(tokenizer, question.rendered + form, question.adds_special)
            # Where a form melts into what precedes it, the model cannot say it here.
            if len(tokens) > len(before) and tokens[: len(before)] == before:
                found.add(tuple(tokens[len(before) :]))
        paths.append(found)
    for i, path in enumerate(paths):
        if not path or any(path & other for other in paths[:i]):
            raise TrainerError(
                "input",
                f"The model's tokens do not tell the answer “{names[i]}” from the others.",
                "Choose other words under `teacher.prompts`.",
            )
    return _tree(tuple(names), paths)


def variants(name: str) -> list[str]:
    forms = dict.fromkeys((name, name.lower(), name.capitalize(), name.upper()))
    return [space + form for form in forms for space in ("", " ")]


def _tree(names: tuple[str, ...], paths: list[set[Tokens]]) -> Answers:
    owners: dict[Tokens, set[int]] = {}
    for i, found in enumerate(paths):
        for path in found:
            for length in range(1, len(path) + 1):
                owners.setdefault(path[:length], set()).add(i)
    endings: list[set[Tokens]] = [set() for _ in names]
    whole: list[set[Tokens]] = [set() for _ in names]
    for i, found in enumerate(paths):
        for path in found:
            for length in range(1, len(path) + 1):
                if len(owners[path[:length]]) == 1:
                    endings[i].add(path[:length])
                    break
            else:
                whole[i].add(path)
    return Answers(
        names=names,
        endings=tuple(tuple(sorted(some)) for some in endings),
        whole=tuple(tuple(sorted(some)) for some in whole),
    )


Probability = Callable[[Tokens, int], float]


def probabilities(answers: Answers, probability: Probability) -> list[float]:
    """Mass of each answer; `probability(before, token)`: of a token after the question and `before`."""

    def taken(path: Tokens) -> float:
        at = len(path)
        following = {e[at] for some in all_paths(answers) for e in some if len(e) > at and e[:at] == path}
        return sum(probability(path, token) for token in following)

    return [
        sum(reach(path, probability) for path in endings)
        + sum(reach(path, probability) * max(0.0, 1 - taken(path)) for path in whole)
        for endings, whole in zip(answers.endings, answers.whole, strict=True)
    ]


def reach(path: Tokens, probability: Probability) -> float:
    """Probability that the answer begins with `path`."""
    return math.prod(probability(path[:i], token) for i, token in enumerate(path))


def all_paths(answers: Answers) -> tuple[tuple[Tokens, ...], ...]:
    return (*answers.endings, *answers.whole)


def needed_tokens(answers: Answers) -> dict[Tokens, list[int]]:
    """For each beginning whose continuation matters, the tokens read there; () is the answer's start."""
    needed: dict[Tokens, set[int]] = {(): set()}
    for some in all_paths(answers):
        for path in some:
            for i, token in enumerate(path):
                needed.setdefault(path[:i], set()).add(token)
    return {path: sorted(tokens) for path, tokens in needed.items()}
