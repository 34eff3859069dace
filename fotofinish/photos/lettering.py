"""The letters of watermarks, and of logos whose own font is not installed.

Source Sans (Paul D. Hunt; SIL Open Font License 1.1), in a package. It has Latin with all
accents, Greek and Cyrillic; Pillow's own font has ASCII and little more.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import metadata

from PIL import ImageFont

PACKAGE = "font-source-sans-pro"
FILE = "font_source_sans_pro/files/SourceSansPro-{style}.ttf"
FAMILY = "Source Sans Pro"
UNKNOWN = "\ufffe"  # no sign, in no font: drawn as a box


@lru_cache(maxsize=2)
def lettering(pixels: int) -> ImageFont.FreeTypeFont:
    """The font at a size."""
    return ImageFont.truetype(font_file("Semibold"), pixels)


def font_file(style: str) -> str:
    """Where the font lies in this style: "Regular", "Semibold" or "Bold"."""
    return str(metadata.distribution(PACKAGE).locate_file(FILE.format(style=style)))


def unknown_signs(text: str) -> str:
    """The signs of a text that the font cannot draw, each once."""
    font = lettering(16)
    box = bytes(font.getmask(UNKNOWN))
    signs = dict.fromkeys(sign for sign in text if not sign.isspace())
    return "".join(sign for sign in signs if bytes(font.getmask(sign)) == box)
