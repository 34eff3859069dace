"""What is looked at before photos are served or read: mistakes that would else show much later."""

from __future__ import annotations

import hmac
import tempfile
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo
from rich.console import Console

from fotofinish.database.connection import Database
from fotofinish.errors import SettingsError, StorageError, StorageRefused
from fotofinish.settings import Settings
from fotofinish.storage.cloud import CloudStore
from fotofinish.storage.stores import open_store

PURPOSE = b"fotofinish: which key a server signs with, version 1"


def refuse_mistakes(settings: Settings) -> None:
    """Raise SettingsError, with how to mend it, for what no start can work with.

    Quick, and so not thorough: what a model is good for is said by `fotofinish doctor`. A store
    that does not answer keeps nothing from starting, as it will be back: that is only told.
    """
    if settings.face_embedder is not None:
        _refuse_unreadable(settings.face_embedder)
    store = open_store(settings)
    if isinstance(store, CloudStore):
        _refuse_wrong(store)


def refuse_unusable_folder(settings: Settings) -> None:
    """Raise SettingsError unless a server can keep its key and uploads in the data folder."""
    folder = settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
        settings.signing_key()
    except OSError as error:
        raise SettingsError(
            f"FOTOFINISH_DATA_DIR: the folder {folder} cannot be used ({error.strerror}). Name "
            "another, or let this user write there."
        ) from None


def named_by_key(database: Database, signing_key: bytes) -> Database:
    """The database, where this server's connections have a name that tells keys apart."""
    mark = hmac.digest(signing_key, PURPOSE, "sha256").hex()[:16]
    return Database(make_conninfo(database.dsn, application_name=f"fotofinish {mark}"))


def warn_of_other_keys(database: Database) -> None:
    """Tell when a server that is connected just now signs with another key than this one.

    `database` is what `named_by_key` gave. What one of them signs, the others refuse.
    """
    with psycopg.connect(database.dsn) as connection:
        row = connection.execute(
            """select exists (
                 select from pg_stat_activity
                 where datname = current_database()
                   and starts_with(application_name, 'fotofinish ')
                   and application_name <> current_setting('application_name'))"""
        ).fetchone()
    if row and row[0]:
        Console(stderr=True).print(
            "Warning: another server on this database signs with another key: local links and "
            "passes to galleries that one of them gives out, the other refuses. Give all the same "
            "FOTOFINISH_SECRET_KEY.",
            soft_wrap=True,
        )


def _refuse_unreadable(embedder: Path) -> None:
    try:
        embedder.open("rb").close()
    except OSError as error:
        raise SettingsError(
            f"FOTOFINISH_FACE_EMBEDDER: {embedder} cannot be read ({error.strerror}). Name an "
            "ArcFace-style ONNX for 112x112 pixels, or nothing for the packaged one."
        ) from None


def _refuse_wrong(store: CloudStore) -> None:
    try:
        store.reach()
    except StorageRefused as error:
        raise SettingsError(f"FOTOFINISH_STORAGE_URL: {error.message}") from None
    except StorageError as error:
        Console(stderr=True).print(
            f"Warning: {error.message} Until it answers, uploads and links fail and photos wait; "
            "'fotofinish doctor' tries it again.",
            soft_wrap=True,
        )
