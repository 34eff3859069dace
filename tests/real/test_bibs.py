"""Bibs of real race photos: the figures do not fall below what was once reached."""

from __future__ import annotations

from pathlib import Path

from benchmarks.bibs import Score, labelled_photos, our_reader, pixels_of, start_list_of
from fotofinish.recognition import Recogniser

EVERY = 5  # of the photos: enough for a figure, half a minute on one core


def test_bibs_are_read_with_and_without_a_start_list(shared_data: Path) -> None:
    photos = labelled_photos(shared_data / "bibs" / "rbnr")
    start_list = start_list_of(photos)
    read = our_reader(Recogniser())
    plain, listed = Score(), Score()
    for photo in photos[::EVERY]:
        found, agreed = read(pixels_of(photo.path), start_list)
        plain.add(photo, found)
        listed.add(photo, agreed)
    assert plain.recall >= 0.85
    assert plain.f >= 0.80
    assert listed.f >= 0.80
