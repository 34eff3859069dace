"""A small set of race photos, drawn at run time: nobody's real race, but photos all the same.

One runner (bib 1234) has a real face, a portrait in the public domain; the others are seen from
behind or under a cap, so that a selfie finds exactly the one. `python -m fotofinish.demo.generator
FOLDER` draws the set.
"""

from __future__ import annotations

import json
import random
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
from PIL import ExifTags, Image

from fotofinish.arrays import Pixels, as_pixels
from fotofinish.demo.portrait import Head, cut_out_head, draw_selfie
from fotofinish.demo.runner import CHIN, SIZE, Look, draw_runner
from fotofinish.demo.scene import LIGHTS, Light, draw_course, finish

EVENT = "Riverside Run"
STAR = Look("1234", (200, 110, 30), (40, 36, 34), portrait=True, person=0)
OTHERS = (
    Look("87", (60, 60, 205), (50, 46, 44), portrait=False, person=1),
    Look("2719", (70, 160, 60), (36, 34, 40), portrait=False, person=2),
    Look("318", (40, 190, 235), (60, 50, 46), portrait=False, person=3),
    Look("4410", (150, 70, 140), (44, 40, 40), portrait=False, person=5),
)
WITHOUT_BIB = Look(None, (210, 205, 200), (46, 44, 42), portrait=False, person=4)
# who is on photo 0, 1, 2, …; the list starts over when there are more photos
CASTS: tuple[tuple[Look, ...], ...] = (
    (STAR,), (OTHERS[0],), (STAR, OTHERS[1]), (OTHERS[2],), (OTHERS[3], STAR), (OTHERS[1],),
    (STAR,), (WITHOUT_BIB,), (OTHERS[0], OTHERS[2]), (STAR,), (OTHERS[3],), (OTHERS[1], STAR),
)  # fmt: skip
START = datetime(2026, 5, 17, 9, 40, 12)
VERSION = 1


@dataclass(frozen=True, slots=True)
class DemoPhoto:
    """A drawn photo, the bibs that are on it, and whether the portrait's face is."""

    path: Path
    bibs: tuple[str, ...]
    has_portrait: bool


@dataclass(frozen=True, slots=True)
class DemoSet:
    """The photos, and a selfie of the runner with the face."""

    photos: tuple[DemoPhoto, ...]
    selfie: Path


def generate(folder: Path, count: int = 24, seed: int = 456) -> DemoSet:
    """Draw the set into `folder` (made if need be); what is there already is not drawn again.

    The selfie lies beside the folder, so that an import of the folder leaves it out. Raises
    FotofinishError when the package with the portrait is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    marker = folder.with_name(f"{folder.name}.json")
    wanted = json.dumps({"version": VERSION, "count": count, "seed": seed})
    complete = marker.exists() and marker.read_text() == wanted
    head = cut_out_head()
    photos = []
    for number in range(count):
        cast = CASTS[number % len(CASTS)]
        path = folder / f"riverside-{number + 1:03}.jpg"
        if not (complete and path.exists()):
            _write(path, number, _draw(cast, number, head, random.Random(seed * 1000 + number)))
        photos.append(
            DemoPhoto(
                path,
                tuple(look.bib for look in cast if look.bib is not None),
                any(look.portrait for look in cast),
            )
        )
    selfie = folder.with_name("selfie.jpg")
    cv2.imwrite(str(selfie), draw_selfie(), [cv2.IMWRITE_JPEG_QUALITY, 92])
    marker.write_text(wanted)
    return DemoSet(tuple(photos), selfie)


def _draw(cast: tuple[Look, ...], number: int, head: Head, chance: random.Random) -> Pixels:
    upright = number % 3 == 1 and len(cast) == 1
    width, height = (1200, 1800) if upright else (1800, 1200)
    light = LIGHTS[number % len(LIGHTS)]
    scene = draw_course(width, height, light, EVENT, chance)
    for place, look in enumerate(cast):
        unit = height * (0.098 if upright else chance.uniform(0.125, 0.165))
        across = (place + 0.5) / len(cast) + chance.uniform(-0.06, 0.06)
        centre = (0.26 + 0.48 * across) * width
        chin = height * chance.uniform(0.22, 0.27)
        pixels, alpha = draw_runner(look, head, unit, EVENT, chance)
        _place(scene, pixels, alpha, (int(centre), int(chin)), unit, light)
    tilt = cv2.getRotationMatrix2D((width / 2, height / 2), chance.uniform(-4, 4), 1.09)
    tilted = cv2.warpAffine(scene, tilt, (width, height), flags=cv2.INTER_CUBIC)
    return finish(as_pixels(tilted), chance)


def _place(
    scene: Pixels,
    pixels: Pixels,
    alpha: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    chin: tuple[int, int],
    unit: float,
    light: Light,
) -> None:
    """Blend a runner into the scene, with a shadow where the feet touch the road."""
    left, top = chin[0] - int(SIZE[0] * unit / 2), chin[1] - int(CHIN[1] * unit)
    feet = chin[1] + int(7.17 * unit)
    if feet < scene.shape[0]:
        shadow = np.zeros(scene.shape[:2], dtype=np.uint8)
        middle = (chin[0] + int(unit * 0.5), feet)
        cv2.ellipse(shadow, middle, (int(unit * 1.5), int(unit * 0.22)), 0, 0, 360, 150, -1)
        dark = cv2.GaussianBlur(shadow, (0, 0), unit * 0.14)[..., None] / 255
        scene[:] = (scene * (1 - dark)).astype(np.uint8)
    x0, y0 = max(0, left), max(0, top)
    x1 = min(scene.shape[1], left + pixels.shape[1])
    y1 = min(scene.shape[0], top + pixels.shape[0])
    part = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    cover = alpha[part][..., None]
    lit = np.clip(pixels[part] * np.array(light.tint), 0, 255)
    scene[y0:y1, x0:x1] = (scene[y0:y1, x0:x1] * (1 - cover) + lit * cover).astype(np.uint8)


def _write(path: Path, number: int, pixels: Pixels) -> None:
    """A JPEG with the EXIF of a camera; a few are stored lying, as cameras do."""
    taken = START + timedelta(seconds=number * 97.25)
    orientation = {4: 6, 13: 8}.get(number, 1)
    turn = {6: cv2.ROTATE_90_COUNTERCLOCKWISE, 8: cv2.ROTATE_90_CLOCKWISE}.get(orientation)
    stored = pixels if turn is None else as_pixels(cv2.rotate(pixels, turn))
    exif = Image.Exif()
    base = ExifTags.Base
    exif.update({base.Make: "Fotofinish", base.Model: "Demo", base.Orientation: orientation})
    exif.get_ifd(ExifTags.IFD.Exif).update(
        {
            base.DateTimeOriginal: taken.strftime("%Y:%m:%d %H:%M:%S"),
            base.SubsecTimeOriginal: f"{taken.microsecond // 10_000:02}",
            base.OffsetTimeOriginal: "+02:00",
        }
    )
    image = Image.fromarray(np.ascontiguousarray(stored[:, :, ::-1]))
    image.save(path, "JPEG", quality=90, exif=exif)


if __name__ == "__main__":
    for drawn in generate(Path(sys.argv[1])).photos:
        print(drawn.path, *drawn.bibs)
