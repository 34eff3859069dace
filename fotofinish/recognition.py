"""The one door of recognition: pixels in, bibs and faces out.

Puts the models and the plausibility of bibs together; knows no database and no files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from fotofinish.arrays import Box, Pixels
from fotofinish.bibs.listed import StartList
from fotofinish.bibs.plausibility import (
    BibReading,
    bibs_from,
    doubtful_numbers,
    enough_scale,
    shorter_numbers,
    torsos_without_number,
    worn_numbers,
)
from fotofinish.vision.faces import FaceFinder, FaceReading
from fotofinish.vision.networks import Networks, Precision
from fotofinish.vision.text import TextReader, TextReading


@dataclass(frozen=True, slots=True)
class PhotoReading:
    """What a photo shows; boxes (x, y, w, h) and landmarks in pixels of the upright original."""

    width: int
    height: int
    bibs: tuple[BibReading, ...]
    faces: tuple[FaceReading, ...]


class Recogniser:
    """The models, loaded once; one thread each."""

    def __init__(
        self, *, embedder_path: Path | None = None, precision: Precision | None = None
    ) -> None:
        networks = Networks(precision)
        self._faces = FaceFinder(embedder_path=embedder_path, networks=networks)
        self._text = TextReader(networks)

    @property
    def face_model(self) -> str:
        """The name of the embedder: embeddings of different ones do not compare."""
        return self._faces.model

    def look(
        self, pixels: Pixels, step_ends: Callable[[str], None] = lambda step: None
    ) -> tuple[list[TextReading], list[FaceReading]]:
        """All texts and faces of a photo as `read` takes it, before any is judged.

        People of whom no number was read in the whole photo are looked at closer, numbers that are
        unsure are read again, those that are worn are looked around, and of those that are shorter
        than another the ends are looked at. `step_ends` is called with the name of each step.
        """
        height, width = pixels.shape[:2]
        faces = self._faces.find(pixels)
        step_ends("faces")
        texts = self._text.read(pixels, enough_scale(faces, height))
        step_ends("text")
        for closer in (False, True):
            torsos = torsos_without_number(texts, faces, width, height, closer=closer)
            texts += self._text.read_close_up(pixels, torsos)
        step_ends("close-ups")
        for place in doubtful_numbers(texts, faces, width, height):
            texts[place] = self._text.read_again(pixels, texts[place])
        step_ends("second reading")
        numbers = worn_numbers(texts, faces, width, height)
        around = self._text.look_around(pixels, [texts[place] for place in numbers])
        for place, text in zip(numbers, around, strict=True):
            texts[place] = text
        step_ends("around")
        for place in shorter_numbers(texts, faces, width, height):
            texts[place] = self._text.look_at_ends(pixels, texts[place])
        step_ends("ends")
        return texts, faces

    def read(
        self,
        pixels: Pixels,
        width: int,
        height: int,
        start_list: StartList | None = None,
    ) -> PhotoReading:
        """Bibs and faces of an upright BGR photo (uint8, HxWx3).

        `pixels` may be a scaled-down version of the original, whose upright size is `width` by
        `height`.
        """
        rows, columns = pixels.shape[:2]
        texts, faces = self.look(pixels)
        bibs = bibs_from(texts, faces, columns, rows, start_list)
        across, down = width / columns, height / rows
        return PhotoReading(
            width,
            height,
            tuple(replace(bib, box=_scaled(bib.box, across, down)) for bib in bibs),
            tuple(
                replace(
                    face,
                    box=_scaled(face.box, across, down),
                    landmarks=face.landmarks * np.array([across, down], dtype=np.float32),
                )
                for face in faces
            ),
        )


def _scaled(box: Box, across: float, down: float) -> Box:
    x, y, w, h = box
    return (x * across, y * down, w * across, h * down)
