"""The one real face of the demo: a portrait in the public domain, out of a package.

Eileen Collins, NASA, as scikit-image ships it (`skimage.data.astronaut`).
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import cv2
import numpy as np

from fotofinish.arrays import Floats, Pixels, as_pixels
from fotofinish.errors import FotofinishError

# the outline of head and neck, by eye, in pixels of the portrait
OUTLINE = (
    np.array(
        [
            (240, 95), (270, 75), (310, 57), (360, 47), (410, 52), (460, 70), (510, 95), (545, 130),
            (562, 180), (573, 240), (566, 290), (548, 333), (518, 368), (498, 383), (494, 402),
            (476, 408), (468, 420), (460, 455), (443, 490), (433, 530), (428, 552), (400, 562),
            (370, 562), (330, 556), (290, 549), (257, 542), (234, 528), (231, 470), (219, 400),
            (192, 365), (162, 345), (142, 300), (132, 240), (134, 200), (152, 170), (190, 135),
            (230, 110),
        ],
        dtype=np.float32,
    )
    / 3
    + (110, 0)
)  # fmt: skip
CHEEK = (slice(120, 134), slice(196, 208))
CHIN_Y, CENTRE_X = 172.0, 226.0
TOP_Y = 15.0


@dataclass(frozen=True, slots=True)
class Head:
    """A cut-out: BGR pixels, alpha 0 to 1, the chin's place, the height, and the skin's colour."""

    pixels: Pixels
    alpha: Floats
    chin: tuple[float, float]
    height: float
    skin: tuple[float, float, float]


def portrait_path() -> Path:
    """Where scikit-image has Eileen Collins, NASA (public domain)."""
    file = metadata.distribution("scikit-image").locate_file("skimage/data/astronaut.png")
    return Path(str(file))


def load_portrait() -> Pixels:
    """The whole portrait, 512x512 BGR; raises FotofinishError when its package is missing."""
    try:
        portrait = cv2.imread(str(portrait_path()))
    except metadata.PackageNotFoundError:
        portrait = None
    if portrait is None:
        raise FotofinishError("The demo's portrait comes with scikit-image: run 'make install'.")
    return as_pixels(portrait)


def cut_out_head() -> Head:
    """Head and neck without the background, with soft edges."""
    portrait = load_portrait()
    mask = np.zeros(portrait.shape[:2], dtype=np.uint8)
    cv2.fillPoly(mask, [np.round(OUTLINE * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    alpha = cv2.GaussianBlur(mask, (0, 0), 1.6).astype(np.float32) / 255
    blue, green, red = portrait[CHEEK].reshape(-1, 3).mean(axis=0)
    return Head(
        portrait, alpha, (CENTRE_X, CHIN_Y), CHIN_Y - TOP_Y, (float(blue), float(green), float(red))
    )


def draw_selfie() -> Pixels:
    """Another rendition of the portrait: closer, turned a little, in warmer and dimmer light."""
    turn = cv2.getRotationMatrix2D((226, 120), -7, 2.1)
    turn[:, 2] += (320 - 226, 300 - 120)
    selfie = cv2.warpAffine(load_portrait(), turn, (640, 640), flags=cv2.INTER_CUBIC,
                            borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    warm = selfie.astype(np.float32) * (0.78, 0.86, 0.95)
    return as_pixels(np.clip(warm, 0, 255))
