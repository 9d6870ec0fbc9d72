"""What the engine and torchrun say of this process in its environment."""

import os


def is_main() -> bool:
    """Whether this is the one process that tells and writes.

    Over nodes torchrun may give rank 0 to any of them, but the engine listens on its own: `LEAF_NODE` is
    "main" there and "joined" elsewhere.
    """
    node = os.environ.get("LEAF_NODE")
    if node is None:
        return os.environ.get("RANK", "0") == "0"
    return node == "main" and os.environ.get("LOCAL_RANK", "0") == "0"
