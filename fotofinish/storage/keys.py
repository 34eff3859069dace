"""Object keys: which ones every store takes, and how they are written in an address."""

from __future__ import annotations

import re
from urllib.parse import quote

from fotofinish.errors import StorageError

KEY_BYTES = 1024
SEGMENT_BYTES = 255
PLAIN = re.compile(r"[A-Za-z0-9/_.~-]*")
# What nearly all keys look like, decided in one step: this is asked for every link.
USUAL = re.compile(r"\w[\w.-]*+(?:/\w[\w.-]*+)*+", re.ASCII)


def check_key(key: str) -> str:
    """The key itself, if it is one that every store takes and no file system bends.

    Segments joined by single slashes; none empty, none beginning with a dot (so no `..`), no
    backslash, no control character; at most 1,024 bytes, 255 a segment. Raises StorageError.
    """
    if len(key) <= SEGMENT_BYTES and USUAL.fullmatch(key):
        return key
    segments = key.split("/")
    if (
        len(key.encode(errors="replace")) > KEY_BYTES
        or not key.isprintable()
        or "\\" in key
        or any(not part or part[0] == "." for part in segments)
        or any(len(part.encode(errors="replace")) > SEGMENT_BYTES for part in segments)
    ):
        raise StorageError("This is not a key that an object can have.")
    return key


def address_path(key: str) -> str:
    """The key, percent-encoded as S3 wants it: all but letters, digits and `/_.~-` of ASCII."""
    return key if PLAIN.fullmatch(key) else quote(key)
