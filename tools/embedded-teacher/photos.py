"""Distorted regions of the teacher's photos, with their full-reference measures: DATA/regions.npz."""

from __future__ import annotations

import argparse
import multiprocessing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from distortions import KINDS, Picture, mixture
from full_reference import measures

REGION = 192
STRENGTHS = 3
MIXTURES = 24
CLEAN = 3

# Package, photos of it that are used, and of each the author and licence by the package's copyright file.
# The packages' other pictures are drawings, or belong to the demonstration.
KDE = ("KDE Visual Design Group", "GPL-2+")
CREDITS: dict[str, dict[str, tuple[str, str]]] = {
    "lomiri-wallpapers-16.04": {
        "Dragonfly_by_Bolly": ("Bolly", "CC-BY-SA-4.0"),
        "Picture_0B_by_freespace": ('Trevor "Freespace"', "CC-BY-4.0"),
        "Wine_by_Jakkub_Mede": ("Jakub Mede", "CC-BY-4.0"),
        "aitzgorri_by_Aitzol_Berasategi": ("Aitzol Berasategi", "CC-BY-4.0"),
        "free_by_Peter_Nerlich": ("Peter Nerlich", "CC-BY-SA-4.0"),
        "friends_by_Aitzol_Berasategi": ("Aitzol Berasategi", "CC-BY-4.0"),
        "greentock_by_Peter_Nerlich": ("Peter Nerlich", "CC-BY-SA-4.0"),
        "seeding_by_Clements_Engelhardt": ("Clemens Engelhardt", "CC0-1.0"),
        "sunset_by_Aitzol_Berasategi": ("Aitzol Berasategi", "CC-BY-4.0"),
    },
    "mate-backgrounds": {
        "Aqua": ("Charles Barbin", "GPL-2+"),
        "Blinds": ("Lennart Poettering, Andrea Cimitan", "GPL-2+"),
        "Dune": ("Marco Cogoni, Hylke Bons", "GPL-2+"),
        "FreshFlower": ("Jens Ansorg", "GPL-2+"),
        "Garden": ("Charles Barbin", "GPL-2+"),
        "GreenMeadow": ("Timothy Schellhase, Lapo Calamandrei", "GPL-2+"),
        "LadyBird": ("Charles Barbin", "GPL-2+"),
        "RainDrops": ("blackcombwhistler07", "GPL-2+"),
        "Storm": ("Sergey Nazarov", "GPL-2+"),
        "TwoWings": ("Charles Barbin, Hylke Bons", "GPL-2+"),
        "Wood": ("Jean-François Fortin Tam", "GPL-2+"),
        "YellowFlower": ("Charles Barbin", "GPL-2+"),
    },
    "plasma-workspace-wallpapers": {
        "BytheWater": KDE,
        "ColdRipple": KDE,
        "ColorfulCups": KDE,
        "DarkestHour": KDE,
        "EveningGlow": KDE,
        "FallenLeaf": KDE,
        "Grey": KDE,
        "Kite": KDE,
        "OneStandsOut": KDE,
        "Path": KDE,
        "Volna": KDE,
        "summer_1am": KDE,
    },
}
# Photos that only the second edition was fitted on. Of the last five, notes beside the files name authors and
# licences; the package's copyright file says GPL-2+ of all.
MORE_CREDITS: dict[str, dict[str, tuple[str, str]]] = {
    "lomiri-wallpapers-20.04": {
        "Infinite-Sea_by_Aury88": ("Aury88", "CC-BY-SA-3.0"),
        "Kleiber_by_Lukas_Baubkus": ("Lukas Baubkus", "CC-BY-SA-3.0"),
    },
    "palapeli-data": {
        "castle-maintenon": ("Eric Pouhier", "GFDL"),
        "cincinnati-bridge": ("Derek Jensen", "public domain"),
        "citrus-fruits": ("US Department of Agriculture", "public domain"),
        "european-honey-bee": ("John Severns", "public domain"),
        "panther-chameleon-female": ("B. Navez and others", "GFDL"),
    },
}


