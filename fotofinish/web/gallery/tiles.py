"""Photos as the grid shows them: two sizes by link, and a shape that is known before they load."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from fotofinish.photos.gallery import Image
from fotofinish.photos.keys import preview_key, thumbnail_key
from fotofinish.photos.previews import PREVIEW_LONG_SIDE, THUMBNAIL_LONG_SIDE
from fotofinish.web.api.answers import stable_now
from fotofinish.web.services import Services

STEP = 5  # hundredths; the style sheet has a class for each shape
NARROWEST, WIDEST = 40, 300


@dataclass(frozen=True, slots=True)
class Tile:
    """One photo: links to its previews, their widths, and the class of its shape."""

    id: UUID
    width: int
    height: int
    small: str
    medium: str
    small_width: int
    medium_width: int

    @property
    def shape(self) -> str:
        """`r150` for three to two; the style sheet lays the rows out by it."""
        ratio = round(100 * self.width / self.height / STEP) * STEP
        return f"r{min(max(ratio, NARROWEST), WIDEST)}"


def make_tiles(ours: Services, event_id: int, images: Sequence[Image]) -> list[Tile]:
    """Tiles with links that stay the same for a while, so that browsers cache the pictures."""
    now = stable_now(ours.settings.link_ttl)
    small = ours.linker.links([thumbnail_key(event_id, image.id) for image in images], now=now)
    medium = ours.linker.links([preview_key(event_id, image.id) for image in images], now=now)
    return [
        Tile(
            image.id,
            image.width,
            image.height,
            small_link,
            medium_link,
            _width(image, THUMBNAIL_LONG_SIDE),
            _width(image, PREVIEW_LONG_SIDE),
        )
        for image, small_link, medium_link in zip(images, small, medium, strict=True)
    ]


def _width(image: Image, long_side: int) -> int:
    longest = max(image.width, image.height)
    return max(1, round(image.width * min(1, long_side / longest)))
