"""Where originals and previews lie: one interface, opened from one setting.

What a link to an object looks like is not known here; see `links.py`.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from fotofinish.errors import SettingsError, StorageError
from fotofinish.settings import Settings
from fotofinish.storage.cloud import LOOKS, TRANSFERS, CloudStore, Limits
from fotofinish.storage.folder import FolderStore
from fotofinish.storage.s3_place import S3Place, s3_place

if TYPE_CHECKING:
    from obstore.store import S3Config


class Store(Protocol):
    """Objects under keys. Every failure is a StorageError; a missing object an ObjectMissing."""

    name: str

    def put(
        self,
        key: str,
        data: bytes | Path,
        *,
        content_type: str,
        filename: str,
        cache_control: str | None = None,
    ) -> None:
        """Store an object, replacing one that is there; durable when it returns."""

    async def put_async(
        self,
        key: str,
        data: bytes | Path,
        *,
        content_type: str,
        filename: str,
        cache_control: str | None = None,
    ) -> None:
        """As `put`."""

    def get(self, key: str) -> bytes:
        """All bytes of an object."""

    def stream(self, key: str, start: int, stop: int) -> AsyncIterator[bytes]:
        """Bytes `start` to before `stop` of an object, a chunk at a time."""

    async def exists_many(self, keys: Sequence[str]) -> list[bool | StorageError]:
        """One answer a key, in their order, within 3 s; never raises."""

    def delete_many(self, keys: Iterable[str]) -> None:
        """Delete these objects; those that are not there are no error."""

    async def delete_many_async(self, keys: Iterable[str]) -> None:
        """As `delete_many`."""

    def delete_prefix(self, prefix: str) -> None:
        """Delete everything below `prefix`, whole segments only."""

    async def delete_prefix_async(self, prefix: str) -> None:
        """As `delete_prefix`."""

    def check(self) -> None:
        """Raise StorageError unless objects can be written and read back."""


FORMS = (
    "Give nothing (a folder in the data folder), file:///path, "
    "s3://bucket?endpoint=https://host&region=name, gs://bucket or az://container."
)


def open_store(settings: Settings) -> Store:
    """The store that `FOTOFINISH_STORAGE_URL` names.

    Raises SettingsError, with how to mend it, for an address that does not fit, or a folder that
    cannot be made. Nothing is asked of a cloud yet: `check` does that.
    """
    url = settings.storage_url
    if url is None:
        return _open_folder(settings.data_dir / "storage", "FOTOFINISH_DATA_DIR")
    scheme = url.partition("://")[0].lower()
    if scheme == "file":
        return _open_folder(_folder(url), "FOTOFINISH_STORAGE_URL")
    if scheme == "s3":
        return _open_s3(s3_place(url, os.environ))
    if scheme == "gs":
        return _open_gcs(_only_name(url, "gs://bucket"))
    if scheme == "az":
        return _open_azure(_only_name(url, "az://container"))
    raise SettingsError(f"FOTOFINISH_STORAGE_URL has no form that is known. {FORMS}")


def _folder(url: str) -> Path:
    parts = urlsplit(url)
    path = Path(unquote(parts.path))
    if parts.netloc not in ("", "localhost") or parts.query or parts.fragment or path == Path("/"):
        raise SettingsError(
            "FOTOFINISH_STORAGE_URL: a folder is given as file:///its/whole/path, "
            "with three slashes."
        )
    return path


def _open_folder(path: Path, setting: str) -> FolderStore:
    try:
        return FolderStore(path)
    except StorageError as error:
        raise SettingsError(
            f"{setting}: {error.message} Name another, or let this user write there."
        ) from None


def _only_name(url: str, form: str) -> str:
    parts = urlsplit(url)
    if not parts.netloc or "@" in parts.netloc or parts.path.strip("/") or parts.query:
        raise SettingsError(
            f"FOTOFINISH_STORAGE_URL: expected {form} and nothing after it; credentials come from "
            "the cloud's own environment variables."
        )
    return parts.netloc


def _open_s3(place: S3Place) -> CloudStore:
    keys = place.keys
    credentials: S3Config = {}
    if keys is not None:
        credentials["access_key_id"] = keys.access_key_id
        credentials["secret_access_key"] = keys.secret_access_key
        if keys.session_token is not None:
            credentials["session_token"] = keys.session_token

    def bucket(limits: Limits) -> S3Store:
        return S3Store(
            place.bucket,
            config={
                "aws_endpoint_url_s3": place.endpoint,
                "region": place.region,
                "virtual_hosted_style_request": False,
                **credentials,
            },
            client_options={**limits.client, "allow_http": place.endpoint.startswith("http://")},
            retry_config=limits.retries,
        )

    return CloudStore(place.name, bucket(TRANSFERS), bucket(LOOKS), place)


def _open_gcs(name: str) -> CloudStore:
    def bucket(limits: Limits) -> GCSStore:
        return GCSStore(name, client_options=limits.client, retry_config=limits.retries)

    try:
        return CloudStore(f"gs://{name}", bucket(TRANSFERS), bucket(LOOKS))
    except (BaseError, OSError, ValueError):
        raise SettingsError(
            "Google Cloud Storage cannot be set up: look at GOOGLE_APPLICATION_CREDENTIALS, "
            "which names the file of a service account."
        ) from None


def _open_azure(name: str) -> CloudStore:
    def bucket(limits: Limits) -> AzureStore:
        return AzureStore(name, client_options=limits.client, retry_config=limits.retries)

    try:
        return CloudStore(f"az://{name}", bucket(TRANSFERS), bucket(LOOKS))
    except (BaseError, OSError, ValueError):
        raise SettingsError(
            "Azure cannot be set up: look at AZURE_STORAGE_ACCOUNT_NAME and "
            "AZURE_STORAGE_ACCOUNT_KEY."
        ) from None
