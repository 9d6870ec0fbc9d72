import gc
import os
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import settings

import leaf  # noqa: F401  # no library reports home

sys.path.insert(0, str(Path(__file__).parent))

# As in leaf/__main__.py.
gc.set_threshold(50_000)

# A busy machine is no failure.
settings.register_profile("leaf", deadline=None)
settings.load_profile("leaf")


@pytest.fixture(autouse=True, scope="session")
def kept_graphs(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Each architecture is traced once for all tests, as once for all trainings of a user."""
    os.environ.setdefault("LEAF_GRAPHS", str(tmp_path_factory.mktemp("graphs")))


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
