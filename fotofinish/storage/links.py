"""Time-limited download links, whichever store the objects lie in. The one place that signs.

Making a link asks nobody: whether the object is there is the store's `exists_many`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Protocol

import obstore
from obstore.exceptions import BaseError

from fotofinish.errors import SettingsError, StorageError
from fotofinish.settings import Settings
from fotofinish.storage.cloud import CloudStore
from fotofinish.storage.disposition import attachment
from fotofinish.storage.folder import FolderStore
from fotofinish.storage.local_links import LocalLinks
from fotofinish.storage.sigv4 import S3Presigner
from fotofinish.storage.stores import Store

MOST_KEPT = 200_000


class Signer(Protocol):
    """Makes links to one store."""

    def links(self, keys: Iterable[str], now: float) -> list[str]:
        """A link a key, in their order, valid from `now` (Unix seconds)."""

    def versioned_links(self, versions: Sequence[tuple[str, int]], now: float) -> list[str]:
        """As `links`, of keys and the versions of what lies there: another version, another link.

        The same `now` gives the same links.
        """

    def link_saved_as(self, key: str, disposition: str, now: float) -> str:
        """A link whose answer has this Content-Disposition header, where the store can do that."""


class Linker:
    """Links to the objects of the configured store, valid for `FOTOFINISH_LINK_TTL`; those to
    previews for `FOTOFINISH_PREVIEW_TTL`. `now` is Unix seconds; without it, the clock's.
    `lasting_for` is for how many seconds from now on those are valid at least.
    """

    def __init__(self, signer: Signer, lasting: Signer, lasting_ttl: int) -> None:
        """`lasting` signs links for `lasting_ttl` seconds."""
        self.signer = signer
        self._lasting = lasting
        self._step = max(1, lasting_ttl // 2)
        self.lasting_for = lasting_ttl - self._step

    def links(self, keys: Iterable[str], *, now: float | None = None) -> list[str]:
        """A link a key, in their order. Raises StorageError when they cannot be made."""
        return self.signer.links(keys, time.time() if now is None else now)

    def link_saved_as(self, key: str, filename: str, *, now: float | None = None) -> str:
        """A link that saves the object under this name; under the key's, where links are signed by
        obstore. Raises StorageError."""
        at = time.time() if now is None else now
        return self.signer.link_saved_as(key, attachment(filename), at)

    def lasting_links(
        self, versions: Sequence[tuple[str, int]], *, now: float | None = None
    ) -> list[str]:
        """A link for each key and version of what lies there, the same for half its life, so that
        browsers find it in their caches; valid for at least the other half. Raises StorageError.
        """
        at = time.time() if now is None else now
        return self._lasting.versioned_links(versions, at // self._step * self._step)


class CloudLinks:
    """Links signed by obstore: Google, Azure, and AWS with a machine's role.

    obstore signs from the present moment only, so `now` is not used but to know when links that
    are to stay the same are made anew; they do so in this process alone.
    """

    def __init__(self, store: CloudStore, ttl: int) -> None:
        self._store = store
        self._life = timedelta(seconds=ttl)
        self._made_at = 0.0
        self._made: dict[tuple[str, int], str] = {}

    def links(self, keys: Iterable[str], now: float) -> list[str]:
        """A link a key, in their order, valid from the present moment."""
        try:
            return list(obstore.sign(self._store.bucket, "GET", list(keys), self._life))
        except (BaseError, OSError, ValueError):
            raise StorageError(
                f"{self._store.name} gives no links: its credentials are missing or do not "
                "allow it."
            ) from None

    def versioned_links(self, versions: Sequence[tuple[str, int]], now: float) -> list[str]:
        """A link a key and version, made once for each `now`."""
        if now != self._made_at or len(self._made) > MOST_KEPT:
            self._made_at, self._made = now, {}
        fresh = [version for version in versions if version not in self._made]
        self._made.update(zip(fresh, self.links([key for key, _ in fresh], now), strict=True))
        return [self._made[version] for version in versions]

    def link_saved_as(self, key: str, disposition: str, now: float) -> str:
        """The link to the object; obstore cannot sign a header of the answer."""
        return self.links((key,), now)[0]


def open_linker(settings: Settings, store: Store) -> Linker:
    """The linker for `store`, which `open_store` made of the same settings."""
    if isinstance(store, FolderStore):
        key, url = settings.signing_key(), settings.public_url
        return _linker(settings, lambda ttl: LocalLinks(key, url, ttl))
    if isinstance(store, CloudStore):
        place = store.place
        if place is not None and place.keys is not None:
            return _linker(settings, lambda ttl: S3Presigner(place, ttl))
        return _linker(settings, lambda ttl: CloudLinks(store, ttl))
    raise SettingsError("Links can be made only to a store that these settings opened.")


def _linker(settings: Settings, signer: Callable[[int], Signer]) -> Linker:
    return Linker(signer(settings.link_ttl), signer(settings.preview_ttl), settings.preview_ttl)
