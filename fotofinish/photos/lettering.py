"""The letters of watermarks: Source Sans (Paul D. Hunt; SIL Open Font License 1.1), in a package.

It has Latin with all accents, Greek and Cyrillic; Pillow's own font has ASCII and little more.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import metadata

from PIL import ImageFont

PACKAGE = "font-source-sans-pro"
FILE = "font_source_sans_pro/files/SourceSansPro-Semibold.ttf"
UNKNOWN = "\ufffe"  # no sign, in no font: drawn as a box


@lru_cache(maxsize=2)
def lettering(pixels: int) -> ImageFont.FreeTypeFont:
    """The font at a size."""
    path = metadata.distribution(PACKAGE).locate_file(FILE)
    return ImageFont.truetype(str(path), pixels)


def unknown_signs(text: str) -> str:
    """The signs of a text that the font cannot draw, each once."""
    font = lettering(16)
    box = bytes(font.getmask(UNKNOWN))
    signs = dict.fromkeys(sign for sign in text if not sign.isspace())
    return "".join(sign for sign in signs if bytes(font.getmask(sign)) == box)
