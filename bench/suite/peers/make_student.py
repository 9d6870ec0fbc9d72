"""Exports a student of a family with its start weights, seed 0: python make_student.py atto|lite0|base FOLDER

The folder gets student.onnx, as the trainer exports it, and network.pt for PyTorch: the backbone and its head.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from leaf.export import export
from leaf.levels import layout
from leaf.students import Student, new_student

CROP, RESIZE = 224, 384
NAMES = {"atto": "atto", "lite0": "efficientnet-lite0"}


def make(family: str, folder: Path) -> Student:
    torch.manual_seed(0)
    if family in NAMES:
        return new_student(NAMES[family], CROP).eval()
    from transformers import ConvNextConfig, ConvNextModel

    config = ConvNextConfig(hidden_sizes=[128, 256, 512, 1024], depths=[3, 3, 27, 3])
    local = folder / "weights"
    ConvNextModel(config).save_pretrained(local)
    return new_student(str(local), CROP).eval()


def main(family: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    student = make(family, folder)
    torch.save(student, folder / "network.pt")
    crops = list(np.random.default_rng(0).integers(0, 256, (2, CROP, CROP, 3), dtype=np.uint8))
    difference = export(student, crops, folder / "student.onnx")
    levels = layout(student)
    card = {
        "v": 1,
        "stage": "distill",
        "model": family,
        "input": {"resize": RESIZE, "crop": CROP, "views": 1, "decode": "scaled"},
        "mosScale": None,
        "parameters": sum(p.numel() for p in student.parameters()),
        "exportMaxDifference": difference,
        "outputs": ["features", "map", "levels"],
        "domain": None,
        "levels": levels if isinstance(levels, dict) else None,
        "provenance": {
            "leaf": "0",
            "created": "2026-01-01T00:00:00.000Z",
            "stageKey": "0" * 16,
            "teacher": None,
            "images": 0,
            "torch": torch.__version__,
            "device": "cpu",
        },
    }
    (folder / "student.json").write_text(json.dumps(card))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
