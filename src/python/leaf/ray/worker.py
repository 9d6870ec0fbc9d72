"""What runs on the nodes: an actor that asks a `leaf score -` of its own, a batch at a time."""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import ray

from leaf.contract.cluster import ScoreJob
from leaf.ray.child import ChildEnded, LineChild
from leaf.ray.images import is_url, read_bytes, reason_of
from leaf.ray.parts import FAILED, Known, score_schema

STUDENT = ("student.json", "student.onnx")


def read_student(folder: str) -> dict[str, bytes]:
    """It goes to the nodes with the job: they need not have its folder."""
    return {name: (Path(folder) / name).read_bytes() for name in STUDENT}


class Scorer:
    """Ray Data makes one a worker, and another where a node is lost."""

    def __init__(self, job: ScoreJob, student: Any, known: Any) -> None:
        self._job = job
        self._student: dict[str, bytes] = _got(student)
        self._known: Known = _got(known)
        names = score_schema(job.targets)
        self._out = pa.schema([*names, FAILED.field("reason"), pa.field("known", pa.bool_())])
        self._targets = job.targets
        self._child = self._opened()

    def _opened(self) -> LineChild:
        """The child has its student in memory once it answers: a worker that is killed leaves no files."""
        with tempfile.TemporaryDirectory(prefix="leaf-worker-") as folder:
            for name, data in self._student.items():
                (Path(folder) / name).write_bytes(data)
            threads = str(self._job.cpus)
            child = LineChild([*self._job.leaf, "score", "-", "--student", folder, "--threads", threads])
            try:
                # A line that names nothing: whether it starts at all is told before the first image.
                child.ask(['""'])
            except ChildEnded as ended:
                raise RuntimeError(f"`leaf score -` does not start on this node: {ended}") from ended
            return child

    def __call__(self, table: pa.Table) -> pa.Table:
        rows = [_Row(one) for one in table.to_pylist()]
        for row in rows:
            self._look_at(row)
        asked = [row for row in rows if not row.said]
        for row, answer in zip(asked, self._answers([row.question for row in asked]), strict=True):
            row.said = self._said(answer)
            if row.temporary:
                shutil.rmtree(row.temporary, ignore_errors=True)
        return pa.Table.from_pylist([row.told() for row in rows], self._out)

    def _look_at(self, row: "_Row") -> None:
        """Reads it for its hash, by which it may be known."""
        try:
            data = row.bytes if row.bytes is not None else read_bytes(row.image)
        except Exception as error:  # Of whatever reads this URL: the others have to be scored all the same.
            row.said = {"reason": f"Cannot read {Path(row.image).name}: {reason_of(error)}."}
            return
        row.hash = hashlib.sha256(data).hexdigest()[:32]
        if self._known.has(row.image, row.hash):
            row.said = {"known": True}
            return
        before = self._known.row(row.hash)
        if before:
            row.said = {
                name: before[name] for name in before if name not in ("image", "hash", "size", "modified")
            }
            return
        file = row.image
        if row.bytes is not None or is_url(row.image):
            row.temporary = tempfile.mkdtemp(prefix="leaf-image-")
            file = str(Path(row.temporary) / (Path(row.image).name[-100:] or "image"))
            Path(file).write_bytes(data)
        row.question = json.dumps({"image": file, "hash": row.hash})

    def _answers(self, lines: list[str]) -> list[str]:
        """If it ends, what is left is asked one by one: the line that ends it again has failed."""
        try:
            return self._child.ask(lines)
        except ChildEnded as ended:
            answers = ended.answers
        self._child = self._opened()
        for line in lines[len(answers) :]:
            try:
                answers += self._child.ask([line])
            except ChildEnded as ended:
                answers.append(
                    json.dumps({"reason": f"The process that scores ended at this image: {ended}."})
                )
        return answers

    def _said(self, answer: str) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(answer)
        if "reason" in said:
            return {"reason": said["reason"]}
        row = {name: said.get(name) for name in ("score", "sd", "distance", "far", "note")}
        for target in self._targets:
            for name in ("score", "sd"):
                row[f"{name}_{target}"] = said["targets"][target].get(name)
        return row


class _Row:
    def __init__(self, row: dict[str, Any]) -> None:
        self.image: str = row["image"]
        self.size: int | None = row["size"]
        self.modified: int | None = row["modified"]
        self.bytes: bytes | None = row["bytes"]
        self.hash: str | None = None
        self.question = ""
        self.temporary: str | None = None
        self.said: dict[str, Any] = {}

    def told(self) -> dict[str, Any]:
        place = {"image": self.image, "hash": self.hash, "size": self.size, "modified": self.modified}
        return {"known": False, **self.said, **place}


def _got(value: Any) -> Any:
    return ray.get(value) if isinstance(value, ray.ObjectRef) else value
