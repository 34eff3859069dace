"""What a worker process costs: seconds until it is ready, and memory when it has read photos.

Run by `benchmarks/processing.py` in a process of its own, with the networks' precision and the
photos as arguments; prints one JSON object. It does what a worker does, without a database.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import cast

from fotofinish.photos.decoding import decode
from fotofinish.photos.formats import JPEG
from fotofinish.photos.previews import render_previews
from fotofinish.photos.processing import WORKING_LONG_SIDE
from fotofinish.recognition import Recogniser
from fotofinish.vision.networks import Precision
from fotofinish.workers import give_memory_back


def main(precision: Precision, photos: list[str]) -> None:
    """Start, read the photos, say what it took."""
    give_memory_back()
    recogniser = Recogniser(precision=precision)
    ready = time.process_time()  # from the interpreter's first step on
    for photo in photos:
        data = Path(photo).read_bytes()
        decoded = decode(data, JPEG, max_pixels=10**9, target_long_side=WORKING_LONG_SIDE)
        render_previews(decoded)
        recogniser.read(decoded.pixels, decoded.width, decoded.height)
    status = Path("/proc/self/status").read_text()
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    print(json.dumps({"start-up, s of CPU": ready, "peak memory, MB": peak}))


if __name__ == "__main__":
    main(cast(Precision, sys.argv[1]), sys.argv[2:])
