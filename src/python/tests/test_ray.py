"""What a run on a cluster has still to do, and what a worker says; without a cluster.

Arrow comes with Ray, which is an extra: LEAF_RAY_SITE names the packages of its environment.
"""

import hashlib
import os
import pickle
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

# Last, so that it adds what is missing and replaces nothing.
sys.path.extend(filter(None, [os.environ.get("LEAF_RAY_SITE")]))
pa = pytest.importorskip("pyarrow", reason="Arrow comes with Ray: `leaf env --extra ray`, then LEAF_RAY_SITE")

from leaf.contract.cluster import ImageSource, ScoreJob  # noqa: E402
from leaf.errors import TrainerError  # noqa: E402
from leaf.ray.child import ChildEnded, Conversation, LineChild  # noqa: E402
from leaf.ray.images import (  # noqa: E402
    ROW,
    is_url,
    open_url,
    pieces,
    read_bytes,
    read_piece,
    reason_of,
    rows,
)
from leaf.ray.parts import Folder, Known, Seen, Writer, score_schema  # noqa: E402
from leaf.ray.pool import Pool  # noqa: E402

SCHEMA = score_schema(["noise"])
names = st.sampled_from(["a", "b", "c/d", "é"])
contents = st.integers(0, 3)


def row(image: str, content: int, modified: int) -> dict[str, Any]:
    digest = hashlib.sha256(bytes([content])).hexdigest()[:32]
    return {"image": image, "hash": digest, "score": float(content), "size": content, "modified": modified}


@given(st.lists(st.tuples(st.booleans(), names, contents), max_size=12), st.data())
def test_runs_that_are_cut_off_write_each_image_and_content_once(
    steps: list[tuple[bool, str, int]], data: st.DataObject
) -> None:
    """A disk on which files change; runs see it, and each may lose the end of what it did."""
    disk: dict[str, tuple[int, int]] = {}
    written = SCHEMA.empty_table()
    for now, (change, image, content) in enumerate(steps):
        if change or not disk:
            disk[image] = (content, now)
            continue
        found = [{"image": name, "size": size, "modified": at} for name, (size, at) in disk.items()]
        todo = Seen(written).unknown(pa.Table.from_pylist(found, ROW))
        known = Known(written)
        rows = [row(one["image"], one["size"], one["modified"]) for one in todo.to_pylist()]
        new = [one for one in rows if not known.has(one["image"], one["hash"])]
        for one in new:
            before = known.row(one["hash"])
            assert before is None or before["score"] == one["score"]
        kept = data.draw(st.integers(0, len(new)))
        written = pa.concat_tables([written, pa.Table.from_pylist(new[:kept], SCHEMA)])
        # What is left out is in the table already, as it is now.
        there = {(one["image"], one["hash"]) for one in written.to_pylist()}
        if kept == len(new):
            assert {(name, row(name, size, at)["hash"]) for name, (size, at) in disk.items()} <= there
        assert len(there) == written.num_rows


def test_files_are_whole_and_a_rest_of_a_crash_is_passed_over(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path / "out"), SCHEMA)
    assert folder.read().num_rows == 0
    folder.make()
    writer = Writer(folder, SCHEMA)
    writer.add(pa.Table.from_pylist([row("a", 1, 5)], SCHEMA))
    writer.flush()
    writer.flush()
    (tmp_path / "out" / "part-9.parquet.tmp").write_bytes(b"PAR1")
    assert [one["image"] for one in Folder(str(tmp_path / "out"), SCHEMA).read().to_pylist()] == ["a"]
    assert len(list((tmp_path / "out").glob("*.parquet"))) == 1


def test_a_url_is_read_by_arrow_or_fsspec(tmp_path: Path) -> None:
    (tmp_path / "a b.png").write_bytes(b"12")
    assert read_bytes(f"file://{tmp_path}/a b.png") == b"12"
    fsspec = pytest.importorskip("fsspec")
    with fsspec.open("memory://leaf/a.png", "wb") as file:
        file.write(b"345")
    assert read_bytes("memory://leaf/a.png") == b"345"
    assert not is_url(r"C:\images") and not is_url("/images") and is_url("s3://bucket/images")
    with pytest.raises(TrainerError, match="Nothing here can read"):
        open_url("nobody://has/this")


