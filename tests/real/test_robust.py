"""Odd, damaged and hostile files of the real world: each ends as a photo or with a reason."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fotofinish.errors import UndecodablePhoto, UnsupportedFormat
from fotofinish.photos.decoding import Decoded, decode
from fotofinish.photos.exif import read_capture
from fotofinish.photos.formats import sniff

LIMIT = 160_000_000


@pytest.mark.parametrize("folder", ["broken", "formats"])
def test_every_odd_file_is_read_or_refused_with_a_reason(shared_data: Path, folder: str) -> None:
    files = sorted((shared_data / "robust" / folder).iterdir())
    assert files
    outcomes = {path.name: _outcome(path) for path in files}
    refusals = [outcome for outcome in outcomes.values() if isinstance(outcome, str)]
    assert all(reason.endswith((".", ").")) or "limit" in reason for reason in refusals)
    assert not any(str(shared_data) in reason for reason in refusals)
    assert len(files) - len(refusals) >= 8


def _outcome(path: Path) -> Decoded | str:
    data = path.read_bytes()
    try:
        photo_format = sniff(data[:4096])
        read_capture(data, photo_format)
        return decode(data, photo_format, max_pixels=LIMIT, target_long_side=3200)
    except (UnsupportedFormat, UndecodablePhoto) as error:
        return error.message


def test_all_orientations_come_out_alike(shared_data: Path) -> None:
    small = []
    for path in sorted((shared_data / "robust" / "orientation").iterdir()):
        data = path.read_bytes()
        decoded = decode(data, sniff(data), max_pixels=LIMIT)
        assert decoded.height > decoded.width
        small.append(cv2.resize(decoded.pixels, (60, 80)).astype(float))
    assert len(small) == 9
    assert max(np.abs(picture - small[0]).mean() for picture in small) < 8
