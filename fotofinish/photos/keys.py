"""Object keys and ids of photos: where an original and its previews lie."""

from __future__ import annotations

import re
from typing import Literal
from uuid import UUID, uuid5

CHECK_KEY = "incoming/check"
ORIGINAL = re.compile(r"imgs/(\d{1,18})/large/")
Size = Literal["medium", "dense", "small"]
LONG_SIDES: dict[Size, int] = {"medium": 1600, "dense": 640, "small": 400}  # pixels
# How long caches may keep previews: links to them name the version that was drawn
UNCHANGING = "private, max-age=31536000, immutable"
NAMESPACE = UUID("7c9f4fd1-6c0e-5b53-9a55-0b6a2c1f3f4e")


def image_id(event_id: int, sha256: bytes) -> UUID:
    """The id of these bytes in this event: the same bytes always get the same id.

    So an intake that was killed between storing the bytes and committing the row finds the same
    key when it is repeated, and leaves nothing behind.
    """
    return uuid5(NAMESPACE, f"{event_id}/{sha256.hex()}")


def event_folder(event_id: int) -> str:
    """What the keys of everything of an event begin with."""
    return f"imgs/{event_id}/"


def originals_folder(event_id: int) -> str:
    """What the keys of all originals of an event begin with."""
    return f"{event_folder(event_id)}large/"


def original_key(event_id: int, photo_id: UUID, extension: str) -> str:
    """Where the original lies, never touched after it was put there."""
    return f"{originals_folder(event_id)}{photo_id}.{extension}"


def incoming_folder(event_id: int) -> str:
    """What the keys begin with under which browsers put files of an event into a bucket."""
    return f"incoming/{event_id}/"


def incoming_key(event_id: int, upload_id: UUID) -> str:
    """Where a file lies until it was looked at: nobody's original yet."""
    return f"{incoming_folder(event_id)}{upload_id}"


def preview_key(event_id: int, photo_id: UUID, size: Size) -> str:
    """Where a preview lies: for the whole screen, grids on dense screens, all other grids."""
    return f"{event_folder(event_id)}{size}/{photo_id}.webp"


def old_preview_key(event_id: int, photo_id: UUID, size: Size) -> str:
    """Where it lies when it was last drawn by a version that made JPEGs, without "dense"."""
    return f"{event_folder(event_id)}{'medium' if size == 'medium' else 'small'}/{photo_id}.jpg"


def preview_keys(event_id: int, photo_id: UUID) -> list[str]:
    """Every key under which a preview of the photo may lie."""
    return [preview_key(event_id, photo_id, size) for size in LONG_SIDES] + old_preview_keys(
        event_id, photo_id
    )


def old_preview_keys(event_id: int, photo_id: UUID) -> list[str]:
    """The keys of previews that older versions drew."""
    return [old_preview_key(event_id, photo_id, size) for size in ("medium", "small")]


def event_of_original(key: str) -> int | None:
    """The event whose original lies under this key; None for previews and anything else."""
    found = ORIGINAL.match(key)
    return int(found[1]) if found else None


def is_preview(key: str) -> bool:
    """Whether this is the key of a preview of any size."""
    parts = key.split("/")
    return len(parts) == 4 and parts[2] in LONG_SIDES
