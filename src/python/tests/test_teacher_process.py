"""The teacher as a child process: its lines, its images on demand, its failures."""

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from contracts import checked
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import load_file, save_file
from test_teacher_judge import pictures
from tiny_vlm import make
from world import environment

from leaf.contract.teacher import Open
from leaf.errors import TrainerError
from leaf.teacher.answers import all_paths, find_answers, needed_tokens, probabilities
from leaf.teacher.cache import Recent
from leaf.teacher.question import Question
from leaf.teacher.request import Ask, parse

QUESTION = [{"type": "image", "image": 0}, {"type": "text", "text": "Rate it."}]
OPEN: dict[str, Any] = {
    "v": 1,
    "type": "open",
    "local": True,
    "revision": None,
    "device": "auto",
    "dtype": "auto",
    "quantize": "none",
    "attention": "auto",
    "batch": 4,
    "featureMemory": 64,
    "prompts": {
        "point": QUESTION,
        "pair": [*QUESTION, {"type": "image", "image": 1}],
        "reason": QUESTION,
        "words": ["excellent", "good", "fair", "poor", "bad"],
        "letters": ["A", "B"],
        "tie": None,
        "prefill": None,
    },
}


class Child:
    def __init__(self, **env: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "leaf.teacher"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**environment(), "HF_HUB_OFFLINE": "1", **env},
        )
        self.errors: list[str] = []
        threading.Thread(target=lambda: self.errors.extend(self.process.stderr or ()), daemon=True).start()

    def say(self, **message: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"v": 1, **message}) + "\n")
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "".join(self.errors)
        heard = checked(line, "teacher", "TeacherMessage")
        assert heard.pop("v") == 1
        return heard

    def show(self, name: str, image: Image.Image) -> None:
        pixels = base64.b64encode(image.tobytes()).decode()
        self.say(type="image", image=name, width=image.width, height=image.height, pixels=pixels)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    make("internvl", folder)
    return folder


@pytest.fixture
def child() -> Iterator[Child]:
    child = Child()
    yield child
    child.process.kill()
    child.process.wait()


def test_it_asks_for_each_image_once_and_answers_in_order(folder: Path, child: Child) -> None:
    child.say(**{**OPEN, "model": str(folder)})
    hello = child.hear()
    assert hello["type"] == "hello" and hello["features"] == "reused"
    assert hello["model"] == folder.name
    a, b, c, *_ = pictures()
    # Both are sent ahead; b is under way for the first when the second wants it too.
    child.say(type="points", id=1, images=["a", "b", "a"])
    assert child.hear() == {"type": "need", "id": 1, "images": ["a", "b"]}
    child.say(type="pairs", id=2, pairs=[["b", "c"], ["a", "gone"]], orders="both")
    assert child.hear() == {"type": "need", "id": 2, "images": ["c", "gone"]}
    child.show("c", c)
    child.say(type="unreadable", image="gone", reason="gone.png: it is gone")
    child.show("b", b)
    child.show("a", a)
    points = child.hear()
    assert points["id"] == 1 and [answer["ok"] for answer in points["answers"]] == [True, True, True]
    assert points["answers"][0]["masses"] == pytest.approx(points["answers"][2]["masses"], abs=1e-6)
    pairs = child.hear()
    assert pairs["id"] == 2
    assert pairs["answers"][0]["ok"] and len(pairs["answers"][0]["ba"]) == 2
    assert pairs["answers"][1] == {"ok": False, "reason": "gone.png: it is gone"}
    child.say(type="points", id=3, images=["c", "b"])
    assert child.hear()["type"] == "answer"
    child.process.stdin.close()  # type: ignore[union-attr]
    assert child.process.wait(timeout=30) == 130


def test_with_too_little_memory_it_asks_again(folder: Path, child: Child) -> None:
    child.say(**{**OPEN, "model": str(folder), "featureMemory": 0})
    child.hear()
    image = pictures()[0]
    answers = []
    for id in (1, 2):
        child.say(type="points", id=id, images=["a"])
        assert child.hear() == {"type": "need", "id": id, "images": ["a"]}
        child.show("a", image)
        answers.append(child.hear()["answers"])
    assert answers[0] == answers[1]


