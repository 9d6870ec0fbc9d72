"""Keeps libraries from reporting home, whatever the environment says. Imported before any of them is."""

import json
import os
from pathlib import Path

for _library in json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8")):
    os.environ.update(_library["variables"])
