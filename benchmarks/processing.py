"""From a file to all that is known of a photo: ours against the same steps done plainly.

One core each, on photos drawn at run time (24 megapixels, and about 1). The plain pipeline decodes
in full with Pillow, shrinks with Pillow, and runs RapidOCR and OpenCV's YuNet and SFace as they
come.
"""

from __future__ import annotations

import argparse
import io
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from benchmarks.faces import opencv_embedder
from benchmarks.tables import Row, print_table
from fotofinish.demo.generator import generate
from fotofinish.photos.decoding import decode
from fotofinish.photos.formats import JPEG
from fotofinish.photos.previews import render_previews
from fotofinish.photos.processing import WORKING_LONG_SIDE
from fotofinish.recognition import Recogniser

LARGE = (6000, 4000)
SMALL = (1224, 816)
Process = Callable[[bytes], set[str]]


def main(arguments: list[str] | None = None) -> dict[str, float]:
    """Print photos a second and core, and the time of each of our steps; returns the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=6)
    given = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    ours, peer = _ours(Recogniser()), _plain()
    figures: dict[str, float] = {}
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        drawn = generate(Path(folder) / "photos", count=given.photos).photos
        for name, size in (("24 megapixels", LARGE), ("1 megapixel", SMALL)):
            photos = [_resized(photo.path, size) for photo in drawn]
            speeds = {who: _speed(way, photos) for who, way in (("ours", ours), ("peer", peer))}
            rows.append(Row(f"{name}: photos/s and core", speeds["ours"], speeds["peer"]))
            figures[f"processing: {name} photos/s and core"] = speeds["ours"]
    print_table("Photo to result: ours against the same steps done plainly", rows)
    return figures


def _ours(recogniser: Recogniser) -> Process:
    def process(data: bytes) -> set[str]:
        decoded = decode(data, JPEG, max_pixels=10**9, target_long_side=WORKING_LONG_SIDE)
        render_previews(decoded)
        reading = recogniser.read(decoded.pixels, decoded.width, decoded.height)
        return {bib.bib for bib in reading.bibs}

    return process


def _plain() -> Process:
    from rapidocr import RapidOCR

    engine = RapidOCR(
        params={
            "Global.log_level": "critical",
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )
    embed = opencv_embedder()

    def process(data: bytes) -> set[str]:
        image = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
        for long_side in (1600, 400):
            small = image.copy()
            small.thumbnail((long_side, long_side), Image.Resampling.LANCZOS)
            small.save(io.BytesIO(), "JPEG", quality=82)
        pixels = np.ascontiguousarray(np.asarray(image)[:, :, ::-1])
        embed(pixels)
        return {text for text in engine(pixels).txts or () if re.fullmatch(r"\d{1,6}", text)}

    return process


def _speed(process: Process, photos: list[bytes]) -> float:
    process(photos[0])
    start = time.perf_counter()
    for photo in photos:
        process(photo)
    return len(photos) / (time.perf_counter() - start)


def _resized(path: Path, size: tuple[int, int]) -> bytes:
    image = Image.open(path)
    wanted = size if image.width >= image.height else size[::-1]
    out = io.BytesIO()
    image.resize(wanted, Image.Resampling.BICUBIC).save(out, "JPEG", quality=92)
    return out.getvalue()


if __name__ == "__main__":
    main()