def job_of(*sources: tuple[str, str]) -> ScoreJob:
    """`table` or `url`, and where."""
    return ScoreJob(
        v=1,
        address=None,
        workers=1,
        cpus=1,
        leaf=["leaf"],
        out="out",
        student="student",
        fingerprint="f",
        targets=[],
        sources=[ImageSource(kind=kind, at=at) for kind, at in sources],  # type: ignore[arg-type]
        endings=["png"],
    )


@given(st.lists(st.text(" #?%&=+:é2a", min_size=1, max_size=6), min_size=1, max_size=4, unique=True))
def test_every_image_below_a_url_is_read_by_its_name(stems: list[str]) -> None:
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    disk = {f"x/{stem}.png": f"{at}".encode() for at, stem in enumerate(stems)}
    for name, data in disk.items():
        memory.pipe(f"/bucket/{name}", data)
    memory.pipe("/bucket/x/readme.txt", b"")
    (table,) = rows(job_of(("url", "memory://bucket/x/")))
    found = table["image"].to_pylist()
    assert sorted(found) == sorted(f"memory://bucket/{name}" for name in disk)
    assert {image: read_bytes(image) for image in found} == {
        f"memory://bucket/{name}": data for name, data in disk.items()
    }


SECRET = "not-of-anybody-0123456789"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """An S3 server on loopback: to `leaf-key` every object is its own path. What it was asked."""
    asked: list[str] = []

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            allowed = "Credential=leaf-key/" in self.headers.get("Authorization", "")
            body = unquote(self.path).encode()
            if not allowed:
                body = (
                    b"<Error><Code>SignatureDoesNotMatch</Code><Message>It does not match.</Message></Error>"
                )
            self.send_response(200 if allowed else 403)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Server)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "leaf-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    yield asked
    server.shutdown()
    server.server_close()


def test_s3_is_reached_by_the_usual_variables_and_one_client_a_bucket(bucket: list[str]) -> None:
    image = "s3://renders-1/a b#1.png"
    assert read_bytes(image) == b"/renders-1/a b#1.png"
    system, _ = open_url(image)
    assert open_url("s3://renders-1/other/c.png")[0] is system
    # Ray sends it to the nodes, and may write it down.
    assert SECRET.encode() not in pickle.dumps(system)
    assert len(bucket) <= 2


