"""What is drawn into a photo for people who tune an event."""

from __future__ import annotations

import numpy as np

from fotofinish.annotating import BIB, annotated
from fotofinish.bibs.plausibility import BibReading
from fotofinish.photos.decoding import Decoded
from fotofinish.recognition import PhotoReading
from fotofinish.vision.faces import FaceReading

WIDTH, HEIGHT, GROUND = 1600, 1000, 90


def test_labels_of_a_crowd_cover_nobody() -> None:
    points = np.zeros((5, 2), dtype=np.float32)
    boxes = [
        (300.0 + 80 * column + 40 * (row % 2), 300.0 + 75 * row, 40.0, 48.0)
        for row in range(3)
        for column in range(10)
    ]
    faces = tuple(FaceReading(box, 0.9, points, 0.5, None) for box in boxes)
    pixels = np.full((HEIGHT, WIDTH, 3), GROUND, dtype=np.uint8)
    image = annotated(Decoded(pixels, WIDTH, HEIGHT), PhotoReading(WIDTH, HEIGHT, (), faces))
    drawn = np.asarray(image)
    covered = 0
    for x, y, w, h in boxes:
        inside = drawn[int(y) + 10 : int(y + h) - 10, int(x) + 10 : int(x + w) - 10]
        covered += bool((inside != GROUND).mean() > 0.2)
    assert covered == 0


def test_a_label_stands_above_its_box_and_inside_the_photo() -> None:
    bibs = (
        BibReading("12", 1.0, (700.0, 500.0, 100.0, 60.0)),
        BibReading("77", 1.0, (1540.0, 2.0, 58.0, 40.0)),
    )
    pixels = np.full((HEIGHT, WIDTH, 3), GROUND, dtype=np.uint8)
    image = annotated(Decoded(pixels, WIDTH, HEIGHT), PhotoReading(WIDTH, HEIGHT, bibs, ()))
    yellow = (np.asarray(image) == BIB).all(axis=2)
    assert yellow[470:490, 700:740].mean() > 0.5
    assert not yellow[600:700].any()
    assert yellow[50:75, 1500:1590].mean() > 0.5
