"""Links to previews. They name which drawing of the photo they show: a photo that was turned, or
marked anew, has another link at once, and what a browser has kept under a link never changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from fotofinish.photos.keys import Size, old_preview_key, preview_key
from fotofinish.storage.links import Linker


class Pictured(Protocol):
    """A photo that has previews."""

    @property
    def id(self) -> UUID:
        """The photo's id."""

    @property
    def drawn(self) -> int:
        """When its previews were last drawn; 0 or less: by a version that made JPEGs."""


@dataclass(frozen=True, slots=True)
class Picture:
    """No more of a photo than links to its previews need."""

    id: UUID
    drawn: int


def preview_links(
    linker: Linker, event_id: int, size: Size, photos: Sequence[Pictured]
) -> list[str]:
    """A link a photo, in their order. Raises StorageError when they cannot be made."""
    return linker.lasting_links([preview_place(event_id, size, photo) for photo in photos])


def preview_place(event_id: int, size: Size, photo: Pictured) -> tuple[str, int]:
    """The key under which a preview lies, and the version that lies there."""
    if photo.drawn <= 0:
        return old_preview_key(event_id, photo.id, size), 1
    return preview_key(event_id, photo.id, size), photo.drawn
