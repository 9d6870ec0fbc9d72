import { mostNativeWhole } from "../images/views.ts";

/** Scores images with an exported student, ONNX Runtime, Pillow and NumPy alone: the model card shows it, a test runs it. */
export const pythonSnippet = `import io
import json
import os
import sys

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before onnxruntime, which else reports to Microsoft

import numpy as np
import onnxruntime
from PIL import Image, ImageCms, ImageOps

with open("student.json", encoding="utf-8") as file:
    card = json.load(file)
resize, crop, views = (card["input"][key] for key in ("resize", "crop", "views"))
session = onnxruntime.InferenceSession("student.onnx", providers=["CPUExecutionProvider"])


def in_srgb(image):
    """By the colour profile of the file, such as a phone's Display P3; one that cannot be read counts as none."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    profile = image.info.get("icc_profile")
    if image.mode == "P":
        image = image.convert("RGBA")
    if not profile or image.mode not in ("RGB", "RGBA", "CMYK"):
        return image
    try:
        converted = ImageCms.profileToProfile(
            image.convert("RGB") if image.mode == "RGBA" else image,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.PERCEPTUAL,
            outputMode="RGB",
        )
    except (ImageCms.PyCMSError, OSError):
        return image
    if image.mode == "RGBA":
        converted.putalpha(image.getchannel("A"))
    return converted


def windows(path):
    image = Image.open(path)
    full, short, whole = image.size, min(image.size), views == "whole"
    most = resize or (${mostNativeWhole} if whole else short)
    target = max(min(short, most) if whole else most, crop)
    if card["input"].get("decode") == "scaled" and image.format in ("JPEG", "MPO"):
        part = next((part for part in (8, 4, 2) if short >= 2 * part * target), 1)
        image.draft(image.mode, (full[0] // part, full[1] // part))
    if image.getexif().get(0x0112, 1) >= 5:
        full = full[::-1]
    image = in_srgb(ImageOps.exif_transpose(image)).convert("RGBA")
    image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    width, height = (max(target, int(side * target / short + 0.5)) for side in full)
    if (width, height) != image.size:
        image = image.resize((width, height), Image.Resampling.LANCZOS)
    limit = 2 * max(most, crop) if whole else max(2 * (resize or 2 * crop), crop)
    w, h = min(width, limit), min(height, limit)
    left, top = (width - w) // 2, (height - h) // 2
    pixels = np.asarray(image)[top : top + h, left : left + w]
    if whole:
        return np.stack([pixels])
    bottom, right = h - crop, w - crop
    corners = [(bottom // 2, right // 2)]
    if views == 5:
        corners += [(0, 0), (0, right), (bottom, 0), (bottom, right)]
    return np.stack([pixels[y : y + crop, x : x + crop] for y, x in corners])


def score(path):
    value = float(session.run(["score"], {"pixels": windows(path)})[0].mean())
    if card["mosScale"] is None:
        return value
    low, high = card["mosScale"]["range"]
    share = (value - 1) / 4
    return low + (high - low) * (1 - share if card["mosScale"]["lowerIsBetter"] else share)


for path in sys.argv[1:]:
    print(f"{score(path):.4f}  {path}")
`;
