"""Checkpoints on a disk that fails."""

import os
from pathlib import Path

import pytest
import torch

from leaf.checkpoint import load, save
from leaf.errors import TrainerError


def test_a_full_disk_is_one_sentence_and_the_former_checkpoint_stays(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    save({"v": 1, "model": {"w": torch.zeros(3)}}, path)
    # /dev/full takes no byte, as a full disk.
    (tmp_path / f"last.pt.tmp-{os.getpid()}").symlink_to("/dev/full")
    with pytest.raises(
        TrainerError, match=r"Cannot write .*last\.pt: no space is left on the disk\."
    ) as raised:
        save({"v": 1, "model": {"w": torch.zeros(1_000_000)}}, path)
    assert raised.value.remedy
    assert load(path)["model"] == {"w": pytest.approx([0, 0, 0])}
    assert [one.name for one in tmp_path.iterdir()] == ["last.pt"]