def find_photos(
    folder: Path, credits: dict[str, dict[str, tuple[str, str]]] = CREDITS
) -> list[tuple[str, Path]]:
    """(name, file) of every photo, the largest file of several sizes; in the order of `credits`."""
    files = [f for f in sorted(folder.rglob("*")) if f.suffix.lower() in (".jpg", ".jpeg", ".png")]
    found = []
    for package, names in credits.items():
        for name in names:
            if package.startswith("plasma"):
                matches = [f for f in files if f.parts[-4:-1] == (name, "contents", "images")]
            else:
                folders = {"backgrounds", "collection"}
                matches = [f for f in files if f.stem == name and folders & set(f.parts)]
            if not matches:
                raise SystemExit(f"{folder}: {name} of package {package} is missing; see README.md")
            found.append((name, max(matches, key=lambda f: f.stat().st_size)))
    return found


def region(photo: Image.Image, rng: np.random.Generator) -> Picture:
    """A window at a random scale: of five the one with most detail, or out-of-focus areas would prevail."""
    short = between_sides(min(photo.size), rng)
    factor = short / min(photo.size)
    size = (max(REGION, round(photo.width * factor)), max(REGION, round(photo.height * factor)))
    pixels = np.asarray(photo.resize(size, Image.Resampling.LANCZOS))
    best, detail = pixels[:REGION, :REGION], -1.0
    for _ in range(5):
        r, c = (int(rng.integers(0, n - REGION + 1)) for n in pixels.shape[:2])
        window = pixels[r : r + REGION, c : c + REGION]
        grey = window.mean(-1)
        found = float(np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean())
        if found > detail:
            best, detail = window, found
    return np.ascontiguousarray(best)


def between_sides(side: int, rng: np.random.Generator) -> float:
    """Short side to scale a photo to. Well under the original, so that the camera's own faults are gone."""
    return float(np.exp(rng.uniform(np.log(320), np.log(min(1000, side / 1.7)))))


def distorted(
    job: tuple[int, str],
) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64], list[Picture]]:
    number, file = job
    rng = np.random.default_rng([2601, number])
    photo = Image.open(file).convert("RGB")
    photo.thumbnail((3000, 3000), Image.Resampling.LANCZOS)
    kinds, strengths, rows, pictures = [], [], [], []
    plan = [kind for kind in KINDS for _ in range(STRENGTHS)] + ["mixture"] * MIXTURES + ["none"] * CLEAN
    for place, kind in enumerate(plan):
        if place % 3 == 0:
            reference = region(photo, rng)
        # One weak and one strong of each kind, so that no photo lacks either end.
        u = float(rng.uniform(0, 0.5) + 0.5 * (place % 2))
        if kind == "none":
            picture = reference
        elif kind == "mixture":
            picture, _ = mixture(reference, u, rng)
        else:
            picture = KINDS[kind](reference, u, rng)
        kinds.append(kind)
        strengths.append(u if kind != "none" else 0.0)
        rows.append(measures(reference, picture))
        pictures.append(picture)
    return kinds, np.array(strengths), np.array(rows), pictures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path, help="folder with the unpacked packages")
    parser.add_argument("data", type=Path, help="folder for regions.npz")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    options.data.mkdir(parents=True, exist_ok=True)
    found = find_photos(options.photos)
    with multiprocessing.Pool(options.processes) as pool:
        parts = pool.map(distorted, [(i, str(f)) for i, (_, f) in enumerate(found)], chunksize=1)
    np.savez(
        options.data / "regions.npz",
        pixels=np.stack([p for part in parts for p in part[3]]),
        kind=np.array([k for part in parts for k in part[0]]),
        strength=np.concatenate([part[1] for part in parts]),
        badness=np.concatenate([part[2] for part in parts]),
        photo=np.repeat(np.arange(len(parts)), [len(part[0]) for part in parts]),
        photos=np.array([name for name, _ in found]),
    )


if __name__ == "__main__":
    main()
