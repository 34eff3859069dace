"""Photos as the grid shows them: previews by link, and a shape that is known before they load."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from fotofinish.photos.gallery import Image
from fotofinish.photos.keys import LONG_SIDES
from fotofinish.photos.preview_links import preview_links
from fotofinish.web.services import Services

STEP = 5  # hundredths; the style sheet has a class for each shape
NARROWEST, WIDEST = 40, 300
# Rows of the style sheet, in rem, and how much wider a photo is there than its row's height asks
# for, on the average, so that rows are full
ROW, ROW_OF_WIDE_SCREENS, GROWN = 7, 13, 1.1
# So few photos are shown larger: their rows in rem, and how much wider than that they are
FEW, ROW_OF_FEW, GROWN_OF_FEW = 6, 15, 1.5


@dataclass(frozen=True, slots=True)
class Tile:
    """One photo: the address of its preview by the preview's width, narrowest first."""

    id: UUID
    width: int
    height: int
    previews: dict[int, str]
    medium: str

    @property
    def small(self) -> str:
        """The address of the narrowest preview."""
        return next(iter(self.previews.values()))

    @property
    def ratio(self) -> float:
        """Width to height, as the style sheet has it: in steps, within limits."""
        ratio = round(100 * self.width / self.height / STEP) * STEP
        return min(max(ratio, NARROWEST), WIDEST) / 100

    @property
    def shape(self) -> str:
        """`r150` for three to two; the style sheet lays the rows out by it."""
        return f"r{round(100 * self.ratio)}"

    @property
    def grid_previews(self) -> str:
        """`srcset` for the grid: the preview for a whole screen is more than any tile needs."""
        return _srcset({w: link for w, link in self.previews.items() if link != self.medium})

    @property
    def all_previews(self) -> str:
        """`srcset` for a photo alone."""
        return _srcset(self.previews)

    @property
    def grid_sizes(self) -> str:
        """`sizes` for the grid: how wide the style sheet will make the tile, nearly."""
        wide, narrow = (self.ratio * row * GROWN for row in (ROW_OF_WIDE_SCREENS, ROW))
        return f"(min-width: 48rem) {wide:.1f}rem, min({narrow:.1f}rem, 92vw)"

    @property
    def few_sizes(self) -> str:
        """`sizes` where there are few: mostly a whole row of a phone, or as wide as its shape."""
        return f"min({self.ratio * ROW_OF_FEW * GROWN_OF_FEW:.1f}rem, 92vw)"

    @property
    def alone_sizes(self) -> str:
        """`sizes` for a photo alone: the whole width, or as wide as the height leaves it."""
        return f"min(100vw, {82 * self.width / self.height:.0f}vh)"


def make_tiles(ours: Services, event_id: int, images: Sequence[Image]) -> list[Tile]:
    """Tiles with links that stay the same for a while, so that browsers cache the pictures."""
    links = [preview_links(ours.linker, event_id, size, images) for size in LONG_SIDES]
    return [
        Tile(image.id, image.width, image.height, _by_width(image, its_links), its_links[0])
        for image, its_links in zip(images, zip(*links, strict=True), strict=True)
    ]


def _by_width(image: Image, links: Sequence[str]) -> dict[int, str]:
    """One link a width: of a small photo several previews are equally wide, and of one that an
    older version drew, two sizes are the same file."""
    widths = {
        link: _width(image, side) for link, side in zip(links, LONG_SIDES.values(), strict=True)
    }
    return dict(sorted({width: link for link, width in widths.items()}.items()))


def _srcset(previews: dict[int, str]) -> str:
    return ", ".join(f"{link} {width}w" for width, link in previews.items())


def _width(image: Image, long_side: int) -> int:
    longest = max(image.width, image.height)
    return max(1, round(image.width * min(1, long_side / longest)))
