"""From a file to all that is known of a photo: ours against the same steps done plainly.

One core each, on photos drawn at run time (24 megapixels, and about 1). The plain pipeline decodes
in full with Pillow, shrinks with Pillow, and runs RapidOCR and OpenCV's YuNet and SFace as they
come. Memory and start-up are those of a process of its own (`lone_worker.py`).
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from benchmarks.bibs import rapidocr_numbers
from benchmarks.clock import Clock
from benchmarks.faces import opencv_embedder
from benchmarks.tables import Row, print_table
from fotofinish.bibs.plausibility import bibs_from
from fotofinish.demo.generator import generate
from fotofinish.photos.decoding import decode
from fotofinish.photos.formats import JPEG
from fotofinish.photos.previews import render_previews
from fotofinish.photos.processing import WORKING_LONG_SIDE
from fotofinish.recognition import Recogniser
from fotofinish.vision.networks import Precision, fast_precision, fast_precisions

LARGE = (6000, 4000)
SMALL = (1224, 816)
Process = Callable[[bytes], set[str]]


def main(arguments: list[str] | None = None) -> dict[str, float]:
    """Print photos a second and core, the time of each of our steps, and what a worker costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=6)
    parser.add_argument(
        "--precision",
        choices=fast_precisions(),
        default=fast_precision(),
        help="what networks compute in; fastest here: %(default)s",
    )
    given = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    recogniser = Recogniser(precision=given.precision)
    ours, peer = _ours(recogniser), _plain()
    figures: dict[str, float] = {}
    rows = []
    times: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        drawn = generate(Path(folder) / "photos", count=given.photos).photos
        files = []
        for name, size in (("24 megapixels", LARGE), ("1 megapixel", SMALL)):
            photos = [_resized(photo.path, size) for photo in drawn]
            speeds = {who: _speed(way, photos) for who, way in (("ours", ours), ("peer", peer))}
            times[name] = _steps(recogniser, photos)
            rows.append(Row(f"{name}: photos/s and core", speeds["ours"], speeds["peer"]))
            figures[f"processing: {name} photos/s and core"] = speeds["ours"]
            figures[f"processing: {name} times the peer's"] = speeds["ours"] / speeds["peer"]
            for number, photo in enumerate(photos):
                files.append(Path(folder) / f"{size[0]}-{number}.jpg")
                files[-1].write_bytes(photo)
        worker = _lone_worker(given.precision, files)
    print_table("Photo to result: ours against the same steps done plainly", rows)
    for name, steps in times.items():
        print_table(
            f"{name}: ms of CPU of each of our steps",
            [Row(step, milliseconds) for step, milliseconds in steps.items()],
        )
        figures |= {f"processing: {name} ms of {step}": took for step, took in steps.items()}
    print_table("A worker process", [Row(name, value) for name, value in worker.items()])
    return figures | {f"processing: worker's {name}": value for name, value in worker.items()}


def _lone_worker(precision: Precision, photos: list[Path]) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.lone_worker", precision, *map(str, photos)]
    figures: dict[str, float] = json.loads(subprocess.check_output(command))
    return figures


def _steps(recogniser: Recogniser, photos: list[bytes]) -> dict[str, float]:
    """Milliseconds of CPU of each step, the mean of the photos."""
    totals: dict[str, float] = {}
    for number, data in enumerate([photos[0], *photos]):
        if number == 1:
            totals.clear()  # the first time is slower
        clock = Clock(totals)
        decoded = decode(data, JPEG, max_pixels=10**9, target_long_side=WORKING_LONG_SIDE)
        clock.ends("decoding")
        render_previews(decoded)
        clock.ends("previews")
        texts, faces = recogniser.look(decoded.pixels, clock.ends)
        rows, columns = decoded.pixels.shape[:2]
        bibs_from(texts, faces, columns, rows, None)
        clock.ends("plausibility")
    return {step: seconds / len(photos) * 1000 for step, seconds in totals.items()}


def _ours(recogniser: Recogniser) -> Process:
    def process(data: bytes) -> set[str]:
        decoded = decode(data, JPEG, max_pixels=10**9, target_long_side=WORKING_LONG_SIDE)
        render_previews(decoded)
        reading = recogniser.read(decoded.pixels, decoded.width, decoded.height)
        return {bib.bib for bib in reading.bibs}

    return process


def _plain() -> Process:
    numbers = rapidocr_numbers()
    embed = opencv_embedder()

    def process(data: bytes) -> set[str]:
        image = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
        for long_side in (1600, 400):
            small = image.copy()
            small.thumbnail((long_side, long_side), Image.Resampling.LANCZOS)
            small.save(io.BytesIO(), "JPEG", quality=82)
        pixels = np.ascontiguousarray(np.asarray(image)[:, :, ::-1])
        embed(pixels)
        return numbers(pixels)

    return process


def _speed(process: Process, photos: list[bytes]) -> float:
    """Photos a second of processor time: what others do on the machine does not count.

    All are read once before: networks are compiled for the shapes they get.
    """
    for photo in photos:
        process(photo)
    start = time.process_time()
    for photo in photos:
        process(photo)
    return len(photos) / (time.process_time() - start)


def _resized(path: Path, size: tuple[int, int]) -> bytes:
    image = Image.open(path)
    wanted = size if image.width >= image.height else size[::-1]
    out = io.BytesIO()
    image.resize(wanted, Image.Resampling.BICUBIC).save(out, "JPEG", quality=92)
    return out.getvalue()


if __name__ == "__main__":
    main()
