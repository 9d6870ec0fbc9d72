"""How many tokens stand for an image: a budget in tiles, set as the processor's own option."""

from typing import Any

TILE_TOKENS = 256
"""Of a 448 x 448 tile of InternVL; other processors are given as many tokens."""


def set_tile_budget(processor: Any, tiles: int | None) -> bool:
    """Has the image processor cut no image into more than `tiles` tiles; False where it knows no such limit.

    InternVL's (GotOcr2ImageProcessor) has `max_patches`, and shows a thumbnail beside two tiles or more.
    Those of the Qwen-VL family have a most of pixels, `size.longest_edge`, of which
    (patch_size * merge_size)^2 are a token. None leaves the processor as it is.
    """
    images = processor.image_processor
    if tiles is None:
        return False
    if hasattr(images, "max_patches"):
        images.max_patches = tiles
        images.min_patches = min(int(getattr(images, "min_patches", 1)), tiles)
        return True
    size = dict(getattr(images, "size", None) or {})
    if {"shortest_edge", "longest_edge"} <= size.keys() and hasattr(images, "merge_size"):
        most = tiles * TILE_TOKENS * (int(images.patch_size) * int(images.merge_size)) ** 2
        size["longest_edge"] = min(int(size["longest_edge"]), most)
        size["shortest_edge"] = min(int(size["shortest_edge"]), size["longest_edge"])
        images.size = size
        return True
    return False
