"""A font that every installation has, and that no training takes."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from fotofinish.photos.lettering import PACKAGE

BOLD = Path(
    str(
        metadata.distribution(PACKAGE).locate_file(
            "font_source_sans_pro/files/SourceSansPro-Bold.ttf"
        )
    )
)