def test_a_model_that_gives_no_numbers_refuses_each_question_alone(tmp_path: Path, child: Child) -> None:
    make("internvl", tmp_path)
    file = tmp_path / "model.safetensors"
    weights = load_file(file)
    [head] = [name for name in weights if name.endswith("lm_head.weight")]
    weights[head][:] = float("nan")
    save_file(weights, file, {"format": "pt"})
    child.say(**{**OPEN, "model": str(tmp_path)})
    assert child.hear()["type"] == "hello"
    a, b, *_ = pictures()
    refused = {"ok": False, "reason": "the model gave no number"}
    child.say(type="points", id=1, images=["a", "b"])
    child.hear()
    child.show("a", a)
    child.show("b", b)
    assert child.hear() == {"type": "answer", "id": 1, "answers": [refused, refused]}
    child.say(type="pairs", id=2, pairs=[["a", "b"]], orders="both")
    assert child.hear() == {"type": "answer", "id": 2, "answers": [refused]}
    child.say(type="inspect", id=3, images=["a"])
    assert child.hear() == {"type": "answer", "id": 3, "answers": [refused]}


@pytest.mark.parametrize(
    ("changes", "says", "remedy"),
    [
        ({"device": "cuda"}, "PyTorch sees no CUDA GPU here.", "device: auto"),
        ({"quantize": "4bit"}, "`quantize: 4bit` needs", "quantize: none"),
        ({"attention": "flash"}, "Flash attention cannot be used", "attention: auto"),
        ({"model": "org/none", "local": False}, "model org/none", "teacher.model"),
        ({"model": "empty"}, "The folder empty cannot be loaded", "complete"),
        ({"prompts": {**OPEN["prompts"], "letters": ["A"]}}, "prompts.letters must be a list of 2", None),
    ],
)
def test_it_says_why_it_cannot_open(
    folder: Path, child: Child, changes: dict[str, Any], says: str, remedy: str | None, tmp_path: Path
) -> None:
    model = str(folder)
    if changes.get("model") == "empty":
        (tmp_path / "empty").mkdir()
        changes, model = {}, str(tmp_path / "empty")
    child.say(**{**OPEN, "model": model, **changes})
    heard = child.hear()
    assert heard["type"] == "error" and heard["id"] is None
    assert says in heard["message"] and str(tmp_path) not in heard["message"]
    assert heard["remedy"] is None if remedy is None else remedy in heard["remedy"]
    assert child.process.wait(timeout=30) == 1


def test_it_names_the_packages_that_are_missing(tmp_path: Path) -> None:
    (tmp_path / "transformers.py").write_text("raise ImportError('broken')")
    child = Child(PYTHONPATH=os.pathsep.join([str(tmp_path), environment()["PYTHONPATH"]]))
    child.say(**{**OPEN, "model": "org/any"})
    heard = child.hear()
    assert heard["code"] == "environment" and "lacks transformers." in heard["message"]
    assert "leaf env" in heard["remedy"]
    assert child.process.wait(timeout=30) == 1


def test_a_refusal_of_the_hub_becomes_a_remedy() -> None:
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    from leaf.teacher.load_errors import explain

    request = parse(json.dumps({**OPEN, "model": "org/secret", "local": False}).encode())
    assert isinstance(request, Open)
    for kind, says in ((GatedRepoError, "accepted its terms"), (RepositoryNotFoundError, "private")):
        error = OSError("transformers wraps it")
        error.__cause__ = kind.__new__(kind, "403 at https://example.org")
        told = explain(error, request)
        assert told.code == "environment" and says in told.message and "org/secret" in told.message
        assert "HF_TOKEN" in str(told.remedy) and "example.org" not in told.message


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_line_is_a_request_or_one_sentence(line: bytes) -> None:
    with pytest.raises(TrainerError) as caught:
        parse(line)
    assert caught.value.code == "input" and caught.value.message.endswith(".")


@pytest.mark.parametrize("number", ["Infinity", "-Infinity", "NaN", "1e999"])
def test_a_number_that_json_does_not_have_is_refused(number: str) -> None:
    with pytest.raises(TrainerError, match=f"not valid JSON .{number} is no number"):
        parse(f'{{"v": 1, "type": "points", "id": 1, "images": ["a"], "x": {number}}}'.encode())


@given(st.sampled_from([*OPEN, "model"]), json_values)
def test_a_changed_value_never_passes_as_another(key: str, value: object) -> None:
    message = {**OPEN, "model": "org/model", key: value}
    try:
        request = parse(json.dumps(message).encode())
    except TrainerError as error:
        assert error.code == "input"
    else:
        assert isinstance(request, Open)


