"""How much memory bodies that are still coming in may take, of all requests to a server process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fotofinish.errors import NoRoom

MOST_HELD = 256 * 1024**2
FREE = 128 * 1024  # bytes of each body that are not counted: small ones always find room
FULL = "Too much is being sent to this server at once. Try again in a moment."


class Place:
    """One body's; it grows as the body does."""

    def __init__(self, room: BodyRoom) -> None:
        self._room = room
        self.held = 0

    def grow_to(self, size: int) -> None:
        """Hold so many bytes; raises NoRoom."""
        held = max(0, size - FREE)
        self._room.take(held - self.held)
        self.held = held


class BodyRoom:
    """What all bodies that are being read hold together."""

    def __init__(self) -> None:
        self._held = 0

    @contextmanager
    def place(self) -> Iterator[Place]:
        """A place for one body, until it is read or given up."""
        place = Place(self)
        try:
            yield place
        finally:
            self._held -= place.held

    def take(self, size: int) -> None:
        """Hold so many bytes more; raises NoRoom."""
        if size and self._held + size > MOST_HELD:
            raise NoRoom(FULL)
        self._held += size
