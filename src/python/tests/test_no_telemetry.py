import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import leaf

LIST = json.loads((Path(leaf.__file__).parent / "no_telemetry.json").read_text())
SWITCHES = {name: value for library in LIST for name, value in library["variables"].items()}


def test_importing_leaf_overrules_who_asked_for_reports() -> None:
    """Every name of the package comes after it: `python -m leaf`, the teacher, and a script of one's own."""
    opted_in = {name: "yes" if value in ("0", "false", "False") else "0" for name, value in SWITCHES.items()}
    source = "import leaf.errors, json, os; print(json.dumps(dict(os.environ)))"
    found = subprocess.run(
        [sys.executable, "-c", source],
        env={**os.environ, **opted_in, "PYTHONPATH": str(Path(leaf.__file__).parents[1])},
        capture_output=True,
        check=True,
    )
    assert SWITCHES.items() <= json.loads(found.stdout).items()


def test_the_hub_took_its_switches() -> None:
    from huggingface_hub import constants

    assert constants.HF_HUB_DISABLE_TELEMETRY
    assert constants.HF_HUB_DISABLE_UPDATE_CHECK


@pytest.mark.parametrize(
    ("package", "switch"),
    [
        ("onnxruntime", "ORT_DISABLE_TELEMETRY"),
        ("hf_xet", "HF_XET_TELEMETRY_ENABLED"),
        ("transformers", "DISABLE_SAFETENSORS_CONVERSION"),
    ],
)
def test_the_pinned_release_reads_its_switch(package: str, switch: str) -> None:
    """A release that renames its switch is seen when the pin moves."""
    folder = Path(str(importlib.import_module(package).__file__)).parent
    files = [*folder.rglob("*.so"), *folder.rglob("*.pyd"), *folder.glob("*.py")]
    assert SWITCHES[switch]
    assert any(switch.encode() in file.read_bytes() for file in files)
