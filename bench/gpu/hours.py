"""How long an 8B teacher labels known datasets: computed, not measured. Prints the table of docs/gpu.md.

Tokens are those of InternVL3.5's processor for the datasets' sizes (held by tests/test_teacher_tiles.py);
time is floating-point operations by what a card does at MFU of its dense bf16 peak.
"""

MFU = 0.45
PEAK = {"RTX 3090": 71e12, "RTX 4090": 165e12, "A100": 312e12, "H100": 989e12}
WEIGHTS, LAYERS, HIDDEN = 6.95e9, 36, 4096
"""Of Qwen3-8B, without its embeddings."""
TILE_FLOPS = 2 * 0.304e9 * 1025
"""InternViT-300M on 448 x 448 pixels: 1,025 tokens."""
POINT_TEXT, PAIR_TEXT = 100, 150
DATASETS = {
    "AGIQA-3K": (2_982, "512 x 512"),
    "KonIQ-10k": (10_073, "1024 x 768"),
    "SPAQ": (11_125, "1024 x 768"),
}
TRAINS = 0.7
PARTNERS = 8
# Tokens and tiles (the thumbnail too) of a picture, by `maxTiles`.
PICTURES = {
    12: {"512 x 512": (258, 1), "1024 x 768": (3330, 13)},
    6: {"512 x 512": (258, 1), "1024 x 768": (1794, 7)},
}


def tokens(images: int, image: int, shared: bool) -> tuple[float, float]:
    """Read in all, and in a prompt of a pair; `shared`: a first image is read once for two prompts."""
    pairs = images * TRAINS * PARTNERS / 2
    read = 3 if shared else 4
    return images * (image + POINT_TEXT) + pairs * (read * image + 2 * PAIR_TEXT), 2 * image + PAIR_TEXT


def flops(images: int, picture: tuple[int, int], shared: bool) -> float:
    image, tiles = picture
    read, prompt = tokens(images, image, shared)
    attention = 4 * LAYERS * HIDDEN * prompt / 2
    return read * (2 * WEIGHTS + attention) + images * tiles * TILE_FLOPS


def main() -> None:
    print(f"| | maxTiles | tokens | {' | '.join(PEAK)} |\n| --- | ---: | ---: |{' ---: |' * len(PEAK)}")
    for name, (images, size) in DATASETS.items():
        for tiles in (6, 12):
            read, _ = tokens(images, PICTURES[tiles][size][0], True)
            work = flops(images, PICTURES[tiles][size], True)
            hours = " | ".join(f"{work / (MFU * peak) / 3600:.1f} h" for peak in PEAK.values())
            print(f"| {name} | {tiles} | {read / 1e6:,.0f} M | {hours} |")


if __name__ == "__main__":
    main()
