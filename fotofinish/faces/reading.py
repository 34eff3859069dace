"""The process behind `reader.py`: decodes selfies and answers with templates, until its input ends.

Run as `python -m fotofinish.faces.reading MAX_PIXELS EMBEDDER`; an empty EMBEDDER is the packaged
one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import orjson

from fotofinish.errors import FotofinishError, ModelError
from fotofinish.faces.templates import as_halfvec
from fotofinish.photos.decoding import decode
from fotofinish.photos.formats import HEAD_BYTES, sniff
from fotofinish.vision.faces import DEFAULT_MATCH_THRESHOLD, FaceFinder

# the detector looks at 1,600 pixels at most; more would only cost time
LONG_SIDE = 1600


def main(max_pixels: int, embedder: Path | None) -> None:
    """Answer pictures from standard input on standard output."""
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    try:
        finder = FaceFinder(embedder_path=embedder)
    except ModelError as error:
        raise SystemExit(error.message) from None
    _answer(answers, {"model": finder.model, "threshold": DEFAULT_MATCH_THRESHOLD})
    while length := questions.read(8):
        picture = questions.read(int.from_bytes(length, "big"))
        _answer(answers, read_selfie(finder, picture, max_pixels))


def read_selfie(finder: FaceFinder, picture: bytes, max_pixels: int) -> dict[str, str | None]:
    """`embedding` of the largest face (None: no face), or why the picture is `refused`."""
    try:
        decoded = decode(
            picture, sniff(picture[:HEAD_BYTES]), max_pixels=max_pixels, target_long_side=LONG_SIDE
        )
    except FotofinishError as error:
        return {"refused": error.message}
    faces = finder.find(decoded.pixels)
    if not faces or faces[0].embedding is None:
        return {"embedding": None}
    return {"embedding": as_halfvec(faces[0].embedding)}


def _answer(answers: BinaryIO, answer: Mapping[str, object]) -> None:
    answers.write(orjson.dumps(answer) + b"\n")
    answers.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2] else None)
