"""The sample photos: always the same, with the EXIF of a camera, and with a face that is found."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from fotofinish.demo.generator import DemoSet, generate
from fotofinish.photos.exif import read_capture
from fotofinish.photos.formats import JPEG
from fotofinish.vision.faces import DEFAULT_MATCH_THRESHOLD, FaceFinder


def _bytes(drawn: DemoSet) -> list[bytes]:
    return [photo.path.read_bytes() for photo in drawn.photos]


def test_the_same_seed_draws_the_same_photos(tmp_path: Path) -> None:
    first = generate(tmp_path / "a" / "photos", count=2)
    assert _bytes(first) == _bytes(generate(tmp_path / "b" / "photos", count=2))
    assert _bytes(first) != _bytes(generate(tmp_path / "c" / "photos", count=2, seed=1))


def test_what_is_drawn_already_is_not_drawn_again(tmp_path: Path) -> None:
    (photo,) = generate(tmp_path / "photos", count=1).photos
    before = photo.path.stat().st_mtime_ns
    generate(tmp_path / "photos", count=1)
    assert photo.path.stat().st_mtime_ns == before


def test_photos_carry_capture_times_with_offset(tmp_path: Path) -> None:
    drawn = generate(tmp_path / "photos", count=2)
    captures = [read_capture(data, JPEG) for data in _bytes(drawn)]
    times = [capture.taken_at for capture in captures]
    assert None not in times
    assert times[0] != times[1]
    assert all(capture.offset_minutes == 120 for capture in captures)


def test_the_selfie_is_the_runner_with_the_face_and_lies_outside_the_folder(
    tmp_path: Path,
) -> None:
    drawn = generate(tmp_path / "photos", count=2)
    assert drawn.selfie.parent == tmp_path
    finder = FaceFinder()

    def embedding(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]] | None:
        pixels = cv2.imread(str(path))
        faces = finder.find(np.asarray(pixels, dtype=np.uint8))
        return faces[0].embedding if faces else None

    selfie = embedding(drawn.selfie)
    assert selfie is not None
    for photo in drawn.photos:
        found = embedding(photo.path)
        if photo.has_portrait:
            assert found is not None
            assert float(found @ selfie) > DEFAULT_MATCH_THRESHOLD
        else:
            assert found is None or float(found @ selfie) < DEFAULT_MATCH_THRESHOLD
