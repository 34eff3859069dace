"""Time-limited download links, whichever store the objects lie in. The one place that signs.

Making a link asks nobody: whether the object is there is the store's `exists_many`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Protocol

import obstore
from obstore.exceptions import BaseError

from fotofinish.errors import SettingsError, StorageError
from fotofinish.settings import Settings
from fotofinish.storage.cloud import CloudStore
from fotofinish.storage.folder import FolderStore
from fotofinish.storage.local_links import LocalLinks
from fotofinish.storage.sigv4 import S3Presigner
from fotofinish.storage.stores import Store


class Signer(Protocol):
    """Makes links to one store."""

    def links(self, keys: Iterable[str], now: float) -> list[str]:
        """A link a key, in their order, valid from `now` (Unix seconds)."""


class Linker:
    """Links to the objects of the configured store.

    `now` is Unix seconds; without it, the clock's. Give a time rounded down to get the same link
    twice, so that a browser's cache can use it; the link's life counts from there.
    """

    def __init__(self, signer: Signer) -> None:
        self.signer = signer

    def link(self, key: str, *, now: float | None = None) -> str:
        """The link to one object. Raises StorageError when it cannot be made."""
        return self.links((key,), now=now)[0]

    def links(self, keys: Iterable[str], *, now: float | None = None) -> list[str]:
        """A link a key, in their order. Raises StorageError when they cannot be made."""
        return self.signer.links(keys, time.time() if now is None else now)


class CloudLinks:
    """Links signed by obstore: Google, Azure, and AWS with a machine's role.

    obstore signs from the present moment only, so `now` is not used here.
    """

    def __init__(self, store: CloudStore, ttl: int) -> None:
        self._store = store
        self._life = timedelta(seconds=ttl)

    def links(self, keys: Iterable[str], now: float) -> list[str]:
        """A link a key, in their order, valid from the present moment."""
        try:
            return list(obstore.sign(self._store.bucket, "GET", list(keys), self._life))
        except (BaseError, OSError, ValueError):
            raise StorageError(
                f"{self._store.name} gives no links: its credentials are missing or do not "
                "allow it."
            ) from None


def open_linker(settings: Settings, store: Store) -> Linker:
    """The linker for `store`, which `open_store` made of the same settings."""
    if isinstance(store, FolderStore):
        return Linker(LocalLinks(settings.signing_key(), settings.public_url, settings.link_ttl))
    if isinstance(store, CloudStore):
        if store.place is not None and store.place.keys is not None:
            return Linker(S3Presigner(store.place, settings.link_ttl))
        return Linker(CloudLinks(store, settings.link_ttl))
    raise SettingsError("Links can be made only to a store that these settings opened.")
