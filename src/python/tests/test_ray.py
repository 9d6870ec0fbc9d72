"""What a run on a cluster has still to do, and what a worker says; without a cluster.

Arrow comes with Ray, which is an extra: LEAF_RAY_SITE names the packages of its environment.
"""

import hashlib
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

# Last, so that it adds what is missing and replaces nothing.
sys.path.extend(filter(None, [os.environ.get("LEAF_RAY_SITE")]))
pa = pytest.importorskip("pyarrow", reason="Arrow comes with Ray: `leaf env --extra ray`, then LEAF_RAY_SITE")

from leaf.errors import TrainerError  # noqa: E402
from leaf.ray.child import ChildEnded, Conversation, LineChild  # noqa: E402
from leaf.ray.images import ROW, is_url, open_url, read_bytes  # noqa: E402
from leaf.ray.parts import Folder, Known, Writer, score_schema, unknown  # noqa: E402

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
        todo = unknown(pa.Table.from_pylist(found, ROW), written)
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
