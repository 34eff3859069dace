"""Odd, damaged and hostile files of the real world: each ends as a photo or with a reason."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from fotofinish.errors import UndecodablePhoto, UnsupportedFormat
from fotofinish.photos.decoding import decode
from fotofinish.photos.exif import read_capture
from fotofinish.photos.formats import sniff
from fotofinish.photos.previews import render_previews

LIMIT = 160_000_000
MOST_MEGABYTES = 1000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file: no `reason` where it was decoded."""

    reason: str | None
    peak_megabytes: float


@pytest.mark.parametrize(("folder", "at_least"), [("broken", 9), ("formats", 10)])
def test_every_odd_file_is_read_or_refused_with_a_reason(
    shared_data: Path, folder: str, at_least: int
) -> None:
    files = sorted((shared_data / "robust" / folder).iterdir())
    # in a process of its own: one that crashes fails this test, not the whole run
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        outcomes = list(process.map(_read, files))
    for path, outcome in zip(files, outcomes, strict=True):
        assert outcome.peak_megabytes < MOST_MEGABYTES, path
        if outcome.reason is not None:
            assert outcome.reason.endswith("."), path
            assert not any(word in outcome.reason for word in ("Error", "/", "0x", "None")), path
    assert sum(outcome.reason is None for outcome in outcomes) >= at_least


def test_all_orientations_come_out_alike(shared_data: Path) -> None:
    small = []
    for path in sorted((shared_data / "robust" / "orientation").iterdir()):
        data = path.read_bytes()
        decoded = decode(data, sniff(data[:4096]), max_pixels=LIMIT, target_long_side=800)
        assert (decoded.width, decoded.height) == (1200, 1800)
        small.append(cv2.resize(decoded.pixels, (60, 90), interpolation=cv2.INTER_AREA))
    assert len(small) == 9
    assert max(np.abs(picture.astype(float) - small[0]).mean() for picture in small) < 4


def _read(path: Path) -> Outcome:
    data = path.read_bytes()
    reason = None
    try:
        photo_format = sniff(data[:4096])
        read_capture(data, photo_format)
        render_previews(decode(data, photo_format, max_pixels=LIMIT, target_long_side=3200))
    except (UnsupportedFormat, UndecodablePhoto) as error:
        reason = error.message
    return Outcome(reason, _peak_megabytes())


def _peak_megabytes() -> float:
    # not getrusage: its figure begins with that of the process this one was forked from
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