def test_a_key_that_is_refused_is_one_sentence_without_the_key(
    bucket: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another")
    with pytest.raises(TrainerError) as refused:
        list(rows(job_of(("url", "s3://renders-2/in"))))
    message = "LEAF cannot read s3://renders-2/in (SIGNATURE_DOES_NOT_MATCH: It does not match)."
    assert refused.value.message == message
    assert "AWS_ACCESS_KEY_ID" in (refused.value.remedy or "")
    with pytest.raises(TrainerError, match="cannot read s3://renders-2/out"):
        Folder("s3://renders-2/out", SCHEMA).read()


def test_a_reason_is_short() -> None:
    aws = "When listing objects in bucket 'b': AWS Error NO_SUCH_BUCKET during ListObjectsV2 operation: "
    assert reason_of(OSError(f"{aws}It is not there. (Request ID: 4)")) == "NO_SUCH_BUCKET: It is not there"
    assert reason_of(OSError(aws)) == "NO_SUCH_BUCKET"
    assert reason_of(FileNotFoundError(2, "No such file or directory")) == "No such file or directory"
    assert reason_of(ValueError()) == "ValueError"


def test_of_a_table_with_bytes_only_names_stay_with_whoever_counts(tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    (tmp_path / "beside.png").write_bytes(b"beside")
    size, count = 50_000, 90
    data = [bytes([at]) * size for at in range(count)]
    images = [{"image": f"{at}.png", "bytes": one} for at, one in enumerate(data)]
    images.append({"image": "beside.png", "bytes": None})
    table = tmp_path / "images.parquet"
    pq.write_table(pa.Table.from_pylist(images), table, row_group_size=40)
    job = job_of(("table", str(table)))

    assert list(rows(job)) == []
    before = pa.total_allocated_bytes()
    held = list(pieces(job))
    assert pa.total_allocated_bytes() - before < size
    assert [piece.rows.num_rows for piece in held] == [40, 40, 11]
    found = []
    for piece in held:
        for some in read_piece(**piece.address()):
            assert some.num_rows <= 16
            found += some.to_pylist()
    assert [row["bytes"] for row in found] == [*data, None]
    assert found[-1]["image"] == str(tmp_path / "beside.png") and read_bytes(found[-1]["image"]) == b"beside"

    # What a run writes of it is known by the table's size and time, without reading it again.
    written = [{**row("", 0, 0), **one} for piece in held[:2] for one in piece.rows.to_pylist()]
    seen = Seen(pa.Table.from_pylist(written, SCHEMA))
    assert [seen.unknown(piece.rows).num_rows for piece in held] == [0, 0, 11]
    os.utime(table, ns=(1, 1))
    assert [seen.unknown(piece.rows).num_rows for piece in pieces(job)] == [40, 40, 11]


ECHO = """import sys
for line in sys.stdin:
    if "end" in line:
        sys.exit("told to")
    print(line.strip(), flush=True)"""


def test_a_child_that_ends_is_started_again_and_its_answers_are_kept() -> None:
    child = LineChild([sys.executable, "-c", ECHO])
    assert child.ask(["a"] * 3) == ["a\n"] * 3
    with pytest.raises(ChildEnded) as ended:
        child.ask(["a", "end", "c"])
    assert ended.value.answers == ["a\n"]
    long = ["x" * 5000] * 200  # More than the pipes hold.
    assert child.ask(long) == [f"{line}\n" for line in long]
    child.close()


def test_a_conversation_ends_with_its_child() -> None:
    echo = Conversation([sys.executable, "-c", ECHO])
    assert echo.ask("hello") == "hello"
    with pytest.raises(RuntimeError, match="has ended"):
        echo.ask("end")
    time.sleep(0.1)
    with pytest.raises(RuntimeError, match="has ended"):
        echo.ask("more")


class Lost(Exception):
    pass


class Fake:
    """A worker whose answers come when the test says so; once it is lost, all that it has fails."""

    def __init__(self) -> None:
        self.hello: Future[str] | None = None
        self.asked: dict[Future[str], str] = {}

    def ask(self, line: str) -> "Future[str]":
        answer: Future[str] = Future()
        if line:
            self.asked[answer] = line
        else:
            self.hello = answer
        return answer

    def lose(self) -> None:
        asked, self.asked = list(self.asked), {}
        for answer in asked:
            answer.set_exception(Lost())


def settled(pool: Pool) -> None:
    """All that is waiting to be decided is decided."""
    pool.end()
    pool.run()


@given(st.lists(st.integers(0, 4), max_size=40), st.randoms(use_true_random=False))
def test_every_question_is_answered_once_whoever_is_lost(steps: list[int], random: Random) -> None:
    hired: list[Fake] = []
    told: list[tuple[int, str]] = []

    def hire() -> Fake:
        hired.append(Fake())
        return hired[-1]

    pool = Pool(hire, lambda error: isinstance(error, Lost), lambda *one: told.append(one), most=2)
    pool.start(2, 0)
    settled(pool)
    asked = 0

    def greet() -> None:
        new = [one for one in hired if one.hello and not one.hello.done()]
        if new:
            hello = random.choice(new).hello
            assert hello
            hello.set_result("hello")

    def answer() -> None:
        busy = [(one, future) for one in hired for future in one.asked]
        if busy:
            worker, future = random.choice(busy)
            future.set_result(worker.asked.pop(future).upper())

    for step in steps:
        if step == 0:
            greet()
        elif step == 1:
            asked += 1
            pool.ask(asked, f"q{asked}")
        elif step == 2:
            random.choice(hired).lose()
        else:
            answer()
        settled(pool)
        assert all(len(one.asked) <= 2 for one in hired)
    for _ in range(3 * len(steps) + 3):
        greet()
        answer()
        settled(pool)
    assert told.count((0, "hello")) == 1
    assert sorted(told)[1:] == sorted((at, f"Q{at}") for at in range(1, asked + 1))


def test_a_worker_that_cannot_start_is_told() -> None:
    worker = Fake()
    pool = Pool(lambda: worker, lambda error: isinstance(error, Lost), lambda *_: None, most=1)
    pool.start(1, 0)
    settled(pool)
    assert worker.hello
    worker.hello.set_exception(Lost("no memory"))
    with pytest.raises(Lost, match="no memory"):
        pool.run()