@given(st.sampled_from(["points", "pairs"]), st.text(min_size=1, max_size=6), json_values)
def test_an_unknown_key_is_named(kind: str, key: str, value: object) -> None:
    asked: dict[str, Any] = (
        {"images": ["a"]} if kind == "points" else {"pairs": [["a", "b"]], "orders": "one"}
    )
    message = {"v": 1, "type": kind, "id": 5, **asked}
    assert isinstance(parse(json.dumps(message).encode()), Ask)
    if key not in message:
        with pytest.raises(TrainerError, match="not a known key"):
            parse(json.dumps({**message, key: value}).encode())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"type": "close"},
            "type must be one of "
            "open, openContrastive, measure, points, pairs, explain, inspect, image, unreadable.",
        ),
        ({"id": -1}, "id must be a whole number from 0 to 9007199254740991."),
        ({"orders": "all"}, "orders must be one of both, one."),
        ({"pairs": []}, "pairs must be a list of 1 or more."),
        ({"pairs": [["a", "b"], ["a"]]}, "pairs.1 must be a list of 2."),
        ({"pairs": [["a", ""]]}, "pairs.0.1 must be a non-empty text."),
        ({"v": None}, "v must be 1."),
    ],
)
def test_a_wrong_value_is_named_by_its_place(change: dict[str, Any], words: str) -> None:
    asked = {"v": 1, "type": "pairs", "id": 5, "pairs": [["a", "b"]], "orders": "one", **change}
    with pytest.raises(TrainerError) as caught:
        parse(json.dumps(asked).encode())
    assert caught.value.message == f"Message to the teacher: {words}"


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([{"type": "text", "text": "Why?"}], "prompts.reason must show one image."),
        ([*QUESTION, *QUESTION], "prompts.reason must show one image."),
        ([{"type": "image", "image": 2}], "prompts.reason.0.image must be 0 or 1."),
        ([*QUESTION, {"type": "text", "text": ""}], "prompts.reason.2.text must be a non-empty text."),
        ([{"type": "sound"}], "prompts.reason.0.type must be one of image, text."),
        (["Why?"], "prompts.reason.0 must be an object."),
        ([{"type": "text", "words": "Why?"}], "prompts.reason.0.words is not a known key."),
    ],
)
def test_a_question_is_read_to_its_parts(parts: list[Any], words: str) -> None:
    prompts = {**OPEN["prompts"], "reason": parts}
    with pytest.raises(TrainerError) as caught:
        parse(json.dumps({**OPEN, "model": "org/model", "prompts": prompts}).encode())
    assert caught.value.message == f"Message to the teacher: {words}"


class OneLetterATime:
    """A tokenizer of single characters."""

    def __call__(self, text: str, add_special_tokens: bool) -> Any:
        class Encoded:
            input_ids = tuple(map(ord, text))

        return Encoded


@given(st.lists(st.text("abcd", min_size=1, max_size=4), min_size=2, max_size=5, unique=True))
def test_every_whole_answer_counts_once_for_its_own_name(names: list[str]) -> None:
    """For a model that says one of the answers in full, letter by letter, and stops."""
    answers = find_answers(OneLetterATime(), Question("", ((), ()), False, None), names)
    needed = needed_tokens(answers)
    for said in names:
        path = tuple(map(ord, said))

        def probability(before: tuple[int, ...], token: int, path: tuple[int, ...] = path) -> float:
            assert token in needed[before]
            return float(path[: len(before)] == before and path[len(before) : len(before) + 1] == (token,))

        expected = [float(name == said) for name in names]
        assert probabilities(answers, probability) == expected
    assert all(all_paths(answers)[i] or all_paths(answers)[len(names) + i] for i in range(len(names)))


@given(
    st.integers(0, 40),
    st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 20) | st.none()), max_size=60),
)
def test_the_memory_forgets_the_least_recent_first(budget: int, steps: list[tuple[str, int | None]]) -> None:
    class Sized:
        def __init__(self, nbytes: int) -> None:
            self.nbytes = nbytes

    memory: Recent[Sized] = Recent(budget)
    order: list[tuple[str, int]] = []  # The least recent first.
    for key, size in steps:
        known = dict(order)
        if size is None:
            found = memory.get(key)
            assert (found.nbytes if found else None) == known.get(key)
            if key in known:
                order = [*((k, s) for k, s in order if k != key), (key, known[key])]
        else:
            memory.put(key, Sized(size))
            order = [(k, s) for k, s in order if k != key]
            if size <= budget:
                order.append((key, size))
                while sum(s for _, s in order) > budget:
                    order.pop(0)
        assert memory.used == sum(s for _, s in order) <= budget
        assert all((key in memory) == (key in dict(order)) for key in "abcdef")
